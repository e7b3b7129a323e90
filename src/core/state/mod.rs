//! What a store holds: one small document, and the operations that change it.
//!
//! Pure: no I/O and no clock. Every function that needs the time takes `now`.

pub(crate) mod amend;
pub(crate) mod applied;
pub(crate) mod decode;
pub(crate) mod horizon;
pub(crate) mod lineage;
pub(crate) mod reconcile;
mod saves;
pub(crate) mod settle;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::lineage::Lineage;
pub(crate) use crate::core::schedule::Window;
use crate::core::{
    phase::{Phase, Standing},
    schedule::Interval,
};

/// The key of the mode that exists when the settings name none.
pub(crate) const DEFAULT_MODE: &str = "site";

/// The newest format that this version reads, and the one that it writes.
pub(crate) const FORMAT: u32 = 1;

/// How many periods the history keeps.
pub(crate) const HISTORY_LENGTH: usize = 100;

/// How often, at least, each window may follow another without a break before their end counts as
/// unknown. More than an outlook has of one, so that it says the same.
const LONGEST_CHAIN: usize = 16;

/// The stored document.
///
/// Fields that this version does not know are kept in `unknown` and written back, so that a newer
/// version of the same format loses nothing when an older one changes the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) format: u32,
    pub(crate) generation: u64,
    /// Where it comes from; none of what a hand or an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lineage: Option<Lineage>,
    #[serde(default)]
    pub(crate) modes: BTreeMap<String, ModeState>,
    #[serde(default)]
    pub(crate) history: Vec<Period>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

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

/// The manual part of a mode.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Switch {
    #[default]
    Off,
    /// Closing: those who are in may finish.
    Pending(Draining),
    On(SwitchedOn),
}

impl Switch {
    /// What the switch alone means at `now`.
    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        match self {
            Self::Off => Phase::Online,
            Self::On(on) if on.has_lapsed(now) => Phase::Online,
            Self::On(_) => Phase::Offline,
            Self::Pending(drain) if drain.on.has_lapsed(now) => Phase::Online,
            Self::Pending(drain) if drain.deadline.is_none_or(|deadline| now < deadline) => {
                Phase::Pending
            }
            Self::Pending(drain) => match drain.on_timeout {
                OnTimeout::Offline => Phase::Offline,
                OnTimeout::Cancel => Phase::Online,
            },
        }
    }

    /// What was said when it was thrown.
    pub(crate) fn record(&self) -> Option<&SwitchedOn> {
        match self {
            Self::Off => None,
            Self::On(on) => Some(on),
            Self::Pending(drain) => Some(&drain.on),
        }
    }

    /// How and when it ended by itself, if it has at `now`.
    pub(crate) fn ended(&self, now: Timestamp) -> Option<(Timestamp, Ended)> {
        let lapsed = self.record()?.until.map(|until| (until, Ended::TimeOut));
        let cancelled = match self {
            Self::Pending(drain) if drain.on_timeout == OnTimeout::Cancel => {
                drain.deadline.map(|deadline| (deadline, Ended::Cancelled))
            }
            _ => None,
        };
        [lapsed, cancelled]
            .into_iter()
            .flatten()
            .filter(|(end, _)| *end <= now)
            .min_by_key(|(end, _)| *end)
    }
}

/// A switch that is closing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Draining {
    /// When it does not wait any longer.
    #[serde(default)]
    pub(crate) deadline: Option<Timestamp>,
    /// What happens then.
    #[serde(default)]
    pub(crate) on_timeout: OnTimeout,
    #[serde(flatten)]
    pub(crate) on: SwitchedOn,
}

/// What becomes of a drain that is not over in time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OnTimeout {
    /// The mode goes offline with whoever is still in.
    #[default]
    Offline,
    /// The mode goes back online.
    Cancel,
}

