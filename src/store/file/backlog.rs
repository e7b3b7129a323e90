//! Keeping work that hangs from piling up.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

/// The pieces of work of one kind that have begun and not ended.
///
/// A file system that hangs holds the thread of everyone who asks it, for as long as it likes. So
/// nobody new is let in once somebody has been there for too long.
#[derive(Debug, Clone)]
pub(super) struct Backlog {
    begun: Arc<Mutex<Vec<Instant>>>,
    limit: Duration,
}

/// One piece of work; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Work {
    begun: Arc<Mutex<Vec<Instant>>>,
    at: Instant,
}

impl Backlog {
    /// Work that takes longer than the limit hangs.
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            begun: Arc::default(),
            limit,
        }
    }

    /// Begins a piece of work. The error says for how long an earlier one has been hanging.
    pub(super) fn begin(&self, now: Instant) -> Result<Work, Duration> {
        let mut begun = self.begun.lock();
        let oldest = begun.iter().min();
        let longest = oldest.map(|&at| now.saturating_duration_since(at));
        if let Some(longest) = longest.filter(|&longest| longest >= self.limit) {
            return Err(longest);
        }
        begun.push(now);
        Ok(Work {
            begun: Arc::clone(&self.begun),
            at: now,
        })
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut begun = self.begun.lock();
        // Two that began at the same instant are alike.
        if let Some(place) = begun.iter().position(|&at| at == self.at) {
            begun.swap_remove(place);
        }
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
