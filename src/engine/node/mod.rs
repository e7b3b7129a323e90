//! This process among the nodes.

pub(crate) mod host;
pub(crate) mod seat;
