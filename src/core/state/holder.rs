//! Who holds the switch of a mode: a job that keeps it closed for as long as it lives.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::words::words;

/// What becomes of a mode when the job that holds it dies: its lease lapses, and it has not let go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IfLost {
    /// The mode stays closed until its announced end, or until somebody opens it where none is.
    #[default]
    Stay,
    /// What was before comes back: the mode opens, unless something else closes it.
    Reopen,
}

words! {
    /// The word for it, as in JSON: `stay` or `reopen`.
    pub IfLost in JSON {
        Stay = "stay",
        Reopen = "reopen",
    }
}

/// A job that holds the switch of a mode by a lease.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) by: Option<String>,
    pub(crate) since: Timestamp,
    #[serde(default)]
    pub(crate) if_lost: IfLost,
    /// How many milliseconds its lease lives without being renewed.
    pub(crate) time_to_live: u64,
    /// Whether no other job that is to be alone may hold the mode besides.
    #[serde(default)]
    pub(crate) alone: bool,
    /// When its lease was seen to have lapsed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lost_at: Option<Timestamp>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl Holder {
    pub(crate) fn is_lost(&self) -> bool {
        self.lost_at.is_some()
    }
}

/// What somebody wants who holds what they switch.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hold {
    /// Tells holders apart; the name of the lease has it.
    pub(crate) token: String,
    pub(crate) holder: Holder,
    /// The token of the job that this one is a part of.
    pub(crate) within: Option<String>,
}

#[cfg(test)]
#[path = "holder_tests.rs"]
mod tests;
