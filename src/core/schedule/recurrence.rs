//! Windows that repeat: a start by cron in a zone, and a duration.
//!
//! # Why cron, and why `croner`
//!
//! Operators write cron already, and it says all that a service window needs. A rule of RFC 5545
//! is made for calendars; its library, `rrule`, brings chrono and a second database of time zones,
//! which can disagree with jiff's.
//!
//! Of the libraries on jiff, `cronexpr` walks over instants: it leaves out a start in a gap, gives
//! one in a fold twice, and never finds the last day of December. `croner` can search on civil
//! time alone, forward and backward. So it only matches the calendar here, and what a local time
//! means in a zone is decided below, by the same code that reads times.
//!
//! # Local times that do not exist, or twice
//!
//! An occurrence starts at a local time and lasts for a duration of elapsed time.
//!
//! - When the clocks leave its start out, it starts at the first instant after the gap. RFC 5545,
//!   section 3.3.10, would leave the occurrence out; a nightly migration is not left out one night
//!   a year. Several starts in one gap are one start.
//! - When the clocks show its start twice, it starts the first time only.
//! - A day that a zone never had (Apia's 2011-12-30) has no occurrence.
//!
//! So each local day has its occurrence, none has two, and starts come in the order of their local
//! times. A start every few minutes pauses while the clocks repeat an hour.

use std::time::Duration;

use croner::Cron;
use jiff::{
    SignedDuration, Timestamp,
    civil::{DateTime, date},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    YEAR,
    duration::{DurationError, parse_duration},
    local::{Local, locate},
    time::{TimeError, find_zone},
    words::{LeftOut, in_words, left_out, read_cron},
};
use crate::core::excerpt::Excerpt;

/// The most occurrences that may follow one another without a break.
const LONGEST_CHAIN: usize = 10_000;

/// Why a recurrence makes no sense.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum RecurrenceError {
    #[error(
        "{} is no cron expression; give the five fields minute, hour, day of month, month and day \
         of week, as in `0 2 * * SUN`",
        Excerpt(.0)
    )]
    NotFiveFields(String),
    #[error("{} is no cron expression ({reason})", Excerpt(.cron))]
    Expression { cron: String, reason: String },
    #[error("{} never comes true; is there such a day?", Excerpt(.0))]
    NeverStarts(String),
    #[error(transparent)]
    Zone(#[from] TimeError),
    #[error(transparent)]
    Duration(#[from] DurationError),
    #[error("the duration is zero; give at least one second")]
    NoDuration,
    #[error("{} is not in whole seconds", Excerpt(.0))]
    Fraction(String),
    #[error("the duration is longer than a year")]
    TooLong,
    #[error(
        "the occurrences of {} follow one another without a break, so that maintenance never \
         ends; shorten the duration, or plan one window instead",
        Excerpt(.0)
    )]
    NoBreak(String),
}

/// A window that repeats. Always sound: it has been checked, also when it comes from a store.
///
/// As JSON: `{"cron": "0 2 * * SUN", "zone": "Europe/Rome", "duration": "PT2H"}`, with the bounds
/// `after` and `until` where there are any. Fields that this version does not know are written
/// back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub(crate) struct Recurrence {
    /// As it was given.
    cron: String,
    expression: Cron,
    zone: TimeZone,
    /// The zone's IANA name.
    zone_name: String,
    duration: SignedDuration,
    /// Only later starts count: when it was planned, or what was left out of it or is over.
    after: Option<Timestamp>,
    /// Only earlier starts count.
    until: Option<Timestamp>,
    unknown: Map<String, Value>,
}

/// A recurrence as JSON has it.
#[derive(Serialize, Deserialize)]
struct Stored {
    cron: String,
    zone: String,
    duration: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

impl TryFrom<Stored> for Recurrence {
    type Error = RecurrenceError;

    fn try_from(stored: Stored) -> Result<Self, RecurrenceError> {
        let duration = parse_duration(&stored.duration)?;
        Ok(Self {
            after: stored.after,
            until: stored.until,
            unknown: stored.unknown,
            ..Self::new(&stored.cron, &stored.zone, duration)?
        })
    }
}

impl From<Recurrence> for Stored {
    fn from(recurrence: Recurrence) -> Self {
        Self {
            cron: recurrence.cron,
            zone: recurrence.zone_name,
            duration: recurrence.duration.to_string(),
            after: recurrence.after,
            until: recurrence.until,
            unknown: recurrence.unknown,
        }
    }
}

impl Recurrence {
    /// Checks and makes a recurrence that starts when `cron` says so in `zone`, an IANA name.
    ///
    /// # Errors
    ///
    /// When the expression is none or never comes true, the zone is unknown, or the duration is
    /// zero, longer than a year, not in whole seconds, or so long that there is no break between
    /// occurrences.
    pub(crate) fn new(cron: &str, zone: &str, duration: Duration) -> Result<Self, RecurrenceError> {
        let cron = cron.trim();
        let expression = parse_cron(cron)?;
        let zone = find_zone(zone)?;
        let zone_name = zone.iana_name().unwrap_or_default().to_owned();
        let duration = SignedDuration::try_from(duration)
            .ok()
            .filter(|duration| *duration <= YEAR)
            .ok_or(RecurrenceError::TooLong)?;
        if duration.is_zero() {
            return Err(RecurrenceError::NoDuration);
        }
        if duration.subsec_nanos() != 0 {
            return Err(RecurrenceError::Fraction(duration.to_string()));
        }
        let recurrence = Self {
            cron: cron.to_owned(),
            expression,
            zone,
            zone_name,
            duration,
            after: None,
            until: None,
            unknown: Map::new(),
        };
        recurrence.check_breaks()?;
        Ok(recurrence)
    }

