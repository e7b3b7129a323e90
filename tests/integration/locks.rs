//! The lock on a mode: of all exclusive guards only one is entered at a time, in whatever process.

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    ChangeError, Guarding, LockHolder, Maintenance, Phase, Settings,
    settings::ModeSettings,
    store::{MemoryStore, Store as _},
};
use actix_web::rt::{self, time::sleep};
use serde_json::json;

use crate::{
    child::{Child, Role, report},
    eventually::eventually,
    processes::maintenance_of,
};

const FILE: &str = "TEST_STATE_FILE";
const SECOND: Duration = Duration::from_secs(1);

async fn on_store(store: &MemoryStore) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .configure(|settings| {
            settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
        })
        .custom_store(store.clone())
        .build()
        .await
        .unwrap()
}

/// Two handles, as two processes have them.
async fn two() -> (Maintenance, Maintenance) {
    let store = MemoryStore::new();
    (on_store(&store).await, on_store(&store).await)
}

async fn holder(maintenance: &Maintenance, mode: &str) -> Option<LockHolder> {
    let status = maintenance.ask_status().await.unwrap();
    status.mode(mode).unwrap().locked_by.clone()
}

async fn who_holds(guarding: Guarding) -> String {
    match guarding.enter().await {
        Err(ChangeError::Locked { mode, holder }) => format!("{mode}: {}", holder.by),
        other => panic!("{other:?}"),
    }
}

#[actix_web::test]
async fn a_second_exclusive_guard_fails_at_once_and_learns_who_holds_the_lock() {
    let (one, other) = two().await;
    let guard = one.while_on().by("ada").exclusive().enter().await.unwrap();
    assert!(guard.holds_lock());
    for maintenance in [&one, &other] {
        let begun = Instant::now();
        let who = who_holds(maintenance.while_on().exclusive()).await;
        assert!(who.starts_with("site: ada on "), "{who}");
        assert!(begun.elapsed() < 5 * SECOND);
    }
    guard.release().await.unwrap();
    let guard = other.while_on().exclusive().enter().await.unwrap();
    assert!(other.is_on());
    drop(guard);
    assert!(!other.is_on());
}

#[actix_web::test]
async fn a_refused_guard_changes_nothing() {
    let (one, other) = two().await;
    let guard = one.while_on().by("ada").exclusive().enter().await.unwrap();
    let generation = one.status().generation;
    let refused = other.while_off().exclusive().enter().await;
    assert!(matches!(refused, Err(ChangeError::Locked { .. })));
    eventually("the other knows the state", || {
        other.status().generation == generation
    })
    .await;
    assert_eq!(one.status().generation, generation);
    assert!(one.is_on());
    guard.release().await.unwrap();
}

#[actix_web::test]
async fn others_see_who_holds_the_lock_in_the_status() {
    let (one, other) = two().await;
    assert_eq!(holder(&other, "shop").await, None);
    let shop = one.while_on().mode("shop").by("ada");
    let guard = shop.exclusive().enter().await.unwrap();
    // Its own process knows it without asking.
    let own = one
        .status()
        .mode("shop")
        .unwrap()
        .locked_by
        .clone()
        .unwrap();
    let seen = holder(&other, "shop").await.unwrap();
    assert_eq!(own, seen);
    assert!(seen.by.starts_with("ada on "), "{seen:?}");
    assert!(seen.since.is_some());
    assert_eq!(holder(&other, "site").await, None);
    let status = serde_json::to_value(other.status()).unwrap();
    assert_eq!(status["modes"][1]["locked_by"]["by"], seen.by);
    guard.release().await.unwrap();
    assert_eq!(holder(&other, "shop").await, None);
    assert_eq!(one.status().mode("shop").unwrap().locked_by, None);
}

