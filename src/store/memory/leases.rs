//! The leases of the memory store.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};

use crate::store::{Lease, LeaseCondition, LiveLease, PutLease, lease::bounded};

/// The leases by name. Those that have lapsed are removed when somebody looks.
#[derive(Debug, Default)]
pub(super) struct Leases(Mutex<BTreeMap<String, Entry>>);

#[derive(Debug)]
struct Entry {
    lease: Lease,
    lapses_at: Instant,
}

impl Entry {
    fn new(lease: &Lease, time_to_live: Duration, now: Instant) -> Self {
        Self {
            lease: lease.clone(),
            lapses_at: now + bounded(time_to_live),
        }
    }

    fn live(&self, now: Instant) -> LiveLease {
        LiveLease {
            lease: self.lease.clone(),
            expires_in: self.lapses_at.saturating_duration_since(now),
        }
    }

    fn belongs_to(&self, holder: &str) -> bool {
        self.lease.holder() == holder
    }
}

impl Leases {
    pub(super) fn put(
        &self,
        lease: &Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
        now: Instant,
    ) -> PutLease {
        let mut entries = self.live(now);
        if condition == LeaseCondition::IfAbsent
            && let Some(entry) = entries.get(lease.name())
            && !entry.belongs_to(lease.holder())
        {
            return PutLease::Taken(entry.live(now));
        }
        let entry = Entry::new(lease, time_to_live, now);
        entries.insert(lease.name().to_owned(), entry);
        PutLease::Held
    }

    pub(super) fn renew(&self, lease: &Lease, time_to_live: Duration, now: Instant) -> bool {
        match self.live(now).get_mut(lease.name()) {
            Some(entry) if entry.belongs_to(lease.holder()) => {
                *entry = Entry::new(lease, time_to_live, now);
                true
            }
            _ => false,
        }
    }

    pub(super) fn remove(&self, lease: &Lease, now: Instant) {
        self.live(now)
            .retain(|name, entry| !(name == lease.name() && entry.belongs_to(lease.holder())));
    }

    pub(super) fn list(&self, prefix: &str, now: Instant) -> Vec<LiveLease> {
        self.live(now)
            .range(prefix.to_owned()..)
            .take_while(|(name, _)| name.starts_with(prefix))
            .map(|(_, entry)| entry.live(now))
            .collect()
    }

    fn live(&self, now: Instant) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        let mut entries = self.0.lock();
        entries.retain(|_, entry| entry.lapses_at > now);
        entries
    }
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
