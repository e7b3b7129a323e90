//! What requests read: state and rules, compiled and immutable.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    decide::Rules,
    phase::{Phase, Standing},
    settings::Forced,
    state::{Document, ModeState},
};

/// State and rules at one moment of the process's life.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The how-manieth snapshot of this process it is. Caches compare it.
    pub(crate) number: u64,
    pub(crate) rules: Arc<Rules>,
    /// In the order in which modes answer; never empty.
    pub(crate) modes: Vec<ModeView>,
    pub(crate) forced: Option<Forced>,
    pub(crate) generation: u64,
    pub(crate) store: StoreStatus,
    /// When it was published.
    pub(crate) at: Timestamp,
    /// The closed mode at `at`, which is the closed mode for good while no edge is ahead.
    closed: Option<usize>,
    /// The first instant after `at` at which a phase may be another.
    edge: Option<Timestamp>,
}

/// One mode, as a snapshot has it.
#[derive(Debug, Clone)]
pub(crate) struct ModeView {
    pub(crate) key: Arc<str>,
    pub(crate) label: Arc<str>,
    pub(crate) state: ModeState,
    /// What settings, or a store that fails, say instead of the state.
    pub(crate) instead: Option<Forced>,
}

impl ModeView {
    pub(crate) fn new(
        key: &str,
        label: &str,
        document: &Document,
        instead: Option<Forced>,
    ) -> Self {
        Self {
            key: key.into(),
            label: label.into(),
            state: document.mode(key).cloned().unwrap_or_default(),
            instead,
        }
    }

    pub(crate) fn phase(&self, now: Timestamp) -> Phase {
        match self.instead {
            None => self.state.phase(now),
            Some(Forced::Off) => Phase::Online,
            Some(Forced::On) => Phase::Offline,
        }
    }

    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        match self.instead {
            None => self.state.standing(now),
            Some(Forced::Off) => Standing::online(),
            Some(Forced::On) => Standing {
                phase: Phase::Offline,
                until: None,
                ..self.state.standing(now)
            },
        }
    }

    pub(crate) fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        match self.instead {
            None => self.state.next_edge(now),
            Some(_) => None,
        }
    }
}

impl Snapshot {
    pub(crate) fn new(
        number: u64,
        rules: Arc<Rules>,
        modes: Vec<ModeView>,
        forced: Option<Forced>,
        generation: u64,
        store: StoreStatus,
        at: Timestamp,
    ) -> Self {
        let mut snapshot = Self {
            number,
            rules,
            modes,
            forced,
            generation,
            store,
            at,
            closed: None,
            edge: None,
        };
        snapshot.closed = snapshot.first_closed(at);
        snapshot.edge = snapshot.next_edge(at);
        snapshot
    }

    /// The first mode that is pending or offline, by its index.
    pub(crate) fn closed_mode(&self, now: Timestamp) -> Option<usize> {
        if self.is_timed() {
            self.first_closed(now)
        } else {
            self.closed
        }
    }

    fn first_closed(&self, now: Timestamp) -> Option<usize> {
        self.modes
            .iter()
            .position(|mode| mode.phase(now).is_maintenance())
    }

    /// Whether a phase may change without a change of state, so that the time must be looked at.
    pub(crate) fn is_timed(&self) -> bool {
        self.edge.is_some()
    }

    /// The next instant after `now` at which a phase may be another.
    pub(crate) fn next_edge(&self, now: Timestamp) -> Option<Timestamp> {
        self.modes
            .iter()
            .filter_map(|mode| mode.next_edge(now))
            .min()
    }

    /// Whether requests can pass without a look at this snapshot: nothing is pending or offline,
    /// nothing is forced on, and no instant ahead can change that.
    pub(crate) fn is_quiet(&self) -> bool {
        !self.rules.force_on() && self.closed.is_none() && self.edge.is_none()
    }

    pub(crate) fn mode(&self, key: &str) -> Option<&ModeView> {
        self.modes.iter().find(|mode| &*mode.key == key)
    }

    pub(crate) fn status(&self, now: Timestamp) -> Status {
        let modes: Vec<ModeStatus> = self
            .modes
            .iter()
            .map(|mode| ModeStatus::new(mode, now))
            .collect();
        Status {
            maintenance_mode: modes.iter().any(|mode| mode.phase.is_maintenance()),
            generation: self.generation,
            forced: self.forced,
            modes,
            store: self.store.clone(),
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
    /// Whether the store answers.
    pub store: StoreStatus,
}

impl Status {
    /// The mode with this key.
    pub fn mode(&self, key: &str) -> Option<&ModeStatus> {
        self.modes.iter().find(|mode| mode.key == key)
    }
}

/// One mode in a [`Status`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModeStatus {
    /// The mode's key.
    pub key: String,
    /// The mode's name for people.
    pub label: String,
    /// What the mode is.
    pub phase: Phase,
    /// Since when it is not online, if that is known.
    pub since: Option<Timestamp>,
    /// When it is online again, if that is known.
    pub until: Option<Timestamp>,
    /// Who switched it on or planned it.
    pub by: Option<String>,
    /// Why, for operators; visitors never see it.
    pub reason: Option<String>,
    /// What visitors are told.
    pub message: Option<String>,
}

impl ModeStatus {
    fn new(mode: &ModeView, now: Timestamp) -> Self {
        let standing = mode.standing(now);
        Self {
            key: mode.key.as_ref().to_owned(),
            label: mode.label.as_ref().to_owned(),
            phase: standing.phase,
            since: standing.since,
            until: standing.until,
            by: standing.by,
            reason: standing.reason,
            message: standing.message,
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
    /// When the store was last read or written successfully. `None`: never.
    pub known_at: Option<Timestamp>,
}