#[actix_web::test]
async fn the_lock_is_a_lease_by_the_name_of_the_mode() {
    let store = MemoryStore::new();
    let maintenance = on_store(&store).await;
    let shop = maintenance.while_on().mode("shop").exclusive();
    let guard = shop.enter().await.unwrap();
    let leases = store.leases("lock/").await.unwrap();
    assert_eq!(leases.len(), 1);
    assert_eq!(leases[0].lease.name(), "lock/shop");
    guard.release().await.unwrap();
    assert!(store.leases("lock/").await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_guard_waits_for_the_lock_as_long_as_it_is_told() {
    let (one, other) = two().await;
    let guard = one.while_on().by("ada").exclusive().enter().await.unwrap();
    let begun = Instant::now();
    let patience = Duration::from_millis(300);
    let who = who_holds(other.while_on().waiting(patience)).await;
    assert!(who.contains("ada"), "{who}");
    assert!(begun.elapsed() >= patience);
    let waiting = rt::spawn(async move {
        let guard = other.while_on().waiting(30 * SECOND).enter().await;
        guard.unwrap().release().await.unwrap();
    });
    sleep(Duration::from_millis(100)).await;
    assert!(!waiting.is_finished());
    guard.release().await.unwrap();
    waiting.await.unwrap();
}

#[actix_web::test]
async fn locks_are_by_mode_and_bind_exclusive_guards_only() {
    let (one, other) = two().await;
    let site = one.while_on().exclusive().enter().await.unwrap();
    let shop = other.while_on().mode("shop").exclusive();
    shop.enter().await.unwrap().release().await.unwrap();
    other
        .while_on()
        .enter()
        .await
        .unwrap()
        .release()
        .await
        .unwrap();
    other.turn_off().await.unwrap();
    assert!(!other.is_on());
    assert!(site.holds_lock());
    site.release().await.unwrap();
}

#[actix_web::test]
async fn of_many_that_want_the_lock_one_at_a_time_has_it() {
    let store = MemoryStore::new();
    let (inside, most, done) = (
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicU32::new(0)),
        Arc::new(AtomicU32::new(0)),
    );
    let mut all = Vec::new();
    for _ in 0..4 {
        let maintenance = on_store(&store).await;
        let (inside, most, done) = (inside.clone(), most.clone(), done.clone());
        all.push(rt::spawn(async move {
            let job = async {
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                assert!(maintenance.is_on());
                sleep(Duration::from_millis(20)).await;
                inside.fetch_sub(1, Ordering::SeqCst);
                done.fetch_add(1, Ordering::SeqCst);
            };
            let guarding = maintenance.while_on().waiting(30 * SECOND);
            guarding.run(job).await.unwrap();
        }));
    }
    for one in all {
        one.await.unwrap();
    }
    assert_eq!(done.load(Ordering::SeqCst), 4);
    assert_eq!(most.load(Ordering::SeqCst), 1);
    assert!(!on_store(&store).await.is_on());
}

#[actix_web::test]
async fn a_lock_whose_guard_is_dropped_or_panics_is_free_at_once() {
    let (one, other) = two().await;
    drop(one.while_on().exclusive().enter().await.unwrap());
    let handle = one.clone();
    let panicked = rt::spawn(async move {
        let job = async { panic!("the job fails") };
        handle.while_on().exclusive().run::<()>(job).await
    });
    assert!(panicked.await.is_err());
    let guard = other.while_on().exclusive().enter().await.unwrap();
    guard.release().await.unwrap();
    assert!(!other.is_on());
}

#[actix_web::test]
async fn a_guard_that_a_hook_refuses_gives_the_lock_back() {
    let store = MemoryStore::new();
    let refusing = Maintenance::builder()
        .settings(Settings::default())
        .custom_store(store.clone())
        .before_change(async |_| Err::<(), _>("no"))
        .build()
        .await
        .unwrap();
    let refused = refusing.while_on().exclusive().enter().await;
    assert!(matches!(refused, Err(ChangeError::Refused { .. })));
    assert!(store.leases("lock/").await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_job_whose_lock_is_lost_is_stopped() {
    let store = MemoryStore::new();
    let maintenance = on_store(&store).await;
    let handle = maintenance.clone();
    let job = rt::spawn(async move {
        let guarding = handle.while_on().lapses_after(SECOND);
        guarding.run(std::future::pending::<()>()).await
    });
    eventually("the job runs", || maintenance.is_on()).await;
    // As a store does that has forgotten it, or that somebody has tidied up.
    let leases = store.leases("lock/").await.unwrap();
    store.drop_lease(&leases[0].lease).await.unwrap();
    let thief = on_store(&store).await;
    let stolen = thief.while_on().exclusive().enter().await.unwrap();
    let stopped = job.await.unwrap();
    assert!(
        matches!(&stopped, Err(ChangeError::LockLost(mode)) if mode == "site"),
        "{stopped:?}"
    );
    assert!(stolen.holds_lock());
    // What the thief has switched stays.
    assert_eq!(thief.phase_of("site"), Some(Phase::Offline));
    stolen.release().await.unwrap();
}

#[actix_web::test]
async fn code_that_is_not_async_holds_the_lock_too() {
    let (one, other) = two().await;
    let guard = thread::spawn(move || one.while_on().exclusive().enter_blocking().unwrap());
    let guard = guard.join().unwrap();
    who_holds(other.while_on().exclusive()).await;
    thread::spawn(move || guard.release_blocking().unwrap())
        .join()
        .unwrap();
    let guard = other.while_on().exclusive().enter().await.unwrap();
    guard.release().await.unwrap();
}

pub(crate) async fn child_holds_the_lock() {
    let maintenance = maintenance_of(&PathBuf::from(std::env::var(FILE).unwrap())).await;
    let guarding = maintenance.while_on().by("the child").lapses_after(SECOND);
    let _guard = guarding.enter().await.unwrap();
    report(&json!("locked"));
    sleep(300 * SECOND).await;
}

#[actix_web::test]
async fn the_lock_of_a_process_that_dies_is_free_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let mut child: Child = Role::new("lock").env(FILE, &file).start();
    assert_eq!(child.next(), Some(json!("locked")));
    let maintenance = maintenance_of(&file).await;
    let who = who_holds(maintenance.while_on().exclusive()).await;
    assert!(who.contains("the child"), "{who}");
    child.kill();
    let guarding = maintenance.while_on().waiting(30 * SECOND);
    let guard = guarding.enter().await.unwrap();
    assert!(guard.holds_lock());
    guard.release().await.unwrap();
}
