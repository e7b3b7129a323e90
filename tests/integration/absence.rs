//! A node that says nothing is not one that is not there: file store, one machine.

use std::{
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Maintenance, Settings, WaitError,
    store::{
        FileStore, Lease, LeaseCondition, LiveLease, MemoryStore, PutLease, Store, StoreError,
        StoreFuture,
    },
};
use actix_web::{App, HttpRequest, HttpResponse, rt, test, web};
use regex::Regex;
use serde_json::Value;
use tokio::sync::Notify;

use crate::{
    child::Role,
    eventually::{PATIENCE, eventually},
    handed_on::document_of,
    log::Log,
    logs::Logs,
    test_app::{TestApp, routes, sessions},
};

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

fn named(settings: &mut Settings) {
    settings.node.id = Some("web-1".to_owned());
    short(settings);
}

fn short(settings: &mut Settings) {
    settings.node.time_to_live = Duration::from_secs(2);
}

async fn node(store: impl Store) -> TestApp {
    serving(handle(store, named).await).await
}

async fn serving(maintenance: Maintenance) -> TestApp {
    let app = App::new()
        .service(maintenance.admin())
        .default_service(web::to(async || "served"))
        .wrap(maintenance.middleware());
    TestApp::serving(maintenance, test::init_service(app).await)
}

fn file(folder: &Path) -> FileStore {
    FileStore::new(folder.join("state")).unwrap()
}

/// Who is missing after a moment; nobody if it is safe.
async fn missing(maintenance: &Maintenance) -> String {
    let wait = maintenance
        .wait_until_empty()
        .at_most(Duration::from_millis(20));
    missing_of(wait.await)
}

fn missing_of<T>(waited: Result<T, WaitError>) -> String {
    match waited {
        Ok(_) => String::new(),
        Err(WaitError::TimedOut { missing, .. }) => {
            let texts: Vec<String> = missing.iter().map(ToString::to_string).collect();
            texts.join("; ")
        }
        Err(error) => panic!("{error}"),
    }
}

fn lease_of(folder: &Path, prefix: &str) -> std::path::PathBuf {
    let leases = fs::read_dir(folder.join("state.leases")).unwrap();
    let mut paths = leases.map(|entry| entry.unwrap().path());
    paths
        .find(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with(prefix)
        })
        .unwrap()
}

#[actix_web::test]
async fn a_node_whose_lease_is_removed_or_damaged_is_missing_until_it_is_back() {
    let folder = tempfile::tempdir().unwrap();
    let app = node(file(folder.path())).await;
    let observer = handle(file(folder.path()), short).await;
    observer.turn_on().wait().await.unwrap();

    fs::write(lease_of(folder.path(), "node%2f"), "").unwrap();
    let told = missing(&observer).await;
    assert!(told.starts_with("node web-1/"), "{told:?}");
    assert!(told.contains("reports what cannot be read"), "{told}");
    // It writes it again.
    observer.wait_until_empty().await.unwrap();

    fs::remove_dir_all(folder.path().join("state.leases")).unwrap();
    let told = missing(&observer).await;
    assert!(told.starts_with("node web-1/"), "{told:?}");
    assert!(told.contains(" has not been heard of for "), "{told}");
    observer.wait_until_empty().await.unwrap();
    drop(app);
}

#[actix_web::test]
async fn whoever_comes_after_the_leases_were_removed_waits_until_all_have_reported_again() {
    let folder = tempfile::tempdir().unwrap();
    let app = node(file(folder.path())).await;
    // Nothing was lost at the beginning, and nobody waits for that.
    let before = handle(file(folder.path()), short).await;
    assert_eq!(
        missing_of(
            before
                .turn_on()
                .wait_at_most(Duration::from_millis(1900))
                .await
        ),
        ""
    );
    fs::remove_dir_all(folder.path().join("state.leases")).unwrap();
    // It has never heard of the node.
    let observer = handle(file(folder.path()), short).await;
    let removed = std::time::Instant::now();
    let told = missing(&observer).await;
    assert!(!told.is_empty());
    observer.wait_until_empty().await.unwrap();
    // By then whoever lives has reported again.
    assert!(removed.elapsed() >= Duration::from_secs(2));
    let status = observer.ask_status().await.unwrap();
    assert_eq!(status.nodes.len(), 1, "{status:?}");
    drop(app);
}

