//! In which zone the times of a form are: the site's, where it has one, and not that of whoever
//! happens to write them.

use jiff::tz::TimeZone;

use super::page::{Choice, Page};
use crate::core::schedule::find_zone;

/// The zone that a form was written in, or else the site's, or else the reader's.
pub(super) fn of_form(page: &Page<'_>, written: Option<&str>) -> TimeZone {
    let written = written.and_then(|name| find_zone(name).ok());
    written
        .or_else(|| page.maintenance.engine.shared.time_zone.clone())
        .unwrap_or_else(|| page.reader.zone.clone())
}

/// The zones that a form offers: the site's, the reader's, and UTC.
pub(super) fn offered(page: &Page<'_>, written: Option<&str>) -> Vec<Choice> {
    let reader = &page.reader;
    let chosen = name(&of_form(page, written));
    let mut zones: Vec<Choice> = Vec::new();
    let mut offer = |zone: &TimeZone, key: Option<&str>| {
        let value = name(zone);
        if zones.iter().any(|known| known.value == value) {
            return;
        }
        zones.push(Choice {
            text: match key {
                Some(key) => reader.filled(key, "zone", &value),
                None => value.clone(),
            },
            is_chosen: value == chosen,
            value,
        });
    };
    if let Some(zone) = &page.maintenance.engine.shared.time_zone {
        offer(zone, Some("zone_site"));
    }
    offer(&reader.zone, Some("zone_own"));
    offer(&TimeZone::UTC, None);
    if let Some(zone) = written.and_then(|name| find_zone(name).ok()) {
        offer(&zone, None);
    }
    zones
}

pub(super) fn name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}

pub(super) fn note(page: &Page<'_>, zone: &TimeZone) -> String {
    page.reader.filled("zone_note", "zone", &name(zone))
}
