//! Processes that share a store know of each other: here handles of one process, each of which is a
//! node of its own once it has made the middleware.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Maintenance, NodeStatus, Phase, Settings, Status,
    store::{FileStore, Lease, LeaseCondition, MemoryStore, Store},
};
use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{App, HttpResponse, cookie::Key, rt, test, web};
use futures_util::FutureExt as _;
use tokio::sync::Notify;

use crate::{
    eventually::{PATIENCE, eventually},
    test_app::{Answer, TestApp},
};

async fn handle(
    store: &MemoryStore,
    edit: impl FnOnce(&mut Settings) + Send + 'static,
) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .custom_store(store.clone())
        .configure(edit)
        .build()
        .await
        .unwrap()
}

/// An app whose `/slow` ends when the test says so.
async fn node(store: &MemoryStore, end: &Arc<Notify>) -> TestApp {
    node_with(store, end, |_| {}).await
}

async fn node_with(
    store: &MemoryStore,
    end: &Arc<Notify>,
    edit: impl FnOnce(&mut Settings) + Send + 'static,
) -> TestApp {
    let maintenance = handle(store, edit).await;
    let end = Arc::clone(end);
    let slow = move || {
        let end = Arc::clone(&end);
        async move {
            end.notified().await;
            "slow"
        }
    };
    let sessions = SessionMiddleware::builder(CookieSessionStore::default(), Key::from(&[7; 64]))
        .cookie_secure(false)
        .build();
    let app = App::new()
        .route("/slow", web::get().to(slow))
        .route("/log-in", web::post().to(log_in))
        .route("/log-out", web::get().to(log_out))
        .default_service(web::to(async || "served"))
        .wrap(maintenance.middleware())
        .wrap(sessions);
    TestApp::serving(maintenance, test::init_service(app).await)
}

async fn log_in(session: Session) -> &'static str {
    session.insert("user_id", "alice").unwrap();
    "welcome"
}

async fn log_out(session: Session) -> HttpResponse {
    session.purge();
    HttpResponse::Ok().finish()
}

async fn get(app: &TestApp, path: &str) -> Answer {
    app.get(path).await
}

/// Asks until the status is as it should be, and returns it.
async fn until_status(
    maintenance: &Maintenance,
    what: &str,
    is_so: impl Fn(&Status) -> bool,
) -> Status {
    let begin = Instant::now();
    loop {
        let status = maintenance.ask_status().await.unwrap();
        if is_so(&status) {
            return status;
        }
        assert!(begin.elapsed() < PATIENCE, "never {what}: {status:#?}");
        rt::time::sleep(Duration::from_millis(2)).await;
    }
}

fn all_up_to_date(status: &Status) -> bool {
    status.nodes.iter().all(|node| node.up_to_date)
}

#[actix_web::test]
async fn every_process_with_a_middleware_is_listed_and_one_without_is_not() {
    let store = MemoryStore::new();
    let end = Arc::default();
    let shell = handle(&store, |_| {}).await;
    assert!(shell.ask_status().await.unwrap().nodes.is_empty());
    let one = node(&store, &end).await;
    let other = node_with(&store, &end, |settings| {
        settings.node.id = Some("web-2".to_owned());
    })
    .await;
    let nodes = until_status(&shell, "up to date", all_up_to_date)
        .await
        .nodes;
    assert_eq!(nodes.len(), 2, "{nodes:#?}");
    let named = nodes.iter().find(|node| node.id.starts_with("web-2/"));
    let named = named.unwrap();
    assert_eq!(named.pid, std::process::id());
    assert_eq!(named.version, env!("CARGO_PKG_VERSION"));
    assert_eq!(named.phases["site"], Phase::Online);
    assert!(nodes.iter().all(|node| !node.own));
    let own = one.maintenance.ask_status().await.unwrap().nodes;
    assert_eq!(own.iter().filter(|node| node.own).count(), 1);

    // One that ends leaves at once, and does not wait for its lease to lapse.
    drop(other);
    until_status(&shell, "gone", |status| status.nodes.len() == 1).await;
}

#[actix_web::test]
async fn a_change_is_seen_applied_by_every_node() {
    let store = MemoryStore::new();
    let end = Arc::default();
    let (one, _other) = (node(&store, &end).await, node(&store, &end).await);
    let generation = one.maintenance.turn_on().await.unwrap().status.generation;
    let nodes = until_status(&one.maintenance, "up to date", all_up_to_date)
        .await
        .nodes;
    assert_eq!(nodes.len(), 2);
    for node in &nodes {
        assert_eq!(node.generation, generation, "{nodes:#?}");
        assert_eq!(node.phases["site"], Phase::Offline);
    }
}

