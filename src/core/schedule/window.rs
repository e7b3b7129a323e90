//! A planned window: once, or again and again.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{interval::Interval, recurrence::Recurrence};

/// A planned `[start, end)`, either end of which may be open, or one that repeats.
///
/// Whoever asks for what is at an instant asks by [`occurrence_at`](Self::occurrence_at) and
/// [`next_after`](Self::next_after), which hold for both kinds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Window {
    pub(crate) id: String,
    /// Of a window that does not repeat.
    #[serde(default)]
    pub(crate) start: Option<Timestamp>,
    /// Of a window that does not repeat.
    #[serde(default)]
    pub(crate) end: Option<Timestamp>,
    /// When it is open instead, if it repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repeats: Option<Recurrence>,
    /// The IANA zone that it was planned in, for showing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) zone: Option<String>,
    /// When it was planned or changed last; unknown of what a hand or an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) changed_at: Option<Timestamp>,
    /// How often it has been changed since it was planned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) sequence: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

fn is_zero(sequence: &u32) -> bool {
    *sequence == 0
}

impl Window {
    pub(crate) fn repeats(&self) -> bool {
        self.repeats.is_some()
    }

    pub(crate) fn contains(&self, now: Timestamp) -> bool {
        self.occurrence_at(now).is_some()
    }

    /// Whether it is over for good.
    pub(crate) fn is_past(&self, now: Timestamp) -> bool {
        match &self.repeats {
            None => self.end.is_some_and(|end| end <= now),
            Some(_) => self.now_or_next(now).is_none(),
        }
    }

    /// When it is open around `now`, if it is.
    pub(crate) fn occurrence_at(&self, now: Timestamp) -> Option<Interval> {
        match &self.repeats {
            None => Some(self.once()).filter(|once| once.contains(now)),
            Some(recurrence) => recurrence.occurrence_at(now).map(Interval::from),
        }
    }

    /// When it opens next, after `now` and after what is open now.
    pub(crate) fn next_after(&self, now: Timestamp) -> Option<Interval> {
        match &self.repeats {
            None => Some(self.once()).filter(|once| {
                // An interval without an instant never opens.
                once.start.is_some_and(|start| now < start) && !once.is_empty()
            }),
            Some(recurrence) => {
                let now = recurrence.occurrence_at(now).map_or(now, |(_, end)| end);
                recurrence.next_after(now).map(Interval::from)
            }
        }
    }

    /// When it is open around `now`, or else when it opens next.
    pub(crate) fn now_or_next(&self, now: Timestamp) -> Option<Interval> {
        self.occurrence_at(now).or_else(|| self.next_after(now))
    }

    /// Ends what is open around `now`. `false`: nothing of it is left.
    pub(crate) fn end_occurrence(&mut self, now: Timestamp) -> bool {
        match (self.occurrence_at(now), &mut self.repeats) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(open), Some(recurrence)) => {
                recurrence.leave_out_until(open.end.unwrap_or(now));
                recurrence.next_after(now).is_some()
            }
        }
    }

    /// Leaves out what is open around `now`, or else what opens next. `false`: nothing of it is
    /// left.
    pub(crate) fn leave_out_next(&mut self, now: Timestamp) -> bool {
        match (self.now_or_next(now), &mut self.repeats) {
            (Some(next), Some(recurrence)) => {
                recurrence.leave_out_until(next.end.unwrap_or(now));
                recurrence.next_after(now).is_some()
            }
            (None, _) | (_, None) => false,
        }
    }

    /// Whether it repeats and does not say since when, because a hand wrote it.
    pub(crate) fn lacks_beginning(&self) -> bool {
        let recurrence = self.repeats.as_ref();
        recurrence.is_some_and(|recurrence| recurrence.after().is_none())
    }

    /// Has it begin now, or with what is open now: nobody knows of anything before.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        let open = self.occurrence_at(now).and_then(|open| open.start);
        let before = |start: Timestamp| start.checked_sub(SignedDuration::from_nanos(1)).ok();
        if let Some(recurrence) = &mut self.repeats {
            recurrence.leave_out_until(open.and_then(before).unwrap_or(now));
        }
    }

    /// Forgets what is over. `false`: nothing of it is left.
    pub(crate) fn forget_past(&mut self, now: Timestamp) -> bool {
        let ends = |open: &Interval| open.end.filter(|end| *end <= now);
        let last_end = self.started(now, 2).iter().filter_map(ends).max();
        if let (Some(recurrence), Some(end)) = (&mut self.repeats, last_end) {
            recurrence.leave_out_until(end);
        }
        !self.is_past(now)
    }

    /// What has started at `now`, the latest last: at most `limit` times.
    pub(crate) fn started(&self, now: Timestamp, limit: usize) -> Vec<Interval> {
        match &self.repeats {
            None if self.start.is_none_or(|start| start <= now) => vec![self.once()],
            None => Vec::new(),
            Some(recurrence) => {
                let mut started = recurrence.started(now, limit);
                started.reverse();
                started.into_iter().map(Interval::from).collect()
            }
        }
    }

    /// The same window, once.
    pub(crate) fn at(&self, interval: Interval) -> Self {
        Self {
            start: interval.start,
            end: interval.end,
            repeats: None,
            ..self.clone()
        }
    }

    fn once(&self) -> Interval {
        Interval {
            start: self.start,
            end: self.end,
        }
    }
}

impl From<(Timestamp, Timestamp)> for Interval {
    fn from((start, end): (Timestamp, Timestamp)) -> Self {
        Self {
            start: Some(start),
            end: Some(end),
        }
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
