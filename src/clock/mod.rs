//! The one place that reads clocks, and draws lots.

pub(crate) mod chance;
pub(crate) mod steady;
