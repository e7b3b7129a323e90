//! Times, durations and texts as people read them.

use std::time::Duration;

use jiff::{Timestamp, tz::TimeZone};

pub(super) use crate::core::schedule::duration_in_words as duration;
use crate::{core::phase::Phase, core::text::escaped};

/// An instant in a zone, with its offset.
pub(super) fn time(instant: Timestamp, zone: &TimeZone) -> String {
    let local = instant.to_zoned(zone.clone());
    local.strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// An instant, and how far it is from now.
pub(super) fn time_from_now(instant: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    format!("{} ({})", time(instant, zone), from_now(instant, now))
}

/// How far an instant is from now: `in 2 h 5 min`, `3 d ago`.
pub(super) fn from_now(instant: Timestamp, now: Timestamp) -> String {
    let distance = instant.duration_since(now).as_millis();
    let seconds = u64::try_from((distance.abs() + 500) / 1000).unwrap_or(u64::MAX);
    let far = duration(Duration::from_secs(seconds));
    match (seconds, distance > 0) {
        (0, _) => "now".to_owned(),
        (_, true) => format!("in {far}"),
        (_, false) => format!("{far} ago"),
    }
}

/// A count with the word for what is counted.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{number} {word}")
}

/// Somebody else's text on one line, and as wide as it is shown.
pub(super) fn line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    escaped(&words.join(" "))
}

/// A share in percent: one digit after the point, and nothing that is not so.
pub(super) fn percent(share: f64) -> String {
    // Only all are 100 %.
    format!("{:.1} %", (share * 1000.0).floor() / 10.0)
}

/// What a phase means, after the name of the mode.
pub(super) fn is(phase: Phase) -> &'static str {
    match phase {
        Phase::Online => "is online",
        Phase::Scheduled => "is online, with a window announced",
        Phase::Pending => "is closing",
        Phase::Offline => "is offline",
        Phase::Opening => "is opening",
    }
}

#[cfg(test)]
#[path = "wording_tests.rs"]
mod tests;
