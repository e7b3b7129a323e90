//! The handle: what it says, what it changes, who sees it, and what it does when the store fails.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    BuildError, Change, ChangeError, Maintenance, Phase, Settings,
    settings::{Forced, WhenStoreFails, WhenUnknownAtStart},
    store::{Hint, Hints, Loaded, MemoryStore, Saved, Store, StoreError, StoreFuture, Version},
};
use actix_web::{App, HttpServer, dev::ServerHandle, rt, web};
use futures_util::{FutureExt as _, stream};
use tokio::sync::watch;

use crate::{
    child::Role,
    eventually::{PATIENCE, eventually},
    handed_on::leases_of,
    logs::Logs,
    processes::maintenance_of,
};

async fn in_memory() -> Maintenance {
    with_settings(|_| {}).await
}

async fn with_settings(edit: impl FnOnce(&mut Settings) + Send + 'static) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .store("memory:")
        .configure(edit)
        .build()
        .await
        .unwrap()
}

#[actix_web::test]
async fn at_first_it_is_off() {
    let maintenance = in_memory().await;
    assert!(!maintenance.is_on());
    assert_eq!(maintenance.phase(), Phase::Online);
    let status = maintenance.status();
    assert!(!status.maintenance_mode);
    assert_eq!(status.generation, 0);
    assert_eq!(status.forced, None);
    assert_eq!(status.modes.len(), 1);
    assert_eq!(status.store.url, "memory:");
    assert_eq!(status.store.error, None);
    assert!(status.store.known_at.is_some());
    let site = status.mode("site").unwrap();
    assert_eq!((site.phase, site.since), (Phase::Online, None));
    assert!(status.mode("shop").is_none());
}

#[actix_web::test]
async fn switching_on_tells_who_why_and_since_when() {
    let maintenance = in_memory().await;
    let before = jiff::Timestamp::now();
    let change = maintenance
        .turn_on()
        .message("Back at noon.")
        .reason("new disks")
        .by("alice")
        .await
        .unwrap();
    assert!(change.changed);
    assert!(maintenance.is_on());
    assert_eq!(maintenance.phase(), Phase::Offline);
    assert_eq!(change.status, maintenance.status());
    let status = change.status;
    assert!(status.maintenance_mode);
    assert_eq!(status.generation, 1);
    let site = status.mode("site").unwrap();
    assert_eq!(site.phase, Phase::Offline);
    assert_eq!(site.message.as_deref(), Some("Back at noon."));
    assert_eq!(site.reason.as_deref(), Some("new disks"));
    assert_eq!(site.by.as_deref(), Some("alice"));
    assert_eq!(site.until, None);
    let since = site.since.unwrap();
    assert!(before <= since && since <= jiff::Timestamp::now());

    let change = maintenance.turn_off().by("bob").await.unwrap();
    assert!(change.changed);
    assert_eq!(change.status.generation, 2);
    assert!(!maintenance.is_on());
    let site = change.status.mode("site").unwrap().clone();
    assert_eq!((site.since, site.reason, site.by), (None, None, None));
}

#[actix_web::test]
async fn what_is_so_already_is_done_and_no_change() {
    let maintenance = in_memory().await;
    let unchanged = |change: Change, generation| {
        assert!(!change.changed);
        assert_eq!(change.status.generation, generation);
    };
    unchanged(maintenance.turn_off().by("bob").await.unwrap(), 0);
    maintenance
        .turn_on()
        .reason("disks")
        .by("alice")
        .await
        .unwrap();
    unchanged(maintenance.turn_on().await.unwrap(), 1);
    unchanged(maintenance.turn_on().reason("disks").await.unwrap(), 1);
    unchanged(maintenance.turn_on().by("bob").await.unwrap(), 1);
    let since = maintenance.status().modes[0].since;

    // Another reason is a change; it stays on since when it was.
    let change = maintenance.turn_on().reason("more disks").await.unwrap();
    assert!(change.changed);
    assert_eq!(change.status.generation, 2);
    assert_eq!(change.status.modes[0].since, since);
    maintenance.turn_off().await.unwrap();
    unchanged(maintenance.turn_off().await.unwrap(), 3);
}

