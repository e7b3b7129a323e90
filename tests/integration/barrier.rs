//! Whoever waits for maintenance hears of it when every node is closed and empty, and who is missing
//! until then. Here with handles of one process; `fleet.rs` does it with processes.

use std::{
    future::IntoFuture as _,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Maintenance, OnTimeout, Phase, Settings, WaitError,
    store::{FileStore, Lease, LeaseCondition, MemoryStore, Store},
};
use actix_web::{App, rt, test, web};
use futures_util::FutureExt as _;
use tokio::sync::Notify;

use crate::test_app::TestApp;

async fn handle(
    store: impl Store,
    edit: impl FnOnce(&mut Settings) + Send + 'static,
) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .custom_store(store)
        .configure(edit)
        .build()
        .await
        .unwrap()
}

/// An app whose `/slow` ends when the test says so.
async fn node(store: impl Store, name: &'static str, end: &Arc<Notify>) -> TestApp {
    let maintenance = handle(store, move |settings| {
        settings.node.id = Some(name.to_owned())
    })
    .await;
    let end = Arc::clone(end);
    let slow = move || {
        let end = Arc::clone(&end);
        async move {
            end.notified().await;
            "slow"
        }
    };
    let app = App::new()
        .route("/slow", web::get().to(slow))
        .default_service(web::to(async || "served"))
        .wrap(maintenance.middleware());
    TestApp::serving(maintenance, test::init_service(app).await)
}

#[actix_web::test]
async fn it_is_over_when_every_node_is_closed_and_empty() {
    let store = MemoryStore::new();
    let end = Arc::<Notify>::default();
    let one = node(store.clone(), "one", &end).await;
    let other = node(store.clone(), "other", &end).await;
    let shell = handle(store, |_| {}).await;
    let mut slow = Box::pin(async { other.get("/slow").await });
    assert!((&mut slow).now_or_never().is_none());
    let told = Arc::new(Mutex::new(Vec::new()));
    let waiting = {
        let told = Arc::clone(&told);
        rt::spawn(async move {
            shell
                .turn_on()
                .by("deploy")
                .wait()
                .on_progress(move |missing| {
                    let texts = missing.iter().map(ToString::to_string);
                    told.lock().unwrap().push(texts.collect::<Vec<_>>());
                })
                .await
        })
    };
    rt::time::sleep(Duration::from_millis(300)).await;
    assert!(!waiting.is_finished());
    one.get("/").await.is_refused();
    other.get("/").await.is_refused();
    let latest = told.lock().unwrap().last().cloned().unwrap();
    assert_eq!(latest.len(), 1, "{latest:?}");
    assert!(latest[0].starts_with("node other/"), "{latest:?}");
    assert!(latest[0].ends_with(" serves 1 request"), "{latest:?}");
    end.notify_one();
    slow.await.is_served();
    let change = waiting.await.unwrap().unwrap();
    assert!(change.changed);
    assert_eq!(
        change.status.mode("site").unwrap().by.as_deref(),
        Some("deploy")
    );

    // It was so already, which is as safe.
    let change = one.maintenance.turn_on().wait().await.unwrap();
    assert!(!change.changed);
    one.maintenance.wait_until_empty().await.unwrap();
}

#[actix_web::test]
async fn whoever_is_missing_when_the_time_is_over_is_named() {
    let store = MemoryStore::new();
    let one = node(store.clone(), "one", &Arc::default()).await;
    let task = Lease::new("task/import/me", "me", "").unwrap();
    // A node that has stopped answering, and will be gone after a while.
    let silent = Lease::new("node/silent/9", "x", "").unwrap();
    for (lease, lives) in [(&task, 600), (&silent, 2)] {
        store
            .put_lease(lease, Duration::from_secs(lives), LeaseCondition::Always)
            .await
            .unwrap();
    }
    let begin = Instant::now();
    let error = one
        .maintenance
        .turn_on()
        .wait_at_most(Duration::from_millis(200))
        .await
        .unwrap_err();
    assert!(begin.elapsed() >= Duration::from_millis(200));
    assert_eq!(
        error.to_string(),
        "after 200ms it is not yet safe: node silent/9 reports what cannot be read: it runs another \
         version, or its lease is damaged; task import runs, by me"
    );
    // It stays switched on.
    one.get("/").await.is_refused();
    store.drop_lease(&task).await.unwrap();
    // The store forgets a node that has not said that it leaves: it may be there all the same.
    store.drop_lease(&silent).await.unwrap();
    let error = one
        .maintenance
        .wait_until_empty()
        .at_most(Duration::from_millis(50))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("node silent/9 has not been heard of for "),
        "{error}"
    );
    // Its lease would have lapsed.
    one.maintenance.wait_until_empty().await.unwrap();
    assert!(begin.elapsed() >= Duration::from_millis(1900));
}