/// Since when a mode is switched on, by whom and why.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SwitchedOn {
    /// Unknown when somebody wrote a plain `on` into the store.
    #[serde(default)]
    pub(crate) since: Option<Timestamp>,
    #[serde(default)]
    pub(crate) until: Option<Timestamp>,
    #[serde(default)]
    pub(crate) by: Option<String>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) message: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl SwitchedOn {
    fn has_lapsed(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// One past or present stretch of maintenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) mode: String,
    pub(crate) started_at: Timestamp,
    #[serde(default)]
    pub(crate) ended_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) by: Option<String>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// How it ended; unknown of periods that an older version recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Ended>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended_by: Option<String>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl Period {
    pub(crate) fn starting(mode: &str, at: Timestamp) -> Self {
        Self {
            mode: mode.to_owned(),
            started_at: at,
            ended_at: None,
            by: None,
            reason: None,
            ended: None,
            ended_by: None,
            unknown: Map::new(),
        }
    }

    pub(crate) fn end(&mut self, at: Timestamp, how: Ended, by: Option<&str>) {
        // Clocks differ, and nothing ends before it begins.
        self.ended_at = Some(at.max(self.started_at));
        self.ended = Some(how);
        self.ended_by = by.map(str::to_owned);
    }
}

/// How a period ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Ended {
    /// Somebody switched it off.
    Off,
    /// The time that it was switched on for was over.
    TimeOut,
    /// Its planned window was over.
    WindowEnd,
    /// It was called off while it was closing, or its window was cancelled.
    Cancelled,
}

impl Ended {
    /// The word for it, as in JSON: `off`, `time-out`, `window-end` or `cancelled`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::TimeOut => "time-out",
            Self::WindowEnd => "window-end",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Default for Document {
    fn default() -> Self {
        Self {
            format: FORMAT,
            generation: 0,
            lineage: None,
            modes: BTreeMap::new(),
            history: Vec::new(),
            unknown: Map::new(),
        }
    }
}

impl Document {
    /// Writes the document so that a person can read and edit it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Maps with text keys, numbers and text always have a JSON form, so the fallback is never
        // taken; it is an empty document because that is what a reader takes for "off".
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// What is stored of a mode; a mode without a record is off.
    pub(crate) fn mode(&self, key: &str) -> Option<&ModeState> {
        self.modes.get(key)
    }

    /// Switches a mode on, at once or by a drain. `None` when that changes nothing.
    ///
    /// A mode that is on or closing already stays so since when it was, and takes over what is new.
    /// One that is closing and is to be on without a drain goes offline at once.
    pub(crate) fn turn_on(&self, key: &str, wanted: &SwitchOn, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.entry(key.to_owned()).or_default();
        let before = mode.switch.clone();
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
            (Switch::Off, Some(wanted)) => Switch::Pending(Draining {
                deadline: wanted.deadline(now),
                on_timeout: wanted.on_timeout,
                on,
            }),
            (Switch::On(_), _) | (_, None) => Switch::On(on),
        };
        // Whoever throws the switch means it: no guard puts back what was before.
        let was_guarded = !mode.guards.is_empty();
        mode.guards.clear();
        if mode.switch == before && !was_guarded {
            return None;
        }
        if let Switch::On(on) | Switch::Pending(Draining { on, .. }) = &mut mode.switch {
            replace_if_some(&mut on.by, &wanted.by);
        }
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
        let changes = mode.switch != Switch::Off || is_held || is_open || self.has_open_period(key);
        mode.switch = Switch::Off;
        mode.guards.clear();
        mode.windows.retain_mut(|window| window.end_occurrence(now));
        next.end_period(key, now, how, by);
        changes.then_some(next)
    }

    /// Removes all that is stored of a mode, its windows and guards too. `None` when nothing is.
    pub(crate) fn forget(&self, key: &str, by: Option<&str>, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.remove(key)?;
        let how = match mode.switch {
            Switch::Pending(_) => Ended::Cancelled,
            _ => Ended::Off,
        };
        next.end_period(key, now, how, by);
        Some(next)
    }