#[actix_web::test]
async fn subscribers_see_each_change_and_the_end() {
    let maintenance = in_memory().await;
    let mut early = maintenance.subscribe();
    maintenance.turn_on().reason("disks").await.unwrap();
    let mut late = maintenance.subscribe();
    let status = early.next().await.unwrap();
    assert!(status.maintenance_mode);
    assert_eq!(status.modes[0].reason.as_deref(), Some("disks"));
    assert!(late.next().now_or_never().is_none(), "that was before");

    // Of changes in quick succession the latest is told.
    maintenance.turn_off().await.unwrap();
    maintenance.turn_on().reason("more").await.unwrap();
    for changes in [&mut early, &mut late] {
        let status = changes.next().await.unwrap();
        assert_eq!(status.modes[0].reason.as_deref(), Some("more"));
        assert_eq!(status.generation, 3);
        assert!(changes.next().now_or_never().is_none());
    }

    // One who waits is woken, also by the end.
    let waiting = rt::spawn(async move {
        let status = late.next().await.unwrap();
        assert!(!status.maintenance_mode);
        late.next().await
    });
    rt::task::yield_now().await;
    maintenance.turn_off().await.unwrap();
    rt::task::yield_now().await;
    drop(maintenance);
    let end = rt::time::timeout(PATIENCE, waiting).await.unwrap().unwrap();
    assert_eq!(end, None);
}

#[actix_web::test]
async fn what_is_forced_by_settings_cannot_be_switched() {
    for forced in [Forced::On, Forced::Off] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("maintenance.state");
        std::fs::write(&file, if forced == Forced::On { "off" } else { "on" }).unwrap();
        let url = format!("file:{}", file.display());
        let maintenance = Maintenance::builder()
            .settings(Settings::default())
            .store(url)
            .configure(move |settings| settings.forced = Some(forced))
            .build()
            .await
            .unwrap();
        assert_eq!(maintenance.is_on(), forced == Forced::On);
        assert_eq!(maintenance.status().forced, Some(forced));
        for result in [maintenance.turn_on().await, maintenance.turn_off().await] {
            let error = result.unwrap_err();
            assert!(matches!(error, ChangeError::Forced(by) if by == forced));
            let text = error.to_string();
            assert!(text.contains(forced.as_str()), "{text}");
            assert!(text.contains("MAINTENANCE_FORCED"), "{text}");
        }
        assert_eq!(maintenance.is_on(), forced == Forced::On);
        let stored = std::fs::read_to_string(&file).unwrap();
        assert_eq!(stored, if forced == Forced::On { "off" } else { "on" });
    }
}

#[actix_web::test]
async fn a_change_is_made_also_when_nobody_waits_for_it_any_more() {
    let store = Moody::new(SLOW);
    let maintenance = moody_maintenance(&store, WhenStoreFails::KeepLast).await;
    let mut change = maintenance.turn_on().reason("dropped").into_future();
    assert!((&mut change).now_or_never().is_none());
    drop(change);
    eventually("it is on", || maintenance.is_on()).await;

    // What was never begun does not happen.
    drop(maintenance.turn_off().into_future());
    drop(maintenance.turn_off());
    maintenance.turn_on().reason("after it").await.unwrap();
    assert_eq!(maintenance.status().generation, 2);
}

#[test]
fn it_works_on_any_runtime_and_on_none() {
    let build = async { in_memory().await };
    let maintenance = futures_util::FutureExt::boxed_local(build);
    let runtime = rt::Runtime::new().unwrap();
    let maintenance = runtime.block_on(maintenance);
    drop(runtime);
    assert!(!maintenance.is_on());
    let other = maintenance.clone();
    thread::spawn(move || {
        let runtime = rt::Runtime::new().unwrap();
        runtime.block_on(async { other.turn_on().await }).unwrap();
    })
    .join()
    .unwrap();
    assert!(maintenance.is_on());
}

