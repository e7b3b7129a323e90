//! What the live nodes agree on that is over.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::core::state::horizon::Horizon;

/// How often the first of the nodes asks what time it is for the others, at first and when that has
/// been in vain for long.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// What the live nodes agree on that is over.
#[derive(Debug)]
pub(super) struct Agreement {
    /// What every live node's clock had passed when they were asked.
    pub(super) until: Option<Timestamp>,
    pub(super) asked_at: Option<Instant>,
    pub(super) pause: Duration,
}

impl Default for Agreement {
    fn default() -> Self {
        Self {
            until: None,
            asked_at: None,
            pause: FIRST_PAUSE,
        }
    }
}

impl Agreement {
    /// Up to when what is over may leave the document.
    pub(super) fn horizon(&self, now: Timestamp) -> Horizon {
        Horizon::new(now, self.until)
    }
}