#[actix_web::test]
async fn a_node_that_cannot_write_any_more_is_missing_as_long_as_its_process_lives() {
    let folder = tempfile::tempdir().unwrap();
    let app = node(file(folder.path())).await;
    let observer = handle(file(folder.path()), |_| {}).await;
    observer.turn_on().wait().await.unwrap();
    // A file where the folder of the leases was: nothing can be written there, as on a full disk.
    let leases = folder.path().join("state.leases");
    fs::rename(&leases, folder.path().join("kept")).unwrap();
    fs::write(&leases, "").unwrap();
    eventually("it says so itself", || {
        let error = app.maintenance.status().store.error;
        error.is_some_and(|error| error.contains("this node cannot report to the others"))
    })
    .await;
    let ready = app.get("/maintenance-mode/readyz?mode=site&report=required");
    let ready = ready.await;
    assert_eq!(ready.status, 503);
    assert!(ready.text().contains("cannot report"), "{ready:?}");

    // Others see what it has left, which lapses.
    fs::remove_file(&leases).unwrap();
    fs::rename(folder.path().join("kept"), &leases).unwrap();
    let told = missing(&observer).await;
    assert!(told.is_empty() || told.contains("web-1/"), "{told}");
    eventually("it is back", || {
        app.maintenance.status().store.error.is_none()
    })
    .await;
    observer.wait_until_empty().await.unwrap();
    // One that leaves is gone at once, and nobody waits for it.
    app.maintenance.leave().await;
    let status = observer.wait_until_empty().no_nodes().await.unwrap();
    assert!(status.nodes.is_empty() && status.unheard.is_empty());
}

#[actix_web::test]
async fn whoever_comes_later_hears_of_a_node_that_may_be_dead() {
    let store = MemoryStore::new();
    let elsewhere = r#"{"lives": 2000, "closes": false, "left": false}"#;
    let trace = Lease::new("trace/web-3", "web-3", elsewhere).unwrap();
    // As it was put twelve seconds ago.
    let left = Duration::from_secs(24 * 60 * 60 - 12);
    store
        .put_lease(&trace, left, LeaseCondition::Always)
        .await
        .unwrap();
    let observer = handle(store.clone(), |_| {}).await;
    let change = observer.turn_on().wait().no_nodes().await.unwrap();
    let unheard = &change.status.unheard;
    assert_eq!(unheard.len(), 1, "{unheard:?}");
    assert_eq!(unheard[0].id, "web-3");
    assert!((12..20).contains(&unheard[0].age) && !unheard[0].waited_for);

    // One that closes when it is cut off is no cause for doubt.
    let closes = elsewhere.replace("\"closes\": false", "\"closes\": true");
    let trace = trace.with_content(closes).unwrap();
    store
        .put_lease(&trace, left, LeaseCondition::Always)
        .await
        .unwrap();
    let observer = handle(store, |_| {}).await;
    let status = observer.ask_status().await.unwrap();
    assert!(status.unheard.is_empty(), "{status:?}");
}

#[actix_web::test]
async fn a_request_counts_once_also_where_the_middleware_is_wrapped_twice() {
    let maintenance = handle(MemoryStore::new(), |_| {}).await;
    let inner = maintenance.clone();
    let count = move |_: HttpRequest| {
        let status = inner.status();
        async move { HttpResponse::Ok().json(status.in_flight) }
    };
    let scope = web::scope("/twice")
        .wrap(maintenance.middleware())
        .route("", web::get().to(count.clone()));
    let app = App::new()
        .service(scope)
        .route("/once", web::get().to(count))
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance.clone(), test::init_service(app).await);
    for path in ["/once", "/twice"] {
        assert_eq!(app.get(path).await.json(), Value::from(1), "{path}");
        assert_eq!(maintenance.status().in_flight, Some(0), "{path}");
    }
    maintenance.turn_on().await.unwrap();
    app.get("/twice").await.is_refused();
    assert_eq!(maintenance.status().in_flight, Some(0));
}