#[actix_web::test]
async fn the_state_outlives_the_handle() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance.state");
    let maintenance = maintenance_of(&file).await;
    let status = maintenance
        .turn_on()
        .message("Back soon.")
        .reason("disks")
        .by("alice")
        .await
        .unwrap()
        .status;
    drop(maintenance);
    let again = maintenance_of(&file).await;
    assert!(again.is_on());
    assert_eq!(again.status().modes, status.modes);
    assert_eq!(again.status().generation, 1);
}

#[actix_web::test]
async fn two_handles_on_one_file_follow_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("maintenance.state");
    let one = maintenance_of(&file).await;
    let other = maintenance_of(&file).await;
    for round in 0..5 {
        one.turn_on().reason(round.to_string()).await.unwrap();
        eventually("the other sees it", || other.is_on()).await;
        assert_eq!(other.status().modes, one.status().modes);
        other.turn_off().await.unwrap();
        eventually("the one sees it", || !one.is_on()).await;
    }
    assert_eq!(one.status().generation, 10);
    // Who has not looked yet builds on what is stored, not on what it knows.
    one.turn_on().reason("by one").await.unwrap();
    let change = other.turn_on().reason("by other").await.unwrap();
    assert_eq!(change.status.generation, 12);
    eventually("the one sees it", || one.status().generation == 12).await;
    assert_eq!(one.status().modes, other.status().modes);
}

#[actix_web::test]
async fn bad_settings_of_the_builder_are_told_all_at_once() {
    let error = Maintenance::builder()
        .settings(Settings::default())
        .configure(|settings| {
            settings.store = "files:x".to_owned();
            settings.admin_path = "maintenance".to_owned();
            settings.time_zone = Some("Europe/Roma".to_owned());
            settings.exempt.addresses = vec!["10.0.0.1".to_owned(), "10.0.0.0/40".to_owned()];
            settings.exempt.patterns = vec!["(".to_owned()];
            settings.exempt.prefixes = vec!["/".to_owned()];
            settings.response.status = 200;
            settings.client.trusted_proxies = vec!["proxy".to_owned()];
        })
        .build()
        .await
        .unwrap_err();
    let text = error.to_string();
    let BuildError::Settings(settings) = error else {
        panic!("{text}");
    };
    let mut keys: Vec<&str> = settings.faults().iter().map(|fault| fault.key()).collect();
    keys.sort_unstable();
    assert_eq!(
        keys,
        [
            "admin_path",
            "client.trusted_proxies",
            "exempt.addresses",
            "exempt.patterns",
            "exempt.prefixes",
            "response.status",
            "store",
            "time_zone",
        ],
        "{text}"
    );
    for value in ["files:x", "Europe/Roma", "10.0.0.0/40", "200", "proxy"] {
        assert!(text.contains(value), "{value} is not in {text}");
    }
}

// Visible at once ---------------------------------------------------------------------------------

/// A server with several workers, stopped when this is dropped.
struct Server {
    address: SocketAddr,
    handle: ServerHandle,
    thread: Option<thread::JoinHandle<()>>,
}

impl Server {
    fn start(maintenance: &Maintenance, workers: usize) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let maintenance = maintenance.clone();
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            rt::System::new().block_on(async move {
                let server = HttpServer::new(move || {
                    App::new()
                        .route("/", web::get().to(|| async { "hello" }))
                        .wrap(maintenance.middleware())
                })
                .workers(workers)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run();
                sender.send(server.handle()).unwrap();
                server.await.unwrap();
            });
        });
        Self {
            address,
            handle: receiver.recv().unwrap(),
            thread: Some(thread),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The command is sent at once; the server's own thread carries it out.
        drop(self.handle.stop(false));
        let _ = self.thread.take().unwrap().join();
    }
}

