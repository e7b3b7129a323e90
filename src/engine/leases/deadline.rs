//! Until when a lease is certainly held.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::clock::steady;

/// Until when a lease is held, for those who ask at every request.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    /// Microseconds of the steady clock; zero: it is not held.
    pub(super) micros: AtomicU64,
}

impl Deadline {
    /// Whether it is over, also if whoever keeps the lease did not get to tell yet.
    pub(crate) fn is_over(&self) -> bool {
        steady::now().as_micros() >= u128::from(self.micros.load(Ordering::SeqCst))
    }

    pub(super) fn set(&self, until: Option<Duration>) {
        let micros = until.map_or(0, |until| until.as_micros());
        self.micros
            .store(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}
