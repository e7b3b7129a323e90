//! What is shown of a snapshot at an instant.

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use crate::core::{
    mode_view::ModeView,
    snapshot::Snapshot,
    status::{
        SessionInside,
        modes::{ModeStatus, UnknownMode},
        whole::Status,
        windows::PlannedWindow,
    },
};

impl Snapshot {
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
            default_mode: None,
            time_zone: None,
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
            parked: None,
            sessions: None,
            visitors,
            nodes: Vec::new(),
            unheard: Vec::new(),
            tasks: Vec::new(),
            store: self.store.clone(),
            web_server: None,
            audit: None,
            notices: Vec::new(),
        }
    }
}

/// Whole seconds, and one more for what is left over.
fn whole_seconds(duration: SignedDuration) -> u64 {
    let seconds = u64::try_from(duration.as_secs()).unwrap_or(0);
    seconds + u64::from(duration.subsec_nanos() > 0)
}

impl ModeStatus {
    pub(super) fn new(mode: &ModeView, now: Timestamp) -> Self {
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
            held: mode.held(now),
            opening: mode.opening(now),
            park: mode.park(now).map(whole_seconds),
            drain_deadline: mode.draining(now).and_then(|drain| drain.deadline),
            locked_by: None,
            details: Map::new(),
        }
    }
}
