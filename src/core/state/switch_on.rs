//! What an operator asks of a switch.

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use super::switch::{OnTimeout, SwitchedOn};

/// What [`Document::turn_on`] is to store.
#[derive(Debug, Clone, Default)]
pub(crate) struct SwitchOn {
    pub(crate) by: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) end: Option<End>,
    /// How long the mode stays on when nobody says until when.
    pub(crate) time_out: Option<SignedDuration>,
    /// Whether those who are in may finish first.
    pub(crate) drain: Option<DrainWish>,
}

/// How a drain is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DrainWish {
    /// How long it waits; `None`: as long as it takes.
    pub(crate) timeout: Option<SignedDuration>,
    pub(crate) on_timeout: OnTimeout,
}

impl DrainWish {
    pub(super) fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(self.timeout?).ok()
    }
}

/// When a switch lapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    At(Timestamp),
    After(SignedDuration),
}

impl End {
    /// After so long; what is longer than can be said is for ever.
    pub(crate) fn after(duration: std::time::Duration) -> Self {
        Self::After(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX))
    }
}

impl SwitchOn {
    /// What is stored of a switch that was off.
    pub(super) fn switched_on(&self, now: Timestamp) -> SwitchedOn {
        SwitchedOn {
            since: Some(now),
            until: self
                .until(now)
                .or_else(|| now.checked_add(self.time_out?).ok()),
            by: self.by.clone(),
            reason: self.reason.clone(),
            message: self.message.clone(),
            unknown: Map::new(),
        }
    }

    /// What is stored of a switch that was on already: what is new, besides what was.
    pub(super) fn added_to(&self, mut on: SwitchedOn, now: Timestamp) -> SwitchedOn {
        replace_if_some(&mut on.reason, &self.reason);
        replace_if_some(&mut on.message, &self.message);
        on.until = self.until(now).or(on.until);
        on
    }

    /// Until when, if the wish says so. A time beyond what can be said is no end.
    pub(super) fn until(&self, now: Timestamp) -> Option<Timestamp> {
        match self.end? {
            End::At(until) => Some(until),
            End::After(duration) => now.checked_add(duration).ok(),
        }
    }
}

pub(super) fn replace_if_some(old: &mut Option<String>, new: &Option<String>) {
    if new.is_some() {
        old.clone_from(new);
    }
}
