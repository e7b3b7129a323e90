//! What is shown of the store.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How the store is, in a [`Status`](crate::Status).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct StoreStatus {
    /// Where the state lives.
    pub url: String,
    /// Why the store could not be read or understood, if so.
    pub error: Option<String>,
    /// When the store was last read or written successfully. `None`: never. While the store
    /// answers it is at most some seconds ago.
    pub known_at: Option<Timestamp>,
    /// How old the knowledge is: how many whole seconds ago `known_at` was, by a clock that nobody
    /// sets.
    pub age: Option<u64>,
    /// By how many milliseconds this process's clock is ahead of the store's; negative: behind. More
    /// than two seconds are worth a look at the clocks. `None`: the store has no clock of its own, or
    /// has not been asked yet.
    pub clock_ahead_ms: Option<i64>,
    /// Whether what is known comes from the copy that an earlier process has left here, because this
    /// one has not been able to read the store yet. Then `known_at` is when that process took it.
    pub remembered: bool,
}

impl StoreStatus {
    /// Of a store that has not been read yet.
    pub(crate) fn unread(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            error: None,
            known_at: None,
            age: None,
            clock_ahead_ms: None,
            remembered: false,
        }
    }
}
