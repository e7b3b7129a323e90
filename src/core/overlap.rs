//! What keeps a mode closed during a stretch of time: whoever cancels a window for it learns that it is
//! closed all the same.

use jiff::Timestamp;
use serde::Serialize;

use crate::core::status::{modes::ModeStatus, windows::PlannedWindow};

/// A stretch in which a mode is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Closed {
    /// `None`: it is closed already.
    pub(crate) from: Option<Timestamp>,
    /// `None`: until somebody opens it.
    pub(crate) until: Option<Timestamp>,
    /// The window that closes it, if one does that is not open yet.
    pub(crate) window: Option<String>,
}

/// The first stretch in which a mode is closed during `[start, end)`, which begins now if it is open
/// already.
pub(crate) fn closed_within(
    mode: &ModeStatus,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Option<Closed> {
    let begins = start.map_or(now, |start| start.max(now));
    if mode.phase.is_maintenance() && mode.until.is_none_or(|until| begins < until) {
        return Some(Closed {
            from: None,
            until: mode.until,
            window: None,
        });
    }
    let overlaps = |window: &&PlannedWindow| {
        let starts_in_time = match (window.start, end) {
            (Some(start), Some(end)) => start < end,
            _ => true,
        };
        starts_in_time && window.end.is_none_or(|end| begins < end)
    };
    let first = mode.windows.iter().filter(overlaps);
    let first = first.min_by_key(|window| window.start)?;
    Some(Closed {
        from: first.start,
        until: first.end,
        window: Some(first.id.clone()),
    })
}
