//! One mode as requests read it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::core::{
    access::Forced,
    mode::Mode,
    opening::Place,
    phase::{Phase, Standing},
    schedule::{Interval, Outlook},
    state::{Document, Draining, ModeState, OnTimeout, Switch, Window},
    status::modes::{HeldStatus, OpeningStatus},
};

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
    pub(super) outlook: Option<(Outlook, ModeState)>,
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
    pub(super) fn state_at(&self, now: Timestamp) -> &ModeState {
        match &self.outlook {
            Some((outlook, near)) if outlook.covers(now) => near,
            _ => &self.state,
        }
    }

    /// What the state means at `now`.
    pub(super) fn standing_of_state(&self, now: Timestamp) -> Standing {
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

    /// Until when its edges are worked out. `None`: all of them are.
    pub(super) fn edges_known_until(&self) -> Option<Timestamp> {
        let outlook = self.outlook.as_ref();
        outlook.map(|(outlook, _)| outlook.ends_at())
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

    /// By when it is closed at the latest, while it is closing. `None`: that is not known, or the
    /// closing is called off then.
    pub(crate) fn closes_by(&self, now: Timestamp) -> Option<Timestamp> {
        let drain = self.draining(now);
        drain
            .filter(|drain| drain.on_timeout == OnTimeout::Offline)?
            .deadline
    }

    /// How it is closing, while it is.
    pub(super) fn draining(&self, now: Timestamp) -> Option<&Draining> {
        match &self.state.switch {
            Switch::Pending(drain) if self.phase(now) == Phase::Pending => Some(drain),
            _ => None,
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

    /// When whoever has this place gets in, by the switch alone. `None`: it is not opening, or that is
    /// not known.
    pub(crate) fn turn(&self, place: Option<Place>) -> Option<Timestamp> {
        self.state.switch.opening()?.turn(place)
    }

    /// How long a request may wait for it to open, as its switch says. `None`: it does not say that, or it
    /// is not closed by its switch.
    pub(crate) fn park(&self, now: Timestamp) -> Option<SignedDuration> {
        let park = self.state.switch.record()?.park?;
        let is_closed = || {
            let phase = self.state.switch_phase(now);
            matches!(phase, Phase::Pending | Phase::Offline)
        };
        (self.instead.is_none() && park.is_positive() && is_closed()).then_some(park)
    }

    /// How it is opening, while it is.
    pub(super) fn opening(&self, now: Timestamp) -> Option<OpeningStatus> {
        let opening = self.state.switch.opening();
        let opening = opening.filter(|_| self.phase(now) == Phase::Opening)?;
        Some(OpeningStatus {
            since: opening.since,
            until: opening.until,
            share: opening.share(now),
            by: opening.by.clone(),
        })
    }

    /// The job that holds the mode, as far as what is stored says.
    pub(super) fn held(&self, now: Timestamp) -> Option<HeldStatus> {
        let (_, holder) = self.state.holder()?;
        // What was left by one who has died may be over since.
        let is_over =
            self.state.reopened.is_none() && !self.state.switch_phase(now).is_maintenance();
        if self.instead.is_some() || is_over {
            return None;
        }
        Some(HeldStatus {
            name: holder.name.clone(),
            by: holder.by.clone(),
            since: holder.since,
            if_lost: holder.if_lost,
            alive: holder.is_lost().then_some(false),
            lost_at: holder.lost_at,
            overdue_since: self.state.overdue_since(now),
        })
    }

    /// The window that is announced at `now`, and from when to when.
    pub(super) fn announced(&self, now: Timestamp) -> Option<(&Window, Interval)> {
        self.state_at(now).next_window(now).filter(|(_, next)| {
            next.start
                .is_some_and(|start| start.duration_since(now) <= self.announce)
        })
    }

    /// The instants at which the phase may change without a change of state; of windows that
    /// repeat, those around the snapshot.
    pub(super) fn edges(&self) -> impl Iterator<Item = Timestamp> {
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
    pub(super) fn is_timed(&self) -> bool {
        // A rule also has an end, at which it is to be forgotten.
        let repeats = self.outlook.is_some() && self.instead.is_none();
        repeats || self.edges().next().is_some()
    }
}
