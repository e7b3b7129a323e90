//! The lock on a mode: a lease, so that of all processes only one holds it, and that it is free again
//! by itself when that one dies.

use std::time::Duration;

use crate::{
    core::status::LockHolder,
    engine::{
        change_error::ChangeError,
        handle::Engine,
        leases::{
            content::Content,
            held_lease::HeldLease,
            names::LOCKS,
            wanted::{AcquireError, Wanted},
        },
        pauses,
    },
};

/// How a lock is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LockWish {
    /// How long to wait for it.
    pub(crate) wait: Duration,
    /// How long after its process has died it is free.
    pub(crate) lapse: Duration,
}

impl Default for LockWish {
    fn default() -> Self {
        Self {
            wait: Duration::ZERO,
            lapse: pauses::TIME_TO_LIVE,
        }
    }
}

/// Takes the lock on a mode, at once or before the wait is over.
pub(crate) async fn lock(
    engine: &Engine,
    mode: &str,
    by: Option<String>,
    wish: LockWish,
) -> Result<HeldLease, ChangeError> {
    let (content, holder) = Content::of_this_process(by, engine.shared.clock.now());
    let wanted = Wanted::alone(format!("{LOCKS}{mode}"), holder, content.encode());
    let wanted = wanted.waiting(wish.wait).time_to_live(wish.lapse);
    match engine.leases.acquire(wanted).await {
        Ok(lease) => {
            tracing::debug!(mode, "the lock on a mode is taken");
            Ok(lease)
        }
        Err(AcquireError::Taken(by)) => Err(ChangeError::Locked {
            mode: mode.to_owned(),
            holder: LockHolder::of(&by),
        }),
        Err(AcquireError::Store(error)) => Err(ChangeError::Store(error)),
        Err(AcquireError::Stopped) => Err(ChangeError::Stopped),
    }
}
