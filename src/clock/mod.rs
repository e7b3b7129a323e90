//! The one place that reads clocks.

pub(crate) mod steady;
