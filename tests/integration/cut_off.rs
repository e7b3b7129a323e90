//! A node that cannot renew its lease goes on by the last state, or closes before anybody counts it
//! out.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Maintenance, Phase, Settings,
    settings::WhenCutOff,
    store::{
        Hints, Lease, LeaseCondition, LiveLease, Loaded, MemoryStore, PutLease, Saved, Store,
        StoreError, StoreFuture, Version,
    },
};
use actix_web::{App, rt, test, web};
use futures_util::stream;

use crate::{
    eventually::eventually,
    test_app::TestApp,
    test_server::{TestServer, WireAnswer},
};

/// A store that a node may be cut off from.
#[derive(Debug, Clone, Default)]
struct Line {
    store: MemoryStore,
    is_cut: Arc<AtomicBool>,
}

impl Line {
    fn cut(&self, is_cut: bool) {
        self.is_cut.store(is_cut, Ordering::SeqCst);
    }

    async fn reach(&self) -> Result<&MemoryStore, StoreError> {
        match self.is_cut.load(Ordering::SeqCst) {
            true => Err(StoreError::new("the line is cut")),
            false => Ok(&self.store),
        }
    }
}

impl Store for Line {
    fn url(&self) -> String {
        "line:".to_owned()
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(async { self.reach().await?.load().await })
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move { self.reach().await?.save(document, expected).await })
    }

    /// Hints do not come through: the node is to find out by itself.
    fn watch(&self) -> Hints {
        Box::pin(stream::pending())
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        Box::pin(async move {
            let store = self.reach().await?;
            store.put_lease(lease, time_to_live, condition).await
        })
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move { self.reach().await?.renew_lease(lease, time_to_live).await })
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(async move { self.reach().await?.drop_lease(lease).await })
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        Box::pin(async move { self.reach().await?.leases(prefix).await })
    }
}

async fn handle(store: impl Store, when_cut_off: WhenCutOff) -> Maintenance {
    let mut settings = Settings::default();
    settings.when_cut_off = when_cut_off;
    settings.node.time_to_live = Duration::from_secs(2);
    settings.exempt.paths = vec!["/exempt".to_owned()];
    Maintenance::builder()
        .settings(settings)
        .custom_store(store)
        .build()
        .await
        .unwrap()
}

async fn node(line: &Line, when_cut_off: WhenCutOff) -> TestApp {
    let maintenance = handle(line.clone(), when_cut_off).await;
    let app = App::new()
        .service(web::resource("/health").name("health").to(async || "ok"))
        .default_service(web::to(async || "served"))
        .wrap(maintenance.middleware());
    TestApp::serving(maintenance, test::init_service(app).await)
}

#[actix_web::test]
async fn by_default_it_goes_on_by_the_last_state() {
    let line = Line::default();
    let app = node(&line, WhenCutOff::KeepLast).await;
    line.cut(true);
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(2500) {
        app.get("/").await.is_served();
        rt::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(line.store.leases("node/").await.unwrap().is_empty());
}

#[actix_web::test]
async fn if_so_set_it_closes_before_others_count_it_out_and_opens_when_it_is_back() {
    let line = Line::default();
    let app = node(&line, WhenCutOff::Close).await;
    app.get("/").await.is_served();
    line.cut(true);
    loop {
        // In this order: while it is still served, the store still knows the node afterwards.
        let answer = app.get("/").unless_broken_off().await;
        let served = answer.is_some_and(|answer| answer.status == 200);
        let is_live = !line.store.leases("node/").await.unwrap().is_empty();
        if !served {
            break;
        }
        assert!(is_live, "it is served although others have counted it out");
        rt::time::sleep(Duration::from_millis(1)).await;
    }
    app.get("/").await.is_refused();
    app.get("/exempt").await.is_served();
    assert_eq!(app.maintenance.phase(), Phase::Offline);
    assert!(app.maintenance.is_on());
    // Somebody else closes the site meanwhile, and hears that this is safe once it is counted out.
    let other = handle(line.store.clone(), WhenCutOff::KeepLast).await;
    other.turn_on().wait().no_nodes().await.unwrap();
    line.cut(false);
    // It must not serve by what it knew before it was cut off.
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(2) {
        app.get("/").await.is_refused();
        rt::time::sleep(Duration::from_millis(1)).await;
    }
    other.turn_off().await.unwrap();
    // Its hints do not come: it looks by itself in the end, here because it is cut off once more.
    line.cut(true);
    let maintenance = app.maintenance.clone();
    rt::time::sleep(Duration::from_millis(2200)).await;
    line.cut(false);
    eventually("it is open again", || !maintenance.is_on()).await;
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn what_it_serves_is_broken_off_and_not_revived() {
    let line = Line::default();
    let maintenance = handle(line.clone(), WhenCutOff::Close).await;
    let goes_on = Arc::new(AtomicBool::new(false));
    let server = TestServer::start({
        let (maintenance, goes_on) = (maintenance.clone(), Arc::clone(&goes_on));
        move || {
            let goes_on = Arc::clone(&goes_on);
            let slow = move || {
                let goes_on = Arc::clone(&goes_on);
                async move {
                    rt::time::sleep(Duration::from_secs(4)).await;
                    goes_on.store(true, Ordering::SeqCst);
                    "slow"
                }
            };
            App::new()
                .route("/slow", web::get().to(slow))
                .route("/stream", web::get().to(streamed))
                .default_service(web::to(async || "served"))
                .wrap(maintenance.middleware())
        }
    });
    assert_eq!(server.send("GET /", "").await.status(), 200);
    let cut_for_a_while = async {
        rt::time::sleep(Duration::from_millis(200)).await;
        line.cut(true);
        rt::time::sleep(Duration::from_millis(2500)).await;
        line.cut(false);
    };
    let (slow, streamed, ()) = futures_util::join!(
        server.send("GET /slow", ""),
        server.send("GET /stream", ""),
        cut_for_a_while,
    );
    let slow: WireAnswer = slow;
    assert_eq!(slow.status(), 503, "{slow:?}");
    assert_eq!(slow.header("x-maintenance-mode"), Some("1"));
    assert_eq!(slow.header("cache-control"), Some("no-store"));
    assert!(!goes_on.load(Ordering::SeqCst), "the handler has gone on");
    assert!(streamed.body().contains("chunk"));
    assert!(!streamed.body().contains("last"), "{streamed:?}");
    let maintenance = maintenance.clone();
    eventually("it is open again", || !maintenance.is_on()).await;
    assert_eq!(server.send("GET /", "").await.status(), 200);
    server.stop().await;
}

async fn streamed() -> actix_web::HttpResponse {
    let chunks = stream::unfold(0, async |count| {
        rt::time::sleep(Duration::from_millis(100)).await;
        let text = if count == 40 { "last" } else { "chunk" };
        (count <= 40).then(|| {
            (
                Ok::<_, actix_web::Error>(web::Bytes::from_static(text.as_bytes())),
                count + 1,
            )
        })
    });
    actix_web::HttpResponse::Ok().streaming(chunks)
}

#[actix_web::test]
async fn without_a_store_from_the_start_it_is_closed() {
    let line = Line::default();
    line.cut(true);
    let app = node(&line, WhenCutOff::Close).await;
    app.get("/").await.is_refused();
    line.cut(false);
    let maintenance = app.maintenance.clone();
    eventually("it is open", || !maintenance.is_on()).await;
    app.get("/").await.is_served();
}
