//! Setting maintenance up.

mod build;
pub(crate) mod builder;
mod configured_modes;
mod open_store;
mod plans;
mod rules;
