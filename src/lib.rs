//! Maintenance mode for Actix Web.
#![forbid(unsafe_code)]
pub mod store;
