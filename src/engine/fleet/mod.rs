//! All nodes: what they report, and who of them is missing.

pub(crate) mod node;
