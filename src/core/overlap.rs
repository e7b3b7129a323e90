//! What keeps a mode closed during a stretch of time: whoever cancels a window for it learns that it is
//! closed all the same.

use jiff::Timestamp;
use serde::Serialize;

use crate::core::{
    access::Forced,
    mode_view::ModeView,
    schedule::Interval,
    status::{modes::ModeStatus, windows::PlannedWindow},
};

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
    let windows = mode.windows.iter();
    let open = windows.filter_map(|window| Some((window.id.as_str(), open_from(window, begins)?)));
    first(open, end)
}

/// What closes a mode beside one of its windows, during the time for which that one is planned: now, or
/// else next.
pub(crate) fn closed_besides(mode: &ModeView, id: &str, now: Timestamp) -> Option<Closed> {
    let windows = &mode.state.windows;
    let window = windows.iter().find(|window| window.id == id)?;
    let planned = window.now_or_next(now)?;
    let begins = planned.start.map_or(now, |start| start.max(now));
    let until = match mode.instead {
        Some(Forced::Off) => return None,
        Some(Forced::On) => Some(None),
        None => {
            let is_thrown = mode.state.switch_phase(now).is_maintenance();
            is_thrown.then(|| mode.state.switch_end(now))
        }
    };
    if let Some(until) = until.filter(|until| until.is_none_or(|until| begins < until)) {
        return Some(Closed {
            from: None,
            until,
            window: None,
        });
    }
    let others = windows.iter().filter(|other| other.id != id);
    let open = others.filter_map(|other| Some((other.id.as_str(), other.now_or_next(begins)?)));
    first(open, planned.end)
}

/// The first of these that begins before `end`.
fn first<'a>(
    open: impl Iterator<Item = (&'a str, Interval)>,
    end: Option<Timestamp>,
) -> Option<Closed> {
    let in_time = open.filter(|(_, open)| match (open.start, end) {
        (Some(start), Some(end)) => start < end,
        _ => true,
    });
    let (id, open) = in_time.min_by_key(|(_, open)| open.start)?;
    Some(Closed {
        from: open.start,
        until: open.end,
        window: Some(id.to_owned()),
    })
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

#[cfg(test)]
#[path = "overlap_tests.rs"]
mod tests;
