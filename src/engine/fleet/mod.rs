//! All nodes: what they report, and who of them is missing.

pub(crate) mod marker;
pub(crate) mod missing;
pub(crate) mod node;
pub(crate) mod node_status;
pub(crate) mod process;
pub(crate) mod report;
pub(crate) mod trace;
