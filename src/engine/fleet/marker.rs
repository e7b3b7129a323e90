//! Since when a store has remembered leases.
//!
//! After a store has forgotten, nobody is listed, and everybody may be at work. So beside the leases of
//! the nodes there is one that nobody renews: the *marker*. The first node makes it, or whoever waits.
//! It vanishes with all others, and its age tells for how long the store has remembered. A node that
//! lives, and can reach the store, has put its lease anew within one time to live; so what is listed is
//! believed once the marker is as old as that.

use std::time::Duration;

use crate::store::LiveLease;

/// The name of the marker. Not one of a node, a task or a lock.
pub(crate) const MARKER: &str = "fleet/marker";

/// How long the marker lives: as long as a lease may. Whoever waits after that waits once as after a
/// loss.
pub(crate) const MARKER_LIVES: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// For how long the store has remembered leases, if it remembers the marker.
pub(crate) fn remembered_for(leases: &[LiveLease]) -> Option<Duration> {
    leases
        .iter()
        .find(|live| live.lease.name() == MARKER)
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
