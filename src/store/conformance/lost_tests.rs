//! The suite finds what goes wrong in a store that forgets, is full or has a clock.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::*;
use crate::store::{Hints, LiveLease, Loaded, MemoryStore, StoreFuture};

/// What goes wrong in a store that forgets, is full or has a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lapse {
    Nothing,
    KeepsTheDocument,
    BeginsVersionsAnew,
    KeepsTheLeases,
    RenewsWhatIsLost,
    CutsWhatIsTooLarge,
    StandsStill,
    TellsNowAndThen,
}

/// A store that forgets when it is told to.
#[derive(Debug, Clone)]
struct Forgetful {
    document: Arc<Mutex<MemoryStore>>,
    leases: Arc<Mutex<MemoryStore>>,
    /// How often it has forgotten; a part of each version.
    life: Arc<Mutex<u8>>,
    /// Whether it was asked what time it is, an odd number of times.
    asked: Arc<Mutex<bool>>,
    lapse: Lapse,
}

impl Forgetful {
    fn document(&self) -> MemoryStore {
        self.document.lock().clone()
    }

    fn of_leases(&self) -> MemoryStore {
        self.leases.lock().clone()
    }

    fn forget(&self) {
        if self.lapse != Lapse::BeginsVersionsAnew {
            *self.life.lock() += 1;
        }
        if self.lapse != Lapse::KeepsTheDocument {
            *self.document.lock() = MemoryStore::new();
        }
        if self.lapse != Lapse::KeepsTheLeases {
            *self.leases.lock() = MemoryStore::new();
        }
    }
}

impl Forgetful {
    fn named(&self, version: &Version) -> Version {
        Version::new([&[*self.life.lock()], version.as_bytes()].concat())
    }

    fn loaded(&self, loaded: Option<Loaded>) -> Option<Loaded> {
        loaded.map(|loaded| Loaded {
            version: self.named(&loaded.version),
            ..loaded
        })
    }
}

impl Store for Forgetful {
    fn url(&self) -> String {
        "forgetful:".to_owned()
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(async { Ok(self.loaded(self.document().load().await?)) })
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            let length = match self.lapse {
                Lapse::CutsWhatIsTooLarge => document.len().min(LARGEST_DOCUMENT),
                _ => document.len(),
            };
            let life = *self.life.lock();
            let expected = expected.map(|it| match it.as_bytes() {
                [of, version @ ..] if *of == life => Version::new(version),
                _ => Version::new(*b"of a former life"),
            });
            let document = &document[..length];
            let saved = self.document().save(document, expected.as_ref()).await?;
            Ok(match saved {
                Saved::Stored(version) => Saved::Stored(self.named(&version)),
                Saved::Conflict(newer) => Saved::Conflict(self.loaded(newer)),
            })
        })
    }

    fn watch(&self) -> Hints {
        self.document().watch()
    }

    fn clock(&self) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(async {
            Ok(match self.lapse {
                Lapse::StandsStill => Some(Timestamp::UNIX_EPOCH),
                Lapse::TellsNowAndThen => {
                    let mut asked = self.asked.lock();
                    *asked = !*asked;
                    asked.then(Timestamp::now)
                }
                _ => Some(Timestamp::now() + SignedDuration::from_hours(5)),
            })
        })
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        Box::pin(async move {
            self.of_leases()
                .put_lease(lease, time_to_live, condition)
                .await
        })
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let renewed = self.of_leases().renew_lease(lease, time_to_live).await?;
            Ok(renewed || self.lapse == Lapse::RenewsWhatIsLost)
        })
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.of_leases().drop_lease(lease).await })
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        Box::pin(async move { self.of_leases().leases(prefix).await })
    }
}

#[tokio::test]
async fn what_goes_wrong_after_a_loss_is_found() {
    for (lapse, part) in [
        (Lapse::Nothing, ""),
        (Lapse::KeepsTheDocument, "has lost its document"),
        (Lapse::BeginsVersionsAnew, "has lost its document"),
        (Lapse::KeepsTheLeases, "has lost its leases"),
        (Lapse::RenewsWhatIsLost, "has lost its leases"),
        (Lapse::CutsWhatIsTooLarge, "too large"),
        (Lapse::StandsStill, "its clock goes on"),
        (Lapse::TellsNowAndThen, "its clock goes on"),
    ] {
        let mut count = 0;
        let stores = Arc::new(Mutex::new(BTreeMap::<String, Forgetful>::new()));
        let of = move |place: String| {
            let mut stores = stores.lock();
            let fresh = || Forgetful {
                document: Arc::default(),
                leases: Arc::default(),
                life: Arc::default(),
                asked: Arc::default(),
                lapse,
            };
            stores.entry(place).or_insert_with(fresh).clone()
        };
        let fresh = move || {
            count += 1;
            format!("place-{count}")
        };
        let open = of.clone();
        let suite = Suite::new(fresh, move |place| {
            let store = open(place);
            async move { Ok(store) }
        })
        .forget(move |place| {
            let store = of(place);
            async move { store.forget() }
        });
        let mut found = Vec::new();
        for (name, check) in checks(&suite) {
            if let Err(text) = check.await {
                println!("{lapse:?}: {name}: {text}");
                found.push(name);
            }
        }
        match lapse {
            Lapse::Nothing => assert!(found.is_empty(), "{found:?}"),
            _ => assert!(
                found.len() == 1 && found[0].contains(part),
                "{lapse:?}: {found:?}"
            ),
        }
    }
}