/// One connection that is kept alive.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    /// Asks for the page and returns the status.
    fn get(&mut self) -> u16 {
        self.0
            .get_mut()
            .write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\naccept: text/plain\r\n\r\n")
            .unwrap();
        let (mut status, mut length) = (None, 0);
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "closed");
            let line = line.trim_end();
            if line.is_empty() {
                break;
            }
            if status.is_none() {
                status = line.split(' ').nth(1).unwrap().parse().ok();
            } else if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        status.unwrap()
    }
}

/// Where the toggling is: online, being switched on, offline, being switched off, and so on.
#[derive(Default)]
struct Stage(AtomicU64);

impl Stage {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    fn step(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// What every request gets that starts and ends in this stage; `None` while it changes.
    fn status(stage: u64) -> Option<u16> {
        match stage % 4 {
            0 => Some(200),
            2 => Some(503),
            _ => None,
        }
    }
}

#[actix_web::test]
async fn when_a_change_returns_every_worker_knows_it() {
    const WORKERS: usize = 4;
    const CLIENTS: usize = 12;
    const TOGGLES: u64 = 200;

    let maintenance = in_memory().await;
    let server = Server::start(&maintenance, WORKERS);
    let stage = Arc::new(Stage::default());
    let stop = Arc::new(AtomicBool::new(false));
    /// Requests that were judged in a stage, by the stage's number.
    type Judged = Arc<Vec<AtomicU64>>;
    let judged: Judged = Arc::new((0..=2 * TOGGLES).map(|_| AtomicU64::new(0)).collect());

    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let (stage, stop) = (Arc::clone(&stage), Arc::clone(&stop));
            let judged = Arc::clone(&judged);
            let mut connection = Connection::open(server.address);
            thread::spawn(move || {
                let mut wrong = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let before = stage.now();
                    let status = connection.get();
                    let after = stage.now();
                    if before != after {
                        continue;
                    }
                    if let Some(expected) = Stage::status(before) {
                        judged[usize::try_from(before).unwrap()].fetch_add(1, Ordering::SeqCst);
                        if status != expected {
                            wrong.push((before, status));
                        }
                    }
                }
                wrong
            })
        })
        .collect();

    for toggle in 0..TOGGLES {
        stage.step();
        let change = if toggle % 2 == 0 {
            maintenance.turn_on().await
        } else {
            maintenance.turn_off().await
        };
        let now = stage.step();
        assert!(change.unwrap().changed);
        let seen = &judged[usize::try_from(now).unwrap()];
        let enough = CLIENTS as u64 / 2;
        eventually("requests in this stage", || {
            seen.load(Ordering::SeqCst) >= enough
        })
        .await;
    }
    stop.store(true, Ordering::SeqCst);
    let wrong: Vec<_> = clients
        .into_iter()
        .flat_map(|client| client.join().unwrap())
        .collect();
    assert!(wrong.is_empty(), "stage and status: {wrong:?}");
    let judged: u64 = judged
        .iter()
        .map(|count| count.load(Ordering::SeqCst))
        .sum();
    println!("{judged} requests in {TOGGLES} changes");
}

// A store that fails ------------------------------------------------------------------------------

const WORKS: u8 = 0;
const FAILS: u8 = 1;
const HANGS: u8 = 2;
const HANGS_WHEN_SAVING: u8 = 3;
const SLOW: u8 = 4;

/// A store that does what a test wants.
#[derive(Debug, Clone)]
struct Moody {
    store: MemoryStore,
    mood: Arc<AtomicU8>,
    hints: watch::Sender<()>,
}

impl Moody {
    fn new(mood: u8) -> Self {
        Self {
            store: MemoryStore::new(),
            mood: Arc::new(AtomicU8::new(mood)),
            hints: watch::Sender::new(()),
        }
    }

