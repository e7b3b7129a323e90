//! The changes of a document: each makes a new one, or none where nothing changes.

use jiff::Timestamp;
use serde_json::Map;

use super::{
    Cancelled, Document,
    holder::{Holder, IfLost},
    mode_state::{GuardRecord, LostHolder},
    period::{Ended, Period},
    switch::{Draining, Switch},
    switch_on::{SwitchOn, replace_if_some},
};
use crate::core::schedule::Window;

/// How many periods the history keeps.
pub(crate) const HISTORY_LENGTH: usize = 100;

/// Whether somebody may be inside whom a drain is to wait for.
fn lets_some_in(switch: &Switch) -> bool {
    *switch == Switch::Off || switch.opening().is_some()
}

impl Document {
    /// Switches a mode on, at once or by a drain. `None` when that changes nothing.
    ///
    /// A mode that is on or closing already stays so since when it was, and takes over what is new.
    /// One that is closing and is to be on without a drain goes offline at once.
    pub(crate) fn turn_on(&self, key: &str, wanted: &SwitchOn, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.entry(key.to_owned()).or_default();
        let (before, guards) = (mode.switch.clone(), mode.guards.clone());
        let on = match before.record() {
            Some(on) => wanted.added_to(on.clone(), now),
            None => wanted.switched_on(now),
        };
        mode.switch = match (&before, &wanted.drain) {
            (Switch::Pending(drain), Some(wish)) => Switch::Pending(Draining {
                deadline: match wanted.drain_said.timeout {
                    true => wish.deadline(now),
                    false => drain.deadline,
                },
                on_timeout: match wanted.drain_said.on_timeout {
                    true => wish.on_timeout,
                    false => drain.on_timeout,
                },
                on,
            }),
            (_, Some(wanted)) if lets_some_in(&before) => Switch::Pending(Draining {
                deadline: wanted.deadline(now),
                on_timeout: wanted.on_timeout,
                on,
            }),
            _ => Switch::On(on),
        };
        mode.is_meant();
        if mode.switch == before && mode.guards == guards {
            return None;
        }
        let mut after = mode.switch.clone();
        if let Switch::On(on) | Switch::Pending(Draining { on, .. }) = &mut after {
            replace_if_some(&mut on.by, &wanted.by);
        }
        let said = mode.switch.clone();
        mode.replace_switch(&said, after);
        // A window may have begun the period already.
        if before == Switch::Off && !next.has_open_period(key) {
            next.remember(Period {
                by: wanted.by.clone(),
                reason: wanted.reason.clone(),
                ..Period::starting(key, now)
            });
        }
        Some(next)
    }

