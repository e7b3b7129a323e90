//! What others are told of changes: the notices that follow from a document, and what became of them.
//!
//! Pure. The document carries what was told last; what follows is the difference to what is. So no
//! change escapes, whoever made it and on whichever way, and what time does is told as well.

mod derive;
mod outbox;
mod silence;
mod told;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::words::words;

pub(crate) use self::{
    outbox::{Interest, Outcome},
    silence::{SilenceStep, silence_step},
    told::{ToldMode, ToldWindow},
};

/// How many notices wait at most; the oldest leave first.
pub(crate) const MOST_WAITING: usize = 100;

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum NoticeKind {
    /// A window is planned.
    Planned,
    /// A planned window is another, or what is said of a closed mode.
    Changed,
    /// A window is cancelled, or one time of it.
    Cancelled,
    /// A mode is closing: those who are in may finish.
    Closing,
    /// A mode is closed.
    Closed,
    /// Its end is later than was said, or nobody knows it any more.
    Extended,
    /// A growing share of the visitors gets in.
    Opening,
    /// A mode is open again.
    Open,
    /// The job that held a mode has died.
    HolderLost,
}

words! {
    /// The word for it, as in the settings and in JSON.
    pub NoticeKind in JSON {
        Planned = "planned",
        Changed = "changed",
        Cancelled = "cancelled",
        Closing = "closing",
        Closed = "closed",
        Extended = "extended",
        Opening = "opening",
        Open = "open",
        HolderLost = "holder-lost",
    }
}

/// One thing that others are told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// Its place among all of them.
    pub(crate) sequence: u64,
    /// The same each time that it is sent, and no other's.
    pub(crate) id: String,
    pub(crate) kind: NoticeKind,
    pub(crate) mode: String,
    pub(crate) at: Timestamp,
    /// What is of the mode from then on.
    #[serde(flatten)]
    pub(crate) is: ToldMode,
    /// The window that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<(String, ToldWindow)>,
}

/// What is stored of notices.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notices {
    /// The place of the next one.
    pub(crate) next: u64,
    /// The latest instant by which was told.
    pub(crate) told_at: Timestamp,
    /// What was told of each mode.
    #[serde(default)]
    pub(crate) told: BTreeMap<String, ToldMode>,
    /// What waits to be sent, in order.
    #[serde(default)]
    pub(crate) outbox: Vec<Notice>,
    /// By the names of targets, what became of it.
    #[serde(default)]
    pub(crate) targets: BTreeMap<String, TargetRecord>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl Default for Notices {
    fn default() -> Self {
        Self {
            next: 1,
            told_at: Timestamp::UNIX_EPOCH,
            told: BTreeMap::new(),
            outbox: Vec::new(),
            targets: BTreeMap::new(),
            unknown: Map::new(),
        }
    }
}

/// What became of notices at one target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct TargetRecord {
    /// Up to which one it has got them, or will not.
    #[serde(default)]
    pub(crate) done: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failing_since: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<String>,
    /// How many it will never get.
    #[serde(default)]
    pub(crate) lost: u64,
    /// The silences that were made for modes, by their keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) silences: BTreeMap<String, Silence>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// A silence that was made for a mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Silence {
    pub(crate) id: String,
    /// From when on it counts; Alertmanager takes no other for the same silence.
    pub(crate) since: Timestamp,
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
