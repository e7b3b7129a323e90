//! Times, durations and calendars of windows: read or refused, and what is read holds together.
#![no_main]

use actix_maintenance_mode::fuzzing;
use libfuzzer_sys::fuzz_target;

const WORDS: &[&str] = &[
    "2026-03-29T02:30",
    "2026-10-25T02:30",
    "T",
    "Z",
    "+02:00",
    "-23:59",
    "[Europe/Rome]",
    "[!u-ca=hebrew]",
    "9999-12-31T23:59:59",
    "-009999-01-01T00:00",
    "1d",
    "2h 30m",
    "PT2H",
    "P1Y",
    " * ",
    "*/",
    "30 2 * * 7",
    "0 0 L 2 *",
    "0 0 29 2 *",
    "0 12 * * 5#5",
    "@hourly",
    ",",
    "-",
    "MON",
    "\n",
    "Europe/Rome",
    "America/Sao_Paulo",
    "Pacific/Apia",
];

fuzz_target!(|bytes: &[u8]| {
    fuzzing::times_and_cron(&actix_maintenance_mode_fuzz::text(bytes, WORDS));
});
