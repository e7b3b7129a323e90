//! Windows that were planned and are not any more: whoever has them in a calendar is to be told.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Document;
use crate::core::schedule::Window;

/// How long it is told that something was cancelled.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// How many of them are kept; the oldest leave first.
const MOST_KEPT: usize = 100;

/// A window that was cancelled, or one occurrence of it, with what anybody may know of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cancelled {
    pub(crate) mode: String,
    pub(crate) at: Timestamp,
    pub(crate) window: Window,
    /// Whether it is a single occurrence of a window that repeats.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) is_occurrence: bool,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl Cancelled {
    fn new(mode: &str, window: Window, is_occurrence: bool, at: Timestamp) -> Self {
        Self {
            mode: mode.to_owned(),
            at,
            window: Window {
                by: None,
                reason: None,
                message: None,
                unknown: Map::new(),
                ..window
            },
            is_occurrence,
            unknown: Map::new(),
        }
    }

    /// The whole window. `None`: nothing of it is ahead, so that nobody waits for it.
    pub(super) fn whole(mode: &str, window: &Window, at: Timestamp) -> Option<Self> {
        let is_ahead = window.next_after(at).is_some();
        is_ahead.then(|| Self::new(mode, window.clone(), false, at))
    }

    /// What of a window that repeats opens next, and is left out. `None`: it is open already.
    pub(super) fn next_of(mode: &str, window: &Window, at: Timestamp) -> Option<Self> {
        if !window.repeats() {
            return Self::whole(mode, window, at);
        }
        let next = window.now_or_next(at)?;
        let is_ahead = next.start.is_some_and(|start| at < start);
        is_ahead.then(|| Self::new(mode, window.at(next), true, at))
    }

    /// Whether it is still told.
    pub(crate) fn is_told(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) < TOLD_FOR
    }
}

impl Document {
    /// Takes note of what was cancelled, and forgets what everybody has heard of by now.
    pub(super) fn note_cancelled(
        &mut self,
        cancelled: impl IntoIterator<Item = Cancelled>,
        now: Timestamp,
    ) {
        self.cancelled.extend(cancelled);
        self.bound_cancelled(now);
    }

    /// Takes note of what was cancelled as another document has it.
    pub(super) fn take_cancelled(&mut self, of: &[Cancelled], now: Timestamp) {
        let missing = of.iter().filter(|it| !self.cancelled.contains(it));
        let missing: Vec<Cancelled> = missing.cloned().collect();
        self.cancelled.extend(missing);
        self.cancelled.sort_by_key(|cancelled| cancelled.at);
        self.bound_cancelled(now);
    }

    fn bound_cancelled(&mut self, now: Timestamp) {
        self.cancelled.retain(|cancelled| cancelled.is_told(now));
        let surplus = self.cancelled.len().saturating_sub(MOST_KEPT);
        self.cancelled.drain(..surplus);
    }
}

#[cfg(test)]
#[path = "cancelled_tests.rs"]
mod tests;
