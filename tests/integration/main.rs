//! What the crate does, through its public API alone; one file per behaviour.

mod demo;
mod readme;
