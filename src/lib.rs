//! Maintenance mode for Actix Web.
#![forbid(unsafe_code)]
