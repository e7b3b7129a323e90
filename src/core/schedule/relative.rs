//! Times as people say them, from where they are: `22:00`, `tomorrow 22:00`, `+2h`, `now`.

use jiff::{
    Timestamp,
    civil::Date,
    fmt::temporal::{Pieces, TimeZoneAnnotationKind},
    tz::TimeZone,
};

use super::{
    duration::parse_duration,
    time::{PlannedTime, TimeError, parse_time},
};

/// How many days are looked at for a time of day: one that the clocks leave out today and that is
/// over tomorrow is there on the third.
const DAYS: usize = 3;

/// Reads a time as [`parse_time`] does, or one that is told from an instant: a duration from there
/// (`+2h`), the next time of day (`22:00`), or one of `today` or `tomorrow`.
///
/// `from` is that instant: `now`, or, for an end, the start. Days are those of `now`.
///
/// # Errors
///
/// As [`parse_time`], and when it is a time of day without a zone.
pub(crate) fn read_time(
    text: &str,
    zone: Option<&TimeZone>,
    now: Timestamp,
    from: Timestamp,
) -> Result<PlannedTime, TimeError> {
    let text = text.trim();
    let exactly = |instant| PlannedTime {
        instant,
        zone: None,
        note: None,
    };
    if text.eq_ignore_ascii_case("now") {
        return Ok(exactly(now));
    }
    if let Some(distance) = text.strip_prefix('+')
        && let Ok(distance) = parse_duration(distance)
    {
        let then = from.checked_add(distance);
        let then = then.map_err(|_| TimeError::OutOfRange(text.to_owned()))?;
        return Ok(exactly(then));
    }
    let (day, time) = match text.split_once(char::is_whitespace) {
        Some((day, time)) => (Day::named(day), time.trim()),
        None => (Day::named(text), ""),
    };
    match day {
        Some(day) => at_time_of_day(text, time, day, zone, now, from),
        None if is_time_of_day(text) => at_time_of_day(text, text, Day::Next, zone, now, from),
        None => parse_time(text, zone),
    }
}

/// The day of a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Day {
    Today,
    Tomorrow,
    /// The first on which the time is yet to come.
    Next,
}

impl Day {
    fn named(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "today" => Some(Self::Today),
            "tomorrow" => Some(Self::Tomorrow),
            _ => None,
        }
    }
}

/// `9:00`, and whatever follows, which is read later.
fn is_time_of_day(text: &str) -> bool {
    let hour = text.split(':').next().unwrap_or_default();
    let is_hour = (1..=2).contains(&hour.len()) && hour.bytes().all(|byte| byte.is_ascii_digit());
    is_hour && text.contains(':')
}

fn at_time_of_day(
    text: &str,
    time: &str,
    day: Day,
    zone: Option<&TimeZone>,
    now: Timestamp,
    from: Timestamp,
) -> Result<PlannedTime, TimeError> {
    let no_time = || TimeError::NoTime(text.to_owned());
    if !time.is_empty() && !is_time_of_day(time) {
        return Err(no_time());
    }
    // One digit is enough for people, not for RFC 3339.
    let time = match time.find(':') {
        Some(1) => format!("0{time}"),
        _ => time.to_owned(),
    };
    let on = |date: Date| match time.as_str() {
        "" => date.to_string(),
        time => format!("{date}T{time}"),
    };
    // Any day: only what stands behind the time is looked at.
    let sample = on(Date::constant(2000, 1, 1));
    let pieces = Pieces::parse(&sample).map_err(|_| no_time())?;
    let annotation = pieces.time_zone_annotation().map(|zone| match zone.kind() {
        TimeZoneAnnotationKind::Named(name) => TimeZone::get(name.as_str()).ok(),
        TimeZoneAnnotationKind::Offset(offset) => Some(offset.to_time_zone()),
        _ => None,
    });
    let offset = || Some(pieces.offset()?.to_numeric_offset().to_time_zone());
    let own = match annotation {
        Some(Some(zone)) => Some(zone),
        Some(None) => return Err(TimeError::UnknownZone(text.to_owned())),
        None => offset(),
    };
    let Some(zone) = own.as_ref().or(zone) else {
        return Err(TimeError::NoDay(text.to_owned()));
    };
    let date_of = |instant: Timestamp| instant.to_zoned(zone.clone()).date();
    let out_of_range = |_| TimeError::OutOfRange(text.to_owned());
    match day {
        Day::Today => parse_time(&on(date_of(now)), Some(zone)),
        Day::Tomorrow => {
            let tomorrow = date_of(now).tomorrow().map_err(out_of_range)?;
            parse_time(&on(tomorrow), Some(zone))
        }
        Day::Next => {
            let mut date = date_of(from);
            for _ in 1..DAYS {
                match parse_time(&on(date), Some(zone)) {
                    Ok(found) if found.instant <= from => {}
                    Err(TimeError::Gap { after, .. }) if after.timestamp() <= from => {}
                    found_or_not => return found_or_not,
                }
                date = date.tomorrow().map_err(out_of_range)?;
            }
            parse_time(&on(date), Some(zone))
        }
    }
}

#[cfg(test)]
#[path = "relative_tests.rs"]
mod tests;
