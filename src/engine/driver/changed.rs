//! The log of what somebody has changed although the phase stays: what is planned, and what is said.

use std::collections::HashMap;

use parking_lot::Mutex;

use crate::{
    core::{
        mode_view::ModeView,
        snapshot::Snapshot,
        state::{SwitchedOn, Window},
    },
    engine::events,
};

/// Who is cancelling which window in this process: what is stored does not say it.
#[derive(Debug, Default)]
pub(crate) struct Cancelling(Mutex<HashMap<String, Option<String>>>);

impl Cancelling {
    pub(crate) fn begin(&self, window: &str, by: Option<&str>) {
        let by = by.map(str::to_owned);
        self.0.lock().insert(window.to_owned(), by);
    }

    pub(crate) fn end(&self, window: &str) {
        self.0.lock().remove(window);
    }

    fn by(&self, window: &str) -> Option<Option<String>> {
        self.0.lock().get(window).cloned()
    }
}

/// Logs which grants have been made, and which revoked.
pub(super) fn log_grants(before: &Snapshot, after: &Snapshot, cancelling: &Cancelling) {
    if before.generation == after.generation {
        return;
    }
    let log = |what: &str, grant: &str, by: Option<&str>| {
        tracing::info!(
            event = events::CHANGED,
            what,
            by,
            grant,
            generation = after.generation,
            "who may look in during maintenance is changed"
        );
    };
    for (name, grant) in &after.grant_records {
        if before.grant_records.get(name) != Some(grant) {
            log("grant-made", name, grant.by.as_deref());
        }
    }
    for (name, grant) in &before.grant_records {
        // What is over is forgotten without anybody.
        if !after.grant_records.contains_key(name) && !grant.is_over(after.at) {
            let by = cancelling.by(name).flatten();
            log("grant-revoked", name, by.as_deref());
        }
    }
}

/// Logs what is another in each mode whose phase is the same.
pub(super) fn log_changes(before: &Snapshot, after: &Snapshot, cancelling: &Cancelling) {
    if before.generation == after.generation {
        return;
    }
    for (old, new) in before.modes.iter().zip(&after.modes) {
        if old.phase(before.at) == new.phase(after.at) {
            log_windows(old, new, after, cancelling);
            log_said(old, new, after);
        }
    }
}

fn log_windows(old: &ModeView, new: &ModeView, after: &Snapshot, cancelling: &Cancelling) {
    let find = |view: &ModeView, id: &str| {
        let mut windows = view.state.windows.iter();
        windows.find(|window| window.id == id).cloned()
    };
    let log = |what: &str, window: &Window, by: Option<&str>| {
        tracing::info!(
            event = events::CHANGED,
            mode = %new.key,
            what,
            by,
            window = window.id,
            generation = after.generation,
            "what is planned of maintenance is changed"
        );
    };
    for window in &new.state.windows {
        match find(old, &window.id) {
            None => log("window-planned", window, window.by.as_deref()),
            Some(known) if is_said_otherwise(&known, window) => {
                log("window-changed", window, window.by.as_deref());
            }
            Some(known) if known != *window => {
                // One time of it; what is over is forgotten without anybody.
                if let Some(by) = cancelling.by(&window.id) {
                    log("window-cancelled", window, by.as_deref());
                }
            }
            Some(_) => {}
        }
    }
    for window in &old.state.windows {
        let was_to_come = window.now_or_next(after.at).is_some();
        if find(new, &window.id).is_none() && was_to_come {
            let by = cancelling.by(&window.id).flatten();
            log("window-cancelled", window, by.as_deref());
        }
    }
}

fn is_said_otherwise(old: &Window, new: &Window) -> bool {
    let told = |window: &Window| {
        let Window {
            start,
            end,
            title,
            reason,
            message,
            ..
        } = window.clone();
        (start, end, title, reason, message)
    };
    told(old) != told(new)
}

fn log_said(old: &ModeView, new: &ModeView, after: &Snapshot) {
    let said = |on: &SwitchedOn| (on.until, on.reason.clone(), on.message.clone());
    if let (Some(old), Some(on)) = (old.state.switch.record(), new.state.switch.record())
        && said(old) != said(on)
    {
        tracing::info!(
            event = events::CHANGED,
            mode = %new.key,
            what = "said",
            by = on.by,
            reason = on.reason,
            generation = after.generation,
            "what is said of maintenance is changed"
        );
    }
}
