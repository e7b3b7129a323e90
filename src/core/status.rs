//! What users and programs are shown of nodes, visitors, tasks, locks and files: plain data.

pub(crate) mod grants;
pub(crate) mod modes;
pub(crate) mod period;
pub(crate) mod state_id;
pub(crate) mod store;
pub(crate) mod whole;
pub(crate) mod windows;

use std::{collections::BTreeMap, path::PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::{access::Forced, phase::Phase};

/// One node in a [`Status`](crate::Status): a process that runs the middleware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NodeStatus {
    /// Tells nodes apart; no two that ever ran have the same.
    pub id: String,
    /// The name of its host; empty if its report cannot be read.
    pub host: String,
    /// Its process's id; zero if its report cannot be read.
    pub pid: u32,
    /// Since when it runs.
    pub since: Option<Timestamp>,
    /// The version of this crate that it runs.
    pub version: String,
    /// Whether it goes by the very state that this process goes by.
    pub up_to_date: bool,
    /// The number of the state that it goes by.
    pub generation: u64,
    /// What its modes are, by their keys.
    pub phases: BTreeMap<String, Phase>,
    /// How many requests it was serving that end by themselves.
    pub in_flight: u64,
    /// How many upgraded connections and responses without an end it was serving.
    pub endless: u64,
    /// How many requests waited outside of it for a mode to open.
    #[serde(default)]
    pub parked: u64,
    /// How many visitors were inside.
    pub sessions: u64,
    /// How many tasks it was running.
    pub tasks: u64,
    /// How many seconds ago it reported that.
    pub age: u64,
    /// Whether it is this process itself.
    pub own: bool,
    /// What its settings force, whatever is stored.
    pub forced: Option<Forced>,
    /// Whether the sessions of visitors are loaded when it decides who gets in: `false` where the
    /// session middleware is wrapped inside of this crate's. `None`: no request has shown it yet, which
    /// takes a closed mode whose rules ask who somebody is, and somebody with a session.
    pub sessions_loaded: Option<bool>,
    /// What an operator should know of it.
    pub remarks: Vec<Remark>,
}

/// What an operator should know of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Remark {
    /// It has applied the state that closes a mode, and serves all the same: its settings force
    /// maintenance off, or a store that fails opens it.
    ServesAlthoughOffline,
    /// It runs another version of this crate than other nodes.
    OtherVersion,
    /// It has other settings than other nodes.
    OtherSettings,
    /// Its clock is more than two seconds from that of the process that tells this. One of the two is
    /// wrong.
    ClockDiffers,
}

impl Remark {
    /// The remark in words, as they follow the name of a node.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServesAlthoughOffline => "serves although offline",
            Self::OtherVersion => "runs another version",
            Self::OtherSettings => "has other settings",
            Self::ClockDiffers => "has another time",
        }
    }
}

/// A node in a [`Status`](crate::Status) that does not report any more and has not said that it
/// leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct UnheardNode {
    /// The node's id.
    pub id: String,
    /// For how many seconds it has not been heard of.
    pub age: u64,
    /// Whether it is waited for. If not, nobody can tell whether it is dead, and it is taken for that.
    pub waited_for: bool,
}

/// A task that runs, as its lease shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RunningTask {
    /// The task's name.
    pub name: String,
    /// Who runs it, and where.
    pub by: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
}

/// A visitor who is inside, without anything that tells who it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionInside {
    /// An opaque id, the same as long as this process runs.
    pub id: String,
    /// How many seconds ago the visitor was seen last.
    pub age: u64,
}

/// Who holds the lock on a mode: see [`Guarding::exclusive`](crate::Guarding::exclusive).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LockHolder {
    /// Who it is: what the guard was told, the host and the process.
    pub by: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
}

/// Somebody whom changes are told: one of `notices` in a [`Status`](crate::Status).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NoticeTargetStatus {
    /// What it is called.
    pub name: String,
    /// What kind of receiver it is: `webhook`, `slack` or `alertmanager`.
    pub kind: String,
    /// How many notices wait for it.
    pub waiting: u64,
    /// Since when it takes none.
    pub failing_since: Option<Timestamp>,
    /// Why it takes none, or did not take the last one.
    pub error: Option<String>,
    /// How many it will never get: it did not take them as they were, or too many waited.
    pub lost: u64,
    /// How many silences there are at it.
    pub silences: u64,
}

/// The file of the audit: `audit` in a [`Status`](crate::Status).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AuditStatus {
    /// Where it is.
    pub file: PathBuf,
    /// Why nothing can be written to it, if so. What is to be written is kept meanwhile, as far as
    /// there is room.
    pub error: Option<String>,
    /// How many entries were lost, because too many waited for the file.
    pub lost: u64,
}

/// The files for a web server in front of the app: `web_server` in a
/// [`Status`](crate::Status).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WebServerStatus {
    /// The flag, which exists exactly while the mode `site` is offline.
    pub flag: Option<PathBuf>,
    /// The page as a file.
    pub page: Option<PathBuf>,
    /// Why the files are not in step with what is, if so.
    pub error: Option<String>,
}
