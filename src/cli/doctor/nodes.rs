//! What the doctor finds of the nodes.

use std::time::Duration;

use super::finding::Finding;
use crate::{
    cli::wording::{self, count, line},
    core::status::{NodeStatus, Remark, UnheardNode, whole::Status},
};

/// Who reports, and how they are.
pub(super) fn of_nodes(status: &Status) -> Vec<Finding> {
    if status.store.error.is_some() {
        return vec![Finding::unknown(
            "nodes",
            "the store does not tell who there is",
        )];
    }
    let (nodes, unheard) = (&status.nodes, &status.unheard);
    if nodes.is_empty() && unheard.is_empty() {
        let says = format!("no app reports to {}", line(&status.store.url));
        let none = Finding::unknown("nodes", says);
        let middleware = Finding::unknown("middleware", "no app reports that wraps it");
        return vec![
            none.with_remedy("start the app with this store; see that it is the same for both"),
            middleware.with_remedy("an app reports once it wraps `maintenance.middleware()`"),
        ];
    }
    let mut findings: Vec<Finding> = nodes.iter().flat_map(of_node).collect();
    findings.extend(unheard.iter().map(of_unheard));
    if findings.is_empty() {
        let versions: Vec<&str> = nodes.iter().map(|node| &*node.version).take(1).collect();
        let number = u64::try_from(nodes.len()).unwrap_or(u64::MAX);
        findings.push(Finding::right(
            "nodes",
            format!(
                "{} of version {}; this program has {}",
                count(number, "node", "nodes"),
                line(&versions.concat()),
                env!("CARGO_PKG_VERSION")
            ),
        ));
    }
    findings.push(if status.enforced {
        Finding::right("middleware", "every node that reports wraps it")
    } else {
        let remedy = "wrap the app with `maintenance.middleware()`";
        Finding::wrong("middleware", "no app wraps it", Some(remedy))
    });
    findings.push(of_sessions(nodes));
    findings
}

/// Whether nodes see who is asking.
fn of_sessions(nodes: &[NodeStatus]) -> Finding {
    const NAME: &str = "sessions";
    let not_loaded = |node: &&NodeStatus| node.sessions_loaded == Some(false);
    if let Some(node) = nodes.iter().find(not_loaded) {
        return Finding::wrong(
            NAME,
            format!("{} decides before the session is loaded", line(&node.id)),
            Some(
                "call `.wrap(maintenance.middleware())` first and `.wrap(SessionMiddleware…)` after \
                 it: the last one wrapped is the outermost",
            ),
        );
    }
    if nodes.iter().any(|node| node.sessions_loaded == Some(true)) {
        return Finding::right(NAME, "they are loaded when it is decided who gets in");
    }
    Finding::unknown(
        NAME,
        "it shows once a mode is closed that asks who somebody is, and somebody comes who has one",
    )
}

fn of_node(node: &NodeStatus) -> Vec<Finding> {
    let id = line(&node.id);
    let mut findings = Vec::new();
    if !node.up_to_date {
        findings.push(Finding::wrong(
            "nodes",
            format!("{id} does not go by what is stored"),
            Some("look into its log: whether it reads the store, and has started with it"),
        ));
    }
    for remark in &node.remarks {
        let (more, remedy) = match remark {
            Remark::ServesAlthoughOffline => (
                String::new(),
                "take `forced` out of its settings, and see whether it reads the store",
            ),
            Remark::OtherVersion => (
                format!(" ({})", line(&node.version)),
                "deploy one version on every node",
            ),
            Remark::OtherSettings => (
                String::new(),
                "give every node the same settings, in the file and in the environment",
            ),
            Remark::ClockDiffers => (
                String::new(),
                "have its machine set its clock by the network (NTP)",
            ),
        };
        let says = format!("{id} {}{more}", remark.as_str());
        findings.push(Finding::wrong("nodes", says, Some(remedy)));
    }
    findings
}

fn of_unheard(node: &UnheardNode) -> Finding {
    let age = wording::duration(Duration::from_secs(node.age));
    let says = format!("{} is not heard of for {age}", line(&node.id));
    if node.waited_for {
        let remedy =
            "see whether its process hangs or has lost the store; a dead one is forgotten soon";
        Finding::wrong("nodes", says, Some(remedy))
    } else {
        Finding::unknown(
            "nodes",
            format!("{says}, and nobody can tell whether it is dead"),
        )
    }
}