#[actix_web::test]
async fn a_drain_waits_for_requests_on_every_node() {
    let store = MemoryStore::new();
    let end = Arc::<Notify>::default();
    let (one, other) = (node(&store, &end).await, node(&store, &end).await);
    let shell = handle(&store, |_| {}).await;
    let mut slow = Box::pin(get(&other, "/slow"));
    assert!((&mut slow).now_or_never().is_none());
    one.maintenance.turn_on().drain().await.unwrap();
    rt::time::sleep(Duration::from_millis(300)).await;
    for handle in [&one.maintenance, &other.maintenance, &shell] {
        assert_eq!(handle.phase(), Phase::Pending, "{:#?}", handle.status());
    }
    get(&one, "/").await.is_refused();
    end.notify_one();
    slow.await.is_served();
    for handle in [&one.maintenance, &other.maintenance, &shell] {
        eventually("it is offline", || handle.phase() == Phase::Offline).await;
    }
}

#[actix_web::test]
async fn a_drain_waits_for_tasks() {
    let store = MemoryStore::new();
    let one = node(&store, &Arc::default()).await;
    let task = Lease::new("task/import/me", "me", "").unwrap();
    let long = Duration::from_secs(600);
    store
        .put_lease(&task, long, LeaseCondition::Always)
        .await
        .unwrap();
    one.maintenance.turn_on().drain().await.unwrap();
    rt::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(one.maintenance.phase(), Phase::Pending);
    let tasks = one.maintenance.ask_status().await.unwrap().tasks;
    assert_eq!((&*tasks[0].name, &*tasks[0].by), ("import", "me"));
    store.drop_lease(&task).await.unwrap();
    let handle = &one.maintenance;
    eventually("it is offline", || handle.phase() == Phase::Offline).await;
}

#[actix_web::test]
async fn a_visitor_who_was_seen_on_two_nodes_is_one_and_leaves_once() {
    let store = MemoryStore::new();
    let end = Arc::default();
    let (one, other) = (node(&store, &end).await, node(&store, &end).await);
    let alice = one.log_in_user("alice").await;
    one.get("/").by(&alice).await.is_served();
    other.get("/").by(&alice).await.is_served();
    one.maintenance.turn_on().drain().await.unwrap();
    let is_told = |status: &Status| {
        let knows = |node: &NodeStatus| node.up_to_date && node.sessions == 1;
        status.nodes.iter().all(knows)
    };
    let inside = until_status(&one.maintenance, "told by both", is_told)
        .await
        .visitors;
    assert_eq!(inside.len(), 1, "{inside:?}");
    rt::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(one.maintenance.phase(), Phase::Pending);
    // She logs out on the other node only.
    other.get("/log-out").by(&alice).await.is_served();
    let handle = &one.maintenance;
    eventually("it is offline", || handle.phase() == Phase::Offline).await;
}

#[actix_web::test]
async fn a_handle_without_middleware_ends_a_drain_when_no_node_lives() {
    let store = MemoryStore::new();
    let shell = handle(&store, |_| {}).await;
    // A node that has died a moment ago.
    let dead = Lease::new("node/dead", "dead", "").unwrap();
    store
        .put_lease(&dead, Duration::from_secs(1), LeaseCondition::Always)
        .await
        .unwrap();
    shell.turn_on().drain().await.unwrap();
    rt::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(shell.phase(), Phase::Pending);
    eventually("it is offline", || shell.phase() == Phase::Offline).await;
    assert!(store.leases("node/").await.unwrap().is_empty());
}

#[actix_web::test]
async fn a_store_without_leases_does_not_keep_an_app_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    // A file where the folder of the leases would be.
    std::fs::write(folder.path().join("state.leases"), "").unwrap();
    let maintenance = Maintenance::builder()
        .settings(Settings::default())
        .custom_store(FileStore::new(path).unwrap())
        .build()
        .await
        .unwrap();
    let app = App::new()
        .default_service(web::to(async || "served"))
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    get(&app, "/").await.is_served();
    assert!(app.maintenance.ask_status().await.is_err());
    app.turn_on().await;
    get(&app, "/").await.is_refused();
}

#[actix_web::test]
async fn a_node_that_says_that_it_leaves_is_gone_when_that_returns() {
    let store = MemoryStore::new();
    let one = node(&store, &Arc::default()).await;
    assert_eq!(store.leases("node/").await.unwrap().len(), 1);
    one.maintenance.leave().await;
    assert!(store.leases("node/").await.unwrap().is_empty());
    // To say it again, or where there is no node, does nothing.
    one.maintenance.leave().await;
    handle(&store, |_| {}).await.leave().await;
}
