//! What a store holds is read, or refused with an error, and nothing of it is lost.
#![no_main]

use actix_maintenance_mode::fuzzing;
use libfuzzer_sys::fuzz_target;

const WORDS: &[&str] = &[
    "{\"format\": 1, \"generation\": 1, \"modes\": {",
    "\"site\": {",
    "\"switch\": ",
    "\"off\"",
    "{\"on\": {",
    "{\"pending\": {",
    "\"since\": ",
    "\"until\": ",
    "\"2026-03-29T01:30:00Z\"",
    "\"9999-12-31T00:00:00Z\"",
    "\"-009999-01-02T00:00:00Z\"",
    "\"by\": \"alice\"",
    "\"windows\": [",
    "{\"id\": \"a\", ",
    "\"start\": ",
    "\"end\": ",
    "\"zone\": \"Europe/Rome\"",
    "\"repeats\": {\"cron\": \"30 1 * * 7\", \"duration\": \"PT2H\", \"zone\": \"Europe/Rome\"",
    "\"history\": [",
    "{\"mode\": \"site\", \"started_at\": ",
    "\"ended_at\": ",
    "\"guards\": ",
    "null",
    ", ",
    "}",
    "]",
    "{\"start\": \"2026-03-29T01:30\", \"end\": null}",
];

fuzz_target!(|bytes: &[u8]| {
    fuzzing::state_document(bytes);
    fuzzing::state_document(actix_maintenance_mode_fuzz::text(bytes, WORDS).as_bytes());
});
