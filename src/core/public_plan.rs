//! The plan as anybody may read it: what opens when, one occurrence after the other, and what was
//! called off.

use std::{collections::BTreeMap, sync::Arc};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::core::{
    schedule::{Interval, Window},
    snapshot::Snapshot,
};

const DAY: i64 = 24 * 3600;

/// How far ahead windows that repeat are told: a year, a leap one.
const AHEAD: SignedDuration = SignedDuration::from_hours(366 * 24);

/// How many occurrences are told of all windows that repeat. One of each hour of a year is fewer.
const MOST_OCCURRENCES: usize = 10_000;

/// Something that is planned, or was: an occurrence of a window, with what anybody may know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlannedEvent {
    /// The same whenever it is told, also when it is called off, and of no other one.
    pub(crate) uid: String,
    /// The key of the mode.
    pub(crate) mode: Arc<str>,
    /// That mode's name for people.
    pub(crate) label: Arc<str>,
    pub(crate) title: Option<String>,
    /// `None`: it has always been open.
    pub(crate) start: Option<Timestamp>,
    /// `None`: until somebody ends it.
    pub(crate) end: Option<Timestamp>,
    /// When it was last said otherwise, if that is known.
    pub(crate) changed_at: Option<Timestamp>,
    /// How often it was said otherwise.
    pub(crate) sequence: u32,
    pub(crate) is_cancelled: bool,
}

/// A plan, and from when to when it says the same, while nobody changes it.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublicPlan {
    pub(crate) events: Vec<PlannedEvent>,
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
}

impl Snapshot {
    /// What is open or ahead of the modes that are meant, by its start.
    pub(crate) fn public_plan(
        &self,
        now: Timestamp,
        is_public: impl Fn(&str) -> bool,
    ) -> PublicPlan {
        // From midnight to midnight, so that it is another one once a day and not with each second.
        let today = now.as_second().div_euclid(DAY) * DAY;
        let instant = |second| Timestamp::from_second(second).unwrap_or(now);
        let (midnight, tomorrow) = (instant(today), instant(today + DAY));
        let to = midnight.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
        let modes: Vec<_> = self
            .modes
            .iter()
            .filter(|mode| is_public(&mode.key))
            .collect();
        let cancelled: Vec<_> = self
            .cancelled
            .iter()
            .filter(|cancelled| cancelled.is_told(midnight))
            .filter_map(|cancelled| {
                let mut modes = modes.iter();
                let mode = modes.find(|mode| *mode.key == *cancelled.mode)?;
                Some((*mode, cancelled))
            })
            .collect();
        let live = modes.iter().flat_map(|mode| &mode.state.windows);
        let all = live.chain(cancelled.iter().map(|(_, cancelled)| &cancelled.window));
        let repeating = all.filter(|window| window.repeats()).count();
        let share = MOST_OCCURRENCES / repeating.max(1);

        let mut events = BTreeMap::new();
        // What is planned comes last: it counts more than what was called off before.
        for (mode, it) in cancelled {
            let window = &it.window;
            for open in occurrences(window, now, to, share) {
                if open.start.is_none_or(|start| start <= it.at) {
                    continue;
                }
                let event = PlannedEvent {
                    changed_at: Some(it.at),
                    sequence: window.sequence.saturating_add(1),
                    is_cancelled: true,
                    ..event(mode.key.clone(), mode.label.clone(), window, open)
                };
                let uid = uid(window, open, window.repeats() || it.is_occurrence);
                events.insert(uid.clone(), PlannedEvent { uid, ..event });
            }
        }
        for mode in modes {
            for window in &mode.state.windows {
                for open in occurrences(window, now, to, share) {
                    let uid = uid(window, open, window.repeats());
                    let event = event(mode.key.clone(), mode.label.clone(), window, open);
                    events.insert(uid.clone(), PlannedEvent { uid, ..event });
                }
            }
        }
        let mut events: Vec<PlannedEvent> = events.into_values().collect();
        events.sort_by_key(|event| event.start);
        let ends = events.iter().filter_map(|event| event.end);
        PublicPlan {
            to: ends.filter(|end| now < *end).fold(tomorrow, Timestamp::min),
            from: now,
            events,
        }
    }
}

/// What is open or opens of a window, at most so many times.
fn occurrences(window: &Window, now: Timestamp, to: Timestamp, limit: usize) -> Vec<Interval> {
    let mut found = Vec::new();
    let mut next = window.now_or_next(now);
    while let Some(open) = next {
        found.push(open);
        next = match open.end {
            Some(end) if window.repeats() && found.len() < limit => window
                .next_after(end)
                .filter(|next| next.start.is_some_and(|start| start < to)),
            _ => None,
        };
    }
    found
}

fn event(mode: Arc<str>, label: Arc<str>, window: &Window, open: Interval) -> PlannedEvent {
    PlannedEvent {
        uid: String::new(),
        mode,
        label,
        title: window.title.clone(),
        start: open.start,
        end: open.end,
        changed_at: window.changed_at,
        sequence: window.sequence,
        is_cancelled: false,
    }
}

/// A window has one name whenever it is. Of those that repeat, the start tells the occurrences apart.
fn uid(window: &Window, open: Interval, is_occurrence: bool) -> String {
    let id = &window.id;
    match open.start.filter(|_| is_occurrence) {
        Some(start) => {
            let start = start.to_zoned(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ");
            format!("{id}-{start}@maintenance")
        }
        None => format!("{id}@maintenance"),
    }
}

#[cfg(test)]
#[path = "public_plan_tests.rs"]
mod tests;
