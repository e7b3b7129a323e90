//! The protocols of `docs/barrier.md`, checked in every order of events.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod holders;
mod nodes;
