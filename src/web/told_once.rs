//! What the log says once, by whichever worker comes to it first.

use std::collections::HashSet;

use parking_lot::Mutex;

/// The texts that have been logged.
#[derive(Debug, Default)]
pub(crate) struct ToldOnce(Mutex<HashSet<String>>);

impl ToldOnce {
    /// Warns of something, if it has not been said before.
    pub(crate) fn warn(&self, event: &'static str, message: String) {
        let is_new = self.0.lock().insert(message.clone());
        if is_new {
            tracing::warn!(event, "{message}");
        }
    }
}
