//! What is shown of grants: never what they are known by.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::state::GrantKind;

/// One grant: from [`Maintenance::grants`](crate::Maintenance::grants).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GrantStatus {
    /// What it is called. It is revoked by this name.
    pub name: String,
    /// How whoever has it shows it.
    pub kind: GrantKind,
    /// The keys of the modes that it opens; empty: all.
    pub modes: Vec<String>,
    /// The path prefixes that it opens; empty: all paths.
    pub prefixes: Vec<String>,
    /// Of an address: the network.
    pub address: Option<String>,
    /// When it ends; `None`: when it is revoked, or with its switch.
    pub until: Option<Timestamp>,
    /// Whether it ends when the switch of its mode does: `on --allow` has made it.
    pub with_switch: bool,
    /// Who made it.
    pub by: Option<String>,
    /// When it was made, if that is known.
    pub made_at: Option<Timestamp>,
    /// How often the nodes have let a request through by it, since each has started.
    pub uses: u64,
    /// When one of them did so last.
    pub last_used: Option<Timestamp>,
    /// The same, node by node, of those that were live when the store was last asked.
    pub nodes: Vec<GrantUse>,
}

/// How often one node has let requests through by a grant, in a [`GrantStatus`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GrantUse {
    /// The node's id.
    pub node: String,
    /// How often, since it has started.
    pub uses: u64,
    /// When it did so last.
    pub last_used: Option<Timestamp>,
}
