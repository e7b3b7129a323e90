//! What is shown of each node.

use std::{cmp::Reverse, collections::BTreeMap};

use jiff::Timestamp;

use super::{Fleet, Node};
use crate::core::status::{NodeStatus, Remark, state_id::StateId};

impl Fleet {
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
}

/// A node as users and programs are shown it.
pub(super) fn shown(node: &Node, state: &str, own: Option<&str>) -> NodeStatus {
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
            parked: 0,
            sessions: 0,
            tasks: 0,
            age: 0,
            own,
            forced: None,
            sessions_loaded: None,
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
            parked: report.parked,
            sessions: report.sessions,
            tasks: report.tasks,
            age: report.age(node.expires_in),
            own,
            forced: report.forced,
            sessions_loaded: report.sessions_loaded,
            remarks: Vec::new(),
        },
    }
}

/// Of several values those that are not what most nodes have.
pub(super) fn odd<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
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
