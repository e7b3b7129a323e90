use std::sync::{
    Mutex,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::time::{sleep, timeout};

use super::*;
use crate::{
    Maintenance,
    settings::Settings,
    store::{
        Hints, LeaseCondition, LiveLease, Loaded, MemoryStore, PutLease, Saved, Store, StoreFuture,
        Version,
    },
};

/// Far longer than anything takes here.
const LONG: Duration = Duration::from_secs(20);

/// A store whose leases fail or hang when the test says so.
#[derive(Debug, Clone, Default)]
struct Moody {
    store: MemoryStore,
    fails: Arc<AtomicBool>,
    hangs: Arc<AtomicBool>,
    renewals: Arc<AtomicUsize>,
    last: Arc<Mutex<Vec<u8>>>,
}

impl Moody {
    async fn mood(&self) -> Result<(), StoreError> {
        while self.hangs.load(Ordering::SeqCst) {
            sleep(Duration::from_millis(1)).await;
        }
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::new("the test says so"));
        }
        Ok(())
    }
}

impl Store for Moody {
    fn url(&self) -> String {
        "moody:".to_owned()
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        self.store.load()
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        self.store.save(document, expected)
    }

    fn watch(&self) -> Hints {
        self.store.watch()
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        Box::pin(async move {
            self.mood().await?;
            self.store.put_lease(lease, time_to_live, condition).await
        })
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            self.mood().await?;
            self.renewals.fetch_add(1, Ordering::SeqCst);
            *self.last.lock().unwrap() = lease.content().to_vec();
            self.store.renew_lease(lease, time_to_live).await
        })
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.mood().await?;
            self.store.drop_lease(lease).await
        })
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        self.store.leases(prefix)
    }
}

async fn handle(store: &Moody) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .custom_store(store.clone())
        .build()
        .await
        .unwrap()
}

async fn names(maintenance: &Maintenance) -> Vec<String> {
    let leases = maintenance.engine.leases.list("").await.unwrap();
    leases
        .iter()
        .map(|live| live.lease.name().to_owned())
        .collect()
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let begin = Instant::now();
    while !is_so().await {
        assert!(begin.elapsed() < LONG, "waited in vain until {what}");
        sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test]
async fn it_outlives_its_time_to_live_while_it_is_held_and_is_gone_when_released() {
    let store = Moody::default();
    let maintenance = handle(&store).await;
    let wanted = Wanted::alone("lock/site", "one", "").time_to_live(Duration::from_millis(600));
    let held = maintenance.engine.leases.acquire(wanted).await.unwrap();
    assert_eq!(held.name(), "lock/site");
    until("it was renewed beyond its time to live", async || {
        store.renewals.load(Ordering::SeqCst) >= 4
    })
    .await;
    assert_eq!(names(&maintenance).await, ["lock/site"]);
    held.release().await.unwrap();
    assert!(names(&maintenance).await.is_empty());
}

#[tokio::test]
async fn another_is_told_who_holds_it_or_waits_until_it_is_free() {
    let store = Moody::default();
    let (one, other) = (handle(&store).await, handle(&store).await);
    let held = one
        .engine
        .leases
        .acquire(Wanted::alone("lock/site", "one", "since noon"))
        .await
        .unwrap();
    let wanted = Wanted::alone("lock/site", "other", "");
    match other.engine.leases.acquire(wanted.clone()).await {
        Err(AcquireError::Taken(by)) => {
            assert_eq!(
                (by.lease.holder(), by.lease.content()),
                ("one", &b"since noon"[..])
            );
        }
        refused => panic!("{refused:?}"),
    }
    let short = wanted.clone().waiting(Duration::from_millis(150));
    let begin = Instant::now();
    let refused = other.engine.leases.acquire(short).await.unwrap_err();
    assert_eq!(refused.to_string(), "`lock/site` is held by one");
    assert!(begin.elapsed() >= Duration::from_millis(150));

    let waiting =
        tokio::spawn(async move { other.engine.leases.acquire(wanted.waiting(LONG)).await });
    sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished());
    drop(held);
    let theirs = waiting.await.unwrap().unwrap();
    assert!(theirs.is_held());
}

#[tokio::test]
async fn a_dropped_one_is_gone_even_if_its_handle_goes_with_it() {
    let store = Moody::default();
    let maintenance = handle(&store).await;
    let held = maintenance
        .engine
        .leases
        .acquire(Wanted::own("task/import/1", "one", ""))
        .await
        .unwrap();
    drop(maintenance);
    assert_eq!(store.leases("").await.unwrap().len(), 1);
    drop(held);
    until("the lease is gone", async || {
        store.leases("").await.unwrap().is_empty()
    })
    .await;
}

