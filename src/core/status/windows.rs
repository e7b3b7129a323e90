//! What is shown of planned windows.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::core::{
    schedule::{Interval, Recurrence},
    state::Window,
};

/// A planned window of a mode: `[start, end)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedWindow {
    /// What [`Maintenance::cancel_window`](crate::Maintenance::cancel_window) takes.
    pub id: String,
    /// When it starts; `None`: it has always been open. If it repeats, when it started, while it is
    /// open, or else when it starts next.
    pub start: Option<Timestamp>,
    /// When it ends; `None`: when somebody ends it. If it repeats, the end that belongs to `start`.
    pub end: Option<Timestamp>,
    /// How it repeats, if it does.
    pub repeats: Option<Repeats>,
    /// The IANA zone that it was planned in.
    pub zone: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// What visitors are told.
    pub message: Option<String>,
    /// Why, for operators.
    pub reason: Option<String>,
    /// Who planned it.
    pub by: Option<String>,
}

/// How a [`PlannedWindow`] repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Repeats {
    /// When it starts, by minute, hour, day of month, month and day of week, in `zone`.
    pub cron: String,
    /// The same in words, as it stands in the middle of a sentence: `every Saturday at 03:00`.
    pub words: String,
    /// The IANA zone of the starts.
    pub zone: String,
    /// How long it lasts each time; in JSON as ISO 8601 has it, such as `PT2H`.
    pub duration: SignedDuration,
    /// When it is over for good: nothing starts then or later.
    pub until: Option<Timestamp>,
}

impl PlannedWindow {
    /// The windows that are not over, by their start.
    pub(crate) fn all(windows: &[Window], now: Timestamp) -> Vec<Self> {
        let mut planned: Vec<Self> = windows
            .iter()
            .filter_map(|window| Some(Self::new(window, window.now_or_next(now)?)))
            .collect();
        planned.sort_by_key(|window| window.start);
        planned
    }

    pub(super) fn new(window: &Window, interval: Interval) -> Self {
        Self {
            id: window.id.clone(),
            start: interval.start,
            end: interval.end,
            repeats: window.repeats.as_ref().map(|recurrence| Repeats {
                cron: recurrence.cron().to_owned(),
                words: recurrence.in_words(),
                zone: recurrence.zone().to_owned(),
                duration: recurrence.duration(),
                until: recurrence.until(),
            }),
            zone: window.zone.clone(),
            title: window.title.clone(),
            message: window.message.clone(),
            reason: window.reason.clone(),
            by: window.by.clone(),
        }
    }
    /// How it repeats, from the time that is shown on; `None` if it does not.
    pub(crate) fn recurrence(&self) -> Option<Recurrence> {
        let repeats = self.repeats.as_ref()?;
        let lasts = Duration::try_from(repeats.duration).ok()?;
        let before = self.start?.checked_sub(SignedDuration::from_nanos(1));
        let recurrence = Recurrence::new(&repeats.cron, &repeats.zone, lasts).ok()?;
        Some(recurrence.within(before.ok()?, repeats.until))
    }
}
