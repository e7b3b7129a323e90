//! What is shown of a mode.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::{
    access::Access,
    phase::Phase,
    state::IfLost,
    status::{LockHolder, windows::PlannedWindow},
};

/// A mode in a [`Status`](crate::Status) that is stored, but not in the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnknownMode {
    /// The mode's key. [`Maintenance::forget`](crate::Maintenance::forget) takes it.
    pub key: String,
    /// What it would be.
    pub phase: Phase,
}

/// One mode in a [`Status`](crate::Status).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModeStatus {
    /// The mode's key.
    pub key: String,
    /// The mode's name for people.
    pub label: String,
    /// What it means to switch it on, for operators.
    pub help: Option<String>,
    /// What is possible while it is on.
    pub access: Access,
    /// What the mode is.
    pub phase: Phase,
    /// Since when it is not online, if that is known.
    pub since: Option<Timestamp>,
    /// When the window starts that is announced.
    pub start: Option<Timestamp>,
    /// When it is online again, if that is known.
    pub until: Option<Timestamp>,
    /// Who switched it on or planned it.
    pub by: Option<String>,
    /// Why, for operators; visitors never see it.
    pub reason: Option<String>,
    /// What visitors are told.
    pub message: Option<String>,
    /// The planned windows that are not over, by their start.
    pub windows: Vec<PlannedWindow>,
    /// While it is pending: when it does not wait any longer for those who are inside. `None`: it
    /// waits for as long as it takes.
    pub drain_deadline: Option<Timestamp>,
    /// The job that holds it, if one does: it is closed for as long as the job lives, or has been left
    /// so by a job that has died.
    pub held: Option<HeldStatus>,
    /// How it is opening, while its phase is [`Opening`](Phase::Opening).
    #[serde(default)]
    pub opening: Option<OpeningStatus>,
    /// For how many seconds at most requests wait for it to open, instead of being refused; `None`: they do
    /// not wait.
    #[serde(default)]
    pub park: Option<u64>,
    /// Who held the lock on it when the store was last asked.
    /// [`ask_status`](crate::Maintenance::ask_status) asks it now.
    pub locked_by: Option<LockHolder>,
    /// What the app adds by [`ModeBuilder::status_details`](crate::ModeBuilder::status_details).
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// How a mode is opening, in a [`ModeStatus`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct OpeningStatus {
    /// When the share began to grow, or when it was paused or changed last.
    pub since: Timestamp,
    /// When everybody is in. `None`: it has been paused, and the share stays as it is.
    pub until: Option<Timestamp>,
    /// The share of the visitors who are in at the time of the status, from 0 to 1.
    pub share: f64,
    /// Who opens it.
    pub by: Option<String>,
}

/// The job that holds a mode, in a [`ModeStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct HeldStatus {
    /// What the job is called.
    pub name: String,
    /// Who runs it.
    pub by: Option<String>,
    /// Since when it holds the mode.
    pub since: Timestamp,
    /// What becomes of the mode when the job dies.
    pub if_lost: IfLost,
    /// Whether its lease was live when the store was last asked; `None`: it has not been asked yet.
    /// [`ask_status`](crate::Maintenance::ask_status) asks it now.
    pub alive: Option<bool>,
    /// When its lease was found to have lapsed.
    pub lost_at: Option<Timestamp>,
    /// Since when the announced end has passed, while the job goes on.
    pub overdue_since: Option<Timestamp>,
}

impl HeldStatus {
    /// Whether the job has died, as far as anybody can tell.
    pub fn is_lost(&self) -> bool {
        self.lost_at.is_some() || self.alive == Some(false)
    }
}
