//! What requests read: state and rules, compiled and immutable.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::core::{
    decide::Rules,
    mode::{Access, Forced, Mode},
    phase::{Phase, Standing},
    schedule::{Interval, Outlook},
    state::{Document, Ended, ModeState, Period, Switch, Window, settle::seen},
    status::{
        LockHolder, NodeStatus, RunningTask, SessionInside, StateId, UnheardNode, WebServerStatus,
    },
};

/// What the number of a snapshot has that is in force while the node is cut off. It tells the two
/// apart, and orders nothing: see [`Snapshot::issue`].
pub(crate) const CUT_OFF: u64 = 1 << 62;

/// State and rules at one moment of the process's life.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The how-manieth snapshot of this process it is. Caches compare it.
    pub(crate) number: u64,
    pub(crate) rules: Arc<Rules>,
    /// In the order in which modes answer; never empty.
    pub(crate) modes: Vec<ModeView>,
    /// What is stored of modes that the settings do not have.
    unknown: Vec<(String, ModeState)>,
    pub(crate) forced: Option<Forced>,
    pub(crate) generation: u64,
    /// The stored document that it was made of.
    pub(crate) state_id: StateId,
    /// What is in force instead while the node is cut off, if it is to be closed then.
    pub(crate) when_cut_off: Option<Arc<Snapshot>>,
    pub(crate) history: Vec<PastPeriod>,
    pub(crate) store: StoreStatus,
    /// When it was published.
    pub(crate) at: Timestamp,
    /// The modes that are closed at `at`, or that may be at another time. However many modes there
    /// are, requests look at no others.
    watched: Box<[usize]>,
    /// Whether there is an edge at all. One that has passed counts too: the clock may be set back.
    timed: bool,
}

/// A mode that is pending or offline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClosedMode {
    pub(crate) index: usize,
    pub(crate) phase: Phase,
}

/// One mode, as a snapshot has it.
#[derive(Debug, Clone)]
pub(crate) struct ModeView {
    pub(crate) key: Arc<str>,
    pub(crate) label: Arc<str>,
    /// How long before its start a window is announced.
    pub(crate) announce: SignedDuration,
    /// What the settings and the app say of it.
    pub(crate) mode: Arc<Mode>,
    pub(crate) state: ModeState,
    /// The state around the instant of the snapshot, if windows repeat.
    outlook: Option<(Outlook, ModeState)>,
    /// What settings, or a store that fails, say instead of the state.
    pub(crate) instead: Option<Forced>,
}

impl ModeView {
    pub(crate) fn new(
        mode: &Arc<Mode>,
        document: &Document,
        instead: Option<Forced>,
        at: Timestamp,
    ) -> Self {
        let state = document.mode(&mode.key).cloned().unwrap_or_default();
        let outlook = Outlook::new(&state.windows, at).map(|outlook| {
            let near = ModeState {
                windows: outlook.windows.clone(),
                ..state.clone()
            };
            (outlook, near)
        });
        Self {
            key: mode.key.as_str().into(),
            label: mode.label.as_str().into(),
            announce: mode.announce,
            mode: Arc::clone(mode),
            state,
            outlook,
            instead,
        }
    }

    /// The state that says at little cost what is at `now`.
    fn state_at(&self, now: Timestamp) -> &ModeState {
        match &self.outlook {
            Some((outlook, near)) if outlook.covers(now) => near,
            _ => &self.state,
        }
    }

    /// What the state means at `now`.
    fn standing_of_state(&self, now: Timestamp) -> Standing {
        let standing = self.state_at(now).standing(now);
        let is_beyond = |until| {
            let outlook = self.outlook.as_ref();
            outlook.is_some_and(|(outlook, _)| !outlook.covers(until))
        };
        match standing.until {
            Some(until) if is_beyond(until) => self.state.standing(now),
            _ => standing,
        }
    }

