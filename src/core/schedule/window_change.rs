//! What somebody changes of a window that is planned.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{
    plan::{PlanError, When, WindowPlan},
    recurrence::Recurrence,
    window::Window,
};

/// What is to be another. What is not said stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowChange {
    pub(crate) start: Option<When>,
    /// `Some(None)`: it ends when somebody ends it.
    pub(crate) end: Option<Option<When>>,
    /// From its start; each time, if it repeats.
    pub(crate) lasting: Option<Duration>,
    pub(crate) repeats: Option<String>,
    pub(crate) zone: Option<String>,
    /// An empty text takes away what was said.
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) reason: Option<String>,
}

impl WindowChange {
    fn is_of_times(&self) -> bool {
        self.start.is_some()
            || self.end.is_some()
            || self.lasting.is_some()
            || self.repeats.is_some()
            || self.zone.is_some()
    }

    /// The window as it is to be, with what is to be told of it.
    ///
    /// # Errors
    ///
    /// When that makes no sense, as where a window is planned.
    pub(crate) fn of(
        &self,
        window: &Window,
        default_zone: Option<&TimeZone>,
        now: Timestamp,
    ) -> Result<(Window, Vec<String>), PlanError> {
        let mut said = window.clone();
        for (text, wanted) in [
            (&mut said.title, &self.title),
            (&mut said.message, &self.message),
            (&mut said.reason, &self.reason),
        ] {
            if let Some(wanted) = wanted {
                *text = Some(wanted.clone()).filter(|text| !text.is_empty());
            }
        }
        if !self.is_of_times() {
            return Ok((said, Vec::new()));
        }
        match &window.repeats {
            Some(recurrence) => self.of_one_that_repeats(said, recurrence, default_zone, now),
            None => self.of_one_that_does_not(said, default_zone, now),
        }
    }

    fn of_one_that_does_not(
        &self,
        window: Window,
        default_zone: Option<&TimeZone>,
        now: Timestamp,
    ) -> Result<(Window, Vec<String>), PlanError> {
        // What is open goes on since when it is.
        let begun = window.start.filter(|start| *start <= now);
        let begun = begun.filter(|_| self.start.is_none() && self.repeats.is_none());
        let start = match begun {
            Some(_) => None,
            None => self.start.clone().or(ahead(window.start, now)),
        };
        let mut end = match &self.end {
            Some(end) => end.clone(),
            None if self.lasting.is_some() || self.repeats.is_some() => None,
            None => window.end.map(When::At),
        };
        let mut lasting = self.lasting;
        if let (Some(begun), Some(lasts), None) = (begun, lasting, &end) {
            let ends = begun.checked_add(lasts).map_err(|_| PlanError::TooLong)?;
            (end, lasting) = (Some(When::At(ends)), None);
        }
        if self.repeats.is_some() && lasting.is_none() {
            let once = window.start.zip(window.end);
            lasting = once.and_then(|(start, end)| as_duration(end.duration_since(start)));
        }
        let plan = WindowPlan {
            start,
            end,
            lasting,
            zone: self.zone.clone().or_else(|| window.zone.clone()),
            repeats: self.repeats.clone(),
            window: Window {
                start: None,
                end: None,
                ..window
            },
        };
        let (mut changed, warnings) = plan.resolve(default_zone, now)?;
        if begun.is_some() {
            changed.start = begun;
        }
        Ok((changed, warnings))
    }

    fn of_one_that_repeats(
        &self,
        window: Window,
        recurrence: &Recurrence,
        default_zone: Option<&TimeZone>,
        now: Timestamp,
    ) -> Result<(Window, Vec<String>), PlanError> {
        let after = recurrence.after();
        // Starts count after that instant, and a start at the very instant that is given counts, too.
        let next = after.and_then(|after| after.checked_add(SignedDuration::from_nanos(1)).ok());
        let end = match &self.end {
            Some(end) => end.clone(),
            None => recurrence.until().map(When::At),
        };
        let plan = WindowPlan {
            start: self.start.clone().or(ahead(next, now)),
            end,
            lasting: self.lasting.or(as_duration(recurrence.duration())),
            zone: Some(self.zone.clone().unwrap_or(recurrence.zone().to_owned())),
            repeats: Some(self.repeats.clone().unwrap_or(recurrence.cron().to_owned())),
            window: Window {
                repeats: None,
                ..window
            },
        };
        let (mut changed, warnings) = plan.resolve(default_zone, now)?;
        // What is open now goes on, if it starts when it did.
        let is_as_often = self.start.is_none() && self.repeats.is_none() && self.zone.is_none();
        if let (true, Some(after)) = (is_as_often, after) {
            changed.repeats = changed.repeats.map(|recurrence| {
                let until = recurrence.until();
                recurrence.within(after, until)
            });
        }
        Ok((changed, warnings))
    }
}

fn ahead(start: Option<Timestamp>, now: Timestamp) -> Option<When> {
    start.filter(|start| now < *start).map(When::At)
}

fn as_duration(duration: SignedDuration) -> Option<Duration> {
    Duration::try_from(duration).ok()
}

#[cfg(test)]
#[path = "window_change_tests.rs"]
mod tests;
