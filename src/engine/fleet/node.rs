//! What the nodes of a fleet report, and who of them is still waited for. Pure.
//!
//! Each process that runs the middleware holds a lease `node/…` whose content is a [`NodeReport`].
//! A list of the live leases makes a [`Fleet`]; [`Fleet::missing`] says who keeps it from being
//! true that a mode is closed and empty everywhere. Why that may be concluded stands in
//! `docs/barrier.md`.

use crate::core::status::{RunningTask, StateId};
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    fmt,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    core::{
        phase::Phase,
        skew,
        status::{LockHolder, NodeStatus, Remark, SessionInside, UnheardNode},
    },
    engine::{
        fleet::{
            missing::{Missing, WhyMissing},
            process::Process,
            trace::{Listed, Presence, Silent, Trace, Traced},
        },
        inside::sessions::SessionMark,
        leases::held_lease::NODES,
        lock::LOCKS,
        task::{Content, TASKS},
    },
    settings::{Forced, ID_LIMIT},
    store::{LiveLease, UNREADABLE},
};

/// How long before it is stored, at most, a report is made.
const TOLD_LATE: SignedDuration = SignedDuration::from_secs(2);

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

    pub(crate) fn age(&self, expires_in: Duration) -> u64 {
        self.precise_age(expires_in).as_secs()
    }

    fn precise_age(&self, expires_in: Duration) -> Duration {
        Duration::from_millis(self.lives).saturating_sub(expires_in)
    }

    /// Whether its clock differs from one that shows `now`.
    fn has_another_time(&self, expires_in: Duration, now: Timestamp) -> bool {
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

/// A node as its lease shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    /// The lease's name without what all have in front.
    pub(crate) id: String,
    /// `None` when it cannot be read: another version wrote it, or it is damaged.
    pub(crate) report: Option<NodeReport>,
    pub(crate) expires_in: Duration,
}