    /// The same within bounds: only starts after `after` and before `until` count.
    pub(crate) fn within(self, after: Timestamp, until: Option<Timestamp>) -> Self {
        Self {
            after: Some(after),
            until,
            ..self
        }
    }

    /// Leaves out every start up to this instant.
    pub(crate) fn leave_out_until(&mut self, instant: Timestamp) {
        self.after = Some(self.after.map_or(instant, |after| after.max(instant)));
    }

    /// The cron expression as it was given.
    pub(crate) fn cron(&self) -> &str {
        &self.cron
    }

    /// When it starts, in words: `every Saturday at 03:00`.
    pub(crate) fn in_words(&self) -> String {
        in_words(&self.expression)
    }

    /// Which months it leaves out because they are too short, if any.
    pub(super) fn left_out(&self) -> Option<LeftOut> {
        left_out(&self.expression)
    }

    /// The occurrence that starts before the window is over for good and lasts longer than that.
    pub(crate) fn cut_by_end(&self) -> Option<(Timestamp, Timestamp)> {
        let until = self.until?;
        let start = self.last_start(until)?;
        let end = self.end_of(start)?;
        (until < end).then_some((start, end))
    }

    /// The IANA name of the zone in which the starts are local times.
    pub(crate) fn zone(&self) -> &str {
        &self.zone_name
    }

    /// How long an occurrence lasts, in elapsed time.
    pub(crate) fn duration(&self) -> SignedDuration {
        self.duration
    }

    /// The instant after which every start must lie, if there is one.
    pub(crate) fn after(&self) -> Option<Timestamp> {
        self.after
    }

    /// The instant before which every start must lie, if there is one.
    pub(crate) fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The latest occurrences that have started at `now`, at most `limit` of them, the last one
    /// first. Those that overlap or touch count as one.
    pub(crate) fn started(&self, now: Timestamp, limit: usize) -> Vec<(Timestamp, Timestamp)> {
        let mut started: Vec<(Timestamp, Timestamp)> = Vec::new();
        let mut from = Some(now);
        while started.len() < limit
            && let Some(last) = from.and_then(|from| self.last_start(from))
            && let Some(occurrence) = self.occurrence_at(last)
        {
            started.push(occurrence);
            from = occurrence.0.checked_sub(SignedDuration::from_nanos(1)).ok();
        }
        started
    }

    /// The occurrence that contains `now`, as `[start, end)`.
    ///
    /// Of occurrences that overlap or touch it is their union: since when there is no break, and
    /// when the next one begins.
    pub(crate) fn occurrence_at(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        // All last equally long, so that the latest start has the latest end.
        let last_start = self.last_start(now)?;
        let end = self.end_of(last_start).filter(|end| now < *end)?;
        let mut start = last_start;
        for _ in 0..LONGEST_CHAIN {
            // The earliest occurrence that still reaches `start`.
            let Some(earlier) = start
                .checked_sub(self.duration)
                .and_then(|earliest| earliest.checked_sub(SignedDuration::from_nanos(1)))
                .ok()
                .and_then(|before| self.next_start(before))
                .filter(|earlier| *earlier < start)
            else {
                break;
            };
            start = earlier;
        }
        Some((start, self.end_of_chain(end)))
    }

    /// The next occurrence that starts after `now`; its end is that of the union with those that
    /// follow without a break.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
        let start = self.next_start(now)?;
        Some((start, self.end_of_chain(self.end_of(start)?)))
    }

    /// The single occurrences that overlap `[from, to)`, in the order of their starts; those that
    /// overlap one another are not merged. Lazy, and it ends at `to`.
    #[cfg(test)]
    pub(crate) fn between(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> impl Iterator<Item = (Timestamp, Timestamp)> + '_ {
        // One that starts at `from - duration` ends as `from` begins.
        let before = from
            .checked_sub(self.duration)
            .unwrap_or(Timestamp::MIN)
            .max(Timestamp::MIN);
        let first = if from < to {
            self.next_start(before)
        } else {
            None
        };
        std::iter::successors(first, |start| self.next_start(*start))
            .take_while(move |start| *start < to)
            .filter_map(|start| Some((start, self.end_of(start)?)))
    }

