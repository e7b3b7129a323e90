//! The end of a drain: who is asked whether anybody is inside, and what follows.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::mpsc, time::Instant};

use super::{Driver, Known, Operation};
use crate::{
    core::phase::Phase,
    engine::events,
    engine::fleet::node::{Fleet, Goal},
    store::StoreError,
};

/// How often the first of the nodes asks whether all are empty while a mode is closing, and how
/// often the others do.
const LOOK: Duration = Duration::from_millis(50);
const LOOK_OF_OTHERS: Duration = Duration::from_secs(1);

/// What the store says of the nodes.
pub(super) type Heard = Result<Fleet, StoreError>;

impl Driver {
    /// Asks who is inside on other nodes while a mode is closing and nobody is inside here.
    pub(super) fn look_after_drain(&self, known: &mut Known, heard: &mpsc::UnboundedSender<Heard>) {
        let own_node = &self.shared.own_node;
        // One of the nodes is enough to look often. Should it fail, the others look too.
        let pause = match own_node.is_first() {
            true => LOOK,
            false => LOOK_OF_OTHERS,
        };
        let is_due = !known.is_looking && known.drain_looked.is_none_or(|at| at.elapsed() >= pause);
        if !is_due || self.closing().is_none() || self.is_anybody_inside() {
            return;
        }
        known.drain_looked = Some(Instant::now());
        self.look_at_nodes(known, heard);
    }

    /// Lists the nodes, behind what the driver does else.
    pub(super) fn look_at_nodes(&self, known: &mut Known, heard: &mpsc::UnboundedSender<Heard>) {
        known.is_looking = true;
        let (leases, heard) = (self.leases.clone(), heard.clone());
        tokio::spawn(async move {
            // The driver may have ended.
            let _ = heard.send(leases.fleet().await);
        });
    }

    /// The mode that is closing, and since when.
    fn closing(&self) -> Option<(String, Option<Timestamp>)> {
        if self.plan.forced.is_some() {
            return None;
        }
        let snapshot = self.shared.published.stored();
        let now = self.shared.clock.now();
        snapshot
            .modes
            .iter()
            .find(|mode| mode.phase(now) == Phase::Pending)
            .map(|mode| {
                let since = mode.state.switch.record().and_then(|on| on.since);
                (mode.key.as_ref().to_owned(), since)
            })
    }

    /// Takes a mode offline that is closing, once nobody is inside on any node and no task runs.
    pub(super) async fn end_drain(&self, known: &mut Known, heard: Heard) {
        let mut fleet = match heard {
            Ok(fleet) => fleet,
            Err(error) => {
                tracing::debug!(%error, "a drain goes on: nobody can tell who is inside");
                return;
            }
        };
        let own_node = &self.shared.own_node;
        fleet = own_node.heard(fleet);
        let is_to_wait = known
            .settle_after
            .is_some_and(|after| Instant::now() < after);
        let Some((key, since)) = self.closing().filter(|_| !is_to_wait) else {
            return;
        };
        if own_node.is_taken() {
            fleet = fleet.with_own(own_node.report(&self.shared));
        } else if !fleet.has_no_nodes() {
            // It is for them to tell when they are empty.
            return;
        }
        let idle = self.shared.drain.session_idle;
        let missing = fleet.missing(&key, known.state_id, Goal::Drained, idle);
        if !missing.is_empty() || self.is_anybody_inside() {
            return;
        }
        if !matches!(
            self.leases.unsure_for(own_node.plan.time_to_live).await,
            Ok(None)
        ) {
            tracing::debug!("a drain goes on: the store may have forgotten who is live");
            return;
        }
        let published = &self.shared.published;
        published.seal();
        if !self.is_anybody_inside() {
            let mode = key.clone();
            let operation: Operation = Box::new(move |document, _| document.drained(&key, since));
            if self.try_quietly(known, &operation).await.is_ok() {
                tracing::info!(
                    event = events::DRAINED,
                    mode,
                    generation = published.snapshot().generation,
                    "nobody is inside any more"
                );
            }
        }
        published.unseal();
    }

    fn is_anybody_inside(&self) -> bool {
        self.shared.in_flight.inside().requests > 0
            || !self
                .shared
                .sessions
                .inside(self.shared.drain.session_idle)
                .is_empty()
    }
}
