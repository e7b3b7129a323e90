//! What this node reports of itself, seen from what the process shares.

use std::sync::atomic::Ordering;

use crate::{
    core::{phase::Phase, snapshot::Snapshot},
    engine::{
        fleet::report::{ModeReport, NodeReport},
        node::own_node::OwnNode,
        shared::Shared,
    },
};

/// How many visitors a node lists. Beyond that it says how many there are.
const LISTED_VISITORS: usize = 4096;

impl OwnNode {
    /// Takes note of the modes that a snapshot closes, before it is published.
    ///
    /// Requests are let in elsewhere only while a mode is closed. So if none was, and those of
    /// former times have ended, whoever is elsewhere from now on came when the mode was closed.
    pub(crate) fn about_to_publish(&self, shared: &Shared, after: &Snapshot) {
        let before = shared.published.snapshot();
        let nobody = before.closed_mode(before.at).is_none()
            && before.closed_mode(after.at).is_none()
            && shared.in_flight.inside().elsewhere == 0;
        let mut apart = self.apart.lock();
        apart.resize(after.modes.len(), false);
        for ((apart, old), new) in apart.iter_mut().zip(&before.modes).zip(&after.modes) {
            let was_closed = old.phase(before.at).is_maintenance();
            let is_closed = new.phase(after.at).is_maintenance();
            *apart = is_closed && if was_closed { *apart } else { nobody };
        }
    }

    /// What this node tells now.
    ///
    /// The snapshot is read before the counts, so that a count of zero means that nobody is inside
    /// of what the snapshot has closed, and that it stays so.
    pub(crate) fn report(&self, shared: &Shared) -> NodeReport {
        let snapshot = shared.published.stored();
        let now = shared.now_for(&snapshot);
        let phases: Vec<Phase> = snapshot.modes.iter().map(|mode| mode.phase(now)).collect();
        let inside = shared.in_flight.inside();
        let apart = self.apart.lock();
        let is_empty = |mode: usize| {
            let is_apart = apart.get(mode).copied().unwrap_or(false);
            inside.requests == 0 && (is_apart || inside.elsewhere == 0)
        };
        let mut empty_in = self.empty_in.lock();
        empty_in.resize(phases.len(), None);
        let modes = snapshot
            .modes
            .iter()
            .zip(&phases)
            .zip(&mut *empty_in)
            .enumerate()
            .map(|(index, ((mode, phase), empty_in))| {
                let is_empty = is_empty(index);
                if *phase != Phase::Offline {
                    *empty_in = None;
                } else if is_empty {
                    *empty_in = Some(snapshot.number);
                }
                let report = ModeReport {
                    phase: *phase,
                    empty: is_empty || *empty_in == Some(snapshot.number),
                };
                (mode.key.as_ref().to_owned(), report)
            })
            .collect();
        drop(empty_in);
        let is_closing = phases.contains(&Phase::Pending);
        let idle = shared.drain.session_idle;
        NodeReport {
            generation: snapshot.generation,
            state: snapshot.state_id.to_string(),
            modes,
            in_flight: inside.served(),
            endless: inside.endless,
            parked: shared.parked.count(),
            sessions: shared.sessions.inside(idle).len() as u64,
            visitors: if is_closing {
                shared.sessions.marks(idle, LISTED_VISITORS)
            } else {
                Vec::new()
            },
            tasks: self.tasks.load(Ordering::SeqCst),
            clock: Some(shared.clock.now()),
            grants: shared.grant_uses.of(|name| snapshot.has_grant(name)),
            ..self.first_report()
        }
    }
}
