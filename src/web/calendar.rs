//! The plan as a calendar to subscribe to (RFC 5545, RFC 7986).

use std::{borrow::Cow, fmt};

use ics::{
    Event, ICalendar,
    components::{Parameter, Property},
    escape_text,
    parameters::Language,
    properties::{Categories, DtEnd, DtStart, LastModified, Sequence, Status, Summary, Transp},
};
use jiff::{Timestamp, tz::TimeZone};

use crate::core::public_plan::PlannedEvent;

/// The longest line, in bytes and without its end (RFC 5545, section 3.1).
const LONGEST_LINE: usize = 75;

/// How often a calendar is to look again.
const LOOK_AGAIN: &str = "PT1H";

/// Writes a calendar of this name. What has no title has it, too.
pub(crate) fn calendar(events: &[PlannedEvent], name: &str, language: &str) -> String {
    let mut calendar = ICalendar::new("2.0", "-//actix-maintenance-mode//plan//EN");
    calendar.push(Property::new("METHOD", "PUBLISH"));
    for key in ["NAME", "X-WR-CALNAME"] {
        calendar.push(Property::new(key, text(name)));
    }
    let mut refresh = Property::new("REFRESH-INTERVAL", LOOK_AGAIN);
    refresh.add(Parameter::new("VALUE", "DURATION"));
    calendar.push(refresh);
    calendar.push(Property::new("X-PUBLISHED-TTL", LOOK_AGAIN));
    for event in events {
        // An event without a beginning has no place in a calendar.
        if let Some(start) = event.start {
            calendar.add_event(entry(event, start, name, language));
        }
    }
    folded(&calendar.to_string())
}

fn entry<'a>(
    event: &'a PlannedEvent,
    start: Timestamp,
    name: &'a str,
    language: &str,
) -> Event<'a> {
    // Of what a hand wrote nobody knows when. It must not be another time at each look.
    let changed_at = in_utc(event.changed_at.unwrap_or(start));
    let mut entry = Event::new(text(&event.uid), changed_at.clone());
    entry.push(LastModified::new(changed_at));
    entry.push(Sequence::new(event.sequence.to_string()));
    entry.push(DtStart::new(in_utc(start)));
    if let Some(end) = event.end {
        entry.push(DtEnd::new(in_utc(end)));
    }
    let mut summary = Summary::new(text(event.title.as_deref().unwrap_or(name)));
    if event.title.is_none() {
        summary.add(Language::new(language.to_owned()));
    }
    entry.push(summary);
    entry.push(Categories::new(text(&event.label)));
    entry.push(if event.is_cancelled {
        Status::cancelled()
    } else {
        Status::confirmed()
    });
    // Nobody is busy because of it.
    entry.push(Transp::transparent());
    entry
}

/// On one line, without what would be read as something else.
fn text(value: &str) -> Cow<'_, str> {
    let is_unfit = |c: char| c.is_control() && !"\r\n\t".contains(c);
    match value.contains(is_unfit) {
        true => escape_text(value.replace(is_unfit, " ")),
        false => escape_text(value),
    }
}

fn in_utc(instant: Timestamp) -> String {
    let instant = instant.to_zoned(TimeZone::UTC);
    instant.strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// Folds each line anew: the library's are one byte too long where they go on, since it does not count
/// the space before them.
fn folded(calendar: &str) -> String {
    let whole = calendar.replace("\r\n ", "");
    let mut folded = String::with_capacity(calendar.len());
    for line in whole.split_inclusive("\r\n") {
        // Writing to a text does not fail.
        let _ = fold(line, &mut folded);
    }
    folded
}

fn fold(line: &str, folded: &mut impl fmt::Write) -> fmt::Result {
    let mut rest = line.trim_end_matches("\r\n");
    let mut room = LONGEST_LINE;
    while rest.len() > room {
        let ends = (0..=room).rev();
        let end = ends.into_iter().find(|end| rest.is_char_boundary(*end));
        let (first, next) = rest.split_at(end.unwrap_or(rest.len()));
        write!(folded, "{first}\r\n ")?;
        rest = next;
        room = LONGEST_LINE - 1;
    }
    write!(folded, "{rest}\r\n")
}

#[cfg(test)]
#[path = "calendar_tests.rs"]
mod tests;
