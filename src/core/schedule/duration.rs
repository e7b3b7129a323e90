//! Durations as people write them.

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

#[cfg(test)]
#[path = "duration_tests.rs"]
mod tests;