    /// When an occurrence that starts at `start` ends. `None` past the end of all time.
    fn end_of(&self, start: Timestamp) -> Option<Timestamp> {
        start.checked_add(self.duration).ok()
    }

    /// The end of the chain of occurrences of which one ends at `end`.
    fn end_of_chain(&self, end: Timestamp) -> Timestamp {
        let mut end = end;
        for _ in 0..LONGEST_CHAIN {
            // The latest occurrence that has started by then reaches furthest.
            let longer = self.last_start(end).and_then(|start| self.end_of(start));
            match longer {
                Some(longer) if longer > end => end = longer,
                _ => break,
            }
        }
        end
    }

    /// The first start after `instant`.
    fn next_start(&self, instant: Timestamp) -> Option<Timestamp> {
        let instant = self.after.map_or(instant, |after| after.max(instant));
        self.next_of_calendar(instant)
            .filter(|start| self.until.is_none_or(|until| *start < until))
    }

    /// The last start at or before `instant`.
    fn last_start(&self, instant: Timestamp) -> Option<Timestamp> {
        let instant = match self.until {
            Some(until) if until <= instant => {
                until.checked_sub(SignedDuration::from_nanos(1)).ok()?
            }
            _ => instant,
        };
        self.last_of_calendar(instant)
            .filter(|start| self.after.is_none_or(|after| after < *start))
    }

    /// The first start after `instant`, whatever the bounds are.
    fn next_of_calendar(&self, instant: Timestamp) -> Option<Timestamp> {
        // Later local times never start earlier, so that none up to this one can start after
        // `instant`. Those that follow can start earlier, while the clocks repeat an hour.
        let mut local = self.zone.to_datetime(instant);
        loop {
            local = self.expression.find_next_occurrence(&local, false).ok()?;
            if let Some(start) = self.start_at(local).filter(|start| *start > instant) {
                return Some(start);
            }
        }
    }

    /// The last start at or before `instant`, whatever the bounds are.
    fn last_of_calendar(&self, instant: Timestamp) -> Option<Timestamp> {
        let mut local = self.zone.to_datetime(instant);
        if let Ok(Local::Twice { earlier }) = locate(local, &self.zone) {
            // While the clocks repeat an hour, all of its starts are over: they were the first
            // time. The end of the hour is as far ahead as the clocks are put back.
            let repeated = instant.duration_since(earlier.timestamp());
            local = local.checked_add(repeated).unwrap_or(DateTime::MAX);
        }
        let mut inclusive = true;
        loop {
            local = self
                .expression
                .find_previous_occurrence(&local, inclusive)
                .ok()?;
            if let Some(start) = self.start_at(local).filter(|start| *start <= instant) {
                return Some(start);
            }
            inclusive = false;
        }
    }

    /// When the occurrence of a local time starts. `None` when its day does not exist.
    fn start_at(&self, local: DateTime) -> Option<Timestamp> {
        match locate(local, &self.zone).ok()? {
            Local::Once(instant) => Some(instant),
            Local::Twice { earlier } => Some(earlier.timestamp()),
            Local::Never(gap) if gap.swallows_the_day_of(local) => None,
            Local::Never(gap) => Some(gap.after.timestamp()),
        }
    }

    /// Refuses occurrences that never leave a break.
    ///
    /// In civil time and from a fixed day, so that the answer is the same whenever and wherever it
    /// is asked for. A break that only a change of the clocks makes does not count.
    fn check_breaks(&self) -> Result<(), RecurrenceError> {
        let never_starts = || RecurrenceError::NeverStarts(self.cron.clone());
        // A leap year begins here, so that a 29th of February is near.
        let first = self
            .expression
            .find_next_occurrence(&date(2023, 12, 31).at(23, 59, 59, 0), false)
            .map_err(|_| never_starts())?;
        let limit = first.checked_add(YEAR).map_err(|_| never_starts())?;
        let mut end = first
            .checked_add(self.duration)
            .map_err(|_| never_starts())?;
        for _ in 0..LONGEST_CHAIN {
            let last = self
                .expression
                .find_previous_occurrence(&end, true)
                .map_err(|_| never_starts())?;
            let longer = last
                .checked_add(self.duration)
                .map_err(|_| never_starts())?;
            if longer <= end {
                return Ok(());
            }
            if longer > limit {
                break;
            }
            end = longer;
        }
        Err(RecurrenceError::NoBreak(self.cron.clone()))
    }
}

/// Reads five fields, or a name such as `@daily`.
fn parse_cron(cron: &str) -> Result<Cron, RecurrenceError> {
    if !cron.starts_with('@') && cron.split_whitespace().count() != 5 {
        return Err(RecurrenceError::NotFiveFields(cron.to_owned()));
    }
    read_cron(cron).map_err(|reason| RecurrenceError::Expression {
        cron: cron.to_owned(),
        reason,
    })
}

#[cfg(test)]
#[path = "recurrence_tests.rs"]
mod tests;
