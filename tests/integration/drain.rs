//! Draining: those who are in may finish, nobody new gets in, and "offline" means that nobody is
//! inside.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{Maintenance, OnTimeout, Phase, Settings};
use actix_session::{Session, SessionMiddleware, storage::CookieSessionStore};
use actix_web::{App, HttpResponse, HttpServer, cookie::Key, dev::ServerHandle, rt, test, web};
use futures_util::stream;
use jiff::SignedDuration;

use crate::{eventually::eventually, gated::Gated, test_app::TestApp};

async fn maintenance(edit: impl FnOnce(&mut Settings) + Send + 'static) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .store("memory:")
        .configure(edit)
        .build()
        .await
        .unwrap()
}

async fn until_phase(maintenance: &Maintenance, phase: Phase) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while maintenance.phase() != phase {
        assert!(
            Instant::now() < deadline,
            "the phase is never {phase}: {:#?}",
            maintenance.status()
        );
        rt::time::sleep(Duration::from_millis(2)).await;
    }
}

/// How many requests the app itself is serving.
#[derive(Clone, Default)]
struct Serving(Arc<AtomicU64>);

struct Served(Serving);

impl Serving {
    fn begin(&self) -> Served {
        self.0.fetch_add(1, Ordering::SeqCst);
        Served(self.clone())
    }

    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn fast(serving: web::Data<Serving>) -> &'static str {
    let _served = serving.begin();
    "fast"
}

async fn slow(serving: web::Data<Serving>) -> &'static str {
    let _served = serving.begin();
    rt::time::sleep(Duration::from_millis(8)).await;
    "slow"
}

fn chunks(
    serving: &Serving,
    number: u32,
    every: Duration,
) -> impl futures_util::Stream<Item = Result<web::Bytes, actix_web::Error>> + use<> {
    stream::unfold(
        (number, serving.begin()),
        move |(left, served)| async move {
            if left == 0 {
                return None;
            }
            rt::time::sleep(every).await;
            Some((Ok(web::Bytes::from_static(b"chunk\n")), (left - 1, served)))
        },
    )
}

async fn streamed(serving: web::Data<Serving>) -> HttpResponse {
    HttpResponse::Ok().streaming(chunks(&serving, 4, Duration::from_millis(2)))
}

async fn events(serving: web::Data<Serving>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/event-stream")
        .streaming(chunks(&serving, u32::MAX, Duration::from_millis(5)))
}

async fn login(session: Session) -> HttpResponse {
    session.insert("user_id", "alice").unwrap();
    HttpResponse::Ok().body("in")
}

async fn logout(session: Session) -> HttpResponse {
    session.purge();
    HttpResponse::Ok().body("out")
}

struct Site {
    address: SocketAddr,
    server: ServerHandle,
    serving: Serving,
}

impl Site {
    fn start(maintenance: &Maintenance) -> Self {
        let serving = Serving::default();
        let key = Key::generate();
        let server = HttpServer::new({
            let (maintenance, serving) = (maintenance.clone(), serving.clone());
            move || {
                let session =
                    SessionMiddleware::builder(CookieSessionStore::default(), key.clone())
                        .cookie_secure(false)
                        .build();
                App::new()
                    .app_data(web::Data::new(serving.clone()))
                    .route("/fast", web::get().to(fast))
                    .route("/slow", web::get().to(slow))
                    .route("/streamed", web::get().to(streamed))
                    .route("/events", web::get().to(events))
                    .route("/login", web::get().to(login))
                    .route("/logout", web::get().to(logout))
                    .wrap(maintenance.middleware())
                    .wrap(session)
            }
        })
        .workers(2)
        .disable_signals()
        .bind("127.0.0.1:0")
        .unwrap();
        let address = server.addrs()[0];
        let server = server.run();
        let handle = server.handle();
        rt::spawn(server);
        Self {
            address,
            server: handle,
            serving,
        }
    }

    /// Asks from a thread of its own, so that the server of this runtime can answer.
    async fn get(&self, path: &str, cookie: &str) -> Answer {
        let (address, path, cookie) = (self.address, path.to_owned(), cookie.to_owned());
        web::block(move || get(address, &path, &cookie))
            .await
            .unwrap()
    }

    async fn stop(self) {
        self.server.stop(false).await;
    }
}

#[derive(Debug)]
struct Answer {
    status: u16,
    text: String,
}

impl Answer {
    fn cookie(&self) -> String {
        self.text
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "))
            .and_then(|cookie| cookie.split(';').next())
            .unwrap_or_default()
            .to_owned()
    }
}

fn open(address: SocketAddr, path: &str, cookie: &str) -> TcpStream {
    let mut connection = TcpStream::connect(address).unwrap();
    connection
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        connection,
        "GET {path} HTTP/1.1\r\nHost: test\r\nAccept: application/json\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    connection
}

