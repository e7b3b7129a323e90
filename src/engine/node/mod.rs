//! This process among the nodes.

pub(crate) mod host;
pub(crate) mod reporter;
mod reporting;
pub(crate) mod seat;
