//! What the nodes of a fleet report, and who of them is still waited for. Pure.
//!
//! Each process that runs the middleware holds a lease `node/…` whose content is a [`NodeReport`].
//! A list of the live leases makes a [`Fleet`]; [`Fleet::missing`] says who keeps it from being
//! true that a mode is closed and empty everywhere. Why that may be concluded stands in
//! `docs/barrier.md`.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    fmt,
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    core::phase::Phase,
    engine::{
        inside::sessions::{SessionInside, SessionMark},
        leases::held_lease::NODES,
        lock::{LOCKS, LockHolder},
        task::{Content, TASKS},
    },
    settings::ID_LIMIT,
    store::LiveLease,
};

/// Identifies a stored document by its content. Generations do not: somebody who writes the store
/// by hand begins them anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StateId(u128);

impl StateId {
    pub(crate) fn of(document: Option<&[u8]>) -> Self {
        let mut hash = Sha256::new();
        // Nothing stored is something else than an empty document.
        hash.update([u8::from(document.is_some())]);
        hash.update(document.unwrap_or_default());
        let hash = hash.finalize();
        Self(
            hash.iter()
                .take(16)
                .fold(0, |id, byte| id << 8 | u128::from(*byte)),
        )
    }
}

impl fmt::Display for StateId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}

/// Who a node is. The same from its start to its end, and never that of another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NodeIdentity {
    pub(crate) id: String,
    pub(crate) host: String,
    pub(crate) pid: u32,
    pub(crate) since: Timestamp,
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
    /// How many visitors are inside.
    #[serde(default)]
    pub(crate) sessions: u64,
    /// Who they are, while a mode is closing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) visitors: Vec<SessionMark>,
    #[serde(default)]
    pub(crate) tasks: u64,
    /// The lease's time to live in milliseconds, from which a reader learns how old the report is.
    #[serde(default)]
    pub(crate) lives: u64,
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
    fn has_left_since(&self, before: &Self) -> bool {
        let left = |report: &Self| {
            report
                .visitors
                .iter()
                .filter(|visitor| visitor.left)
                .count()
        };
        left(self) > left(before)
    }

    fn age(&self, expires_in: Duration) -> u64 {
        Duration::from_millis(self.lives)
            .saturating_sub(expires_in)
            .as_secs()
    }
}

/// A node as its lease shows it.
#[derive(Debug, Clone, PartialEq)]
struct Node {
    /// The lease's name without what all have in front.
    id: String,
    /// `None` when it cannot be read: another version wrote it.
    report: Option<NodeReport>,
    expires_in: Duration,
}

/// A task that runs, as its lease shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RunningTask {
    /// The task's name.
    pub name: String,
    /// Who runs it, and where.
    pub by: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
}

/// The nodes and tasks that were live when the store was asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fleet {
    nodes: Vec<Node>,
    tasks: Vec<RunningTask>,
    /// By the modes' keys.
    locks: BTreeMap<String, LockHolder>,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Goal {
    /// Nobody is inside of a mode that is closing.
    Drained,
    /// The mode is closed, and no request is inside.
    Closed,
}

impl Fleet {
    pub(crate) fn new(leases: &[LiveLease]) -> Self {
        let named = |prefix| {
            leases.iter().filter_map(move |live| {
                let name = live.lease.name().strip_prefix(prefix)?;
                Some((name, live))
            })
        };
        Self {
            nodes: named(NODES)
                .map(|(id, live)| Node {
                    id: id.to_owned(),
                    report: serde_json::from_slice(live.lease.content()).ok(),
                    expires_in: live.expires_in,
                })
                .collect(),
            tasks: named(TASKS)
                .map(|(name, live)| {
                    let holder = live.lease.holder();
                    let content = Content::of(live);
                    RunningTask {
                        // One that may run more than once has its holder in the name.
                        name: name
                            .strip_suffix(holder)
                            .and_then(|name| name.strip_suffix('/'))
                            .unwrap_or(name)
                            .to_owned(),
                        since: content.as_ref().map(|content| content.since),
                        by: content.map_or_else(|| holder.to_owned(), |it| it.to_string()),
                    }
                })
                .collect(),
            locks: named(LOCKS)
                .map(|(mode, live)| (mode.to_owned(), LockHolder::of(live)))
                .collect(),
        }
    }

