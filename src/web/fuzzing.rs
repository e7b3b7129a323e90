//! What the fuzz targets in `fuzz/` reach of what is not public, and what must hold of it.
//!
//! The unit tests below go the same ways with a few random inputs, so that they do not rot.

use std::net::IpAddr;

use actix_web::http::header::HeaderMap;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    core::{
        rules::exempt::AddressSet,
        schedule::{Recurrence, find_zone, parse_duration, read_time},
        state::{Document, settle::settled},
    },
    settings::LanguageSettings,
    store::file::check_lease_file,
    web::{
        refusal::{
            language::Languages,
            negotiate::{self, ResponseFormat},
        },
        request::address,
    },
};

/// Some instants at which documents and windows are looked at.
fn instants() -> impl Iterator<Item = Timestamp> {
    [
        "2026-03-29T01:30:00Z",
        "2026-10-25T00:30:00.5Z",
        "2099-01-01T00:00:00Z",
    ]
    .into_iter()
    .filter_map(|text| text.parse().ok())
    .chain([Timestamp::UNIX_EPOCH, Timestamp::MIN, Timestamp::MAX])
}

/// A document that is read is written and read again as the same; what is over is settled once.
pub fn state_document(bytes: &[u8]) {
    let zone = TimeZone::get("Europe/Rome").ok();
    for zone in [None, zone.as_ref()] {
        match Document::decode(bytes, zone) {
            Err(error) => assert!(!error.to_string().is_empty()),
            Ok(document) => {
                assert_eq!(
                    Document::decode(&document.encode(), None),
                    Ok(document.clone())
                );
                for now in instants() {
                    check_settled(&document, now);
                }
            }
        }
    }
}

fn check_settled(document: &Document, now: Timestamp) {
    for mode in document.modes.values() {
        let _standing = (mode.standing(now), mode.next_window(now));
        assert_eq!(mode.phase(now), mode.standing(now).phase);
    }
    if let Some(next) = settled(document, now) {
        assert_eq!(settled(&next, now), None, "{document:?}");
        assert_eq!(Document::decode(&next.encode(), None), Ok(next));
    }
}

/// See [`check_lease_file`].
pub fn lease_file(bytes: &[u8]) {
    check_lease_file(bytes);
}

/// Times and durations are read or refused; calendars go forward. Lines: a time, a duration, a cron
/// expression, a zone.
pub fn times_and_cron(text: &str) {
    let mut lines = text.lines();
    let mut line = || lines.next().unwrap_or_default();
    let (time, duration, cron, zone) = (line(), line(), line(), line());
    let zone = find_zone(zone).ok();
    let now = Timestamp::UNIX_EPOCH;
    match read_time(time, zone.as_ref(), now, now) {
        Ok(read) => {
            let again = read_time(&read.instant.to_string(), None, now, now);
            assert_eq!(again.map(|again| again.instant), Ok(read.instant), "{time}");
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let duration = match parse_duration(duration) {
        Ok(read) => {
            assert!(!read.is_zero(), "{duration}");
            read
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            std::time::Duration::from_secs(3600)
        }
    };
    let zone = zone.as_ref().and_then(TimeZone::iana_name).unwrap_or("UTC");
    match Recurrence::new(cron, zone, duration) {
        Ok(recurrence) => {
            // The calendar of croner ends with the year 5000.
            let is_in_it =
                |now: &Timestamp| (1..4_999).contains(&TimeZone::UTC.to_datetime(*now).year());
            for now in instants().filter(is_in_it) {
                check_recurrence(&recurrence, now);
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn check_recurrence(recurrence: &Recurrence, now: Timestamp) {
    if let Some((start, end)) = recurrence.next_after(now) {
        assert!(start > now && end > start, "{recurrence:?} after {now}");
    }
    if let Some((start, end)) = recurrence.occurrence_at(now) {
        assert!(start <= now && now < end, "{recurrence:?} at {now}");
    }
    let started = recurrence.started(now, 3);
    assert!(
        started
            .iter()
            .all(|(start, end)| *start <= now && start < end)
    );
    // The latest comes first; those that touch would be one.
    for pair in started.windows(2) {
        assert!(
            pair[1].1 < pair[0].0,
            "{} at {now}: {started:?}",
            recurrence.cron()
        );
    }
}

/// The client's address. `None` also if one of the proxies is no network.
pub fn client_address(peer: IpAddr, headers: &HeaderMap, proxies: &[&str]) -> Option<IpAddr> {
    let proxies: Vec<String> = proxies.iter().map(|proxy| (*proxy).to_owned()).collect();
    address::client_address(Some(peer), headers, &AddressSet::parse(&proxies).ok()?)
}

/// The form of a refusal.
pub fn negotiate(headers: &HeaderMap) -> ResponseFormat {
    negotiate::negotiate(headers)
}

/// The language of a refusal, by its tag.
pub fn language(headers: &HeaderMap) -> String {
    let languages = embedded_languages();
    languages.get(languages.negotiate(headers)).tag.clone()
}

/// The tags of all languages.
pub fn languages() -> impl Iterator<Item = String> {
    let languages = embedded_languages();
    languages
        .tags()
        .map(str::to_owned)
        .collect::<Vec<_>>()
        .into_iter()
}

fn embedded_languages() -> &'static Languages {
    static LANGUAGES: std::sync::OnceLock<Languages> = std::sync::OnceLock::new();
    LANGUAGES.get_or_init(
        || match Languages::read(&LanguageSettings::default(), &[]) {
            Ok(languages) => languages,
            // The tests of the catalogues show that they can be read.
            Err(error) => unreachable!("{error}"),
        },
    )
}

#[cfg(test)]
#[path = "fuzzing_tests.rs"]
mod tests;
