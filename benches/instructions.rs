//! Instructions and allocations per request, with and without the middleware.
//!
//! `cargo bench --bench instructions`; what the figures mean is in `benches/README.md`.
//!
//! The program starts itself once per case and number of requests: under callgrind to count
//! instructions, alone to count allocations. Twice as many requests less half of them is what the
//! half costs, so that whatever happens once does not count. Only what happens between the arrival
//! of a request at the app and the end of the response's body is counted.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    env, fmt, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::pin,
    process::{Command, ExitCode},
    sync::atomic::{AtomicBool, Ordering},
    task::{Context, Poll, Waker},
};

use actix_maintenance_mode::Settings;
use actix_session::{
    Session, SessionMiddleware, config::CookieContentSecurity, storage::CookieSessionStore,
};
use actix_web::{
    App,
    body::{BodySize, MessageBody},
    cookie::Key,
    dev::{Service, ServiceResponse},
    http::{Uri, header},
    test, web,
};

use self::apps::{
    BROWSER, GREETING, PATH, frugal_refusal, greeting, maintenance, page_of_refusals, refusal,
};

mod apps;

/// How many requests the smaller of two runs serves.
const REQUESTS: u64 = 2_000;

/// The first argument of the program when it starts itself to serve.
const SERVE: &str = "serve";
/// The same, and to count allocations.
const SERVE_AND_COUNT: &str = "serve-and-count";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [command, case, requests] = arguments.as_slice()
        && (command == SERVE || command == SERVE_AND_COUNT)
    {
        let case = Case::ALL.into_iter().find(|known| known.name() == case);
        COUNTS.store(command == SERVE_AND_COUNT, Ordering::Relaxed);
        serve(
            case.expect("a known case"),
            requests.parse().expect("a number of requests"),
        );
        return ExitCode::SUCCESS;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("nothing is measured under `cargo test`; run `cargo bench --bench instructions`");
        return ExitCode::SUCCESS;
    }
    match measure_all() {
        Ok(figures) => report(&figures),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Case {
    Bare,
    Online,
    OnlineManyPaths,
    OnlineForcedOn,
    OnlineTimed,
    BareVisitor,
    OnlineVisitor,
    Handler,
    FrugalHandler,
    Offline,
    OfflineManyRules,
    OfflineJson,
    OfflineTimed,
}

impl Case {
    const ALL: [Self; 13] = [
        Self::Bare,
        Self::Online,
        Self::OnlineManyPaths,
        Self::OnlineForcedOn,
        Self::OnlineTimed,
        Self::BareVisitor,
        Self::OnlineVisitor,
        Self::Handler,
        Self::FrugalHandler,
        Self::Offline,
        Self::OfflineManyRules,
        Self::OfflineJson,
        Self::OfflineTimed,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::Online => "online",
            Self::OnlineManyPaths => "online-many-paths",
            Self::OnlineForcedOn => "online-forced-on",
            Self::OnlineTimed => "online-timed",
            Self::BareVisitor => "bare-visitor",
            Self::OnlineVisitor => "online-visitor",
            Self::Handler => "handler",
            Self::FrugalHandler => "frugal-handler",
            Self::Offline => "offline",
            Self::OfflineManyRules => "offline-many-rules",
            Self::OfflineJson => "offline-json",
            Self::OfflineTimed => "offline-timed",
        }
    }

    fn description(self) -> &'static str {
        match self {
            Self::Bare => "the app without the middleware",
            Self::Online => "online",
            Self::OnlineManyPaths => "online, 1,000 path rules",
            Self::OnlineForcedOn => "online, two patterns are forced on",
            Self::OnlineTimed => "online, a window is planned",
            Self::BareVisitor => "a visitor who has logged in, without the middleware",
            Self::OnlineVisitor => "online, a visitor who has logged in",
            Self::Handler => "a handler that answers as a refusal does",
            Self::FrugalHandler => "the same, its headers made beforehand",
            Self::Offline => "offline, page of 2 KiB",
            Self::OfflineManyRules => "offline, 1,000 path rules and 10,000 networks",
            Self::OfflineJson => "offline, JSON",
            Self::OfflineTimed => "offline, a window is planned",
        }
    }

    fn is_refused(self) -> bool {
        matches!(
            self,
            Self::Handler
                | Self::FrugalHandler
                | Self::Offline
                | Self::OfflineManyRules
                | Self::OfflineJson
                | Self::OfflineTimed
        )
    }

    fn accept(self) -> &'static str {
        match self {
            Self::OfflineJson => "application/json",
            _ => BROWSER,
        }
    }

    fn settings(self) -> Settings {
        let mut settings = Settings::default();
        let exempt = &mut settings.exempt;
        if matches!(self, Self::OnlineManyPaths | Self::OfflineManyRules) {
            exempt.paths = (0..500).map(|n| format!("/open/page-{n}")).collect();
            exempt.prefixes = (0..400).map(|n| format!("/assets/{n}/public")).collect();
            exempt.patterns = (0..100)
                .map(|n| format!("/feeds/{n}/[a-z]+\\.xml$"))
                .collect();
        }
        if self == Self::OnlineForcedOn {
            settings.forced_on.patterns = vec!["/attic".to_owned(), "/private/.+".to_owned()];
        }
        if self == Self::OfflineManyRules {
            // Every other network of 16 addresses, so that none can be merged with the next.
            exempt.addresses = (0..10_000_u32)
                .map(|n| {
                    let network = std::net::Ipv4Addr::from(0x0a00_0000 + n * 32);
                    format!("{network}/28")
                })
                .collect();
        }
        settings
    }

    /// What the store holds from the start.
    fn stored(self) -> &'static str {
        match self {
            Self::Bare
            | Self::Online
            | Self::OnlineManyPaths
            | Self::OnlineForcedOn
            | Self::BareVisitor
            | Self::OnlineVisitor => "off",
            Self::Handler
            | Self::FrugalHandler
            | Self::Offline
            | Self::OfflineManyRules
            | Self::OfflineJson => "on",
            Self::OnlineTimed => {
                r#"{"format": 1, "generation": 1, "modes": {"site": {"switch": "off", "windows":
                    [{"id": "planned", "start": "2200-01-01T00:00:00Z"}]}}}"#
            }
            Self::OfflineTimed => {
                r#"{"format": 1, "generation": 1, "modes": {"site": {"switch": {"on": {}}, "windows":
                    [{"id": "planned", "start": "2200-01-01T00:00:00Z"}]}}}"#
            }
        }
    }
}

