//! What an operator asks of a switch.

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use super::{
    holder::Hold,
    switch::{OnTimeout, SwitchedOn},
};

/// What [`Document::turn_on`] is to store. What is not said stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct SwitchOn {
    pub(crate) by: Option<String>,
    /// An empty one takes away what was said before; so does an empty message.
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) end: Option<End>,
    /// How long the mode stays on when nobody says until when.
    pub(crate) time_out: Option<SignedDuration>,
    /// Whether those who are in may finish first.
    pub(crate) drain: Option<DrainWish>,
    pub(crate) drain_said: DrainSaid,
    /// The networks that get in for as long as it is thrown.
    pub(crate) allow: Option<Vec<String>>,
    /// How long requests wait for it to open; none at all takes away what was said before.
    pub(crate) park: Option<SignedDuration>,
    /// Who holds it from then on.
    pub(crate) hold: Option<Hold>,
}

/// What of a drain somebody has said. The rest is of the settings, and does not change a drain that
/// goes on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DrainSaid {
    pub(crate) timeout: bool,
    pub(crate) on_timeout: bool,
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
    /// When somebody ends it, whatever the mode's own time-out is.
    Never,
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
            until: self.end_unless_said(now),
            by: self.by.clone(),
            reason: self.reason.clone().filter(|reason| !reason.is_empty()),
            message: self.message.clone().filter(|message| !message.is_empty()),
            allow: self.allow.clone().unwrap_or_default(),
            park: self.park.filter(|park| park.is_positive()),
            opening: None,
            unknown: Map::new(),
        }
    }

    /// What is stored of a switch that was on already: what is new, besides what was.
    pub(super) fn added_to(&self, mut on: SwitchedOn, now: Timestamp) -> SwitchedOn {
        replace_if_some(&mut on.reason, &self.reason);
        replace_if_some(&mut on.message, &self.message);
        on.until = match on.opening().is_some() {
            // That end was when all would have been in.
            true => self.end_unless_said(now),
            false => self.until(now).unwrap_or(on.until),
        };
        on.opening = None;
        if let Some(allow) = &self.allow {
            on.allow.clone_from(allow);
        }
        if let Some(park) = self.park {
            on.park = Some(park).filter(|park| park.is_positive());
        }
        on
    }

    /// When what is closed now ends: as the wish says, or else after the mode's own time-out.
    fn end_unless_said(&self, now: Timestamp) -> Option<Timestamp> {
        self.until(now)
            .unwrap_or_else(|| now.checked_add(self.time_out?).ok())
    }

    /// What the wish says of the end, if it says anything. A time beyond what can be said is no end.
    pub(super) fn until(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        Some(match self.end? {
            End::At(end) => Some(end),
            End::After(duration) => now.checked_add(duration).ok(),
            End::Never => None,
        })
    }
}

pub(super) fn replace_if_some(old: &mut Option<String>, new: &Option<String>) {
    match new.as_deref() {
        None => {}
        Some("") => *old = None,
        Some(_) => old.clone_from(new),
    }
}
