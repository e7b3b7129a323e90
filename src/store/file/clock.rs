//! The clocks by which leases lapse.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::Timestamp;

/// Reads all clocks. An argument, so that tests can set them.
pub(super) type Clock = Arc<dyn Fn() -> Reading + Send + Sync>;

/// What the clocks show at one moment.
#[derive(Debug, Clone)]
pub(super) struct Reading {
    /// This process's own clock. Nobody sets it, but it means nothing to another process, and it
    /// may stand still while the machine sleeps.
    pub(super) own: Instant,
    /// The time since the machine started, sleep included. Nobody sets it, and it is the same for
    /// all processes whose clock has the same identity.
    pub(super) since_start: Option<SinceStart>,
    /// The wall clock, which anybody may set.
    pub(super) wall: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SinceStart {
    /// Differs from machine to machine and from start to start.
    pub(super) clock: Arc<str>,
    pub(super) elapsed: Duration,
}

pub(super) fn system() -> Clock {
    Arc::new(|| Reading {
        own: Instant::now(),
        since_start: since_start(),
        wall: Timestamp::now(),
    })
}

#[cfg(target_os = "linux")]
fn since_start() -> Option<SinceStart> {
    use std::{fs, sync::OnceLock};

    static CLOCK: OnceLock<Option<Arc<str>>> = OnceLock::new();

    let clock = CLOCK.get_or_init(|| {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        // A container can have been given an offset of its own. Kernels without that have no link.
        let offset = fs::read_link("/proc/self/ns/time").unwrap_or_default();
        Some(format!("{} {}", boot.trim(), offset.display()).into())
    });
    Some(SinceStart {
        clock: Arc::clone(clock.as_ref()?),
        elapsed: crate::clock::steady::since_boot()?,
    })
}

#[cfg(not(target_os = "linux"))]
fn since_start() -> Option<SinceStart> {
    None
}

#[cfg(test)]
#[path = "clock_tests.rs"]
mod tests;