fn get(address: SocketAddr, path: &str, cookie: &str) -> Answer {
    let mut connection = open(address, path, cookie);
    let mut text = String::new();
    connection.read_to_string(&mut text).unwrap();
    let status = text.get(9..12).and_then(|code| code.parse().ok());
    Answer {
        status: status.unwrap_or_else(|| panic!("no answer: {text:?}")),
        text,
    }
}

#[actix_web::test]
async fn an_empty_site_is_offline_at_once() {
    let maintenance = maintenance(|_| {}).await;
    let change = maintenance.turn_on().drain().by("deploy").await.unwrap();
    assert_eq!(change.status.modes[0].phase, Phase::Pending);
    until_phase(&maintenance, Phase::Offline).await;
    assert_eq!(maintenance.status().modes[0].by.as_deref(), Some("deploy"));
    assert_eq!(maintenance.history().len(), 1);
}

#[actix_web::test]
async fn who_is_in_goes_on_and_who_is_new_is_refused() {
    let maintenance = maintenance(|_| {}).await;
    let site = Site::start(&maintenance);
    let cookie = site.get("/login", "").await.cookie();
    assert_eq!(site.get("/fast", &cookie).await.status, 200);

    maintenance.turn_on().drain().await.unwrap();
    assert_eq!(maintenance.status().visitors.len(), 1);
    assert!(!format!("{:?}", maintenance.status().visitors).contains("alice"));
    assert_eq!(site.get("/fast", &cookie).await.status, 200);
    let newcomer = site.get("/fast", "").await;
    assert_eq!(newcomer.status, 503);
    assert!(
        newcomer.text.contains(r#""phase":"pending""#),
        "{}",
        newcomer.text
    );
    assert!(
        newcomer.text.contains("retry-after: 30\r\n"),
        "{}",
        newcomer.text
    );
    assert_eq!(site.get("/login", "").await.status, 503, "no new log-ins");
    assert_eq!(maintenance.phase(), Phase::Pending);

    assert_eq!(site.get("/logout", &cookie).await.status, 200);
    until_phase(&maintenance, Phase::Offline).await;
    assert_eq!(site.get("/fast", &cookie).await.status, 503);
    site.stop().await;
}

#[actix_web::test]
async fn a_visitor_who_is_idle_is_not_waited_for() {
    let maintenance = maintenance(|settings| {
        settings.drain.session_idle = Duration::from_secs(1);
    })
    .await;
    let site = Site::start(&maintenance);
    let cookie = site.get("/login", "").await.cookie();
    site.get("/fast", &cookie).await;
    maintenance.turn_on().drain().await.unwrap();
    until_phase(&maintenance, Phase::Offline).await;
    site.stop().await;
}

#[actix_web::test]
async fn a_drain_that_is_not_over_in_time_goes_offline_or_is_cancelled() {
    let maintenance = maintenance(|_| {}).await;
    let site = Site::start(&maintenance);
    let cookie = site.get("/login", "").await.cookie();
    site.get("/fast", &cookie).await;
    for (on_timeout, phase) in [
        (OnTimeout::Cancel, Phase::Online),
        (OnTimeout::Offline, Phase::Offline),
    ] {
        maintenance
            .turn_on()
            .drain_timeout(Duration::from_millis(300))
            .on_timeout(on_timeout)
            .await
            .unwrap();
        assert_eq!(maintenance.phase(), Phase::Pending);
        until_phase(&maintenance, phase).await;
    }
    maintenance.turn_off().await.unwrap();
    let ended: Vec<_> = maintenance
        .history()
        .iter()
        .filter_map(|period| period.ended)
        .map(|how| how.as_str())
        .collect();
    assert_eq!(ended, ["cancelled", "off"]);
    site.stop().await;
}

#[actix_web::test]
async fn a_drain_can_be_forced_and_called_off() {
    let maintenance = maintenance(|_| {}).await;
    let site = Site::start(&maintenance);
    let cookie = site.get("/login", "").await.cookie();
    site.get("/fast", &cookie).await;

    maintenance.turn_on().drain().await.unwrap();
    maintenance.turn_off().await.unwrap();
    assert_eq!(maintenance.phase(), Phase::Online);
    assert_eq!(
        maintenance.history()[0].ended.unwrap().as_str(),
        "cancelled"
    );

    maintenance.turn_on().drain().await.unwrap();
    assert_eq!(maintenance.phase(), Phase::Pending);
    maintenance.turn_on().await.unwrap();
    assert_eq!(maintenance.phase(), Phase::Offline);
    assert_eq!(maintenance.history().len(), 2);
    site.stop().await;
}

#[actix_web::test]
async fn a_drain_that_goes_on_keeps_its_time_out_unless_another_is_given() {
    let maintenance = maintenance(|_| {}).await;
    let site = Site::start(&maintenance);
    let cookie = site.get("/login", "").await.cookie();
    site.get("/fast", &cookie).await;

    let deadline = || {
        let status = maintenance.status();
        status.mode("site").unwrap().drain_deadline.unwrap()
    };
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    let drain = || maintenance.turn_on().drain();
    drain().drain_timeout(minutes(5)).await.unwrap();
    let first = deadline();
    // The settings have 15 minutes; they are for a drain that begins.
    let again = drain().reason("release 3").await.unwrap();
    assert!(again.changed);
    assert_eq!(deadline(), first);
    assert_eq!(maintenance.phase(), Phase::Pending);
    drain().drain_timeout(minutes(30)).await.unwrap();
    let longer = deadline().duration_since(first);
    assert!(longer >= SignedDuration::from_mins(24), "{longer}");
    site.stop().await;
}

#[actix_web::test]
async fn a_response_without_an_end_is_counted_apart_and_not_waited_for() {
    let maintenance = maintenance(|_| {}).await;
    let site = Site::start(&maintenance);
    let address = site.address;
    let connection = web::block(move || {
        let mut connection = open(address, "/events", "");
        let mut first = [0; 16];
        connection.read_exact(&mut first).unwrap();
        connection
    })
    .await
    .unwrap();
    assert_eq!(maintenance.status().endless, Some(1));
    assert_eq!(maintenance.status().in_flight, Some(0));
    maintenance.turn_on().drain().await.unwrap();
    until_phase(&maintenance, Phase::Offline).await;
    assert_eq!(maintenance.status().endless, Some(1));
    drop(connection);
    site.stop().await;
}

#[actix_web::test]
async fn a_restart_in_the_middle_goes_on_with_the_drain() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().join("state").display());
    let begin = || {
        Maintenance::builder()
            .settings(Settings::default())
            .store(url.clone())
            .build()
    };
    let first = begin().await.unwrap();
    let site = Site::start(&first);
    let cookie = site.get("/login", "").await.cookie();
    site.get("/fast", &cookie).await;
    first.turn_on().drain().await.unwrap();
    let second = begin().await.unwrap();
    assert_eq!(
        second.status().mode("site").unwrap().since,
        first.status().mode("site").unwrap().since
    );
    site.stop().await;
    drop(first);
    // Nobody has been seen by the second one, so nobody is inside.
    until_phase(&second, Phase::Offline).await;
}

