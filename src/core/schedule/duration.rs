//! Durations as people write and read them.

use std::time::Duration;

use jiff::{SignedDuration, Span, SpanRelativeTo};

use crate::core::excerpt::Excerpt;

/// Why a text is not a duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DurationError {
    #[error(
        "{} is no duration; give a number of seconds, or a text such as `90s`, `1h` or `2h 30m`, \
         in whole seconds",
        Excerpt(.0)
    )]
    NoDuration(String),
    #[error("{} is no time at all; give a duration of at least one second", Excerpt(.0))]
    Zero(String),
}

/// Reads how long something lasts: `90s`, `2h 30m`, `1d`, ISO 8601 as in `PT2H`, or a plain number
/// of seconds.
///
/// A day has 24 hours here, because a duration is elapsed time: it does not know which day of the
/// zone it begins on. Months and years are refused for the same reason.
///
/// # Errors
///
/// When the text is no duration, or one of nothing.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    match whole_seconds(text) {
        Some(0) => Err(DurationError::Zero(text.to_owned())),
        Some(seconds) => Ok(Duration::from_secs(seconds)),
        None => Err(DurationError::NoDuration(text.to_owned())),
    }
}

/// The seconds of a duration, which may be zero: what settings take, where zero can have a
/// meaning of its own.
pub(crate) fn whole_seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let span: Span = text.parse().ok()?;
    let duration: SignedDuration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    if duration.subsec_nanos() != 0 {
        return None;
    }
    u64::try_from(duration.as_secs()).ok()
}

/// What durations are told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Days,
    Hours,
    Minutes,
    Seconds,
}

impl Unit {
    /// From the largest, with their seconds.
    const ALL: [(Self, u64); 4] = [
        (Self::Days, 86_400),
        (Self::Hours, 3600),
        (Self::Minutes, 60),
        (Self::Seconds, 1),
    ];

    /// As the International System of Units has it.
    fn symbol(self) -> &'static str {
        match self {
            Self::Days => "d",
            Self::Hours => "h",
            Self::Minutes => "min",
            Self::Seconds => "s",
        }
    }
}

/// A number of seconds in its two largest units; what is nothing of the second is left out.
pub(crate) fn largest_units(seconds: u64) -> impl Iterator<Item = (Unit, u64)> {
    let largest = Unit::ALL.iter().position(|(_, size)| seconds >= *size);
    let largest = largest.unwrap_or(Unit::ALL.len() - 1);
    let mut rest = seconds;
    Unit::ALL
        .into_iter()
        .skip(largest)
        .take(2)
        .enumerate()
        .map(move |(place, (unit, size))| {
            let count = rest / size;
            rest %= size;
            (place, unit, count)
        })
        .filter(|(place, _, count)| *place == 0 || *count > 0)
        .map(|(_, unit, count)| (unit, count))
}

/// A duration in its two largest units: `2 h 5 min`. One of a few seconds has tenths, if it has
/// any: `1.5 s`.
pub(crate) fn duration_in_words(duration: Duration) -> String {
    const FEW: Duration = Duration::from_secs(10);
    let tenths = (duration.as_millis() + 50) / 100;
    if duration < FEW && !tenths.is_multiple_of(10) {
        return format!("{}.{} s", tenths / 10, tenths % 10);
    }
    // To the nearest second: what was said to last two hours is not told as 1 h 59 min.
    let seconds = duration.as_secs() + u64::from(duration.subsec_millis() >= 500);
    let parts: Vec<String> = largest_units(seconds)
        .map(|(unit, count)| format!("{count} {}", unit.symbol()))
        .collect();
    parts.join(" ")
}

#[cfg(test)]
#[path = "duration_tests.rs"]
mod tests;
