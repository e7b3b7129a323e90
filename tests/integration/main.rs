//! What the crate does, through its public API alone; one file per behaviour.
// A test fails by a panic, also in the functions that tests share.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod leases;