#[actix_web::test]
async fn newcomers_are_told_in_every_form_that_the_site_is_closing() {
    let app = TestApp::start().await;
    let user = app.log_in_user("alice").await;
    app.get("/").by(&user).await.is_served();
    app.maintenance.turn_on().drain().await.unwrap();
    for kind in [
        "text/html",
        "application/json",
        "application/problem+json",
        "text/plain",
    ] {
        let answer = app.get("/").accept(kind).await;
        assert_eq!(answer.status, 503, "{kind}");
        assert_eq!(answer.header("retry-after"), Some("30"), "{kind}");
        assert!(
            answer.text().contains("closing"),
            "{kind}: {}",
            answer.text()
        );
    }
    // Once it is closed, nobody says so any more.
    app.turn_on().await;
    let answer = app.get("/").accept("text/plain").await;
    assert_eq!(answer.header("retry-after"), Some("3600"));
    assert!(!answer.text().contains("closing"), "{}", answer.text());
}

#[actix_web::test]
async fn a_predicate_says_who_else_is_already_in() {
    let app = TestApp::with_builder(|builder| {
        builder.already_in_if(|request| request.headers().contains_key("x-basket"))
    })
    .await;
    let user = app.log_in_user("alice").await;
    app.get("/").by(&user).await.is_served();
    app.maintenance.turn_on().drain().await.unwrap();
    app.get("/").header("x-basket", "3").await.is_served();
    app.get("/").await.is_refused();
    app.turn_on().await;
    app.get("/").header("x-basket", "3").await.is_refused();
}

