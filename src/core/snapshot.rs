//! What requests read: state and rules, compiled and immutable.

use std::{ops::Range, sync::Arc};

use jiff::Timestamp;

use super::mode_view::ModeView;
use crate::core::{
    access::{Access, Forced},
    grants::Grants,
    phase::Phase,
    rules::compiled::Rules,
    state::{Cancelled, Document, GrantRecords, ModeState, settle::seen},
    status::{period::PastPeriod, state_id::StateId, store::StoreStatus},
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
    pub(super) unknown: Vec<(String, ModeState)>,
    /// Who may look in although a mode is closed.
    pub(crate) grants: Grants,
    /// As they are stored.
    pub(crate) grant_records: GrantRecords,
    pub(crate) forced: Option<Forced>,
    pub(crate) generation: u64,
    /// The stored document that it was made of.
    pub(crate) state_id: StateId,
    /// What is in force instead while the node is cut off, if it is to be closed then.
    pub(crate) when_cut_off: Option<Arc<Snapshot>>,
    pub(crate) history: Vec<PastPeriod>,
    /// What was planned and is not any more.
    pub(crate) cancelled: Vec<Cancelled>,
    pub(crate) store: StoreStatus,
    /// When it was published.
    pub(crate) at: Timestamp,
    /// The modes that are closed at `at`, or that may be at another time. However many modes there
    /// are, requests look at no others.
    watched: Box<[usize]>,
    /// Whether there is an edge at all. One that has passed counts too: the clock may be set back.
    timed: bool,
}

/// A mode that is pending, offline or opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ClosedMode {
    pub(crate) index: usize,
    pub(crate) phase: Phase,
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
            grants: Grants::new(document, &modes),
            grant_records: document.grants.clone(),
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
            cancelled: document.cancelled.clone(),
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

    /// Whether there is a grant of this name, be it over or not.
    pub(crate) fn has_grant(&self, name: &str) -> bool {
        self.grants.names().any(|known| known == name)
    }

    /// Whether what becomes of a request may depend on the time.
    pub(crate) fn needs_clock(&self) -> bool {
        self.timed || self.grants.are_timed()
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

    /// The stretch of time over which requests can pass without a look at this snapshot: from when it
    /// was published to the first instant ahead at which a phase may be another. `None`: there is no
    /// such stretch.
    pub(crate) fn open_stretch(&self) -> Option<Range<Timestamp>> {
        let is_open = !self.rules.force_on()
            && self.when_cut_off.is_none()
            && self.closed_mode(self.at).is_none();
        let known = self.modes.iter().filter_map(ModeView::edges_known_until);
        let until = self.next_edge(self.at).into_iter().chain(known).min();
        is_open.then(|| self.at..until.unwrap_or(Timestamp::MAX))
    }

    /// Whether something is stored of a mode that the settings do not have.
    pub(crate) fn has_unknown(&self, key: &str) -> bool {
        self.unknown.iter().any(|(known, _)| known == key)
    }

    pub(crate) fn mode(&self, key: &str) -> Option<&ModeView> {
        self.modes.iter().find(|mode| &*mode.key == key)
    }
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
