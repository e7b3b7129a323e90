//! Everybody is answered in a language that there is, and not in one that they refuse by name.
#![no_main]

use actix_maintenance_mode::fuzzing;
use actix_maintenance_mode_fuzz::{headers, text};
use libfuzzer_sys::fuzz_target;

const WORDS: &[&str] = &[
    "en", "de", "fr", "it", "zh-Hant", "zh-TW", "zh", "pt-BR", "pt", "de-AT", "*", ";q=0",
    ";q=0.5", ";q=1", ",", ", ", "-", "x-", "\n",
];

fuzz_target!(|bytes: &[u8]| {
    let headers = headers(&text(bytes, WORDS), &["accept-language"]);
    let tag = fuzzing::language(&headers);
    assert!(!tag.is_empty());
    let lines: Vec<&str> = headers
        .get_all("accept-language")
        .filter_map(|value| value.to_str().ok())
        .collect();
    if let [line] = lines[..] {
        if fuzzing::languages().any(|known| known.eq_ignore_ascii_case(line)) {
            assert!(tag.eq_ignore_ascii_case(line), "{line}: {tag}");
        }
        if line == format!("{tag};q=0") {
            assert!(fuzzing::languages().count() == 1, "{line}: {tag}");
        }
    }
});