/// Whoever is in may come back while the drain goes on, but not between the moment in which it is
/// found empty and the moment in which it says that it is offline.
#[actix_web::test]
async fn nobody_slips_in_while_the_end_of_a_drain_is_written() {
    for fails in [false, true] {
        let store = Gated::open_for(1);
        let maintenance = Maintenance::builder()
            .settings(Settings::default())
            .custom_store(store.clone())
            .already_in_if(|_| true)
            .build()
            .await
            .unwrap();
        let app = test::init_service(
            App::new()
                .route("/", web::get().to(|| async { "in" }))
                .wrap(maintenance.middleware()),
        )
        .await;
        let status = async || {
            let request = test::TestRequest::get().uri("/").to_request();
            test::call_service(&app, request).await.status().as_u16()
        };
        assert_eq!(status().await, 200);
        maintenance.turn_on().drain().await.unwrap();
        eventually("the end is being written", || {
            store.waits.load(Ordering::SeqCst) == 2
        })
        .await;
        assert_eq!(maintenance.phase(), Phase::Pending);
        assert_eq!(status().await, 503);
        store.fails.store(fails, Ordering::SeqCst);
        store.gate.add_permits(1);
        if fails {
            let deadline = Instant::now() + Duration::from_secs(20);
            while status().await != 200 {
                assert!(Instant::now() < deadline, "who is in may go on again");
                rt::time::sleep(Duration::from_millis(2)).await;
            }
            assert_eq!(maintenance.phase(), Phase::Pending);
        } else {
            until_phase(&maintenance, Phase::Offline).await;
            assert_eq!(status().await, 503);
        }
    }
}

/// The promise itself: under load, each time the site says that it is offline, nobody is inside.
#[actix_web::test]
async fn offline_means_that_nothing_is_being_served() {
    const DRAINS: usize = 200;
    let maintenance = maintenance(|_| {}).await;
    let site = Site::start(&maintenance);
    let stop = Arc::new(AtomicBool::new(false));
    let passed = Arc::new(AtomicU64::new(0));
    let clients: Vec<_> = (0..8)
        .map(|client| {
            let (address, stop, passed) = (site.address, Arc::clone(&stop), Arc::clone(&passed));
            thread::spawn(move || {
                let paths = ["/fast", "/slow", "/streamed"];
                let mut turn = client;
                while !stop.load(Ordering::Relaxed) {
                    turn += 1;
                    match get(address, paths[turn % paths.len()], "").status {
                        200 => {
                            passed.fetch_add(1, Ordering::Relaxed);
                        }
                        status => assert_eq!(status, 503),
                    }
                }
            })
        })
        .collect();
    for drain in 0..DRAINS {
        let before = passed.load(Ordering::Relaxed);
        while passed.load(Ordering::Relaxed) < before + 3 {
            rt::time::sleep(Duration::from_millis(1)).await;
        }
        maintenance.turn_on().drain().await.unwrap();
        until_phase(&maintenance, Phase::Offline).await;
        for _ in 0..3 {
            assert_eq!(site.serving.now(), 0, "in drain {drain}");
            rt::time::sleep(Duration::from_millis(1)).await;
        }
        maintenance.turn_off().await.unwrap();
    }
    stop.store(true, Ordering::Relaxed);
    web::block(move || {
        for client in clients {
            client.join().unwrap();
        }
    })
    .await
    .unwrap();
    assert_eq!(maintenance.status().in_flight, Some(0));
    site.stop().await;
}

/// A process of a fleet, to which people can log in while it closes.
async fn shop_node(store: &str) -> TestApp {
    let store = store.to_owned();
    TestApp::with_builder(|builder| {
        let builder = builder.configure(|settings| {
            settings.exempt.paths = vec!["/log-in".to_owned()];
        });
        builder.store(store)
    })
    .await
}

#[actix_web::test]
async fn whoever_logs_in_while_it_closes_is_a_newcomer_whatever_the_process_knows() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("file:{}/maintenance.state", folder.path().display());
    let node = shop_node(&store).await;
    let alice = node.log_in_user("alice").await;
    node.get("/").by(&alice).await.is_served();
    // Keeps it closing.
    let task = node.maintenance.task("import").enter().await.unwrap();
    node.maintenance.turn_on().drain().await.unwrap();

    let bob = node.log_in_user("bob").await;
    node.get("/").by(&bob).await.is_refused();
    node.get("/").by(&alice).await.is_served();
    // A process that has just begun knows of neither.
    let young = shop_node(&store).await;
    assert_eq!(young.maintenance.phase(), Phase::Pending);
    young.get("/").by(&bob).await.is_refused();
    young.get("/").by(&alice).await.is_served();
    // Nor does it of who logs in there, of whom the other one has never heard.
    let carol = young.log_in_user("carol").await;
    young.get("/").by(&carol).await.is_refused();
    node.get("/").by(&carol).await.is_refused();
    // It is the session that counts: the same visitor's older one goes on.
    let again = young.log_in_user("alice").await;
    young.get("/").by(&again).await.is_refused();
    young.get("/").by(&alice).await.is_served();

    // Whoever was in before the next drain is no newcomer to it.
    node.maintenance.turn_off().await.unwrap();
    node.get("/").by(&bob).await.is_served();
    node.maintenance.turn_on().drain().await.unwrap();
    node.get("/").by(&bob).await.is_served();
    task.release().await;
}
