//! The suite finds what it is for: each of these stores does one thing wrong.

use std::time::Duration;

use Fault::*;
use futures_util::{StreamExt as _, stream};

use super::*;
use crate::store::{
    Hint, Hints, Lease, LeaseCondition, LiveLease, MemoryStore, PutLease, StoreFuture,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Fails the tests of several tasks and of stale versions.
    OverwritesNewer,
    ConflictTellsNothing,
    ErrorAtUnknownVersions,
    LoadWrites,
    TextOnly,
    Truncates,
    WritesInTwoSteps,
    EmptyIsNothing,
    UrlChanges,
    NoHints,
    WatchEnds,
    NeverQuiet,
    LeasesForEver,
    LeasesForHalfTheTime,
    LeasesEndALittleEarly,
    AnybodyRenews,
    AnybodyDrops,
    RenewalsKeepTheContent,
    IfAbsentMeansAlways,
    AlwaysMeansIfAbsent,
    StarIsAPattern,
    ListsBackwards,
    ListsTheDocument,
    OpensAnother,
}

/// Less than from one look at a lease to the next where they have pauses.
const A_LITTLE: Duration = Duration::from_millis(4);

#[derive(Debug, Clone)]
struct Faulty {
    store: MemoryStore,
    fault: Fault,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

impl Store for Faulty {
    fn url(&self) -> String {
        match self.fault {
            UrlChanges => format!("faulty:{}", fastrand::u64(..)),
            _ => "faulty:".to_owned(),
        }
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(async {
            if self.has(LoadWrites) && self.store.load().await?.is_none() {
                self.store.save(b"off", None).await?;
                return Ok(None);
            }
            let loaded = self.store.load().await?;
            Ok(loaded.filter(|it| !self.has(EmptyIsNothing) || !it.document.is_empty()))
        })
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            if self.has(OverwritesNewer) {
                // Gives others the time to be faster.
                tokio::task::yield_now().await;
            }
            let present = self.store.load().await?.map(|it| it.version);
            let expected = match self.fault {
                OverwritesNewer => present.as_ref(),
                _ => expected,
            };
            if self.has(ErrorAtUnknownVersions)
                && expected.is_some_and(|it| it.as_bytes().starts_with(b"no"))
            {
                return Err(StoreError::new("no version of mine"));
            }
            let half = &document[..document.len() / 2];
            let text = String::from_utf8_lossy(document);
            let saved = match self.fault {
                TextOnly => self.store.save(text.as_bytes(), expected).await?,
                Truncates => {
                    let document = &document[..document.len().min(64 * 1024)];
                    self.store.save(document, expected).await?
                }
                WritesInTwoSteps => match self.store.save(half, expected).await? {
                    Saved::Stored(version) => {
                        tokio::time::sleep(Duration::from_millis(2)).await;
                        self.store.save(document, Some(&version)).await?
                    }
                    conflict => conflict,
                },
                _ => self.store.save(document, expected).await?,
            };
            Ok(match saved {
                Saved::Conflict(_) if self.has(ConflictTellsNothing) => Saved::Conflict(None),
                saved => saved,
            })
        })
    }

    fn watch(&self) -> Hints {
        match self.fault {
            NoHints => stream::pending().boxed(),
            WatchEnds => self.store.watch().take(2).boxed(),
            NeverQuiet => stream::repeat(Hint).boxed(),
            _ => self.store.watch(),
        }
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        let time_to_live = match self.fault {
            LeasesForEver => Duration::MAX,
            LeasesForHalfTheTime => time_to_live / 2,
            LeasesEndALittleEarly => time_to_live.saturating_sub(A_LITTLE),
            _ => time_to_live,
        };
        let condition = match self.fault {
            IfAbsentMeansAlways => LeaseCondition::Always,
            AlwaysMeansIfAbsent => LeaseCondition::IfAbsent,
            _ => condition,
        };
        self.store.put_lease(lease, time_to_live, condition)
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let listed = self.store.leases(lease.name()).await?;
            match (self.fault, listed.first()) {
                (AnybodyRenews, Some(live)) => {
                    self.store.renew_lease(&live.lease, time_to_live).await
                }
                (RenewalsKeepTheContent, Some(live)) => {
                    let lease = lease.clone().with_content(live.lease.content())?;
                    self.store.renew_lease(&lease, time_to_live).await
                }
                _ => self.store.renew_lease(lease, time_to_live).await,
            }
        })
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            if self.has(AnybodyDrops) {
                for live in self.store.leases(lease.name()).await? {
                    self.store.drop_lease(&live.lease).await?;
                }
            }
            self.store.drop_lease(lease).await
        })
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        Box::pin(async move {
            let prefix = match self.fault {
                StarIsAPattern => prefix.trim_end_matches('*'),
                _ => prefix,
            };
            let mut leases = self.store.leases(prefix).await?;
            if self.has(ListsBackwards) {
                leases.reverse();
            }
            if self.has(ListsTheDocument) && self.store.load().await?.is_some() {
                leases.push(LiveLease {
                    lease: Lease::new("maintenance.state", "nobody", "")?,
                    expires_in: Duration::MAX,
                });
            }
            Ok(leases)
        })
    }
}

