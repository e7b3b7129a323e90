//! Since when a store has remembered leases.
//!
//! After a store has forgotten, nobody is listed, and everybody may be at work. So beside the leases of
//! the nodes there is one that nobody renews: the *marker*. The first node makes it, or whoever waits.
//! It vanishes with all others, and its age tells for how long the store has remembered. A node that
//! lives, and can reach the store, has put its lease anew within one time to live; so what is listed is
//! believed once the marker is as old as that.
//!
//! A server that restarts may bring the marker back from a saved copy, and not the leases that were put
//! after the copy was made. So the marker holds which *life* of the store it is of
//! ([`Store::life`](crate::store::Store::life)); one of another life counts for nothing, and is replaced.

use std::time::Duration;

use crate::store::{Lease, LiveLease, StoreError};

/// The name of the marker. Not one of a node, a task or a lock.
pub(crate) const MARKER: &str = "fleet/marker";

/// How long the marker lives: as long as a lease may. Whoever waits after that waits once as after a
/// loss.
pub(crate) const MARKER_LIVES: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The marker of this life of the store.
pub(crate) fn marker(life: Option<String>) -> Result<Lease, StoreError> {
    Lease::new(MARKER, "fleet", life.unwrap_or_default())
}

/// For how long the store has remembered leases, if it remembers this marker.
pub(crate) fn remembered_for(leases: &[LiveLease], marker: &Lease) -> Option<Duration> {
    leases
        .iter()
        .find(|live| live.lease == *marker)
        .map(|live| MARKER_LIVES.saturating_sub(live.expires_in))
}

/// How long to wait until a list can be believed: one time to live after the marker was made. `None`:
/// it can.
pub(crate) fn to_wait(
    remembered_for: Option<Duration>,
    time_to_live: Duration,
) -> Option<Duration> {
    let left = time_to_live.saturating_sub(remembered_for.unwrap_or_default());
    (!left.is_zero()).then_some(left)
}

#[cfg(test)]
#[path = "marker_tests.rs"]
mod tests;
