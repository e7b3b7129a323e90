//! Times as people write them.

use jiff::{
    Timestamp, Zoned,
    civil::DateTime,
    fmt::temporal::{Pieces, PiecesOffset, TimeZoneAnnotation, TimeZoneAnnotationKind},
    tz::{Offset, TimeZone},
};

use super::local::{Local, locate};
use crate::core::excerpt::Excerpt;

/// Baker Island, and Kiritimati.
const FURTHEST_BEHIND: Offset = Offset::constant(-12);
const FURTHEST_AHEAD: Offset = Offset::constant(14);

/// A time that somebody planned.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct PlannedTime {
    pub(crate) instant: Timestamp,
    /// The IANA name of the zone that it was planned in, for showing it as it was meant. `None`
    /// when only an offset was given.
    pub(crate) zone: Option<String>,
    /// What the planner is told, for example that the local time happens twice.
    pub(crate) note: Option<String>,
}

/// Why a text is not a time.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum TimeError {
    #[error("{} is no time; write it as 2026-03-29T10:00+02:00, 22:00, tomorrow 22:00 or +2h", Excerpt(.0))]
    NoTime(String),
    #[error("{} has no time of day; write {date}T00:00 if midnight is meant", Excerpt(.text))]
    DateOnly {
        text: String,
        date: jiff::civil::Date,
    },
    #[error(
        "{} has no offset, and there is no time zone to take it in; write {local}Z or \
         {local}+02:00, name a zone, or set `time_zone`",
        Excerpt(.text)
    )]
    NoOffset { text: String, local: DateTime },
    #[error(
        "{} is in no time zone; write an offset behind it, as in 22:00+02:00, name a zone, or set \
         `time_zone`",
        Excerpt(.0)
    )]
    NoDay(String),
    #[error(
        "{} names no time zone of the database; give an IANA name such as [Europe/Rome]",
        Excerpt(.0)
    )]
    UnknownZone(String),
    #[error(
        "{} is no time zone of the database; give an IANA name such as `Europe/Rome`",
        Excerpt(.0)
    )]
    NoZone(String),
    #[error(
        "{} contradicts itself: in its zone, that instant is {}; leave the offset out, or correct \
         it",
        Excerpt(.text),
        with_offset(.in_zone)
    )]
    WrongOffset { text: String, in_zone: Zoned },
    #[error(
        "{} does not exist: the clocks are put forward then, from {} to {}; give a time up to the \
         first or from the second on",
        Excerpt(.text),
        with_offset(.before),
        with_offset(.after)
    )]
    Gap {
        text: String,
        /// The last whole second before the gap.
        before: Zoned,
        /// The first instant after the gap.
        after: Zoned,
    },
    #[error(
        "{} has an offset that no clock has: it is at most 12 hours behind UTC and 14 ahead of it",
        Excerpt(.0)
    )]
    NoSuchOffset(String),
    #[error("{} is too far from now", Excerpt(.0))]
    OutOfRange(String),
}

/// Reads a time: RFC 3339 with an offset, RFC 9557 with a zone in brackets, or a local time in
/// `zone`, which is the setting `time_zone`.
///
/// A local time that the clocks leave out is refused, never moved: whoever planned it did not
/// know, and either neighbour may be the wrong one. Of a local time that happens twice the earlier
/// instant is taken, and a note says so. An offset beside a zone says which of the two is meant.
///
/// # Errors
///
/// When the text is no time, a date only, a local time without a zone, or a local time that does
/// not exist.
pub(crate) fn parse_time(text: &str, zone: Option<&TimeZone>) -> Result<PlannedTime, TimeError> {
    let text = text.trim();
    let pieces = Pieces::parse(text).map_err(|_| TimeError::NoTime(text.to_owned()))?;
    let Some(time) = pieces.time() else {
        return Err(TimeError::DateOnly {
            text: text.to_owned(),
            date: pieces.date(),
        });
    };
    let local = pieces.date().to_datetime(time);
    let named = match pieces.time_zone_annotation() {
        Some(annotation) => Some(annotated(text, annotation)?),
        None => None,
    };
    match (pieces.offset(), named.as_ref().or(zone)) {
        (Some(offset), _) => at_offset(text, local, offset, named.as_ref()),
        (None, Some(zone)) => in_zone(text, local, zone),
        (None, None) => Err(TimeError::NoOffset {
            text: text.to_owned(),
            local,
        }),
    }
}

