//! What the crate does, through its public API alone; one file per behaviour.

// A test fails by a panic, also in the functions that tests share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod child;
#[cfg(feature = "cli")]
mod cli;
mod eventually;
mod gated;
mod leases_of;
mod log;
mod logs;
mod test_app;
mod test_server;
mod webdriver;

mod addresses;
mod admin;
mod admin_origin;
mod api;
mod api_windows;
mod barrier;
mod browser;
mod browser_intent;
#[cfg(feature = "testing")]
mod conformance;
mod cut_off;
mod dashboard;
mod demo;
mod drain;
mod edges;
mod exemptions;
mod explain;
#[cfg(unix)]
mod fleet;
mod fuzz;
mod fuzz_http;
mod gate;
mod guards;
mod handle;
mod hooks;
mod identity;
mod languages;
mod leases;
mod live;
mod live_demo;
mod locks;
mod logout;
mod middleware;
mod modes;
mod nodes;
mod observe;
mod openapi;
mod pages;
mod parity;
mod parity_site_maintenance;
mod parity_wagtail;
mod permissions;
mod planning;
mod processes;
mod read_only;
mod readme;
mod refusals;
mod routes;
mod session_order;
mod settings;
mod sight;
mod static_files;
mod store;
mod store_failures;
mod tasks;
mod templates;
mod tokens;
mod web_servers;
mod windows;