    /// Who holds the lock on a mode.
    pub(crate) fn lock_on(&self, mode: &str) -> Option<&LockHolder> {
        self.locks.get(mode)
    }

    /// Whether no node is live.
    pub(crate) fn has_no_nodes(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The node that looks after what is everybody's business.
    pub(crate) fn first(&self) -> Option<&str> {
        self.nodes.first().map(|node| node.id.as_str())
    }

    pub(crate) fn tasks(&self) -> &[RunningTask] {
        &self.tasks
    }

    /// Puts what this process knows of itself in the place of what the store knows of it.
    pub(crate) fn with_own(mut self, report: NodeReport) -> Self {
        self.nodes.retain(|node| node.id != report.node.id);
        self.nodes.push(Node {
            id: report.node.id.clone(),
            expires_in: Duration::from_millis(report.lives),
            report: Some(report),
        });
        self.nodes.sort_by(|one, other| one.id.cmp(&other.id));
        self
    }

    /// Who keeps the goal from being reached in a mode, given the state that all have to go by.
    pub(crate) fn missing(
        &self,
        mode: &str,
        state: StateId,
        goal: Goal,
        session_idle: Duration,
    ) -> Vec<Missing> {
        let state = state.to_string();
        let of_nodes = self.nodes.iter().filter_map(|node| {
            let why = match &node.report {
                None => Some(WhyMissing::Unreadable),
                Some(report) if report.state.is_empty() => Some(WhyMissing::Starting),
                Some(report) if report.state != state => Some(WhyMissing::Behind),
                Some(report) => why_missing(report, mode, goal),
            };
            Some(Missing {
                name: node.id.clone(),
                why: why?,
            })
        });
        let of_tasks = self.tasks.iter().map(|task| Missing {
            name: task.name.clone(),
            why: WhyMissing::TaskRuns {
                by: task.by.clone(),
            },
        });
        let mut missing: Vec<Missing> = of_nodes.chain(of_tasks).collect();
        if goal == Goal::Drained {
            let inside = self.sessions(session_idle).len();
            // A node that could not list all of them still has some.
            let unlisted = self.reports().any(|report| {
                report.sessions > 0 && report.visitors.iter().all(|visitor| visitor.left)
            });
            if inside > 0 || unlisted {
                missing.push(Missing {
                    name: "visitors".to_owned(),
                    why: WhyMissing::Inside {
                        visitors: inside.max(1),
                    },
                });
            }
        }
        missing
    }

    fn reports(&self) -> impl Iterator<Item = &NodeReport> {
        self.nodes.iter().filter_map(|node| node.report.as_ref())
    }

    /// Who is inside, whichever nodes have seen them: whoever was seen on several counts once, and
    /// of what the nodes saw the latest counts.
    pub(crate) fn sessions(&self, idle: Duration) -> Vec<SessionInside> {
        let mut latest: HashMap<&str, (u64, bool)> = HashMap::new();
        for node in &self.nodes {
            let Some(report) = &node.report else { continue };
            let age = report.age(node.expires_in);
            for visitor in &report.visitors {
                let seen = (visitor.age.saturating_add(age), !visitor.left);
                latest
                    .entry(&visitor.id)
                    // Of what was seen in one second, that somebody has left.
                    .and_modify(|known| *known = (*known).min(seen))
                    .or_insert(seen);
            }
        }
        let mut inside: Vec<SessionInside> = latest
            .into_iter()
            .filter(|(_, (age, is_inside))| *is_inside && *age < idle.as_secs().max(1))
            .map(|(id, (age, _))| SessionInside {
                id: id.to_owned(),
                age,
            })
            .collect();
        inside.sort_by(|one, other| other.age.cmp(&one.age).then(one.id.cmp(&other.id)));
        inside
    }

    /// Every node, stragglers first: those that go by another state, then those with most inside.
    pub(crate) fn statuses(&self, state: StateId, own: Option<&str>) -> Vec<NodeStatus> {
        let state = state.to_string();
        let mut statuses: Vec<NodeStatus> = self
            .nodes
            .iter()
            .map(|node| NodeStatus::new(node, &state, own))
            .collect();
        statuses.sort_by(|one, other| {
            let inside = |node: &NodeStatus| Reverse((node.in_flight, node.sessions));
            let rank = |node: &NodeStatus| (node.up_to_date, inside(node));
            rank(one).cmp(&rank(other)).then(one.id.cmp(&other.id))
        });
        statuses
    }
}

fn why_missing(report: &NodeReport, mode: &str, goal: Goal) -> Option<WhyMissing> {
    let Some(mode) = report.modes.get(mode) else {
        return Some(WhyMissing::NoSuchMode);
    };
    let is_closed = match goal {
        Goal::Drained => mode.phase.is_maintenance(),
        Goal::Closed => mode.phase == Phase::Offline,
    };
    match (is_closed, mode.empty) {
        (false, _) => Some(WhyMissing::Open { phase: mode.phase }),
        (true, false) => Some(WhyMissing::Serving {
            // What it serves was counted at another moment.
            requests: report.in_flight.max(1),
        }),
        (true, true) => None,
    }
}

/// Who or what is waited for, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Missing {
    /// The id of a node, the name of a task, the key of the mode, `visitors` or `store`.
    pub name: String,
    /// What it has still to do.
    #[serde(flatten)]
    pub why: WhyMissing,
}