    /// Whether more occurrences of windows must be worked out to say at little cost what is.
    pub(crate) fn is_outdated(&self, now: Timestamp) -> bool {
        let outlook = self.outlook.as_ref();
        outlook.is_some_and(|(outlook, _)| !outlook.covers(now))
    }

    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        match self.instead {
            Some(Forced::Off) => Phase::Online,
            Some(Forced::On) => Phase::Offline,
            None => match self.state_at(now).phase(now) {
                Phase::Online if self.announced(now).is_some() => Phase::Scheduled,
                phase => phase,
            },
        }
    }

    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        match self.instead {
            Some(Forced::Off) => Standing::online(),
            Some(Forced::On) => Standing {
                phase: Phase::Offline,
                until: None,
                ..self.standing_of_state(now)
            },
            None => match (self.standing_of_state(now), self.announced(now)) {
                (standing, Some((window, next))) if standing.phase == Phase::Online => Standing {
                    phase: Phase::Scheduled,
                    start: next.start,
                    since: None,
                    until: next.end,
                    by: window.by.clone(),
                    reason: window.reason.clone().or_else(|| window.title.clone()),
                    message: window.message.clone(),
                },
                (standing, _) => standing,
            },
        }
    }

    /// The window that is announced at `now`, and from when to when.
    fn announced(&self, now: Timestamp) -> Option<(&Window, Interval)> {
        self.state_at(now).next_window(now).filter(|(_, next)| {
            next.start
                .is_some_and(|start| start.duration_since(now) <= self.announce)
        })
    }

    /// The instants at which the phase may change without a change of state; of windows that
    /// repeat, those around the snapshot.
    fn edges(&self) -> impl Iterator<Item = Timestamp> {
        let state = match &self.outlook {
            Some((_, near)) => near,
            None => &self.state,
        };
        let announcements = state
            .windows
            .iter()
            .filter_map(|window| window.start?.checked_sub(self.announce).ok());
        state
            .edges()
            .chain(announcements)
            .filter(|_| self.instead.is_none())
    }

    /// Whether the phase may change without a change of state.
    fn is_timed(&self) -> bool {
        // A rule also has an end, at which it is to be forgotten.
        let repeats = self.outlook.is_some() && self.instead.is_none();
        repeats || self.edges().next().is_some()
    }
}

impl Snapshot {
    pub(crate) fn new(
        number: u64,
        rules: Arc<Rules>,
        modes: Vec<ModeView>,
        forced: Option<Forced>,
        document: &Document,
        store: StoreStatus,
        at: Timestamp,
    ) -> Self {
        let is_unknown = |key: &str| !modes.iter().any(|mode| *mode.key == *key);
        let unknown = document
            .modes
            .iter()
            .filter(|(key, _)| is_unknown(key))
            .map(|(key, state)| (key.clone(), state.clone()))
            .collect();
        let mut snapshot = Self {
            number,
            rules,
            modes,
            unknown,
            forced,
            generation: document.generation,
            state_id: StateId::default(),
            when_cut_off: None,
            // What is over by this clock is history at once, and not only once it is stored as such.
            history: seen(document, at)
                .as_ref()
                .unwrap_or(document)
                .history
                .iter()
                .map(PastPeriod::new)
                .collect(),
            store,
            at,
            watched: Box::default(),
            timed: false,
        };
        snapshot.watched = (0..snapshot.modes.len())
            .filter(|index| {
                let mode = &snapshot.modes[*index];
                mode.phase(at).is_maintenance() || mode.is_timed()
            })
            .collect();
        snapshot.timed = snapshot.modes.iter().any(ModeView::is_timed);
        snapshot
    }

    /// By which snapshots are ordered: of two, the later has the higher one. What is in force instead
    /// while the node is cut off has the one of what it stands for.
    pub(crate) fn issue(&self) -> u64 {
        self.number & !CUT_OFF
    }

    /// The modes that are pending or offline, in the order in which they answer, whatever they
    /// apply to.
    #[inline]
    pub(crate) fn closed_modes(&self, now: Timestamp) -> impl Iterator<Item = ClosedMode> {
        self.watched.iter().filter_map(move |index| {
            let phase = self.modes[*index].phase(now);
            phase.is_maintenance().then_some(ClosedMode {
                index: *index,
                phase,
            })
        })
    }

    /// The first mode that is pending or offline, by its index, whatever it applies to.
    pub(crate) fn closed_mode(&self, now: Timestamp) -> Option<usize> {
        self.closed_modes(now).next().map(|mode| mode.index)
    }

