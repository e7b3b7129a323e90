//! The changes of a document by which a mode opens share by share.

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use super::{Document, Switch, SwitchedOn};
use crate::core::{opening::Opening, phase::Phase};

impl Document {
    /// Opens a mode that is closed for more and more visitors, until all are in after `over`. One that is
    /// opening already goes on from those who are in. What is closed by nobody, or is closing, opens as by
    /// [`turn_off`](Self::turn_off). `None` when that changes nothing.
    pub(crate) fn open_over(
        &self,
        key: &str,
        over: SignedDuration,
        by: Option<&str>,
        now: Timestamp,
    ) -> Option<Self> {
        let until = now.checked_add(over).ok().filter(|until| now < *until);
        match (self.mode(key)?.phase(now), until) {
            (Phase::Offline | Phase::Opening, Some(until)) => {
                self.opening_until(key, Some(until), by, now)
            }
            _ => self.turn_off(key, by, now),
        }
    }

    /// Lets nobody more in for now into a mode that is opening: those who are in stay in. `None` when it
    /// is not opening, or paused already.
    pub(crate) fn pause_opening(&self, key: &str, now: Timestamp) -> Option<Self> {
        let mode = self.mode(key)?;
        mode.switch.opening().and_then(|opening| opening.until)?;
        let is_opening = mode.phase(now) == Phase::Opening;
        is_opening
            .then(|| self.opening_until(key, None, None, now))
            .flatten()
    }

    fn opening_until(
        &self,
        key: &str,
        until: Option<Timestamp>,
        by: Option<&str>,
        now: Timestamp,
    ) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.get_mut(key)?;
        let standing = mode.standing(now);
        let is_thrown = mode.switch_phase(now).is_maintenance();
        let known = mode.switch.opening();
        let opening = match known.filter(|_| standing.phase == Phase::Opening) {
            Some(opening) => Opening {
                by: by.map(str::to_owned).or_else(|| opening.by.clone()),
                ..opening.going_on(now, until)
            },
            None => Opening::starting(now, until, by),
        };
        let on = match mode.switch.record() {
            Some(on) if is_thrown => on.clone(),
            // A window alone keeps it closed.
            _ => SwitchedOn {
                since: standing.since,
                by: standing.by,
                reason: standing.reason,
                message: standing.message,
                until: None,
                allow: Vec::new(),
                park: None,
                opening: None,
                unknown: Map::new(),
            },
        };
        mode.switch = Switch::On(SwitchedOn {
            until,
            opening: Some(opening),
            ..on
        });
        mode.guards.clear();
        mode.reopened = None;
        mode.windows.retain_mut(|window| window.end_occurrence(now));
        Some(next)
    }
}

#[cfg(test)]
#[path = "opening_tests.rs"]
mod tests;
