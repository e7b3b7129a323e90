//! What time alone changes.

use std::time::Duration;

use tokio::{sync::mpsc, time::Instant};

use super::{Driver, Known, LONGEST_NAP, command::Operation};
use crate::{
    core::{audit::Author, schedule::duration_in_words},
    engine::{
        driver::drain::Heard,
        patience::{self, within},
    },
};

/// The pause before what is over is settled again after that failed.
pub(super) const SETTLE_RETRY: Duration = Duration::from_secs(30);

impl Driver {
    /// When the next edge is due, or the next look at the clock.
    pub(super) fn next_edge(&self) -> Option<Instant> {
        let snapshot = self.shared.published.stored();
        let now = self.shared.clock.now();
        if !snapshot.is_timed() && !snapshot.is_draining(now) {
            return None;
        }
        let left = snapshot
            .next_edge(now)
            .and_then(|edge| Duration::try_from(edge.duration_since(now)).ok())
            .unwrap_or(LONGEST_NAP);
        Some(Instant::now() + left.min(LONGEST_NAP))
    }

    /// Publishes again when a phase is another, for those who follow changes, and settles what is
    /// over. Requests judge edges by themselves.
    pub(super) async fn cross_edge(&self, known: &mut Known, heard: &mpsc::UnboundedSender<Heard>) {
        let now = self.shared.clock.now();
        let snapshot = self.shared.published.stored();
        let phases = |at| snapshot.modes.iter().map(move |mode| mode.phase(at));
        let is_outdated = snapshot.modes.iter().any(|mode| mode.is_outdated(now));
        if is_outdated || !phases(snapshot.at).eq(phases(now)) {
            self.publish(known);
        }
        self.settle(known, heard).await;
        self.look_after_drain(known, heard);
    }

    /// Makes a change that nobody asked for. If it fails, it is tried again later.
    pub(super) async fn try_quietly(
        &self,
        known: &mut Known,
        operation: &Operation,
    ) -> Result<(), String> {
        known.settle_after = None;
        let author = Author::schedule();
        let patience = || patience::of_change(&*self.store);
        let change = self.apply(known, operation, None, &author);
        let error = match within(Instant::now(), patience, change).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => crate::core::text::chain(&error),
            Err(waited) => format!(
                "the store {} did not take a change within {}",
                self.store.url(),
                duration_in_words(waited)
            ),
        };
        tracing::debug!(error, "what follows by itself could not be stored yet");
        known.settle_after = Some(Instant::now() + SETTLE_RETRY);
        Err(error)
    }
}