fn suite_of(fault: Fault) -> Suite {
    let mut count = 0;
    let stores = Mutex::new(std::collections::BTreeMap::<String, MemoryStore>::new());
    let fresh = move || {
        count += 1;
        format!("place-{count}")
    };
    let open = move |place: String| {
        let store = match fault {
            OpensAnother => MemoryStore::new(),
            _ => stores.lock().entry(place).or_default().clone(),
        };
        async move { Ok(Faulty { store, fault }) }
    };
    Suite::new(fresh, open).patience(Duration::from_millis(300))
}

#[tokio::test]
async fn each_fault_is_found_by_the_test_for_it() {
    let faults = [
        (OverwritesNewer, "only who has seen"),
        (OverwritesNewer, "of many tasks that count"),
        (ConflictTellsNothing, "only who has seen"),
        (ErrorAtUnknownVersions, "never given"),
        (LoadWrites, "holds nothing"),
        (TextOnly, "byte for byte"),
        (EmptyIsNothing, "byte for byte"),
        (Truncates, "large documents"),
        (WritesInTwoSteps, "a save that is broken off"),
        (UrlChanges, "has a URL"),
        (NoHints, "every watcher is told"),
        (WatchEnds, "every watcher is told"),
        (NeverQuiet, "is quiet"),
        (LeasesForEver, "lapses then"),
        (LeasesForHalfTheTime, "lapses then"),
        (AnybodyRenews, "only the holder"),
        (AnybodyDrops, "only the holder"),
        (RenewalsKeepTheContent, "only the holder"),
        (IfAbsentMeansAlways, "another holds"),
        (IfAbsentMeansAlways, "the same lease one gets it"),
        (AlwaysMeansIfAbsent, "another holds"),
        (StarIsAPattern, "whatever the characters"),
        (ListsBackwards, "whatever the characters"),
        (ListsTheDocument, "leave each other alone"),
        (OpensAnother, "byte for byte"),
        (OpensAnother, "the same lease one gets it"),
    ];
    for (fault, part) in faults {
        let suite = suite_of(fault);
        let mut checks = suite.checks();
        checks.retain(|(name, _)| name.contains(part));
        let (name, check) = checks.pop().unwrap_or_else(|| panic!("no test {part}"));
        assert!(checks.is_empty(), "{part} names several tests");
        let found = check.await;
        let text = found.expect_err(&format!("{name} does not find {fault:?}"));
        println!("{fault:?}: {name}: {text}");
    }
}

/// Whoever runs the suite is not asked while the lease is gone too early if the machine does
/// something else then. So it is enough that one of several runs finds it.
#[tokio::test]
async fn a_lease_that_ends_a_little_early_is_found() {
    for _ in 0..50 {
        let suite = suite_of(LeasesEndALittleEarly).lease_time(Duration::from_millis(50));
        let mut checks = suite.checks();
        checks.retain(|(name, _)| name.contains("lapses then"));
        let (_, check) = checks.pop().unwrap();
        if let Err(found) = check.await {
            assert!(found.contains("before its time"), "{found}");
            return;
        }
    }
    panic!("no run finds it");
}

#[test]
fn violations_are_told_one_by_one() {
    let findings = [
        ("this test", Err("found this".to_owned())),
        ("a good one", Ok(())),
        ("that test", Err("found that".to_owned())),
    ];
    let violations = violations(findings).unwrap_err();
    let text = "this is no store as it must be:\n- this test: found this\n- that test: found that";
    assert_eq!(violations.to_string(), text);
    assert_eq!(format!("{violations:?}"), text);
    assert_eq!(violations.each().count(), 2);
    assert_eq!(super::violations([("a good one", Ok(()))]), Ok(()));
}
