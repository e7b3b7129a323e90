//! What is stored of one mode, and what that means at an instant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::switch::{Switch, SwitchedOn};
use crate::core::{
    phase::{Phase, Standing},
    schedule::{Interval, Window},
};

/// How often, at least, each window may follow another without a break before their end counts as
/// unknown. More than an outlook has of one, so that it says the same.
pub(super) const LONGEST_CHAIN: usize = 16;

/// What is stored of one mode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct ModeState {
    #[serde(default)]
    pub(crate) switch: Switch,
    #[serde(default)]
    pub(crate) windows: Vec<Window>,
    /// The guards that hold the switch, the innermost last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) guards: Vec<GuardRecord>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// A guard that holds the switch of a mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GuardRecord {
    pub(crate) token: String,
    /// What it puts back.
    pub(crate) before: Switch,
    /// What it made of it. If the switch is another, somebody has changed it since.
    pub(crate) after: Switch,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl ModeState {
    /// Ends a drain: what is closing is closed. Guards that hold the closing switch hold the closed
    /// one from now on.
    pub(crate) fn close(&mut self) {
        let Switch::Pending(drain) = &self.switch else {
            return;
        };
        let closed = Switch::On(drain.on.clone());
        let closing = self.switch.clone();
        self.replace_switch(&closing, closed);
    }

    /// Says the same switch in another way: guards that hold the one hold the other from now on.
    pub(super) fn replace_switch(&mut self, before: &Switch, after: Switch) {
        for guard in &mut self.guards {
            for switch in [&mut guard.before, &mut guard.after] {
                if switch == before && *before != Switch::Off {
                    switch.clone_from(&after);
                }
            }
        }
        self.switch = after;
    }

    /// The phase at `now`; the cheap part of [`standing`](Self::standing).
    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        if self.windows.iter().any(|window| window.contains(now)) {
            Phase::Offline
        } else {
            self.switch.phase(now)
        }
    }

    /// What this state means at `now`.
    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        let on = self
            .switch
            .record()
            .filter(|_| self.switch.phase(now).is_maintenance());
        let open: Vec<(&Window, Interval)> = self
            .windows
            .iter()
            .filter_map(|window| Some((window, window.occurrence_at(now)?)))
            .collect();
        if on.is_none() && open.is_empty() {
            return Standing::online();
        }
        // The switch comes first: whoever throws it knows more than whoever planned a window.
        let since = match on {
            Some(on) => on.since,
            None => open.iter().filter_map(|(_, open)| open.start).min(),
        };
        let text = |of_switch: fn(&SwitchedOn) -> &Option<String>,
                    of_window: fn(&Window) -> &Option<String>| {
            on.and_then(|on| of_switch(on).clone()).or_else(|| {
                open.iter()
                    .find_map(|(window, _)| of_window(window).clone())
            })
        };
        Standing {
            phase: self.phase(now),
            start: None,
            since,
            until: self.end_of_stretch(on, now),
            by: text(|on| &on.by, |window| &window.by),
            reason: text(|on| &on.reason, |window| &window.reason),
            message: text(|on| &on.message, |window| &window.message),
        }
    }

    /// When the stretch of maintenance around `now` ends, windows that follow without a gap
    /// included. `None` when no end is known.
    pub(super) fn end_of_stretch(
        &self,
        on: Option<&SwitchedOn>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut end = match on {
            Some(on) => on.until?,
            None => now,
        };
        // Windows that repeat and take turns may never leave a break.
        for _ in 0..=self.windows.len() * LONGEST_CHAIN {
            let mut longer = end;
            for open in self
                .windows
                .iter()
                .filter_map(|window| window.occurrence_at(end))
            {
                longer = longer.max(open.end?);
            }
            if longer == end {
                return Some(end);
            }
            end = longer;
        }
        None
    }

    /// Every instant at which the phase may change without a change of state. Of windows that
    /// repeat there is none: an [`Outlook`](crate::core::schedule::Outlook) has theirs.
    pub(crate) fn edges(&self) -> impl Iterator<Item = Timestamp> {
        let until = self.switch.record().and_then(|on| on.until);
        let deadline = match &self.switch {
            Switch::Pending(drain) => drain.deadline,
            _ => None,
        };
        self.windows
            .iter()
            .flat_map(|window| [window.start, window.end])
            .chain([until, deadline])
            .flatten()
    }

    /// The window that starts next after `now`, and from when to when.
    pub(crate) fn next_window(&self, now: Timestamp) -> Option<(&Window, Interval)> {
        self.windows
            .iter()
            .filter_map(|window| Some((window, window.next_after(now)?)))
            .min_by_key(|(_, next)| next.start)
    }
}
