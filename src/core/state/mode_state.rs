//! What is stored of one mode, and what that means at an instant.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    holder::{Hold, Holder},
    period::Ended,
    switch::{Switch, SwitchedOn},
};
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
    /// The last holder that was found dead, and that its death has opened the mode; until somebody
    /// switches the mode again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reopened: Option<LostHolder>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

/// A holder that has let go by its death.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LostHolder {
    pub(crate) token: String,
    #[serde(flatten)]
    pub(crate) holder: Holder,
}

/// A guard that holds the switch of a mode.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct GuardRecord {
    pub(crate) token: String,
    /// What it puts back.
    pub(crate) before: Switch,
    /// What it made of it. If the switch is another, somebody has changed it since.
    pub(crate) after: Switch,
    /// Who keeps the mode closed for as long as they live; none of a guard that opens, and of one of
    /// an older version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) held: Option<Holder>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl GuardRecord {
    /// Whether somebody holds the mode by it who has not been found dead.
    pub(super) fn is_living(&self) -> bool {
        self.held.as_ref().is_some_and(|held| !held.is_lost())
    }

    pub(super) fn is_lost(&self) -> bool {
        self.held.as_ref().is_some_and(Holder::is_lost)
    }
}

impl ModeState {
    /// Those who hold the switch, the innermost last: their tokens, and who they are.
    pub(crate) fn holders(&self) -> impl Iterator<Item = (&str, &Holder)> + Clone {
        let thrown = self.switch.record().map(|_| &self.guards);
        let guards = thrown.into_iter().flatten();
        guards.filter_map(|guard| Some((guard.token.as_str(), guard.held.as_ref()?)))
    }

    /// Who is told of where only one can be: the first who lives, or else the first who does not, or
    /// else whose death has opened the mode.
    pub(crate) fn holder(&self) -> Option<(&str, &Holder)> {
        let living = self.holders().find(|(_, holder)| !holder.is_lost());
        let reopened = self.reopened.iter();
        living.or_else(|| self.holders().next()).or_else(|| {
            reopened
                .map(|lost| (lost.token.as_str(), &lost.holder))
                .next()
        })
    }

    /// Who keeps somebody from holding the mode: one that is alone in it as this one wants to be, and
    /// that it is no part of.
    pub(crate) fn holder_in_the_way(&self, hold: &Hold) -> Option<&Holder> {
        let living = self.holders().filter(|(_, holder)| !holder.is_lost());
        let is_within = |(token, _): (&str, _)| hold.within.as_deref() == Some(token);
        if !hold.holder.alone || living.clone().any(is_within) {
            return None;
        }
        let mut alone = living
            .map(|(_, holder)| holder)
            .filter(|holder| holder.alone);
        alone.next()
    }

    /// Whoever was found dead by this token, if somebody was.
    pub(crate) fn lost(&self, token: &str) -> Option<&Holder> {
        let of_guard = self.guard(token).and_then(|guard| guard.held.as_ref());
        let reopened = self.reopened.as_ref().filter(|lost| lost.token == token);
        of_guard
            .filter(|holder| holder.is_lost())
            .or_else(|| reopened.map(|lost| &lost.holder))
    }

    /// All who were found dead, until somebody switches the mode again.
    pub(crate) fn lost_holders(&self) -> impl Iterator<Item = (&str, &Holder)> {
        let lost = self.holders().filter(|(_, holder)| holder.is_lost());
        let reopened = self.reopened.iter();
        lost.chain(reopened.map(|lost| (lost.token.as_str(), &lost.holder)))
    }

    /// The innermost of the guards that were found dead.
    pub(super) fn last_lost(&self) -> Option<LostHolder> {
        let mut lost = self.guards.iter().rev().filter(|guard| guard.is_lost());
        let guard = lost.next()?;
        Some(LostHolder {
            token: guard.token.clone(),
            holder: guard.held.clone()?,
        })
    }

    pub(super) fn is_held(&self) -> bool {
        self.guards.iter().any(GuardRecord::is_living)
    }

    /// Since when the announced end of the switch has passed, and somebody holds it all the same.
    pub(crate) fn overdue_since(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.switch.record()?.until?;
        (self.is_held() && until <= now).then_some(until)
    }

    /// When the switch opens by itself, and what that is called. Whoever holds it keeps it closed
    /// whatever end was announced; where they have died, it is closed until somebody has seen that.
    fn lapse(&self) -> Option<(Timestamp, Ended)> {
        let until = self.switch.record()?.until?;
        if self.switch.opening().is_some() {
            return Some((until, Ended::Off));
        }
        if self.guards.is_empty() {
            return Some((until, Ended::TimeOut));
        }
        if self.is_held() {
            return None;
        }
        let lost = self
            .guards
            .iter()
            .filter_map(|guard| guard.held.as_ref()?.lost_at);
        Some(match lost.max() {
            Some(lost_at) => (until.max(lost_at), Ended::HolderLost),
            None => (until, Ended::TimeOut),
        })
    }

    /// When a switch that is thrown ends, as far as is known: what was announced, as long as it is
    /// still to come.
    pub(crate) fn switch_end(&self, now: Timestamp) -> Option<Timestamp> {
        match self.is_held() {
            true => self.switch.record()?.until.filter(|until| now < *until),
            false => self.lapse().map(|(lapse, _)| lapse),
        }
    }

    /// What the switch alone means at `now`.
    pub(crate) fn switch_phase(&self, now: Timestamp) -> Phase {
        self.switch.phase(now, self.lapse().map(|(lapse, _)| lapse))
    }

    /// How and when the switch ended by itself, if it has at `now`.
    pub(super) fn switch_ended(&self, now: Timestamp) -> Option<(Timestamp, Ended)> {
        self.switch.ended(now, self.lapse())
    }

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

    pub(crate) fn guard(&self, token: &str) -> Option<&GuardRecord> {
        self.guards.iter().find(|guard| guard.token == token)
    }

    /// Takes away the innermost guards that have been found dead, and returns what the first of them
    /// would have put back: whoever closes the mode now does it in their place.
    pub(super) fn without_lost(&mut self) -> Switch {
        let mut before = self.switch.clone();
        while self
            .guards
            .last()
            .is_some_and(|guard| guard.is_lost() && guard.after == before)
        {
            if let Some(lost) = self.guards.pop() {
                before = lost.before;
            }
        }
        before
    }

    /// Somebody means the switch as it is now: no guard puts back what was before. Those who hold the
    /// mode go on holding it.
    pub(super) fn is_meant(&mut self) {
        self.reopened = None;
        self.guards.retain(GuardRecord::is_living);
        for guard in &mut self.guards {
            guard.before.clone_from(&self.switch);
            guard.after.clone_from(&self.switch);
        }
    }

    /// The phase at `now`; the cheap part of [`standing`](Self::standing).
    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        if self.windows.iter().any(|window| window.contains(now)) {
            Phase::Offline
        } else {
            self.switch_phase(now)
        }
    }

    /// What this state means at `now`.
    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        let on = self
            .switch
            .record()
            .filter(|_| self.switch_phase(now).is_maintenance());
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
            Some(_) => self.switch_end(now)?,
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
        let lapse = self.lapse().map(|(lapse, _)| lapse);
        let deadline = match &self.switch {
            Switch::Pending(drain) => drain.deadline,
            _ => None,
        };
        self.windows
            .iter()
            .flat_map(|window| [window.start, window.end])
            .chain([until, lapse, deadline])
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
