//! What maintenance is: plain data and pure functions. No I/O, no clock, no actix.

pub(crate) mod access;
pub(crate) mod audit;
pub(crate) mod client;
pub(crate) mod cors;
pub(crate) mod decide;
pub(crate) mod excerpt;
pub(crate) mod grants;
pub(crate) mod limits;
pub(crate) mod matcher;
pub(crate) mod mode;
pub(crate) mod mode_view;
pub(crate) mod opening;
pub(crate) mod overlap;
#[cfg(any(feature = "postgres", feature = "redis"))]
pub(crate) mod pace;
pub(crate) mod park;
pub(crate) mod phase;
pub(crate) mod public_path;
pub(crate) mod public_plan;
pub(crate) mod remembered;
pub(crate) mod rules;
pub(crate) mod schedule;
pub(crate) mod secret;
pub(crate) mod skew;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod status;
pub(crate) mod text;
pub(crate) mod told;
pub(crate) mod visitor;
pub(crate) mod words;