#[actix_web::test]
async fn the_dashboard_counts_who_is_inside_and_not_its_own_request() {
    let maintenance = handle(MemoryStore::new(), |_| {}).await;
    let gate = Arc::new(Notify::new());
    let held = {
        let gate = gate.clone();
        move || {
            let gate = gate.clone();
            async move {
                gate.notified().await;
                "was inside"
            }
        }
    };
    let app = App::new()
        .service(maintenance.admin())
        .configure(routes)
        .route("/held", web::get().to(held))
        .wrap(maintenance.middleware())
        .wrap(sessions());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    let superuser = app.log_in_superuser("root").await;
    let counted = async || {
        let answer = app.get("/maintenance-mode/").by(&superuser).await;
        let page = answer.text();
        let told = Regex::new("<dt>Requests in flight</dt><dd>([^<]*)</dd>").unwrap();
        // Once at the top, once beside who is inside.
        let told: Vec<String> = told
            .captures_iter(page)
            .map(|found| found[1].to_owned())
            .collect();
        assert!(!told.is_empty(), "{page}");
        told
    };
    assert!(counted().await.iter().all(|told| told == "0"));
    let inside = app.get("/held").into_future();
    let meanwhile = async {
        eventually("it is inside", || {
            app.maintenance.status().in_flight == Some(1)
        })
        .await;
        assert!(counted().await.iter().all(|told| told == "1"));
        gate.notify_one();
    };
    let (answer, ()) = tokio::join!(inside, meanwhile);
    assert_eq!(answer.text(), "was inside");
    assert!(counted().await.iter().all(|told| told == "0"));
}

#[actix_web::test]
async fn where_nothing_is_wrapped_it_is_said_that_nothing_enforces_it() {
    let store = MemoryStore::new();
    let maintenance = handle(store.clone(), |_| {}).await;
    let app = App::new()
        .service(maintenance.admin())
        .configure(routes)
        .wrap(sessions());
    let log = Log::collect();
    let scope = TestApp::serving(maintenance, test::init_service(app).await);
    let superuser = scope.log_in_superuser("root").await;
    let status = |answer: crate::test_app::Answer| answer.json();
    let told = status(scope.get("/maintenance-mode/status").by(&superuser).await);
    assert_eq!(told["enforced"], false);
    for figure in ["in_flight", "endless", "sessions"] {
        assert_eq!(told[figure], Value::Null, "{figure}");
    }
    let told: Vec<String> = log.lines();
    let told = told
        .iter()
        .filter(|line| line.contains("maintenance.unenforced"));
    assert_eq!(told.count(), 1, "{:?}", log.lines());
    scope.turn_on().await;
    let page = scope.get("/maintenance-mode/").by(&superuser).await;
    let page = page.text();
    assert!(page.contains("Nothing enforces this"), "{page}");
    assert!(!page.contains("Visitors are refused"), "{page}");

    // Another process does.
    let other = node(store).await;
    let told = status(scope.get("/maintenance-mode/status").by(&superuser).await);
    assert_eq!(told["enforced"], true);
    assert_eq!(told["in_flight"], 0);
    drop(other);
    rt::task::yield_now().await;
}

#[actix_web::test]
async fn what_nobody_hears_of_is_logged_once_each_time() {
    Role::new("cannot-report").run();
}

/// In a process of its own, because what the driver logs is the whole process's log.
pub(crate) async fn child_cannot_report() {
    let logs = Logs::capture();
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder of the leases is to be.
    let leases = folder.path().join("state.leases");
    fs::write(&leases, "").unwrap();
    let app = node(file(folder.path())).await;
    for times in 1..=2 {
        eventually("it is told", || {
            logs.with("maintenance.node-unreported").len() == times
        })
        .await;
        let again = app.maintenance.status().store.error;
        assert!(again.is_some_and(|error| error.contains("cannot report")));
        // Twelve tries in a time to live: all of them fail, and nothing more is said.
        rt::time::sleep(Duration::from_millis(800)).await;
        assert_eq!(logs.with("maintenance.node-unreported").len(), times);
        fs::remove_file(&leases).unwrap();
        eventually("it is heard of", || {
            logs.with("reports to the others again").len() == times
        })
        .await;
        assert!(app.maintenance.status().store.error.is_none());
        fs::rename(&leases, folder.path().join(format!("kept-{times}"))).unwrap();
        fs::write(&leases, "").unwrap();
    }
    let line = logs.with("maintenance.node-unreported").remove(0);
    for part in [
        "ERROR",
        "node=web-1/",
        "when_cut_off=\"keep-last\"",
        "error=",
    ] {
        assert!(line.contains(part), "{part}: {line}");
    }
}

