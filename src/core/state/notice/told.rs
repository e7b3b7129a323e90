//! What is told of a mode at an instant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::{
    phase::Phase,
    state::{Document, ModeState, Window},
};

/// What is told of a mode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ToldMode {
    #[serde(default)]
    pub(crate) phase: Phase,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// The name of a job that held it and has died.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lost: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) windows: BTreeMap<String, ToldWindow>,
}

/// What is told of a window.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ToldWindow {
    #[serde(default)]
    pub(crate) start: Option<Timestamp>,
    #[serde(default)]
    pub(crate) end: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// How it repeats, if it does; then `start` and `end` are of one time of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeats: Option<String>,
    /// The last time of it that was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) left_out: Option<Timestamp>,
}

impl ToldWindow {
    fn new(document: &Document, window: &Window, now: Timestamp) -> Self {
        let time = window.now_or_next(now);
        let occurrences = document.cancelled.iter();
        let of_it = occurrences.filter(|it| it.is_occurrence && it.window.id == window.id);
        Self {
            start: time.and_then(|time| time.start),
            end: time.and_then(|time| time.end),
            title: window.title.clone(),
            message: window.message.clone(),
            repeats: window.repeats.as_ref().map(|recurrence| {
                let (cron, zone) = (recurrence.cron(), recurrence.zone());
                format!("{cron} {zone} {}", recurrence.duration())
            }),
            left_out: of_it.filter_map(|it| it.window.start).max(),
        }
    }

    /// Whether somebody has changed what is planned. That one that repeats has moved on is nobody's
    /// doing.
    pub(super) fn is_other_than(&self, former: &Self) -> bool {
        let said = |it: &Self| (it.title.clone(), it.message.clone(), it.repeats.clone());
        let moved = self.repeats.is_none() && (self.start, self.end) != (former.start, former.end);
        said(self) != said(former) || moved
    }
}

impl ToldMode {
    pub(super) fn new(document: &Document, mode: &ModeState, now: Timestamp) -> Self {
        let standing = mode.standing(now);
        let lost = mode.holder().filter(|(_, holder)| holder.is_lost());
        let windows = mode.windows.iter().filter(|window| !window.is_past(now));
        Self {
            phase: standing.phase,
            since: standing.since,
            until: standing.until,
            message: standing.message,
            by: standing.by,
            reason: standing.reason,
            lost: lost.map(|(_, holder)| holder.name.clone()),
            windows: windows
                .map(|window| (window.id.clone(), ToldWindow::new(document, window, now)))
                .collect(),
        }
    }

    /// The same without what only the next comparison needs.
    pub(super) fn without_windows(&self) -> Self {
        Self {
            windows: BTreeMap::new(),
            ..self.clone()
        }
    }
}
