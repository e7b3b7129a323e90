//! The crate among the real things: browsers, web servers, many processes under load.

// A test fails by a panic, also in the functions that tests share.
#![allow(clippy::unwrap_used, clippy::expect_used)]
// What is shared with the integration tests is not all used here.
#![allow(dead_code)]

#[path = "../../support/child.rs"]
mod child;
#[path = "../../support/demo.rs"]
mod demo;
#[path = "../../support/eventually.rs"]
mod eventually;
#[path = "../../support/test_server.rs"]
mod test_server;
mod webdriver;

#[cfg(target_os = "linux")]
mod absence;
mod browser;
mod browser_cors;
mod browser_countdown;
mod browser_dashboard;
mod browser_intent;
mod browser_looking_in;
mod browser_refused;
mod calendar;
#[cfg(unix)]
mod fleet;
mod processes;
#[cfg(unix)]
mod torture;
mod web_servers;
