//! What a node tells of itself.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{
    core::{phase::Phase, skew},
    engine::{
        fleet::{process::Process, trace::Trace},
        grant_uses::Uses,
        inside::sessions::SessionMark,
        leases::names::NODES,
    },
    settings::{Forced, ID_LIMIT},
};

/// How long before it is stored, at most, a report is made.
const TOLD_LATE: SignedDuration = SignedDuration::from_secs(2);

/// Who a node is. The same from its start to its end, and never that of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeIdentity {
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) pid: u32,
    pub(crate) since: Timestamp,
    /// Its process, for those on the same machine; `None`: the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) process: Option<Process>,
}

impl NodeIdentity {
    /// `salt` tells apart what starts within one process and one millisecond.
    pub(crate) fn new(
        named: Option<&str>,
        host: &str,
        pid: u32,
        since: Timestamp,
        salt: &str,
    ) -> Self {
        let host: String = host
            .chars()
            .map(|letter| match letter {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '-' | '.' | '_' => letter,
                _ => '_',
            })
            .take(ID_LIMIT)
            .collect();
        let start = format!("{:x}{salt}", since.as_millisecond());
        Self {
            id: match named {
                Some(named) => format!("{named}/{pid}-{start}"),
                None => format!("{host}/{pid}-{start}"),
            },
            host,
            pid,
            since,
            process: Process::own(),
        }
    }

    pub(crate) fn lease_name(&self) -> String {
        format!("{NODES}{}", self.id)
    }
}

/// What a node tells about itself. It is the content of its lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeReport {
    #[serde(flatten)]
    pub(crate) node: NodeIdentity,
    pub(crate) version: String,
    pub(crate) generation: u64,
    /// The stored document that it goes by. Empty while it starts and goes by none.
    #[serde(default)]
    pub(crate) state: String,
    #[serde(default)]
    pub(crate) modes: BTreeMap<String, ModeReport>,
    pub(crate) in_flight: u64,
    #[serde(default)]
    pub(crate) endless: u64,
    /// How many requests wait outside for a mode to open.
    #[serde(default)]
    pub(crate) parked: u64,
    /// How many visitors are inside.
    #[serde(default)]
    pub(crate) sessions: u64,
    /// Who they are, while a mode is closing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) visitors: Vec<SessionMark>,
    #[serde(default)]
    pub(crate) tasks: u64,
    /// What its clock showed when it told this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) clock: Option<Timestamp>,
    /// The lease's time to live in milliseconds, from which a reader learns how old the report is.
    #[serde(default)]
    pub(crate) lives: u64,
    /// Whether it closes when it is cut off.
    #[serde(default)]
    pub(crate) closes: bool,
    /// What its settings force, whatever is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) forced: Option<Forced>,
    /// Differs where the settings differ that all nodes of a fleet should have alike.
    #[serde(default)]
    pub(crate) settings: String,
    /// Whether sessions are loaded when it decides who gets in; `None`: no request has shown it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sessions_loaded: Option<bool>,
    /// How often it has let requests through by grants.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) grants: BTreeMap<String, Uses>,
}

/// One mode on one node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModeReport {
    pub(crate) phase: Phase,
    /// Whether no request is inside that was let in before the mode had this phase.
    pub(crate) empty: bool,
}

impl NodeReport {
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Texts, numbers and maps with text keys always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Whether the two differ in something that others may be waiting for.
    pub(crate) fn is_news_after(&self, before: &Self) -> bool {
        let is_anybody_inside = |report: &Self| report.sessions > 0;
        self.state != before.state
            || self.modes != before.modes
            || is_anybody_inside(self) != is_anybody_inside(before)
            || self.has_left_since(before)
    }

    /// Whether a mode is closed here and not empty yet, or closing.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.modes.values().any(|mode| {
            mode.phase == Phase::Pending || (mode.phase == Phase::Offline && !mode.empty)
        })
    }

    /// Whether somebody has left here, which ends their visit on other nodes too.
    pub(super) fn has_left_since(&self, before: &Self) -> bool {
        let left = |report: &Self| {
            report
                .visitors
                .iter()
                .filter(|visitor| visitor.left)
                .count()
        };
        left(self) > left(before)
    }

    pub(crate) fn age(&self, expires_in: Duration) -> u64 {
        self.precise_age(expires_in).as_secs()
    }

    pub(super) fn precise_age(&self, expires_in: Duration) -> Duration {
        Duration::from_millis(self.lives).saturating_sub(expires_in)
    }

    /// Whether its clock differs from one that shows `now`.
    pub(super) fn has_another_time(&self, expires_in: Duration, now: Timestamp) -> bool {
        let told = |clock: Timestamp| {
            let age = SignedDuration::try_from(self.precise_age(expires_in)).ok()?;
            let late = age.checked_add(TOLD_LATE)?;
            // What it told was true at some moment between the two.
            let (first, last) = (now.checked_sub(late).ok()?, now.checked_sub(age).ok()?);
            Some(skew::ahead(first, clock, last))
        };
        self.clock.and_then(told).is_some_and(skew::is_told)
    }

    /// What the node leaves behind, as long as it has not left.
    pub(crate) fn trace(&self) -> Trace {
        Trace {
            lives: self.lives,
            closes: self.closes,
            left: false,
            process: self.node.process.clone(),
        }
    }
}
