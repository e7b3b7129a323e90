//! This process among the nodes.

pub(crate) mod host;
pub(crate) mod own_node;
pub(crate) mod reporter;
mod reporting;
