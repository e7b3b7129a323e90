//! What the crate does, through its public API alone; one file per behaviour.

// A test fails by a panic, also in the functions that tests share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[cfg(feature = "cli")]
#[path = "../support/certificates.rs"]
mod certificates;
// The acceptance tests use more of it.
#[allow(dead_code)]
#[path = "../support/child.rs"]
mod child;
#[path = "../support/demo.rs"]
mod demo;
#[path = "../support/eventually.rs"]
mod eventually;
#[path = "../support/gated.rs"]
mod gated;
#[path = "../support/handed_on.rs"]
mod handed_on;
#[path = "../support/log.rs"]
mod log;
#[path = "../support/logs.rs"]
mod logs;
#[path = "../support/test_app.rs"]
mod test_app;
#[path = "../support/test_server.rs"]
mod test_server;

#[cfg(feature = "cli")]
mod cli;

mod absence;
mod addresses;
mod admin;
mod admin_origin;
mod api;
mod api_for_programs;
mod api_windows;
mod audit;
mod barrier;
mod clocks;
#[cfg(feature = "testing")]
mod conformance;
mod cors;
mod cut_off;
mod dashboard;
mod dashboard_forms;
mod dashboard_view;
mod demo_site;
mod drain;
mod edges;
mod exemptions;
mod explain;
mod fuzz;
mod fuzz_http;
mod gate;
mod grants;
mod guards;
mod handle;
mod held;
mod hooks;
mod identity;
mod languages;
mod leases;
mod live;
mod live_demo;
mod locks;
mod logout;
mod lost_store;
mod middleware;
mod modes;
mod nodes;
#[cfg(feature = "notices")]
mod notices;
mod observe;
mod openapi;
mod opening;
mod pages;
mod parity;
mod parity_site_maintenance;
mod parity_wagtail;
mod parking;
mod parking_demo;
mod parking_http2;
mod permissions;
mod planning;
mod preview;
mod private;
mod processes;
mod public_path;
mod public_plan;
mod read_only;
mod readme;
mod refusals;
mod routes;
mod session_order;
mod settings;
mod sight;
mod starts;
mod static_files;
mod store;
mod store_failures;
mod tasks;
mod templates;
mod tokens;
mod unharmed;
mod upgrades;
mod windows;
