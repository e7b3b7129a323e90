//! What somebody plans becomes a window, or is refused.

use std::{fmt, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    YEAR,
    recurrence::{Recurrence, RecurrenceError},
    relative::read_time,
    time::{PlannedTime, TimeError, find_zone},
    window::Window,
    words::LeftOut,
};

/// Why a window cannot be planned.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub(crate) enum PlanError {
    /// Most likely the two are swapped, or the end is on the next day.
    #[error("the end, {end}, is not after the start, {start}")]
    EndNotAfterStart { start: Timestamp, end: Timestamp },
    #[error("the end, {end}, is in the past")]
    EndInPast { end: Timestamp },
    #[error("the start: {0}")]
    Start(#[source] TimeError),
    #[error("the end: {0}")]
    End(#[source] TimeError),
    #[error(transparent)]
    Zone(TimeError),
    #[error("it has both an end and a duration; leave one of them out")]
    EndAndDuration,
    #[error("its duration leads beyond all calendars; give a shorter one")]
    TooLong,
    #[error("a window that repeats needs a duration: how long it lasts each time")]
    RepeatsWithoutDuration,
    #[error(
        "a window that repeats needs a time zone for its starts; name one such as `Europe/Rome`, \
         or set `time_zone`"
    )]
    RepeatsWithoutZone,
    #[error(transparent)]
    Recurrence(#[from] RecurrenceError),
    #[error("it never opens between its start and its end")]
    NeverOpens,
}

/// A start or an end as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum When {
    At(Timestamp),
    /// As people write it, to be read in the zone of the window.
    Text(String),
}

/// What somebody plans.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowPlan {
    pub(crate) start: Option<When>,
    pub(crate) end: Option<When>,
    /// From its start; each time, if it repeats.
    pub(crate) lasting: Option<Duration>,
    /// The IANA name of the zone that it is planned in.
    pub(crate) zone: Option<String>,
    /// When it starts again and again, as cron has it.
    pub(crate) repeats: Option<String>,
    /// Everything else.
    pub(crate) window: Window,
}

impl WindowPlan {
    /// The window, with what its planner is to be told.
    ///
    /// `default_zone` is for a plan that names no zone: the setting `time_zone`.
    ///
    /// # Errors
    ///
    /// When it makes no sense; the error says what would.
    pub(crate) fn resolve(
        self,
        default_zone: Option<&TimeZone>,
        now: Timestamp,
    ) -> Result<(Window, Vec<String>), PlanError> {
        let named = self.zone.as_deref().map(find_zone).transpose();
        let named = named.map_err(PlanError::Zone)?;
        let zone = named.as_ref().or(default_zone);
        let read = |when: Option<When>, from: Timestamp| {
            let read = |when: When| when.read(zone, now, from);
            when.map(read).transpose()
        };
        let start = read(self.start, now).map_err(PlanError::Start)?;
        // Whoever says `02:00` or `+2h` for an end tells it from the start.
        let starts = start.as_ref().map_or(now, |start| start.instant.max(now));
        let end = read(self.end, starts).map_err(PlanError::End)?;
        let notes: Vec<String> = [("start", &start), ("end", &end)]
            .into_iter()
            .filter_map(|(which, time)| Some((which, time.as_ref()?.note.as_ref()?)))
            .map(|(which, note)| format!("the {which}: {note}"))
            .collect();
        let name_of = |zone: &TimeZone| zone.iana_name().map(str::to_owned);
        let instant = |time: &Option<PlannedTime>| time.as_ref().map(|time| time.instant);
        let (starts_at, ends_at) = (instant(&start), instant(&end));
        let of_times = [start, end]
            .into_iter()
            .flatten()
            .find_map(|time| time.zone);
        let shown_in = named.as_ref().and_then(name_of).or(of_times);

        let mut window = self.window;
        let warnings = if let Some(cron) = self.repeats {
            let zone = shown_in.or_else(|| default_zone.and_then(name_of));
            let zone = zone.ok_or(PlanError::RepeatsWithoutZone)?;
            let lasting = self.lasting.ok_or(PlanError::RepeatsWithoutDuration)?;
            let mut warnings = check_plan(starts_at, ends_at, now)?;
            warnings.retain(|warning| warning.is_of_repeating());
            // A start at the very instant counts.
            let before = |start: Timestamp| start.checked_sub(SignedDuration::from_nanos(1)).ok();
            let after = starts_at
                .and_then(before)
                .map_or(now, |before| before.max(now));
            let recurrence = Recurrence::new(&cron, &zone, lasting)?.within(after, ends_at);
            recurrence.next_after(now).ok_or(PlanError::NeverOpens)?;
            if let Some((start, end)) = recurrence.cut_by_end() {
                warnings.push(Warning::LastsBeyondEnd { start, end });
            }
            if let Some(left_out) = recurrence.left_out() {
                warnings.push(Warning::LeavesOut(left_out));
            }
            window.repeats = Some(recurrence);
            window.zone = Some(zone);
            warnings
        } else {
            let ends_at = match (ends_at, self.lasting) {
                (Some(_), Some(_)) => return Err(PlanError::EndAndDuration),
                (None, Some(lasting)) => Some(
                    starts_at
                        .unwrap_or(now)
                        .checked_add(lasting)
                        .map_err(|_| PlanError::TooLong)?,
                ),
                (end, None) => end,
            };
            let warnings = check_plan(starts_at, ends_at, now)?;
            // It cannot have been closed before anybody said so.
            window.start = Some(starts_at.map_or(now, |start| start.max(now)));
            window.end = ends_at;
            window.zone = shown_in;
            warnings
        };
        let warnings = warnings.iter().map(Warning::to_string);
        Ok((window, notes.into_iter().chain(warnings).collect()))
    }
}