/// The nodes and tasks that were live when the store was asked.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Fleet {
    nodes: Vec<Node>,
    /// Those that are not listed, and may be there all the same.
    silent: Vec<Silent>,
    traced: Vec<Traced>,
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
            silent: Vec::new(),
            traced: leases.iter().filter_map(Traced::of).collect(),
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
                // One that cannot be read is anybody's to take.
                .filter(|(_, live)| live.lease.holder() != UNREADABLE)
                .map(|(mode, live)| (mode.to_owned(), LockHolder::of(live)))
                .collect(),
        }
    }

    /// An instant that the clocks of all nodes have passed. `None`: one of them does not tell, or may
    /// be there and is not heard of, or nobody is there who could tell.
    pub(crate) fn time_passed(&self) -> Option<Timestamp> {
        if !self.silent.is_empty() {
            return None;
        }
        let clocks = self.nodes.iter().map(|node| node.report.as_ref()?.clock);
        clocks.collect::<Option<Vec<_>>>()?.into_iter().min()
    }

    /// Who holds the lock on a mode.
    pub(crate) fn lock_on(&self, mode: &str) -> Option<&LockHolder> {
        self.locks.get(mode)
    }

    /// Whether no node is live, as far as anybody can tell.
    pub(crate) fn has_no_nodes(&self) -> bool {
        self.nodes.is_empty() && self.silent().next().is_none()
    }

    /// Whether a node is live.
    pub(crate) fn has_listed(&self) -> bool {
        !self.nodes.is_empty()
    }

    /// The nodes that are listed, for those who remember them.
    pub(crate) fn listed(&self) -> Vec<Listed> {
        self.nodes
            .iter()
            .map(|node| {
                let report = node.report.as_ref();
                Listed {
                    id: node.id.clone(),
                    trace: report.map(NodeReport::trace),
                    expires_in: node.expires_in,
                    age: report.map_or(Duration::ZERO, |it| it.precise_age(node.expires_in)),
                }
            })
            .collect()
    }

    pub(crate) fn traced(&self) -> &[Traced] {
        &self.traced
    }

    /// The same with those who are not listed, and may be there all the same.
    pub(crate) fn with_silent(mut self, silent: Vec<Silent>) -> Self {
        self.silent = silent;
        self
    }

    /// The silent ones that are waited for.
    fn silent(&self) -> impl Iterator<Item = &Silent> {
        let silent = self.silent.iter();
        silent.filter(|silent| silent.is != Presence::Doubtful)
    }

    /// Those that are not heard of.
    pub(crate) fn unheard(&self) -> Vec<UnheardNode> {
        let silent = self.silent.iter();
        silent
            .map(|silent| UnheardNode {
                id: silent.id.clone(),
                age: silent.age.as_secs(),
                waited_for: silent.is != Presence::Doubtful,
            })
            .collect()
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
        self.silent.retain(|silent| silent.id != report.node.id);
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
        let of_silent = self.silent().map(|silent| Missing {
            name: silent.id.clone(),
            why: WhyMissing::Silent {
                seconds: silent.age.as_secs(),
                alive: silent.is == Presence::Alive,
            },
        });
        let mut missing: Vec<Missing> = of_nodes.chain(of_silent).chain(of_tasks).collect();
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
    /// `closed`: the modes that the state closes.
    pub(crate) fn statuses(
        &self,
        state: StateId,
        closed: &[&str],
        own: Option<&str>,
        now: Timestamp,
    ) -> Vec<NodeStatus> {
        let state = state.to_string();
        let odd_versions = odd(self.reports().map(|report| &*report.version));
        let odd_settings = odd(self.reports().map(|report| &*report.settings));
        let mut statuses: Vec<NodeStatus> = self
            .nodes
            .iter()
            .map(|node| {
                let mut status = shown(node, &state, own);
                let Some(report) = &node.report else {
                    return status;
                };
                let serves = |mode: &&str| {
                    let there = report.modes.get(*mode);
                    there.is_some_and(|there| !there.phase.is_maintenance())
                };
                if status.up_to_date && closed.iter().any(serves) {
                    status.remarks.push(Remark::ServesAlthoughOffline);
                }
                if odd_versions.contains(&&*report.version) {
                    status.remarks.push(Remark::OtherVersion);
                }
                if odd_settings.contains(&&*report.settings) {
                    status.remarks.push(Remark::OtherSettings);
                }
                if !status.own && report.has_another_time(node.expires_in, now) {
                    status.remarks.push(Remark::ClockDiffers);
                }
                status
            })
            .collect();
        statuses.sort_by(|one, other| {
            let inside = |node: &NodeStatus| Reverse((node.in_flight, node.sessions));
            let marked = |node: &NodeStatus| Reverse(node.remarks.len());
            let rank = |node: &NodeStatus| (node.up_to_date, marked(node), inside(node));
            rank(one).cmp(&rank(other)).then(one.id.cmp(&other.id))
        });
        statuses
    }

    /// How many visitors are inside of all nodes: each once, as far as the nodes tell who they are.
    /// `None`: no node is known, or one does not tell.
    pub(crate) fn session_count(&self, idle: Duration) -> Option<u64> {
        let unlisted = self.sum(|report| match report.visitors.is_empty() {
            true => report.sessions,
            false => 0,
        })?;
        Some(unlisted + self.sessions(idle).len() as u64)
    }

    /// A figure of all nodes together. `None`: no node is known, or one does not tell.
    pub(crate) fn sum(&self, figure: impl Fn(&NodeReport) -> u64) -> Option<u64> {
        if self.nodes.is_empty() {
            return None;
        }
        let figures = self
            .nodes
            .iter()
            .map(|node| node.report.as_ref().map(&figure));
        figures.sum()
    }
}

/// A node as users and programs are shown it.
fn shown(node: &Node, state: &str, own: Option<&str>) -> NodeStatus {
    let own = own == Some(node.id.as_str());
    match &node.report {
        None => NodeStatus {
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
            forced: None,
            remarks: Vec::new(),
        },
        Some(report) => NodeStatus {
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
            forced: report.forced,
            remarks: Vec::new(),
        },
    }
}

/// Of several values those that are not what most nodes have.
fn odd<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    // Who does not tell is of a version that did not.
    for value in values {
        *counts.entry(value).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let is_tie = counts.values().filter(|count| **count == most).count() > 1;
    let is_odd = |count: &usize| is_tie || *count < most;
    counts
        .into_iter()
        .filter(|(_, count)| is_odd(count))
        .map(|(value, _)| value)
        .collect()
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

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
