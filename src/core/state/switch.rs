//! The stored, manual part of a mode.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::period::Ended;
use crate::core::{opening::Opening, phase::Phase, words::words};

/// The manual part of a mode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    #[default]
    Off,
    /// Closing: those who are in may finish.
    Pending(Draining),
    On(SwitchedOn),
}

impl Switch {
    /// What the switch alone means at `now`. `lapse`: when it opens by itself, which may be later
    /// than it says.
    pub(super) fn phase(&self, now: Timestamp, lapse: Option<Timestamp>) -> Phase {
        let has_lapsed = lapse.is_some_and(|lapse| lapse <= now);
        match self {
            Self::Off => Phase::Online,
            Self::On(_) | Self::Pending(_) if has_lapsed => Phase::Online,
            Self::On(on) if on.opening().is_some() => Phase::Opening,
            Self::On(_) => Phase::Offline,
            Self::Pending(drain) if drain.deadline.is_none_or(|deadline| now < deadline) => {
                Phase::Pending
            }
            Self::Pending(drain) => match drain.on_timeout {
                OnTimeout::Offline => Phase::Offline,
                OnTimeout::Cancel => Phase::Online,
            },
        }
    }

    /// How it opens again, share by share, if it does.
    pub(crate) fn opening(&self) -> Option<&Opening> {
        match self {
            Self::On(on) => on.opening(),
            Self::Off | Self::Pending(_) => None,
        }
    }

    /// What was said when it was thrown.
    pub(crate) fn record(&self) -> Option<&SwitchedOn> {
        match self {
            Self::Off => None,
            Self::On(on) => Some(on),
            Self::Pending(drain) => Some(&drain.on),
        }
    }

    pub(super) fn record_mut(&mut self) -> Option<&mut SwitchedOn> {
        match self {
            Self::Off => None,
            Self::On(on) => Some(on),
            Self::Pending(drain) => Some(&mut drain.on),
        }
    }

    /// How and when it ended by itself, if it has at `now`.
    pub(super) fn ended(
        &self,
        now: Timestamp,
        lapsed: Option<(Timestamp, Ended)>,
    ) -> Option<(Timestamp, Ended)> {
        let cancelled = match self {
            Self::Pending(drain) if drain.on_timeout == OnTimeout::Cancel => {
                drain.deadline.map(|deadline| (deadline, Ended::Cancelled))
            }
            _ => None,
        };
        [lapsed, cancelled]
            .into_iter()
            .flatten()
            .filter(|(end, _)| *end <= now)
            .min_by_key(|(end, _)| *end)
    }
}

/// A switch that is closing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draining {
    /// When it does not wait any longer.
    #[serde(default)]
    pub(crate) deadline: Option<Timestamp>,
    /// What happens then.
    #[serde(default)]
    pub(crate) on_timeout: OnTimeout,
    #[serde(flatten)]
    pub(crate) on: SwitchedOn,
}

/// What becomes of a drain that is not over in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnTimeout {
    /// The mode goes offline with whoever is still in.
    #[default]
    Offline,
    /// The mode goes back online.
    Cancel,
}

words! {
    /// The word for it, as in the settings: `offline` or `cancel`.
    pub OnTimeout in JSON {
        Offline = "offline",
        Cancel = "cancel",
    }
}

/// Since when a mode is switched on, by whom and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SwitchedOn {
    /// Unknown when somebody wrote a plain `on` into the store.
    #[serde(default)]
    pub(crate) since: Option<Timestamp>,
    #[serde(default)]
    pub(crate) until: Option<Timestamp>,
    #[serde(default)]
    pub(crate) by: Option<String>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    /// The networks that get in for as long as it is thrown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) allow: Vec<String>,
    /// How long requests wait for it to open, instead of being refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) park: Option<SignedDuration>,
    /// How it opens again, share by share, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) opening: Option<Opening>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl SwitchedOn {
    /// How it opens again. What an older version was told since counts more: it has set another end.
    pub(crate) fn opening(&self) -> Option<&Opening> {
        let opening = self.opening.as_ref();
        opening.filter(|opening| opening.until == self.until)
    }
}