impl When {
    fn read(
        self,
        zone: Option<&TimeZone>,
        now: Timestamp,
        from: Timestamp,
    ) -> Result<PlannedTime, TimeError> {
        match self {
            Self::At(instant) => Ok(PlannedTime {
                instant,
                zone: None,
                note: None,
            }),
            Self::Text(text) => read_time(&text, zone, now, from),
        }
    }
}

/// What the planner of a window is told; the window is planned all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Warning {
    /// The start is in the past, so that the window is open at once.
    StartsNow { start: Timestamp },
    /// The window has no end.
    NoEnd,
    /// The window starts more than a year ahead, which may be a slip of the pen.
    FarStart { start: Timestamp },
    /// The window ends more than a year ahead, which may be a slip of the pen.
    FarEnd { end: Timestamp },
    /// The last time of a window that repeats goes on beyond the end that was given.
    LastsBeyondEnd { start: Timestamp, end: Timestamp },
    /// Some months are too short for it.
    LeavesOut(LeftOut),
}

impl Warning {
    /// Whether it is worth saying of a window that repeats, which needs no end and starts when its
    /// rule says so.
    fn is_of_repeating(self) -> bool {
        matches!(self, Self::FarStart { .. })
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartsNow { start } => {
                write!(
                    formatter,
                    "the start, {start}, is in the past: it starts now"
                )
            }
            Self::NoEnd => formatter.write_str("it has no end: it stays until somebody ends it"),
            Self::FarStart { start } => {
                write!(formatter, "the start, {start}, is more than a year ahead")
            }
            Self::FarEnd { end } => {
                write!(formatter, "the end, {end}, is more than a year ahead")
            }
            Self::LastsBeyondEnd { start, end } => write!(
                formatter,
                "the end is in the middle of the time that starts at {start}: that one lasts until \
                 {end}, and it is the last"
            ),
            Self::LeavesOut(left_out) => left_out.fmt(formatter),
        }
    }
}

/// Checks a new window `[start, end)` before it is stored.
///
/// What can mean nothing is refused. What may be meant is planned, with a warning: a start in the
/// past (it starts now), no end (it stays until somebody ends it), and a start or an end more than
/// a year ahead. No start at all means "now" and is no surprise.
///
/// # Errors
///
/// When the end is not after the start, or not after `now`.
fn check_plan(
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Warning>, PlanError> {
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        return Err(PlanError::EndNotAfterStart { start, end });
    }
    if let Some(end) = end
        && end <= now
    {
        return Err(PlanError::EndInPast { end });
    }
    let far = |time: &Timestamp| time.duration_since(now) > YEAR;
    let mut warnings = Vec::new();
    if let Some(start) = start.filter(|start| *start < now) {
        warnings.push(Warning::StartsNow { start });
    }
    // A far start has a far end, and one warning says it.
    if let Some(start) = start.filter(far) {
        warnings.push(Warning::FarStart { start });
    } else if let Some(end) = end.filter(far) {
        warnings.push(Warning::FarEnd { end });
    }
    if end.is_none() {
        warnings.push(Warning::NoEnd);
    }
    Ok(warnings)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
