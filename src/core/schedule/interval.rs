//! Intervals of time.

use jiff::Timestamp;

/// `[start, end)`; an end that is `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
}

impl Interval {
    /// Whether `now` is in it.
    pub(crate) fn contains(self, now: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= now) && self.end.is_none_or(|end| now < end)
    }

    /// Whether no instant is in it.
    pub(super) fn is_empty(self) -> bool {
        matches!((self.start, self.end), (Some(start), Some(end)) if end <= start)
    }
}
