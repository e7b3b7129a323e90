//! What keeps a mode closed during a stretch of time: whoever cancels a window for it learns that it is
//! closed all the same.

// The program may have nothing but the status of a site.
#[cfg(any(test, all(feature = "cli", unix)))]
mod of_status;

use jiff::Timestamp;
use serde::Serialize;

use crate::core::{access::Forced, mode_view::ModeView, schedule::Interval};

#[cfg(any(test, all(feature = "cli", unix)))]
pub(crate) use self::of_status::closed_within;

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

#[cfg(test)]
#[path = "overlap_tests.rs"]
mod tests;
