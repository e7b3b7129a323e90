//! Zones with clocks of every habit, and what local times are in them, found the slow way.

use jiff::{SignedDuration, Timestamp, civil::DateTime, tz::TimeZone};

/// Changes of an hour, of half an hour, at midnight, in Ramadan, of a whole day, and none.
pub(super) const ZONES: [&str; 9] = [
    "Europe/Rome",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "Pacific/Apia",
    "America/Nuuk",
    "UTC",
];

pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

pub(super) fn local(text: &str) -> DateTime {
    text.parse().unwrap()
}

/// The instants, in order, at which the clocks of `zone` show `local`: tried with each offset that
/// the zone has in the days around.
pub(super) fn instants_that_show(local: DateTime, zone: &TimeZone) -> Vec<Timestamp> {
    let near = jiff::tz::Offset::UTC.to_timestamp(local).unwrap();
    let mut offsets: Vec<_> = (-72..=72)
        .step_by(12)
        .map(|hours| zone.to_offset(near + SignedDuration::from_hours(hours)))
        .collect();
    offsets.sort_unstable();
    offsets.dedup();
    let mut instants: Vec<_> = offsets
        .iter()
        .map(|offset| offset.to_timestamp(local).unwrap())
        .filter(|instant| zone.to_datetime(*instant) == local)
        .collect();
    instants.sort_unstable();
    instants
}

/// The first instant at which the clocks of `zone` are past a local time that they never show.
pub(super) fn first_instant_past(local: DateTime, zone: &TimeZone) -> Timestamp {
    let near = jiff::tz::Offset::UTC.to_timestamp(local).unwrap();
    let day = SignedDuration::from_hours(72);
    let (mut before, mut past) = ((near - day).as_second(), (near + day).as_second());
    while past - before > 1 {
        let middle = before + (past - before) / 2;
        if zone.to_datetime(Timestamp::from_second(middle).unwrap()) < local {
            before = middle;
        } else {
            past = middle;
        }
    }
    Timestamp::from_second(past).unwrap()
}