/// Finds a time zone by its IANA name, which may be given in any case.
///
/// # Errors
///
/// When the database has none of that name.
pub(crate) fn find_zone(name: &str) -> Result<TimeZone, TimeError> {
    TimeZone::get(name.trim())
        .ok()
        .filter(|zone| !zone.is_unknown() && zone.iana_name().is_some())
        .ok_or_else(|| TimeError::NoZone(name.to_owned()))
}

/// The zone in brackets.
fn annotated(text: &str, annotation: &TimeZoneAnnotation<'_>) -> Result<TimeZone, TimeError> {
    let found = match annotation.kind() {
        TimeZoneAnnotationKind::Named(name) => TimeZone::get(name.as_str()).ok(),
        TimeZoneAnnotationKind::Offset(offset) => {
            check_offset(text, *offset)?;
            Some(offset.to_time_zone())
        }
        // jiff may learn further kinds.
        _ => None,
    };
    found
        .filter(|zone| !zone.is_unknown())
        .ok_or_else(|| TimeError::UnknownZone(text.to_owned()))
}

/// Refuses what is a slip of the pen: all that is planned lies ahead, where no place on Earth is
/// further from UTC.
fn check_offset(text: &str, offset: Offset) -> Result<(), TimeError> {
    if (FURTHEST_BEHIND..=FURTHEST_AHEAD).contains(&offset) {
        Ok(())
    } else {
        Err(TimeError::NoSuchOffset(text.to_owned()))
    }
}

/// An exact instant; a zone beside the offset must agree with it.
fn at_offset(
    text: &str,
    local: DateTime,
    offset: PiecesOffset,
    zone: Option<&TimeZone>,
) -> Result<PlannedTime, TimeError> {
    let numeric = offset.to_numeric_offset();
    check_offset(text, numeric)?;
    let instant = numeric
        .to_timestamp(local)
        .map_err(|_| TimeError::OutOfRange(text.to_owned()))?;
    // RFC 9557, section 2.2: `Z` and `-00:00` say nothing about the local time, so that they
    // contradict no zone.
    let claims_local_time = match offset {
        PiecesOffset::Numeric(numeric) => {
            !(numeric.offset() == Offset::UTC && numeric.is_negative())
        }
        _ => false,
    };
    if let Some(zone) = zone
        && claims_local_time
        && zone.to_datetime(instant) != local
    {
        return Err(TimeError::WrongOffset {
            text: text.to_owned(),
            in_zone: instant.to_zoned(zone.clone()),
        });
    }
    Ok(PlannedTime {
        instant,
        zone: zone.and_then(name),
        note: None,
    })
}

/// A local time.
fn in_zone(text: &str, local: DateTime, zone: &TimeZone) -> Result<PlannedTime, TimeError> {
    let found = locate(local, zone).map_err(|_| TimeError::OutOfRange(text.to_owned()))?;
    let (instant, note) = match found {
        Local::Once(instant) => (instant, None),
        Local::Twice { earlier } => {
            let shown = if local.second() == 0 && local.subsec_nanosecond() == 0 {
                "%H:%M"
            } else {
                "%H:%M:%S%.f"
            };
            let note = format!(
                "{} happens twice that day; the first one, {}, is taken",
                local.strftime(shown),
                earlier.strftime(&format!("{shown}%:z"))
            );
            (earlier.timestamp(), Some(note))
        }
        Local::Never(gap) => {
            return Err(TimeError::Gap {
                text: text.to_owned(),
                before: gap.before,
                after: gap.after,
            });
        }
    };
    Ok(PlannedTime {
        instant,
        zone: name(zone),
        note,
    })
}

/// The IANA name of a zone, in the database's own spelling.
fn name(zone: &TimeZone) -> Option<String> {
    zone.iana_name().map(str::to_owned)
}

/// A time as RFC 3339 has it, in its own zone.
fn with_offset(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

#[cfg(test)]
#[path = "time_tests.rs"]
mod tests;