    /// Changes the mood, and has the handle look again.
    fn becomes(&self, mood: u8) {
        self.mood.store(mood, Ordering::SeqCst);
        self.hints.send_replace(());
    }

    fn mood(&self) -> u8 {
        self.mood.load(Ordering::SeqCst)
    }

    fn error() -> StoreError {
        StoreError::new("the far disk does not answer; plug it in")
    }
}

impl Store for Moody {
    fn url(&self) -> String {
        "moody:".to_owned()
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        match self.mood() {
            FAILS => Box::pin(async { Err(Self::error()) }),
            HANGS => Box::pin(std::future::pending()),
            SLOW => Box::pin(async {
                rt::time::sleep(Duration::from_millis(50)).await;
                self.store.load().await
            }),
            _ => self.store.load(),
        }
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        match self.mood() {
            FAILS => Box::pin(async { Err(Self::error()) }),
            HANGS | HANGS_WHEN_SAVING => Box::pin(std::future::pending()),
            _ => self.store.save(document, expected),
        }
    }

    fn watch(&self) -> Hints {
        let own = stream::unfold(self.hints.subscribe(), |mut hints| async move {
            hints.changed().await.ok()?;
            Some((Hint, hints))
        });
        Box::pin(stream::select(self.store.watch(), own))
    }

    leases_of!(store);
}

async fn moody_maintenance(store: &Moody, when: WhenStoreFails) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .custom_store(store.clone())
        .configure(move |settings| {
            settings.when_store_fails = when;
            settings.when_unknown_at_start = WhenUnknownAtStart::Off;
        })
        .build()
        .await
        .unwrap()
}

async fn put(store: &Moody, document: &[u8]) {
    let loaded = store.store.load().await.unwrap();
    let expected = loaded.map(|loaded| loaded.version);
    let saved = store.store.save(document, expected.as_ref()).await.unwrap();
    assert!(matches!(saved, Saved::Stored(_)));
}

/// PARITY: `STATE_BACKEND_FALLBACK_VALUE` (django-maintenance-mode).
#[actix_web::test]
async fn a_store_that_fails_at_start_is_replaced_by_what_the_settings_say() {
    for (when, is_on) in [
        (WhenStoreFails::KeepLast, false),
        (WhenStoreFails::On, true),
        (WhenStoreFails::Off, false),
    ] {
        let store = Moody::new(FAILS);
        put(&store, b"on").await;
        let maintenance = moody_maintenance(&store, when).await;
        assert_eq!(maintenance.is_on(), is_on, "{when:?}");
        let status = maintenance.status();
        assert_eq!(status.maintenance_mode, is_on);
        assert_eq!(status.store.known_at, None, "it was never read");
        let error = status.store.error.unwrap();
        assert!(error.contains("plug it in"), "{error}");
        let error = maintenance.turn_on().await.unwrap_err();
        assert!(matches!(error, ChangeError::Store(_)));
        assert!(error.to_string().contains("plug it in"), "{error}");

        // It is tried again without a hint.
        store.mood.store(WORKS, Ordering::SeqCst);
        eventually("the store is read", || {
            maintenance.is_on() && maintenance.status().store.error.is_none()
        })
        .await;
        assert!(maintenance.status().store.known_at.is_some());
        assert!(maintenance.turn_off().await.unwrap().changed);
    }
}

#[actix_web::test]
async fn a_store_that_fails_later_is_replaced_by_what_the_settings_say() {
    for stored_on in [false, true] {
        for (when, is_on) in [
            (WhenStoreFails::KeepLast, stored_on),
            (WhenStoreFails::On, true),
            (WhenStoreFails::Off, false),
        ] {
            let store = Moody::new(WORKS);
            put(&store, if stored_on { b"on" } else { b"off" }).await;
            let maintenance = moody_maintenance(&store, when).await;
            assert_eq!(maintenance.is_on(), stored_on);
            let known_at = maintenance.status().store.known_at.unwrap();

            store.becomes(FAILS);
            eventually("the failure is seen", || {
                maintenance.status().store.error.is_some()
            })
            .await;
            assert_eq!(maintenance.is_on(), is_on, "{when:?}");
            assert_eq!(maintenance.status().store.known_at, Some(known_at));

            // It is back with something else.
            put(&store, if stored_on { b"off" } else { b"on" }).await;
            store.becomes(WORKS);
            eventually("the store is back", || {
                maintenance.status().store.error.is_none()
            })
            .await;
            assert_eq!(maintenance.is_on(), !stored_on);
            assert!(maintenance.status().store.known_at.unwrap() > known_at);
        }
    }
}

