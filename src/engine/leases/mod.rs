//! Leases that are renewed for as long as they are held.

pub(crate) mod content;
pub(crate) mod deadline;
pub(crate) mod held_lease;
pub(crate) mod keeper;
pub(crate) mod keeping;
pub(crate) mod names;
#[cfg(all(feature = "cli", unix))]
mod trial;
pub(crate) mod wanted;