// The programs that count.

/// What one request costs in one case.
#[derive(Debug, Clone, Copy)]
struct Cost {
    instructions: f64,
    allocations: f64,
}

fn measure_all() -> Result<Vec<(Case, Cost)>, String> {
    check_for_valgrind()?;
    Case::ALL
        .into_iter()
        .map(|case| Ok((case, measure(case)?)))
        .collect()
}

fn check_for_valgrind() -> Result<(), String> {
    match Command::new("valgrind").arg("--version").output() {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => Err(format!("valgrind does not run: {}", text(&output.stderr))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(
            "valgrind counts the instructions and is not installed; install the package \
             `valgrind` (Debian and Ubuntu: `apt install valgrind`)"
                .to_owned(),
        ),
        Err(error) => Err(format!("valgrind cannot be started: {error}")),
    }
}

fn measure(case: Case) -> Result<Cost, String> {
    let per_request = |half: u64, whole: u64| whole.saturating_sub(half) as f64 / REQUESTS as f64;
    Ok(Cost {
        instructions: per_request(
            instructions(case, REQUESTS)?,
            instructions(case, 2 * REQUESTS)?,
        ),
        allocations: per_request(
            allocations(case, REQUESTS)?,
            allocations(case, 2 * REQUESTS)?,
        ),
    })
}

/// Where callgrind writes to: `callgrind_annotate` shows what costs.
fn profile(case: Case) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("callgrind.{}.out", case.name()))
}

