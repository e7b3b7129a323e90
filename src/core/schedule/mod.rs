//! When maintenance is planned: times as people write them, windows that repeat, and what their
//! intervals add up to.
//!
//! Pure: no I/O and no clock. Every function that needs the time takes `now`.

mod duration;
mod interval;
mod local;
mod outlook;
mod plan;
mod recurrence;
mod relative;
#[cfg(test)]
mod stretches_for_tests;
mod time;
mod window;
mod window_change;
mod words;
#[cfg(test)]
mod zones_for_tests;

#[cfg(feature = "cli")]
pub(crate) use self::duration::DurationError;
pub(crate) use self::{
    duration::{Unit, duration_in_words, largest_units, parse_duration, whole_seconds},
    interval::Interval,
    outlook::Outlook,
    plan::{When, WindowPlan},
    recurrence::Recurrence,
    relative::read_time,
    time::find_zone,
    window::Window,
    window_change::WindowChange,
};

/// The longest that a planned stretch is taken for granted: a year, a leap one, so that the same
/// day of the next year is never too far.
const YEAR: jiff::SignedDuration = jiff::SignedDuration::from_hours(366 * 24);
