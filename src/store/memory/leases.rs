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
mod tests {
    use super::{LeaseCondition::*, *};

    const SECOND: Duration = Duration::from_secs(1);

    fn lease(name: &str, holder: &str) -> Lease {
        Lease::new(name, holder, format!("of {holder}")).unwrap()
    }

    fn names(leases: &Leases, prefix: &str, now: Instant) -> Vec<String> {
        let leases = leases.list(prefix, now);
        leases
            .into_iter()
            .map(|live| live.lease.name().to_owned())
            .collect()
    }

    #[test]
    fn a_lease_lives_until_its_time_is_over_and_is_then_forgotten() {
        let leases = Leases::default();
        let start = Instant::now();
        let mine = lease("lock", "me");
        assert_eq!(leases.put(&mine, SECOND, IfAbsent, start), PutLease::Held);
        let last = start + SECOND - Duration::from_nanos(1);
        let live = LiveLease {
            lease: mine.clone(),
            expires_in: Duration::from_nanos(1),
        };
        assert_eq!(leases.list("", last), [live]);
        assert_eq!(leases.list("", start + SECOND), []);
        assert!(leases.0.lock().is_empty());
        assert!(!leases.renew(&mine, SECOND, start + SECOND));
    }

    #[test]
    fn only_the_holder_renews_and_drops() {
        let leases = Leases::default();
        let start = Instant::now();
        let (mine, theirs) = (lease("lock", "me"), lease("lock", "they"));
        leases.put(&mine, SECOND, IfAbsent, start);
        assert!(!leases.renew(&theirs, SECOND, start));
        leases.remove(&theirs, start);
        assert_eq!(names(&leases, "", start), ["lock"]);

        let mine = mine.with_content("news").unwrap();
        assert!(leases.renew(&mine, SECOND, start + SECOND / 2));
        let list = leases.list("", start + SECOND);
        assert_eq!(list[0].lease, mine);
        assert_eq!(list[0].expires_in, SECOND / 2);
        leases.remove(&mine, start);
        assert_eq!(leases.list("", start), []);
    }

    #[test]
    fn if_absent_spares_the_lease_of_another_until_it_lapses() {
        let leases = Leases::default();
        let start = Instant::now();
        let (mine, theirs) = (lease("lock", "me"), lease("lock", "they"));
        leases.put(&mine, SECOND, IfAbsent, start);
        let taken = PutLease::Taken(LiveLease {
            lease: mine.clone(),
            expires_in: SECOND,
        });
        assert_eq!(leases.put(&theirs, SECOND, IfAbsent, start), taken);
        assert_eq!(leases.put(&mine, SECOND, IfAbsent, start), PutLease::Held);
        let later = start + SECOND;
        assert_eq!(leases.put(&theirs, SECOND, IfAbsent, later), PutLease::Held);
        assert_eq!(leases.put(&mine, SECOND, Always, later), PutLease::Held);
        assert!(!leases.renew(&theirs, SECOND, later));
    }

    #[test]
    fn a_list_is_sorted_and_holds_what_begins_so() {
        let leases = Leases::default();
        let now = Instant::now();
        for name in [
            "task/b",
            "tas",
            "task/a",
            "node/x",
            "task0",
            "task/\u{10ffff}",
        ] {
            leases.put(&lease(name, "me"), SECOND, Always, now);
        }
        let expected = ["task/a", "task/b", "task/\u{10ffff}"];
        assert_eq!(names(&leases, "task/", now), expected);
        assert_eq!(names(&leases, "", now).len(), 6);
        assert_eq!(names(&leases, "none", now), [] as [&str; 0]);
    }
}
