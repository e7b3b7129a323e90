//! Stores that are servers, real ones: each test starts its own on a free port of this machine.
//!
//! `tests/run` installs what the tests need and runs them.

// A test fails by a panic, also in the functions that tests share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../support/certificates.rs"]
mod certificates;
#[path = "../../support/eventually.rs"]
mod eventually;
mod nodes;
mod postgres_server;
mod proxy;
mod redis_server;

mod bucket_store;
mod fleet;
mod postgres_errors;
mod postgres_failures;
mod postgres_store;
mod redis_errors;
mod redis_failures;
mod redis_store;
mod redis_tls;
mod slow_way;