/// Why somebody is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WhyMissing {
    /// The node starts and has not read the state yet.
    Starting,
    /// The node has not applied the latest change yet.
    Behind,
    /// The node serves requests that came in before the mode was closed.
    Serving {
        /// How many, when it was last heard of.
        requests: u64,
    },
    /// The mode is not closed on the node, although it has applied the latest change.
    Open {
        /// What it is there.
        phase: Phase,
    },
    /// The node's settings have no such mode, so it is not closed by it.
    NoSuchMode,
    /// The node's report cannot be read: it runs another version.
    Unreadable,
    /// A task runs.
    TaskRuns {
        /// Who runs it, and where.
        by: String,
    },
    /// Visitors are inside.
    Inside {
        /// How many, at least.
        visitors: usize,
    },
    /// Everybody has left, and the mode is about to go offline.
    Closing,
    /// The store cannot be asked who is live.
    StoreFails {
        /// What it answers.
        error: String,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.why {
            WhyMissing::Starting => write!(formatter, "node {name} starts"),
            WhyMissing::Behind => {
                write!(formatter, "node {name} has not applied the change yet")
            }
            WhyMissing::Serving { requests: 1 } => {
                write!(formatter, "node {name} serves 1 request")
            }
            WhyMissing::Serving { requests } => {
                write!(formatter, "node {name} serves {requests} requests")
            }
            WhyMissing::Open { phase } => write!(formatter, "node {name} is {phase}"),
            WhyMissing::NoSuchMode => write!(
                formatter,
                "node {name} does not know the mode: its settings have no such key"
            ),
            WhyMissing::Unreadable => write!(
                formatter,
                "node {name} reports what cannot be read: it runs another version"
            ),
            WhyMissing::TaskRuns { by } => {
                write!(formatter, "task {name} runs, by {by}")
            }
            WhyMissing::Inside { visitors: 1 } => write!(formatter, "1 visitor is inside"),
            WhyMissing::Inside { visitors } => write!(formatter, "{visitors} visitors are inside"),
            WhyMissing::Closing => write!(formatter, "mode {name} is about to go offline"),
            WhyMissing::StoreFails { error } => {
                write!(formatter, "the store cannot tell who is live: {error}")
            }
        }
    }
}

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
}

impl NodeStatus {
    fn new(node: &Node, state: &str, own: Option<&str>) -> Self {
        let own = own == Some(node.id.as_str());
        match &node.report {
            None => Self {
                id: node.id.clone(),
                host: String::new(),
                pid: 0,
                since: None,
                version: String::new(),
                up_to_date: false,
                generation: 0,
                phases: BTreeMap::new(),
                in_flight: 0,
                endless: 0,
                sessions: 0,
                tasks: 0,
                age: 0,
                own,
            },
            Some(report) => Self {
                id: node.id.clone(),
                host: report.node.host.clone(),
                pid: report.node.pid,
                since: Some(report.node.since),
                version: report.version.clone(),
                up_to_date: report.state == state,
                generation: report.generation,
                phases: report
                    .modes
                    .iter()
                    .map(|(key, mode)| (key.clone(), mode.phase))
                    .collect(),
                in_flight: report.in_flight,
                endless: report.endless,
                sessions: report.sessions,
                tasks: report.tasks,
                age: report.age(node.expires_in),
                own,
            },
        }
    }
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