    /// The mode that is told of where only one can be: the first that is closed, else the first that
    /// is announced, else the first.
    pub(crate) fn foremost_mode(&self, now: Timestamp) -> usize {
        self.closed_mode(now)
            .or_else(|| self.announced_mode(now, |_| true))
            .unwrap_or(0)
    }

    /// The first mode of these whose window is announced.
    pub(crate) fn announced_mode(
        &self,
        now: Timestamp,
        is_meant: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        // A mode without an edge ahead is not announced.
        self.watched
            .iter()
            .copied()
            .find(|index| self.modes[*index].phase(now) == Phase::Scheduled && is_meant(*index))
    }

    /// Whether a mode is offline that applies to everything and leaves nothing readable.
    pub(crate) fn closes_all(&self, now: Timestamp) -> bool {
        self.closed_modes(now).any(|closed| {
            let mode = &self.modes[closed.index].mode;
            let rules = self.rules.of_mode(closed.index);
            closed.phase == Phase::Offline
                && mode.access == Access::None
                && !mode.has_condition
                && rules.is_none_or(|rules| rules.applies_to.is_everything())
        })
    }

    /// The keys of the modes that apply to all requests.
    pub(crate) fn modes_of_everything(&self) -> impl Iterator<Item = &str> {
        let modes = self.modes.iter().enumerate().filter(|(index, mode)| {
            let rules = self.rules.of_mode(*index);
            !mode.mode.has_condition && rules.is_none_or(|rules| rules.applies_to.is_everything())
        });
        modes.map(|(_, mode)| &*mode.key)
    }

    /// Whether a mode is closing, so that those who are in may go on.
    pub(crate) fn is_draining(&self, now: Timestamp) -> bool {
        self.closed_modes(now)
            .any(|mode| mode.phase == Phase::Pending)
    }

    /// Whether a phase may change without a change of state, so that the time must be looked at.
    pub(crate) fn is_timed(&self) -> bool {
        self.timed
    }

    fn edges(&self) -> impl Iterator<Item = Timestamp> {
        self.modes.iter().flat_map(ModeView::edges)
    }

    /// The next instant after `now` at which a phase may be another.
    pub(crate) fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        self.edges().filter(|edge| now < *edge).min()
    }

    /// Whether requests can pass without a look at this snapshot: nothing is pending or offline,
    /// nothing is forced on, no instant ahead can change that, and it does not end with a lease.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.rules.force_on() && self.watched.is_empty() && self.when_cut_off.is_none()
    }

    /// Whether something is stored of a mode that the settings do not have.
    pub(crate) fn has_unknown(&self, key: &str) -> bool {
        self.unknown.iter().any(|(known, _)| known == key)
    }

    pub(crate) fn mode(&self, key: &str) -> Option<&ModeView> {
        self.modes.iter().find(|mode| &*mode.key == key)
    }

    /// What is, mode by mode.
    pub(crate) fn mode_statuses(&self, now: Timestamp) -> Vec<ModeStatus> {
        self.modes
            .iter()
            .map(|mode| ModeStatus::new(mode, now))
            .collect()
    }

    pub(crate) fn status(&self, visitors: Vec<SessionInside>, now: Timestamp) -> Status {
        let modes = self.mode_statuses(now);
        Status {
            maintenance_mode: modes.iter().any(|mode| mode.phase.is_maintenance()),
            generation: self.generation,
            forced: self.forced,
            modes,
            unknown_modes: self
                .unknown
                .iter()
                .map(|(key, state)| UnknownMode {
                    key: key.clone(),
                    phase: state.phase(now),
                })
                .collect(),
            enforced: false,
            in_flight: None,
            endless: None,
            sessions: None,
            visitors,
            nodes: Vec::new(),
            unheard: Vec::new(),
            tasks: Vec::new(),
            store: self.store.clone(),
            web_server: None,
        }
    }
}