fn instructions(case: Case, requests: u64) -> Result<u64, String> {
    let profile = profile(case);
    let mut valgrind = Command::new("valgrind");
    valgrind
        .arg("--tool=callgrind")
        .arg("--toggle-collect=maintenance_mode_measured")
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(itself()?)
        .args([SERVE, case.name(), &requests.to_string()]);
    run(&mut valgrind)?;
    let written = fs::read_to_string(&profile)
        .map_err(|error| format!("{} cannot be read: {error}", profile.display()))?;
    written
        .lines()
        .find_map(|line| line.strip_prefix("totals:"))
        .and_then(|total| total.trim().parse().ok())
        .filter(|total| *total > 0)
        .ok_or_else(|| format!("callgrind counted nothing in the case {}", case.name()))
}

fn allocations(case: Case, requests: u64) -> Result<u64, String> {
    let mut alone = Command::new(itself()?);
    alone.args([SERVE_AND_COUNT, case.name(), &requests.to_string()]);
    let printed = run(&mut alone)?;
    printed
        .trim()
        .parse()
        .map_err(|_| format!("`{printed}` is no number of allocations"))
}

fn itself() -> Result<PathBuf, String> {
    env::current_exe().map_err(|error| format!("the program does not find itself: {error}"))
}

fn run(command: &mut Command) -> Result<String, String> {
    // What the measured apps do is set here and not by where the program runs.
    command
        .env_clear()
        .envs(env::var_os("PATH").map(|path| ("PATH", path)));
    match command.output() {
        Ok(output) if output.status.success() => Ok(text(&output.stdout)),
        Ok(output) => Err(format!(
            "{command:?} failed ({})\n{}",
            output.status,
            text(&output.stderr)
        )),
        Err(error) => Err(format!("{command:?} cannot be started: {error}")),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A figure and what it must not exceed.
struct Limit {
    what: &'static str,
    figure: f64,
    at_most: f64,
}

impl Limit {
    fn is_kept(&self) -> bool {
        self.figure <= self.at_most
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_kept() { "kept" } else { "BROKEN" };
        let Self {
            what,
            figure,
            at_most,
        } = self;
        write!(
            formatter,
            "{what:<64}{figure:>10.2}{at_most:>10.2}  {verdict}"
        )
    }
}

fn limits(figures: &[(Case, Cost)]) -> [Limit; 8] {
    let of = |case: Case| {
        let found = figures.iter().find(|(known, _)| *known == case);
        found.expect("every case is measured").1
    };
    let instructions = |case: Case| of(case).instructions;
    let [bare, online, offline] = [Case::Bare, Case::Online, Case::Offline].map(of);
    [
        Limit {
            what: "online: instructions added per request",
            figure: online.instructions - bare.instructions,
            at_most: 200.0,
        },
        Limit {
            what: "online, 1,000 path rules: instructions added per request",
            figure: instructions(Case::OnlineManyPaths) - bare.instructions,
            at_most: 200.0,
        },
        Limit {
            what: "online: allocations added per request",
            figure: online.allocations - bare.allocations,
            at_most: 0.0,
        },
        Limit {
            what: "online, patterns forced on: allocations added per request",
            figure: of(Case::OnlineForcedOn).allocations - bare.allocations,
            at_most: 0.0,
        },
        Limit {
            what: "online, a visitor: allocations added per request",
            figure: of(Case::OnlineVisitor).allocations - of(Case::BareVisitor).allocations,
            at_most: 0.0,
        },
        Limit {
            what: "offline: allocations per refusal",
            figure: offline.allocations,
            at_most: 2.0,
        },
        Limit {
            what: "offline: instructions relative to the handler",
            figure: offline.instructions / instructions(Case::Handler),
            at_most: 0.6,
        },
        Limit {
            what: "offline: instructions with many rules relative to none",
            figure: instructions(Case::OfflineManyRules) / offline.instructions,
            at_most: 1.3,
        },
    ]
}

fn report(figures: &[(Case, Cost)]) -> ExitCode {
    println!(
        "{:<50}{:>14}{:>13}",
        "per request", "instructions", "allocations"
    );
    for (case, cost) in figures {
        println!(
            "{:<50}{:>14.1}{:>13.2}",
            case.description(),
            cost.instructions,
            cost.allocations
        );
    }
    println!("\n{:<64}{:>10}{:>10}", "limits", "measured", "at most");
    let limits = limits(figures);
    for limit in &limits {
        println!("{limit}");
    }
    if limits.iter().all(Limit::is_kept) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

// The apps that are measured.

/// Serves requests of one case and prints the number of allocations.
fn serve(case: Case, requests: u64) {
    // As in a server, where the path is a part of the buffer that was read: the bytes are shared
    // already, so that actix's own copy of it allocates nothing.
    let uri: Uri = PATH.parse().expect("the path is a URI");
    let folder = tempfile::tempdir().expect("a temporary folder");
    actix_web::rt::System::new().block_on(async {
        match case {
            Case::Bare => {
                let app = App::new().route(PATH, web::get().to(greeting));
                let app = test::init_service(app).await;
                repeat(case, requests, &app, || {
                    let mut request = request(case).to_request();
                    request.head_mut().uri = uri.clone();
                    request
                });
            }
            Case::BareVisitor => {
                let key = Key::from(&[7; 64]);
                let cookie = log_in(&key).await;
                let app = App::new()
                    .route(PATH, web::get().to(greeting))
                    .wrap(sessions(&key));
                let app = test::init_service(app).await;
                repeat(case, requests, &app, || {
                    let request = request(case).insert_header((header::COOKIE, &*cookie));
                    let mut request = request.to_request();
                    request.head_mut().uri = uri.clone();
                    request
                });
            }
            Case::OnlineVisitor => {
                let key = Key::from(&[7; 64]);
                let cookie = log_in(&key).await;
                let file = folder.path().join("state");
                let maintenance = maintenance(case.settings(), &file, case.stored()).await;
                let app = App::new()
                    .route(PATH, web::get().to(greeting))
                    .wrap(maintenance.middleware())
                    .wrap(sessions(&key));
                let app = test::init_service(app).await;
                repeat(case, requests, &app, || {
                    let request = request(case).insert_header((header::COOKIE, &*cookie));
                    let mut request = request.to_request();
                    request.head_mut().uri = uri.clone();
                    request
                });
            }
            Case::Handler | Case::FrugalHandler => {
                let page = page_of_refusals(folder.path()).await;
                let refuse = match case {
                    Case::Handler => refusal,
                    _ => frugal_refusal,
                };
                let app =
                    App::new().route(PATH, web::get().to(move || async move { refuse(page) }));
                let app = test::init_service(app).await;
                repeat(case, requests, &app, || {
                    let mut request = request(case).to_request();
                    request.head_mut().uri = uri.clone();
                    request
                });
            }
            _ => {
                let file = folder.path().join("state");
                let maintenance = maintenance(case.settings(), &file, case.stored()).await;
                let app = App::new()
                    .route(PATH, web::get().to(greeting))
                    .wrap(maintenance.middleware());
                let app = test::init_service(app).await;
                repeat(case, requests, &app, || {
                    let mut request = request(case).to_request();
                    request.head_mut().uri = uri.clone();
                    request
                });
            }
        }
    });
    println!("{}", CountingAllocator::count());
}

/// Sessions that live in a cookie. It is signed and not encrypted, so that it is the same each time.
fn sessions(key: &Key) -> SessionMiddleware<CookieSessionStore> {
    SessionMiddleware::builder(CookieSessionStore::default(), key.clone())
        .cookie_content_security(CookieContentSecurity::Signed)
        .build()
}

/// The cookie of a visitor who has logged in.
async fn log_in(key: &Key) -> String {
    let log_in = async |session: Session| {
        session.insert("user_id", 1)?;
        Ok::<_, actix_web::Error>("in")
    };
    let app = App::new()
        .route(PATH, web::get().to(log_in))
        .wrap(sessions(key));
    let app = test::init_service(app).await;
    let response = test::call_service(&app, request(Case::Bare).to_request()).await;
    let cookie = response.headers().get(header::SET_COOKIE);
    let cookie = cookie.and_then(|cookie| cookie.to_str().ok()?.split(';').next());
    cookie.expect("a cookie is set").to_owned()
}

fn request(case: Case) -> test::TestRequest {
    test::TestRequest::with_uri(PATH)
        .insert_header((header::HOST, "shop.example"))
        .insert_header((header::ACCEPT, case.accept()))
        .insert_header((header::USER_AGENT, "Mozilla/5.0 (X11; Linux x86_64)"))
        .insert_header((header::ACCEPT_ENCODING, "gzip, deflate, br"))
        // Between two of the networks that are exempt in the case of many rules.
        .peer_addr(SocketAddr::from(([10, 2, 0, 20], 50_000)))
}

/// Serves requests one by one, as a worker does with one connection.
fn repeat<S, R, B>(case: Case, requests: u64, app: &S, request: impl Fn() -> R)
where
    S: Service<R, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    for _ in 0..requests {
        let mut request = Some(request());
        let mut length = 0;
        let mut status = 0;
        maintenance_mode_measured(&mut || {
            if let Some(request) = request.take() {
                (status, length) = exchange(app, request);
            }
        });
        if case.is_refused() {
            assert_eq!(status, 503);
            assert!(length > 100);
        } else {
            assert_eq!((status, length), (200, GREETING.len()));
        }
    }
}

/// One request and its response to the end of the body: the status and the body's length.
fn exchange<S, R, B>(app: &S, request: R) -> (u16, usize)
where
    S: Service<R, Response = ServiceResponse<B>, Error = actix_web::Error>,
    B: MessageBody,
{
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(app.call(request));
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("the app has to answer at once");
    };
    let (request, response) = response.into_parts();
    drop(request);
    let (head, body) = response.into_parts();
    let status = head.status().as_u16();
    let BodySize::Sized(announced) = body.size() else {
        panic!("the body has to have a size");
    };
    let mut body = pin!(body);
    let mut length = 0;
    while let Poll::Ready(Some(Ok(chunk))) = body.as_mut().poll_next(&mut context) {
        length += chunk.len();
    }
    assert_eq!(announced, length as u64);
    (status, length)
}

/// Everything that is done in here is counted. Callgrind knows it by its name.
// SAFETY: no other function has this name.
#[unsafe(no_mangle)]
#[inline(never)]
fn maintenance_mode_measured(work: &mut dyn FnMut()) {
    CountingAllocator::count_while(work);
}

/// The system's allocator, which counts what the measured thread asks for.
struct CountingAllocator;

/// Off while instructions are counted, so that counting costs them next to nothing.
static COUNTS: AtomicBool = AtomicBool::new(false);

thread_local! {
    static MEASURED: Cell<bool> = const { Cell::new(false) };
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

impl CountingAllocator {
    fn count() -> u64 {
        ALLOCATIONS.get()
    }

    fn count_while(work: &mut dyn FnMut()) {
        MEASURED.set(true);
        work();
        MEASURED.set(false);
    }

    #[inline]
    fn note() {
        if COUNTS.load(Ordering::Relaxed) && MEASURED.get() {
            ALLOCATIONS.set(ALLOCATIONS.get() + 1);
        }
    }
}

// SAFETY: every call goes to the system's allocator as it came. The counters are thread-locals
// without a destructor and without a first-time initialization, so that counting allocates nothing.
unsafe impl GlobalAlloc for CountingAllocator {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        Self::note();
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        Self::note();
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc_zeroed(layout) }
    }

    #[inline]
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        Self::note();
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(pointer, layout, size) }
    }

    #[inline]
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(pointer, layout) }
    }
}
