//! An operation on a document in which something is over that has not been settled yet.
//!
//! The operation sees what its process sees by its own clock: what is over is over. What is stored is
//! what the operation has changed of that, and all the rest as it was: that a clock takes something
//! for over removes nothing for those whose clocks say otherwise. Only what the operation is about is
//! settled with it, since nobody could tell afterwards that it was there.

use jiff::Timestamp;

use super::{
    Document, HISTORY_LENGTH, ModeState, Period, Window,
    settle::{Part, is_over_since, seen, settled_in_part},
};
use crate::core::state::mode_state::GuardRecord;

/// What became of an operation.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Applied {
    /// What the operation was applied to, if that is not the document itself.
    pub(crate) seen: Option<Document>,
    /// What it made of that; `None`: nothing was to be changed.
    pub(crate) operated: Option<Document>,
    /// What is to be stored, if anything is.
    pub(crate) next: Option<Document>,
}

/// Applies an operation by a clock that shows `now`. `said` is the mode whose switch somebody throws
/// by it: then it is what was said for everybody, also where it was that already by this clock.
pub(crate) fn applied(
    document: &Document,
    said: Option<&str>,
    now: Timestamp,
    operation: impl Fn(&Document, Timestamp) -> Option<Document>,
) -> Applied {
    let Some(before) = seen(document, now) else {
        let operated = operation(document, now);
        return Applied {
            seen: None,
            next: operated.clone(),
            operated,
        };
    };
    let operated = operation(&before, now);
    let after = operated.as_ref().unwrap_or(&before);
    let next = carried_over(document, &before, after, said, now);
    Applied {
        next: (next != *document).then_some(next),
        seen: Some(before),
        operated,
    }
}

/// The document with what has changed from `before` to `after`.
fn carried_over(
    document: &Document,
    before: &Document,
    after: &Document,
    said: Option<&str>,
    now: Timestamp,
) -> Document {
    let is_meant = |key: &str, part: Part<'_>| match part {
        Part::Switch => {
            said == Some(key) || switch_of(before.mode(key)) != switch_of(after.mode(key))
        }
        // With all that there is of it.
        Part::Window(_) if after.mode(key).is_none() => true,
        Part::Window(id) => {
            let known = before.mode(key).and_then(|mode| find(mode, id));
            known.is_some() && known != after.mode(key).and_then(|mode| find(mode, id))
        }
    };
    let in_part = settled_in_part(document, now, &is_meant);
    let document = in_part.as_ref().unwrap_or(document);
    let mut next = after.clone();
    for (key, mode) in &mut next.modes {
        let (Some(stored), Some(before)) = (document.mode(key), before.mode(key)) else {
            continue;
        };
        if !is_meant(key, Part::Switch) {
            mode.switch.clone_from(&stored.switch);
            mode.guards.clone_from(&stored.guards);
        }
        for window in &mut mode.windows {
            if let Some(stored) = find(stored, &window.id)
                && !is_meant(key, Part::Window(&window.id))
                && find(before, &window.id).is_some()
            {
                window.clone_from(stored);
            }
        }
        let over = stored
            .windows
            .iter()
            .filter(|window| find(before, &window.id).is_none());
        let windows = &mut mode.windows;
        for window in over {
            // One that is planned anew under the same name takes its place.
            if windows.iter().all(|known| known.id != window.id) {
                windows.push(window.clone());
            }
        }
        windows.sort_by_key(|window| window.start);
    }
    next.history = history(&document.history, &before.history, &after.history);
    for (key, mode) in &next.modes {
        let stored = document.mode(key);
        let is_window_meant = |window: &Window| is_meant(key, Part::Window(&window.id));
        let is_any_meant = is_meant(key, Part::Switch)
            || stored.is_some_and(|mode| mode.windows.iter().any(is_window_meant));
        if is_any_meant {
            keep_open(&mut next.history, key, mode, after, now);
        }
    }
    bound(&mut next.history);
    next
}

/// Keeps the period of a mode that goes on although what it went on by has changed: nobody could tell
/// any more since when it has, and that it had not ended with something that is over.
fn keep_open(
    history: &mut Vec<Period>,
    key: &str,
    mode: &ModeState,
    after: &Document,
    now: Timestamp,
) {
    let is_open = |period: &&Period| period.mode == key && period.ended_at.is_none();
    let Some(period) = after.history.iter().find(is_open) else {
        return;
    };
    history.retain(|other| !is_within(period, other) || other.started_at > now);
    let mut period = period.clone();
    if period.started_at < now && is_over_since(mode, period.started_at, now) {
        history.push(Period {
            ended_at: Some(now),
            ..period.clone()
        });
        period.started_at = now;
    }
    history.push(period);
}

fn switch_of(mode: Option<&ModeState>) -> Option<(&super::Switch, &[GuardRecord])> {
    mode.map(|mode| (&mode.switch, &*mode.guards))
}

fn find<'a>(mode: &'a ModeState, id: &str) -> Option<&'a Window> {
    mode.windows.iter().find(|window| window.id == id)
}

/// The stored history with what has changed from `before` to `after`.
fn history(stored: &[Period], before: &[Period], after: &[Period]) -> Vec<Period> {
    let removed: Vec<&Period> = before.iter().filter(|it| !after.contains(it)).collect();
    let added = after.iter().filter(|it| !before.contains(it));
    let mut history: Vec<Period> = stored
        .iter()
        .filter(|it| !removed.iter().any(|removed| is_within(removed, it)))
        .chain(added)
        .cloned()
        .collect();
    bound(&mut history);
    history
}

/// Whether a period is a part of another of its mode.
fn is_within(outer: &Period, it: &Period) -> bool {
    let ends_within = match (it.ended_at, outer.ended_at) {
        (Some(end), Some(last)) => end <= last,
        // One that is open begins in what is over by this clock, or in what goes on.
        (None, Some(last)) => it.started_at <= last,
        (_, None) => true,
    };
    it.mode == outer.mode && outer.started_at <= it.started_at && ends_within
}

fn bound(history: &mut Vec<Period>) {
    history.sort_by_key(|period| period.started_at);
    let surplus = history.len().saturating_sub(HISTORY_LENGTH);
    history.drain(..surplus);
}

#[cfg(test)]
#[path = "applied_tests.rs"]
mod tests;
