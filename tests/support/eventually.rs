//! Waiting for what must happen soon, without sleeping for luck.

use std::time::{Duration, Instant};

/// Long enough for the busiest machine; nothing that works takes so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until this holds, and tells how long that took.
#[track_caller]
pub(crate) fn eventually(
    what: &str,
    holds: impl FnMut() -> bool,
) -> impl Future<Output = Duration> {
    within(PATIENCE, what, holds)
}

/// Waits so long at most.
#[track_caller]
pub(crate) fn within(
    patience: Duration,
    what: &str,
    mut holds: impl FnMut() -> bool,
) -> impl Future<Output = Duration> {
    let caller = std::panic::Location::caller();
    async move {
        let started = Instant::now();
        while !holds() {
            assert!(
                started.elapsed() < patience,
                "{caller}: not within {patience:?}: {what}"
            );
            actix_web::rt::time::sleep(Duration::from_millis(1)).await;
        }
        started.elapsed()
    }
}
