//! Tells the workers and the log what counts now.

use std::sync::Arc;

use super::{Driver, Known};
use crate::{
    core::{snapshot::Snapshot, state::Document, status::period::PastPeriod},
    engine::{
        driver::{
            changed::{log_changes, log_grants},
            lost::log_lost,
        },
        events,
    },
};

impl Driver {
    pub(super) fn publish(&self, known: &Known) -> Arc<Snapshot> {
        let before = self.shared.published.stored();
        let store = self
            .shared
            .freshness
            .status(self.store.url(), known.failure.clone());
        let empty = Document::default();
        let mut snapshot = self.plan.snapshot(
            before.number + 1,
            Arc::clone(&before.rules),
            known.document.as_ref().unwrap_or(&empty),
            store,
            self.shared.clock.now(),
        );
        snapshot.state_id = known.state_id;
        let snapshot = Arc::new(snapshot);
        self.shared
            .own_node
            .about_to_publish(&self.shared, &snapshot);
        self.shared.published.publish(Arc::clone(&snapshot));
        log_phases(&before, &snapshot);
        log_changes(&before, &snapshot, &self.shared.cancelling);
        log_grants(&before, &snapshot, &self.shared.cancelling);
        // A program that looks tells what is in its own words.
        if !self.plan.is_tool {
            log_lost(&before, &snapshot);
        }
        if !known.is_quiet {
            self.shared.hooks.tell(&before, &snapshot);
        }
        self.published.send_replace(snapshot.number);
        snapshot
    }
}

pub(super) fn log_phases(before: &Snapshot, after: &Snapshot) {
    let cause = if before.generation == after.generation {
        "edge"
    } else {
        "change"
    };
    for (old, new) in before.modes.iter().zip(&after.modes) {
        let (old, new_standing) = (old.phase(before.at), new.standing(after.at));
        if old != new_standing.phase {
            let by = new_standing
                .by
                .as_deref()
                .or_else(|| ended_by(before, after, &new.key));
            tracing::info!(
                event = events::PHASE,
                mode = %new.key,
                before = %old,
                phase = %new_standing.phase,
                cause,
                by,
                reason = new_standing.reason,
                generation = after.generation,
                "maintenance changes"
            );
        }
    }
}

/// Who ended what a mode was in, by the history that the change has written.
pub(super) fn ended_by<'s>(before: &Snapshot, after: &'s Snapshot, mode: &str) -> Option<&'s str> {
    let is_of_mode = |period: &&PastPeriod| period.mode == mode;
    let last = after.history.iter().rev().find(is_of_mode)?;
    let is_new = before.history.iter().rev().find(is_of_mode) != Some(last);
    last.ended_by.as_deref().filter(|_| is_new)
}