#[actix_web::test]
async fn where_no_node_reports_nothing_is_called_safe() {
    let store = MemoryStore::new();
    let observer = handle(store.clone(), |_| {}).await;
    let error = observer.turn_on().wait().await.unwrap_err();
    assert!(
        matches!(&error, WaitError::NoNodes { mode } if mode == "site"),
        "{error}"
    );
    assert!(error.to_string().contains("`no_nodes()`"), "{error}");
    assert!(observer.is_on(), "the change was made");
    let error = observer.wait_until_empty().await.unwrap_err();
    assert!(matches!(error, WaitError::NoNodes { .. }), "{error}");
    observer.wait_until_empty().no_nodes().await.unwrap();
    observer.turn_off().await.unwrap();
    observer.turn_on().wait().no_nodes().await.unwrap();

    let app = node(store).await;
    observer.wait_until_empty().await.unwrap();
    app.maintenance.leave().await;
    let error = observer.wait_until_empty().await.unwrap_err();
    assert!(matches!(error, WaitError::NoNodes { .. }), "{error}");
}

#[actix_web::test]
async fn a_lease_that_the_store_evicts_is_a_node_that_is_missing_and_not_gone() {
    let store = MemoryStore::new();
    let app = node(store.clone()).await;
    let observer = handle(store.clone(), |_| {}).await;
    observer.turn_on().wait().await.unwrap();
    for with_trace in [false, true] {
        let newcomer = handle(store.clone(), |_| {}).await;
        let prefixes: &[&str] = if with_trace {
            &["node/", "trace/"]
        } else {
            &["node/"]
        };
        for prefix in prefixes {
            for live in store.leases(prefix).await.unwrap() {
                store.drop_lease(&live.lease).await.unwrap();
            }
        }
        let told = missing(&observer).await;
        assert!(told.starts_with("node web-1/"), "{told:?}");
        assert!(told.contains(" has not been heard of for "), "{told}");
        // The trace tells it to those who have not seen the node.
        let told = newcomer
            .wait_until_empty()
            .at_most(Duration::from_millis(20))
            .await;
        let told = told.unwrap_err().to_string();
        assert_eq!(told.contains("node web-1/"), !with_trace, "{told}");
        observer.wait_until_empty().await.unwrap();
    }
    drop(app);
}

/// A store that takes no lease while it is full, as Redis with the policy `noeviction`.
#[derive(Debug, Clone, Default)]
struct Full {
    store: MemoryStore,
    is_full: Arc<AtomicBool>,
}

impl Full {
    fn refuse(&self) -> Result<(), StoreError> {
        match self.is_full.load(Ordering::SeqCst) {
            true => Err(StoreError::new("the server is out of memory")),
            false => Ok(()),
        }
    }
}

impl Store for Full {
    fn url(&self) -> String {
        "full:".to_owned()
    }

    document_of!(store);

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        Box::pin(async move {
            self.refuse()?;
            self.store.put_lease(lease, time_to_live, condition).await
        })
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            self.refuse()?;
            self.store.renew_lease(lease, time_to_live).await
        })
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        self.store.drop_lease(lease)
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        self.store.leases(prefix)
    }
}

#[actix_web::test]
async fn a_node_whose_reports_are_refused_says_so_and_is_not_counted_out() {
    let store = Full::default();
    let app = node(store.clone()).await;
    let observer = handle(store.clone(), |_| {}).await;
    observer.turn_on().wait().await.unwrap();
    store.is_full.store(true, Ordering::SeqCst);
    eventually("it says so itself", || {
        let error = app.maintenance.status().store.error;
        error
            .is_some_and(|error| error.contains("cannot report") && error.contains("out of memory"))
    })
    .await;
    // What it told last counts until it lapses.
    let deadline = Instant::now() + PATIENCE;
    loop {
        let told = missing(&observer).await;
        if told.contains("node web-1/") && told.contains("its process lives") {
            break;
        }
        assert!(Instant::now() < deadline, "{told:?}");
        rt::time::sleep(Duration::from_millis(50)).await;
    }
    store.is_full.store(false, Ordering::SeqCst);
    observer.wait_until_empty().await.unwrap();
}
