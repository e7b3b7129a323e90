//! A client gets an answer in a form that it takes, as far as it takes any.
#![no_main]

use actix_maintenance_mode::{ResponseFormat, fuzzing};
use actix_maintenance_mode_fuzz::{headers, text};
use libfuzzer_sys::fuzz_target;

const WORDS: &[&str] = &[
    "text/html",
    "application/json",
    "application/problem+json",
    "application/vnd.api+json",
    "application/*",
    "text/plain",
    "text/*",
    "*/*",
    ";q=0",
    ";q=0.001",
    ";q=1",
    "; q=",
    ",",
    ", ",
    "image/webp",
    "document",
    "empty",
    "script",
    "\n",
    "\"",
    ";charset=utf-8",
];

fuzz_target!(|bytes: &[u8]| {
    let headers = headers(&text(bytes, WORDS), &["accept", "sec-fetch-dest"]);
    let format = fuzzing::negotiate(&headers);
    assert_eq!(format, fuzzing::negotiate(&headers));
    // Who names one type, and only that, gets it.
    let only = |name: &str| {
        let mut values = headers.get_all("accept");
        let value = values.next().is_some_and(|value| value == name);
        value && values.next().is_none() && !headers.contains_key("sec-fetch-dest")
    };
    for (name, expected) in [
        ("text/html", ResponseFormat::Html),
        ("application/json", ResponseFormat::Json),
        ("application/problem+json", ResponseFormat::Problem),
        ("text/plain", ResponseFormat::Text),
    ] {
        assert!(!only(name) || format == expected, "{name}: {format:?}");
    }
    // A page is for those who can show one: neither scripts nor pictures can.
    let destination = headers.get("sec-fetch-dest").map(|value| value.as_bytes());
    if destination.is_some_and(|destination| matches!(destination, b"script" | b"image")) {
        assert_eq!(format, ResponseFormat::Text);
    }
});