/// What is, mode by mode: the document of `/status`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Whether a mode is pending or offline.
    pub maintenance_mode: bool,
    /// The number of the stored state, one more at each change.
    pub generation: u64,
    /// What the settings force, whatever is stored.
    pub forced: Option<Forced>,
    /// Every mode, in the order in which they answer.
    pub modes: Vec<ModeStatus>,
    /// The modes that are stored and that the settings do not have: left by a former version, or of
    /// another app that uses the store. They are kept, and refuse nobody.
    pub unknown_modes: Vec<UnknownMode>,
    /// Whether anybody acts on it: this process wraps the middleware, or a node that does reports.
    pub enforced: bool,
    /// How many requests the nodes are serving together that end by themselves. `None`: no node is
    /// known, or one of them does not tell.
    pub in_flight: Option<u64>,
    /// How many upgraded connections and responses without an end they are serving together.
    pub endless: Option<u64>,
    /// How many visitors are inside of them. Whoever is inside of several counts once while a mode
    /// is closing, and once for each else.
    pub sessions: Option<u64>,
    /// The visitors who are inside, the longest unseen first: as far as this process has seen
    /// them, and while a mode is closing, as far as any node has.
    pub visitors: Vec<SessionInside>,
    /// The nodes that were live when the store was last asked, stragglers first.
    /// [`ask_status`](crate::Maintenance::ask_status) asks it now.
    pub nodes: Vec<NodeStatus>,
    /// The nodes that do not report any more and have not said that they leave.
    pub unheard: Vec<UnheardNode>,
    /// The tasks that were running when the store was last asked.
    pub tasks: Vec<RunningTask>,
    /// Whether the store answers.
    pub store: StoreStatus,
    /// The files for a web server in front of the app; `None`: the settings name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub web_server: Option<WebServerStatus>,
}

impl Status {
    /// The mode with this key.
    pub fn mode(&self, key: &str) -> Option<&ModeStatus> {
        self.modes.iter().find(|mode| mode.key == key)
    }
}

/// A mode in a [`Status`] that is stored, but not in the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct UnknownMode {
    /// The mode's key. [`Maintenance::forget`](crate::Maintenance::forget) takes it.
    pub key: String,
    /// What it would be.
    pub phase: Phase,
}

/// One mode in a [`Status`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModeStatus {
    /// The mode's key.
    pub key: String,
    /// The mode's name for people.
    pub label: String,
    /// What it means to switch it on, for operators.
    pub help: Option<String>,
    /// What is possible while it is on.
    pub access: Access,
    /// What the mode is.
    pub phase: Phase,
    /// Since when it is not online, if that is known.
    pub since: Option<Timestamp>,
    /// When the window starts that is announced.
    pub start: Option<Timestamp>,
    /// When it is online again, if that is known.
    pub until: Option<Timestamp>,
    /// Who switched it on or planned it.
    pub by: Option<String>,
    /// Why, for operators; visitors never see it.
    pub reason: Option<String>,
    /// What visitors are told.
    pub message: Option<String>,
    /// The planned windows that are not over, by their start.
    pub windows: Vec<PlannedWindow>,
    /// While it is pending: when it does not wait any longer for those who are inside. `None`: it
    /// waits for as long as it takes.
    pub drain_deadline: Option<Timestamp>,
    /// Who held the lock on it when the store was last asked.
    /// [`ask_status`](crate::Maintenance::ask_status) asks it now.
    pub locked_by: Option<LockHolder>,
    /// What the app adds by [`ModeBuilder::status_details`](crate::ModeBuilder::status_details).
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

impl ModeStatus {
    fn new(mode: &ModeView, now: Timestamp) -> Self {
        let mut status = Self::without_details(mode, now);
        if let Some(details) = &mode.mode.details {
            status.details = details(&status);
        }
        status
    }

    /// The status as it is before the app's own code adds to it.
    pub(crate) fn without_details(mode: &ModeView, now: Timestamp) -> Self {
        let standing = mode.standing(now);
        Self {
            key: mode.key.as_ref().to_owned(),
            label: mode.label.as_ref().to_owned(),
            help: mode.mode.help.clone(),
            access: mode.mode.access,
            phase: standing.phase,
            since: standing.since,
            start: standing.start,
            until: standing.until,
            by: standing.by,
            reason: standing.reason,
            message: standing.message,
            windows: PlannedWindow::all(&mode.state.windows, now),
            drain_deadline: match &mode.state.switch {
                Switch::Pending(drain) if standing.phase == Phase::Pending => drain.deadline,
                _ => None,
            },
            locked_by: None,
            details: Map::new(),
        }
    }
}

