//! What the nodes of a fleet report, and who of them is still waited for. Pure.
//!
//! Each process that runs the middleware holds a lease `node/…` whose content is a [`NodeReport`].
//! A list of the live leases makes a [`Fleet`]; [`Fleet::missing`] says who keeps it from being
//! true that a mode is closed and empty everywhere. Why that may be concluded stands in
//! `docs/barrier.md`.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use jiff::Timestamp;

use super::report::NodeReport;
use crate::{
    core::{
        phase::Phase,
        status::{LockHolder, RunningTask, SessionInside, UnheardNode, state_id::StateId},
    },
    engine::{
        fleet::{
            missing::{Missing, WhyMissing},
            trace::{Listed, Presence, Silent, Traced},
        },
        grant_uses::Uses,
        leases::{
            content::Content,
            names::{HELD, LOCKS, NODES, TASKS},
        },
    },
    store::{LiveLease, UNREADABLE},
};

mod node_statuses;

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
    /// The tokens of those who hold modes; `None`: nobody has asked yet.
    holders: Option<BTreeSet<String>>,
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
            holders: Some(named(HELD).map(|(token, _)| token.to_owned()).collect()),
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

    /// How often each node has let requests through by a grant.
    pub(crate) fn grant_uses(&self, grant: &str) -> impl Iterator<Item = (&str, Uses)> {
        self.nodes.iter().filter_map(move |node| {
            let uses = node.report.as_ref()?.grants.get(grant)?;
            Some((node.id.as_str(), *uses))
        })
    }

    /// Who holds the lock on a mode.
    pub(crate) fn lock_on(&self, mode: &str) -> Option<&LockHolder> {
        self.locks.get(mode)
    }

    /// Whether the lease of one who holds a mode is live.
    pub(crate) fn has_holder(&self, token: &str) -> Option<bool> {
        Some(self.holders.as_ref()?.contains(token))
    }

    /// Whether no node is live, as far as anybody can tell.
    pub(crate) fn has_no_nodes(&self) -> bool {
        self.nodes.is_empty() && self.silent().next().is_none()
    }

    /// How many nodes are live.
    pub(crate) fn count(&self) -> usize {
        self.nodes.len()
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