    /// Takes a mode that is closing offline, because nobody is inside any more. `None` when it is
    /// not closing, or is closing for another reason than the one that was waited for.
    pub(crate) fn drained(&self, key: &str, since: Option<Timestamp>) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.get_mut(key)?;
        let Switch::Pending(drain) = &mode.switch else {
            return None;
        };
        if drain.on.since != since {
            return None;
        }
        mode.close();
        Some(next)
    }

    /// Switches a mode off, cancels its drain and ends the windows that are open now; one that
    /// repeats opens again when it is due next. `None` when that changes nothing.
    pub(crate) fn turn_off(&self, key: &str, by: Option<&str>, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.get_mut(key)?;
        let how = match mode.switch {
            Switch::Pending(_) => Ended::Cancelled,
            _ => Ended::Off,
        };
        // What a guard had thrown may be over by itself; then the guard holds nothing.
        let is_held = mode
            .guards
            .last()
            .is_some_and(|guard| guard.after == mode.switch);
        let is_open = mode.windows.iter().any(|window| window.contains(now));
        let changes = mode.switch != Switch::Off
            || is_held
            || is_open
            || mode.reopened.is_some()
            || self.has_open_period(key);
        mode.switch = Switch::Off;
        mode.guards.clear();
        mode.reopened = None;
        mode.windows.retain_mut(|window| window.end_occurrence(now));
        next.end_period(key, now, how, by);
        changes.then_some(next)
    }

    /// Removes all that is stored of a mode, its windows and guards too. `None` when nothing is.
    pub(crate) fn forget(&self, key: &str, by: Option<&str>, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.remove(key)?;
        let windows = mode.windows.iter();
        let cancelled = windows.filter_map(|window| Cancelled::whole(key, window, now));
        next.note_cancelled(cancelled, now);
        let how = match mode.switch {
            Switch::Pending(_) => Ended::Cancelled,
            _ => Ended::Off,
        };
        next.end_period(key, now, how, by);
        Some(next)
    }

    /// Lets a guard throw the switch: on as `wanted`, or off. `None` when the guard is in already.
    pub(crate) fn enter(
        &self,
        key: &str,
        token: &str,
        wanted: Option<&SwitchOn>,
        now: Timestamp,
    ) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.entry(key.to_owned()).or_default();
        if mode.guards.iter().any(|guard| guard.token == token) {
            return None;
        }
        mode.reopened = None;
        let hold = wanted.and_then(|wanted| wanted.hold.as_ref());
        let was_lost = hold.is_some() && mode.guards.iter().any(GuardRecord::is_lost);
        let closed = mode.switch.clone();
        let before = match hold {
            Some(_) => mode.without_lost(),
            None => closed.clone(),
        };
        let after = match (wanted, &closed) {
            (None, _) => Switch::Off,
            // What the dead have left is somebody's own again, who says what is to be said of it.
            (Some(wanted), Switch::On(on)) if was_lost => {
                let mut on = wanted.added_to(on.clone(), now);
                replace_if_some(&mut on.by, &wanted.by);
                Switch::On(on)
            }
            (Some(wanted), Switch::On(on)) => Switch::On(wanted.added_to(on.clone(), now)),
            (Some(wanted), before) => match (wanted.drain, before) {
                (Some(_), Switch::Pending(_)) => before.clone(),
                (Some(drain), _) => Switch::Pending(Draining {
                    deadline: drain.deadline(now),
                    on_timeout: drain.on_timeout,
                    on: wanted.switched_on(now),
                }),
                (None, _) => Switch::On(wanted.switched_on(now)),
            },
        };
        mode.guards.push(GuardRecord {
            token: token.to_owned(),
            before,
            after: after.clone(),
            held: hold.map(|hold| hold.holder.clone()),
            unknown: Map::new(),
        });
        next.set_switch(key, after, Ended::Off, now);
        Some(next)
    }

    /// Takes a guard away and puts back what was before it, unless somebody has changed it since.
    /// `None` when the guard is not there, or has been found dead: it decides nothing any more.
    pub(crate) fn leave(&self, key: &str, token: &str, now: Timestamp) -> Option<Self> {
        let guard = self.mode(key)?.guard(token)?;
        if guard.is_lost() {
            return None;
        }
        self.put_back_guard(key, token, Ended::Off, now)
    }

    /// Notes that the lease of a holder has lapsed, and does what was to be done then. `None` when
    /// nobody holds the mode by this token any more.
    pub(crate) fn lose_holder(&self, key: &str, token: &str, now: Timestamp) -> Option<Self> {
        let guard = self.mode(key)?.guard(token)?;
        let held = guard.held.as_ref().filter(|held| !held.is_lost())?;
        if held.if_lost == IfLost::Reopen {
            let lost = LostHolder {
                token: token.to_owned(),
                holder: Holder {
                    lost_at: Some(now),
                    ..held.clone()
                },
            };
            let mut next = self.put_back_guard(key, token, Ended::HolderLost, now)?;
            next.modes.get_mut(key)?.reopened = Some(lost);
            return Some(next);
        }
        let mut next = self.clone();
        let guards = next.modes.get_mut(key).map(|mode| &mut mode.guards)?;
        let guard = guards.iter_mut().find(|guard| guard.token == token)?;
        if let Some(held) = &mut guard.held {
            held.lost_at = Some(now);
        }
        Some(next)
    }

    fn put_back_guard(&self, key: &str, token: &str, how: Ended, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.get_mut(key)?;
        let place = mode.guards.iter().position(|guard| guard.token == token)?;
        let guard = mode.guards.remove(place);
        if let Some(inner) = mode.guards.get_mut(place) {
            // A guard inside of it goes on. What it puts back later is what was before this one.
            if inner.before == guard.after {
                inner.before = guard.before;
            }
        } else if mode.switch == guard.after {
            next.set_switch(key, guard.before, how, now);
        }
        Some(next)
    }

    /// Takes a guard away and leaves the switch as it is. `None` when the guard is not there.
    pub(crate) fn keep(&self, key: &str, token: &str) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.get_mut(key)?;
        let place = mode.guards.iter().position(|guard| guard.token == token)?;
        mode.guards.remove(place);
        Some(next)
    }

    /// Throws the switch and writes the history.
    pub(super) fn set_switch(&mut self, key: &str, switch: Switch, how: Ended, now: Timestamp) {
        let Some(mode) = self.modes.get_mut(key) else {
            return;
        };
        mode.switch = switch;
        // What is over by itself is not put back: it would say that it was open since then.
        if mode.switch_ended(now).is_some() {
            mode.switch = Switch::Off;
        }
        let is_closed = mode.phase(now).is_maintenance();
        let (by, reason) = match mode.switch.record() {
            Some(on) => (on.by.clone(), on.reason.clone()),
            None => (None, None),
        };
        match (is_closed, self.has_open_period(key)) {
            (true, false) => self.remember(Period {
                by,
                reason,
                ..Period::starting(key, now)
            }),
            (false, true) => self.end_period(key, now, how, None),
            _ => {}
        }
    }

    /// Plans a window. `None` when one with its id is there already.
    pub(crate) fn plan(&self, key: &str, window: &Window, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.entry(key.to_owned()).or_default();
        if mode.windows.iter().any(|known| known.id == window.id) {
            return None;
        }
        mode.windows.push(window.clone());
        mode.windows.sort_by_key(|window| window.start);
        if window.contains(now) && !next.has_open_period(key) {
            next.remember(Period {
                by: window.by.clone(),
                reason: window.reason.clone().or_else(|| window.title.clone()),
                ..Period::starting(key, now)
            });
        }
        Some(next)
    }

    /// Cancels a window, also one that is open now; or, if it repeats, `only_next`: what is open
    /// now or opens next. `None` when there is no window with this id.
    pub(crate) fn cancel(
        &self,
        id: &str,
        only_next: bool,
        by: Option<&str>,
        now: Timestamp,
    ) -> Option<Self> {
        let mut next = self.clone();
        let (key, mode) = next
            .modes
            .iter_mut()
            .find(|(_, mode)| mode.windows.iter().any(|window| window.id == id))?;
        let key = key.clone();
        let meant = mode.windows.iter().filter(|window| window.id == id);
        let cancelled: Vec<Cancelled> = meant
            .filter_map(|window| match only_next {
                true => Cancelled::next_of(&key, window, now),
                false => Cancelled::whole(&key, window, now),
            })
            .collect();
        mode.windows
            .retain_mut(|window| window.id != id || (only_next && window.leave_out_next(now)));
        if !mode.phase(now).is_maintenance() {
            next.end_period(&key, now, Ended::Cancelled, by);
        }
        next.note_cancelled(cancelled, now);
        Some(next)
    }

    pub(crate) fn has_open_period(&self, key: &str) -> bool {
        self.history
            .iter()
            .any(|period| period.mode == key && period.ended_at.is_none())
    }

    pub(super) fn end_period(&mut self, key: &str, at: Timestamp, how: Ended, by: Option<&str>) {
        for period in &mut self.history {
            if period.mode == key && period.ended_at.is_none() {
                period.end(at, how, by);
            }
        }
    }

    pub(crate) fn remember(&mut self, period: Period) {
        self.history.push(period);
        let surplus = self.history.len().saturating_sub(HISTORY_LENGTH);
        self.history.drain(..surplus);
    }
}
