//! This process among the nodes.

pub(crate) mod seat;
