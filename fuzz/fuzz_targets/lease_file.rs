//! A lease file is read as it was written, or is none.
#![no_main]

use actix_maintenance_mode::fuzzing;
use libfuzzer_sys::fuzz_target;

const WORDS: &[&str] = &[
    "{\"name\":\"",
    "node/web-1\",",
    "\"holder\":\"h\",",
    "\"time_to_live_ms\":",
    "18446744073709551615",
    "15000",
    ",\"renewed_at\":\"2026-03-29T01:30:00Z\"",
    ",\"renewed_at\":\"9999-12-30T22:00:00.999999999Z\"",
    ",\"renewed_since_start\":{\"clock\":\"c\",\"seconds\":",
    ",\"nanoseconds\":4294967295}",
    "}\n",
    "\\u0000",
    "../",
];

fuzz_target!(|bytes: &[u8]| {
    fuzzing::lease_file(bytes);
    fuzzing::lease_file(actix_maintenance_mode_fuzz::text(bytes, WORDS).as_bytes());
});
