//! The same by a mode's status, where nothing else is known.

use jiff::Timestamp;

use super::{Closed, first};
use crate::core::{
    schedule::Interval,
    status::{modes::ModeStatus, windows::PlannedWindow},
};

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
    let windows = mode.windows.iter();
    let open = windows.filter_map(|window| Some((window.id.as_str(), open_from(window, begins)?)));
    first(open, end)
}

/// When a window is open around an instant that is not past, or else when it opens next.
fn open_from(window: &PlannedWindow, at: Timestamp) -> Option<Interval> {
    let shown = Interval {
        start: window.start,
        end: window.end,
    };
    if window.end.is_none_or(|end| at < end) {
        return Some(shown);
    }
    let recurrence = window.recurrence()?;
    let open = recurrence.occurrence_at(at);
    open.or_else(|| recurrence.next_after(at))
        .map(Interval::from)
}