#[actix_web::test]
async fn a_drain_is_waited_for_to_its_end() {
    let store = MemoryStore::new();
    let end = Arc::<Notify>::default();
    let one = node(store.clone(), "one", &end).await;
    let shell = handle(store, |_| {}).await;
    let mut slow = Box::pin(async { one.get("/slow").await });
    assert!((&mut slow).now_or_never().is_none());
    let mut waiting = Box::pin(shell.turn_on().drain().wait().into_future());
    for _ in 0..30 {
        assert!((&mut waiting).now_or_never().is_none());
        rt::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(shell.phase(), Phase::Pending);
    end.notify_one();
    slow.await.is_served();
    waiting.await.unwrap();
    assert_eq!(shell.phase(), Phase::Offline);
}

#[actix_web::test]
async fn a_mode_that_is_opened_again_ends_the_wait() {
    let store = MemoryStore::new();
    let end = Arc::<Notify>::default();
    let one = node(store.clone(), "one", &end).await;
    let shell = handle(store, |_| {}).await;
    let error = shell.wait_until_empty().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the mode `site` is online again; nothing was reached"
    );
    let mut slow = Box::pin(async { one.get("/slow").await });
    assert!((&mut slow).now_or_never().is_none());
    let waiting = rt::spawn(shell.turn_on().wait().into_future());
    rt::time::sleep(Duration::from_millis(100)).await;
    one.turn_off().await;
    let error = waiting.await.unwrap().unwrap_err();
    assert!(matches!(error, WaitError::Reopened { .. }), "{error}");

    // A drain that is called off in the end is no success either.
    let error = one
        .maintenance
        .turn_on()
        .drain_timeout(Duration::from_millis(200))
        .on_timeout(OnTimeout::Cancel)
        .wait()
        .await
        .unwrap_err();
    assert!(matches!(error, WaitError::Reopened { .. }), "{error}");
    end.notify_one();
    slow.await.is_served();
}

#[actix_web::test]
async fn a_state_that_was_written_by_hand_is_waited_for_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let one = node(FileStore::new(&path).unwrap(), "one", &Arc::default()).await;
    std::fs::write(&path, "on\n").unwrap();
    let shell = handle(FileStore::new(&path).unwrap(), |_| {}).await;
    let change = shell.turn_on().wait().await.unwrap();
    assert!(!change.changed);
    one.get("/").await.is_refused();
    let stored = std::fs::read_to_string(&path).unwrap();
    assert!(stored.contains("\"generation\": 1"), "{stored}");
}

#[actix_web::test]
async fn a_node_that_joins_while_the_site_is_closed_starts_closed() {
    let store = MemoryStore::new();
    let shell = handle(store.clone(), |_| {}).await;
    for round in 0..50 {
        // It has read the state before the switch, and makes its middleware after it.
        let late = handle(store.clone(), |_| {}).await;
        shell.turn_on().wait().no_nodes().await.unwrap();
        let app = App::new()
            .default_service(web::to(async || "served"))
            .wrap(late.middleware());
        let app = TestApp::serving(late, test::init_service(app).await);
        assert_eq!(app.get("/").await.status, 503, "in round {round}");
        shell.turn_off().await.unwrap();
    }
}

#[core::prelude::v1::test]
fn it_works_without_a_runtime() {
    let maintenance = pollster_like(async {
        Maintenance::builder()
            .settings(memory())
            .build()
            .await
            .unwrap()
    });
    let change = pollster_like(maintenance.turn_on().wait().no_nodes().into_future());
    assert!(change.unwrap().changed);
}

fn memory() -> Settings {
    let mut settings = Settings::default();
    settings.store = "memory:".to_owned();
    settings
}

fn pollster_like<F: Future>(future: F) -> F::Output {
    futures_util::pin_mut!(future);
    let mut context = std::task::Context::from_waker(futures_util::task::noop_waker_ref());
    loop {
        if let std::task::Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return value;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