    /// Lets a guard throw the switch: on as `wanted`, or off.
    pub(crate) fn enter(
        &self,
        key: &str,
        token: &str,
        wanted: Option<&SwitchOn>,
        now: Timestamp,
    ) -> Option<Self> {
        let mut next = self.clone();
        let mode = next.modes.entry(key.to_owned()).or_default();
        let before = mode.switch.clone();
        let after = match (wanted, &before) {
            (None, _) => Switch::Off,
            (Some(_), Switch::On(on)) => Switch::On(on.clone()),
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
            unknown: Map::new(),
        });
        next.set_switch(key, after, now);
        Some(next)
    }

    /// Takes a guard away and puts back what was before it, unless somebody has changed it since.
    /// `None` when the guard is not there.
    pub(crate) fn leave(&self, key: &str, token: &str, now: Timestamp) -> Option<Self> {
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
            next.set_switch(key, guard.before, now);
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
    fn set_switch(&mut self, key: &str, switch: Switch, now: Timestamp) {
        let Some(mode) = self.modes.get_mut(key) else {
            return;
        };
        mode.switch = switch;
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
            (false, true) => self.end_period(key, now, Ended::Off, None),
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
        mode.windows
            .retain_mut(|window| window.id != id || (only_next && window.leave_out_next(now)));
        if !mode.phase(now).is_maintenance() {
            next.end_period(&key, now, Ended::Cancelled, by);
        }
        Some(next)
    }

    pub(crate) fn has_open_period(&self, key: &str) -> bool {
        self.history
            .iter()
            .any(|period| period.mode == key && period.ended_at.is_none())
    }

    fn end_period(&mut self, key: &str, at: Timestamp, how: Ended, by: Option<&str>) {
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

/// What [`Document::turn_on`] is to store. What is not said stays as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct SwitchOn {
    pub(crate) by: Option<String>,
    /// An empty one takes away what was said before; so does an empty message.
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) end: Option<End>,
    /// How long the mode stays on when nobody says until when.
    pub(crate) time_out: Option<SignedDuration>,
    /// Whether those who are in may finish first.
    pub(crate) drain: Option<DrainWish>,
    pub(crate) drain_said: DrainSaid,
}

/// What of a drain somebody has said. The rest is of the settings, and does not change a drain that
/// goes on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DrainSaid {
    pub(crate) timeout: bool,
    pub(crate) on_timeout: bool,
}

/// How a drain is to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DrainWish {
    /// How long it waits; `None`: as long as it takes.
    pub(crate) timeout: Option<SignedDuration>,
    pub(crate) on_timeout: OnTimeout,
}

impl DrainWish {
    fn deadline(&self, now: Timestamp) -> Option<Timestamp> {
        now.checked_add(self.timeout?).ok()
    }
}

/// When a switch lapses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    At(Timestamp),
    After(SignedDuration),
    /// When somebody ends it, whatever the mode's own time-out is.
    Never,
}

impl End {
    /// After so long; what is longer than can be said is for ever.
    pub(crate) fn after(duration: std::time::Duration) -> Self {
        Self::After(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX))
    }
}

impl SwitchOn {
    /// What is stored of a switch that was off.
    fn switched_on(&self, now: Timestamp) -> SwitchedOn {
        SwitchedOn {
            since: Some(now),
            until: self
                .until(now)
                .unwrap_or_else(|| now.checked_add(self.time_out?).ok()),
            by: self.by.clone(),
            reason: self.reason.clone().filter(|reason| !reason.is_empty()),
            message: self.message.clone().filter(|message| !message.is_empty()),
            unknown: Map::new(),
        }
    }

    /// What is stored of a switch that was on already: what is new, besides what was.
    fn added_to(&self, mut on: SwitchedOn, now: Timestamp) -> SwitchedOn {
        replace_if_some(&mut on.reason, &self.reason);
        replace_if_some(&mut on.message, &self.message);
        on.until = self.until(now).unwrap_or(on.until);
        on
    }

    /// What the wish says of the end, if it says anything. A time beyond what can be said is no end.
    fn until(&self, now: Timestamp) -> Option<Option<Timestamp>> {
        Some(match self.end? {
            End::At(until) => Some(until),
            End::After(duration) => now.checked_add(duration).ok(),
            End::Never => None,
        })
    }
}

fn replace_if_some(old: &mut Option<String>, new: &Option<String>) {
    match new.as_deref() {
        None => {}
        Some("") => *old = None,
        Some(_) => old.clone_from(new),
    }
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
    fn replace_switch(&mut self, before: &Switch, after: Switch) {
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
    fn end_of_stretch(&self, on: Option<&SwitchedOn>, now: Timestamp) -> Option<Timestamp> {
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

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