/// A planned window of a mode: `[start, end)`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PlannedWindow {
    /// What [`Maintenance::cancel_window`](crate::Maintenance::cancel_window) takes.
    pub id: String,
    /// When it starts; `None`: it has always been open. If it repeats, when it started, while it is
    /// open, or else when it starts next.
    pub start: Option<Timestamp>,
    /// When it ends; `None`: when somebody ends it. If it repeats, the end that belongs to `start`.
    pub end: Option<Timestamp>,
    /// How it repeats, if it does.
    pub repeats: Option<Repeats>,
    /// The IANA zone that it was planned in.
    pub zone: Option<String>,
    /// What it is called.
    pub title: Option<String>,
    /// What visitors are told.
    pub message: Option<String>,
    /// Why, for operators.
    pub reason: Option<String>,
    /// Who planned it.
    pub by: Option<String>,
}

/// How a [`PlannedWindow`] repeats.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Repeats {
    /// When it starts, by minute, hour, day of month, month and day of week, in `zone`.
    pub cron: String,
    /// The same in words, as it stands in the middle of a sentence: `every Saturday at 03:00`.
    pub words: String,
    /// The IANA zone of the starts.
    pub zone: String,
    /// How long it lasts each time; in JSON as ISO 8601 has it, such as `PT2H`.
    pub duration: SignedDuration,
    /// When it is over for good: nothing starts then or later.
    pub until: Option<Timestamp>,
}

impl PlannedWindow {
    /// The windows that are not over, by their start.
    fn all(windows: &[Window], now: Timestamp) -> Vec<Self> {
        let mut planned: Vec<Self> = windows
            .iter()
            .filter_map(|window| Some(Self::new(window, window.now_or_next(now)?)))
            .collect();
        planned.sort_by_key(|window| window.start);
        planned
    }

    fn new(window: &Window, interval: Interval) -> Self {
        Self {
            id: window.id.clone(),
            start: interval.start,
            end: interval.end,
            repeats: window.repeats.as_ref().map(|recurrence| Repeats {
                cron: recurrence.cron().to_owned(),
                words: recurrence.in_words(),
                zone: recurrence.zone().to_owned(),
                duration: recurrence.duration(),
                until: recurrence.until(),
            }),
            zone: window.zone.clone(),
            title: window.title.clone(),
            message: window.message.clone(),
            reason: window.reason.clone(),
            by: window.by.clone(),
        }
    }
}

/// One past or present stretch of maintenance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PastPeriod {
    /// The key of the mode.
    pub mode: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended; `None`: it goes on.
    pub ended_at: Option<Timestamp>,
    /// Who began it.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// How it ended.
    pub ended: Option<Ended>,
    /// Who ended it.
    pub ended_by: Option<String>,
}

impl PastPeriod {
    fn new(period: &Period) -> Self {
        Self {
            mode: period.mode.clone(),
            started_at: period.started_at,
            ended_at: period.ended_at,
            by: period.by.clone(),
            reason: period.reason.clone(),
            ended: period.ended,
            ended_by: period.ended_by.clone(),
        }
    }
}

/// How the store is, in a [`Status`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoreStatus {
    /// Where the state lives.
    pub url: String,
    /// Why the store could not be read or understood, if so.
    pub error: Option<String>,
    /// When the store was last read or written successfully. `None`: never. While the store
    /// answers it is at most some seconds ago.
    pub known_at: Option<Timestamp>,
    /// How old the knowledge is: how many whole seconds ago `known_at` was, by a clock that nobody
    /// sets.
    pub age: Option<u64>,
    /// By how many milliseconds this process's clock is ahead of the store's; negative: behind. More
    /// than two seconds are worth a look at the clocks. `None`: the store has no clock of its own, or
    /// has not been asked yet.
    pub clock_ahead_ms: Option<i64>,
    /// Whether what is known comes from the copy that an earlier process has left here, because this
    /// one has not been able to read the store yet. Then `known_at` is when that process took it.
    pub remembered: bool,
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
