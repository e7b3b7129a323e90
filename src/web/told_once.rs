//! What the log says once, by whichever worker comes to it first.

use std::collections::HashSet;

use parking_lot::Mutex;

/// The most texts that are kept; what comes later is not told.
const MOST: usize = 1000;

/// The texts that have been logged.
#[derive(Debug, Default)]
pub(crate) struct ToldOnce(Mutex<HashSet<String>>);

impl ToldOnce {
    /// Warns of something, if it has not been said before.
    pub(crate) fn warn(&self, event: &'static str, message: String) {
        let is_new = {
            let mut told = self.0.lock();
            told.len() < MOST && told.insert(message.clone())
        };
        if is_new {
            tracing::warn!(event, "{message}");
        }
    }
}