#[tokio::test]
async fn a_caller_who_is_cancelled_holds_nothing() {
    let store = Moody::default();
    let maintenance = handle(&store).await;
    store.hangs.store(true, Ordering::SeqCst);
    let asked = maintenance
        .engine
        .leases
        .acquire(Wanted::alone("lock/site", "one", ""));
    assert!(timeout(Duration::from_millis(50), asked).await.is_err());
    store.hangs.store(false, Ordering::SeqCst);
    sleep(Duration::from_millis(100)).await;
    assert!(names(&maintenance).await.is_empty());
}

#[tokio::test]
async fn what_is_told_is_stored_at_once_or_with_the_next_renewal() {
    let store = Moody::default();
    let maintenance = handle(&store).await;
    let held = maintenance
        .engine
        .leases
        .acquire(Wanted::own("node/one", "one", "first").time_to_live(LONG))
        .await
        .unwrap();
    held.tell("later");
    sleep(Duration::from_millis(50)).await;
    assert_eq!(store.renewals.load(Ordering::SeqCst), 0);
    held.tell_now("now");
    until("it is stored", async || {
        *store.last.lock().unwrap() == b"now"
    })
    .await;
    assert!(store.renewals.load(Ordering::SeqCst) <= 2);
    drop(held);
}

#[tokio::test]
async fn its_holder_gives_up_before_the_store_does_and_hears_of_it() {
    let store = Moody::default();
    let maintenance = handle(&store).await;
    let time_to_live = Duration::from_secs(2);
    let held = maintenance
        .engine
        .leases
        .acquire(Wanted::alone("lock/site", "one", "").time_to_live(time_to_live))
        .await
        .unwrap();
    // From here on nobody reaches the store. What it has already taken outlasts the holder.
    store.fails.store(true, Ordering::SeqCst);
    let begin = Instant::now();
    held.lost().await;
    assert!(!held.is_held());
    assert!(begin.elapsed() <= time_to_live, "{:?}", begin.elapsed());
    assert!(
        begin.elapsed() >= time_to_live / 3,
        "given up although the next renewal might have worked: {:?}",
        begin.elapsed()
    );
    // Another may have got it meanwhile, so it stays lost.
    store.fails.store(false, Ordering::SeqCst);
    sleep(Duration::from_millis(300)).await;
    assert!(!held.is_held());
}

#[tokio::test]
async fn one_that_was_stolen_is_lost_and_stays_with_the_thief() {
    let store = Moody::default();
    let maintenance = handle(&store).await;
    let held = maintenance
        .engine
        .leases
        .acquire(Wanted::alone("lock/site", "one", "").time_to_live(Duration::from_millis(900)))
        .await
        .unwrap();
    let stolen = Lease::new("lock/site", "thief", "").unwrap();
    store
        .put_lease(&stolen, LONG, LeaseCondition::Always)
        .await
        .unwrap();
    held.lost().await;
    held.release().await.unwrap();
    assert_eq!(store.leases("").await.unwrap()[0].lease, stolen);
}

#[tokio::test]
async fn ones_own_is_put_again_once_the_store_is_back() {
    let store = Moody::default();
    let maintenance = handle(&store).await;
    let held = maintenance
        .engine
        .leases
        .acquire(Wanted::own("node/one", "one", "").time_to_live(Duration::from_millis(400)))
        .await
        .unwrap();
    store.fails.store(true, Ordering::SeqCst);
    held.lost().await;
    until("the store has given up as well", async || {
        store.leases("").await.unwrap().is_empty()
    })
    .await;
    store.fails.store(false, Ordering::SeqCst);
    until("it is held again", async || held.is_held()).await;
    assert_eq!(names(&maintenance).await, ["node/one"]);
}

#[tokio::test]
async fn a_slow_lease_does_not_hold_up_a_change() {
    let store = Moody::default();
    let maintenance = handle(&store).await;
    store.hangs.store(true, Ordering::SeqCst);
    let keeper = maintenance.engine.leases.clone();
    let asked =
        tokio::spawn(async move { keeper.acquire(Wanted::alone("lock/site", "one", "")).await });
    let begin = Instant::now();
    maintenance.turn_on().await.unwrap();
    assert!(
        begin.elapsed() < Duration::from_secs(4),
        "{:?}",
        begin.elapsed()
    );
    assert!(!asked.is_finished());
    store.hangs.store(false, Ordering::SeqCst);
    assert!(asked.await.unwrap().is_ok());
}

#[test]
fn it_works_without_a_runtime() {
    let maintenance = pollster::block_on(Maintenance::builder().store("memory:").build()).unwrap();
    let held = pollster::block_on(maintenance.engine.leases.acquire(Wanted::alone(
        "lock/site",
        "one",
        "",
    )));
    assert!(held.unwrap().is_held());
    let left = pollster::block_on(maintenance.engine.leases.list("")).unwrap();
    assert!(left.is_empty());
}
