//! This process among the nodes.

pub(crate) mod host;
pub(crate) mod reporter;
pub(crate) mod seat;
