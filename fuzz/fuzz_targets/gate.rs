//! No request reaches a handler that the rules close, whatever app, rules and request are.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/integration/gate/model.rs"]
mod model;

fuzz_target!(|bytes: &[u8]| {
    model::check(bytes);
});
