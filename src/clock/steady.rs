//! The clock by which a holder of a lease knows when to give up.

use std::{
    sync::OnceLock,
    time::{Duration, Instant},
};

/// The time since some fixed moment. Nobody sets it; where the system has such a clock (Linux), it
/// goes on while the machine sleeps, and in any case while this process is stopped.
pub(crate) fn now() -> Duration {
    since_boot().unwrap_or_else(since_first_use)
}

/// The time since the machine started, sleep included, where the system has such a clock.
#[cfg(target_os = "linux")]
pub(crate) fn since_boot() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Some(Duration::new(
        time.tv_sec.try_into().ok()?,
        time.tv_nsec.try_into().ok()?,
    ))
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn since_boot() -> Option<Duration> {
    None
}

fn since_first_use() -> Duration {
    static FIRST: OnceLock<Instant> = OnceLock::new();
    FIRST.get_or_init(Instant::now).elapsed()
}

#[cfg(test)]
#[path = "steady_tests.rs"]
mod tests;
