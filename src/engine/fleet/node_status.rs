//! The nodes as users and programs are shown them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use crate::{core::phase::Phase, settings::Forced};

/// One node in a [`Status`](crate::Status): a process that runs the middleware.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
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
    /// What an operator should know of it.
    pub remarks: Vec<Remark>,
}

/// What an operator should know of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
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
}

impl Remark {
    /// The remark in words, as they follow the name of a node.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServesAlthoughOffline => "serves although offline",
            Self::OtherVersion => "runs another version",
            Self::OtherSettings => "has other settings",
        }
    }
}

/// A node in a [`Status`](crate::Status) that does not report any more and has not said that it
/// leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnheardNode {
    /// The node's id.
    pub id: String,
    /// For how many seconds it has not been heard of.
    pub age: u64,
    /// Whether it is waited for. If not, nobody can tell whether it is dead, and it is taken for that.
    pub waited_for: bool,
}