#[actix_web::test]
async fn a_store_that_hangs_ends_a_change_with_an_error() {
    // Longer than the longest that a change is promised to take, shorter than for ever.
    const BOUND: Duration = Duration::from_secs(20);
    let one = async |mood| {
        let store = Moody::new(WORKS);
        let maintenance = moody_maintenance(&store, WhenStoreFails::KeepLast).await;
        maintenance.turn_on().await.unwrap();
        store.mood.store(mood, Ordering::SeqCst);
        let started = Instant::now();
        let error = rt::time::timeout(BOUND, maintenance.turn_off().into_future())
            .await
            .expect("the change hangs")
            .unwrap_err();
        // A store that was never asked to save cannot have saved.
        match mood {
            HANGS => assert!(matches!(error, ChangeError::Store(_)), "{error}"),
            _ => assert!(matches!(error, ChangeError::NotKnown(_)), "{error}"),
        }
        let text = error.to_string();
        assert!(text.contains("moody:"), "{text}");
        assert!(text.contains(" within "), "{text}");
        println!("after {:?}: {text}", started.elapsed());
        assert!(maintenance.is_on(), "what is known is kept");

        store.mood.store(WORKS, Ordering::SeqCst);
        assert!(maintenance.turn_off().await.unwrap().changed);
        assert!(!maintenance.is_on());
    };
    let start = async {
        let store = Moody::new(HANGS);
        let build = moody_maintenance(&store, WhenStoreFails::On);
        let maintenance = rt::time::timeout(BOUND, build).await.expect("it hangs");
        assert!(maintenance.is_on());
        assert!(maintenance.status().store.error.is_some());
    };
    tokio::join!(one(HANGS), one(HANGS_WHEN_SAVING), start);
}

#[test]
fn a_failing_store_is_logged_once_when_it_goes_and_once_when_it_is_back() {
    Role::new("log-failures").run();
}

/// In a process of its own, because what the driver logs is the whole process's log.
pub(crate) async fn child_logs_failures() {
    let logs = Logs::capture();
    let store = Moody::new(WORKS);
    let maintenance = moody_maintenance(&store, WhenStoreFails::KeepLast).await;
    for round in 1..=3 {
        store.becomes(FAILS);
        eventually("the failure is seen", || {
            maintenance.status().store.error.is_some()
        })
        .await;
        // Again and again, by hints, by retries and by changes.
        for _ in 0..20 {
            store.becomes(FAILS);
            rt::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(logs.with("ERROR the maintenance store fails").len(), round);
        store.becomes(WORKS);
        eventually("the store is back", || {
            maintenance.status().store.error.is_none()
        })
        .await;
        store.becomes(WORKS);
        maintenance
            .turn_on()
            .reason(round.to_string())
            .await
            .unwrap();
        assert_eq!(logs.with("the maintenance store is back").len(), round);
    }
    let lines = logs.with("plug it in");
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[0].contains("keep-last"), "{lines:?}");

    // A cold start is told by words of its own.
    let cold = moody_maintenance(&Moody::new(FAILS), WhenStoreFails::On).await;
    assert!(cold.is_on());
    let lines = logs.with("nothing is known of what it holds");
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("ERROR"), "{lines:?}");
    assert!(lines[0].contains("when_store_fails=\"on\""), "{lines:?}");
}
