//! What the crate does, through its public API alone; one file per behaviour.

// A test fails by a panic, also in the functions that tests share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod log;
mod test_app;
mod test_server;

mod addresses;
mod admin;
mod admin_origin;
mod drain;
mod exemptions;
mod fuzz;
mod guards;
mod identity;
mod logout;
mod middleware;
mod pages;
mod parity;
mod refusals;
mod routes;
mod session_order;
mod templates;
