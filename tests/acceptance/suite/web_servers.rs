//! Web servers in front of the app: the flag, the page, and the rules in the real servers.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use actix_maintenance_mode::{
    Maintenance, Settings,
    settings::CorsSetting,
    web_server::{self, WebServer},
};
use actix_web::{App, HttpResponse, rt, web};
use tempfile::TempDir;

use crate::{
    eventually::eventually,
    test_server::{TestServer, WireAnswer, send},
};

const ALLOW_ORIGIN: &str = "access-control-allow-origin";
const ALLOW_CREDENTIALS: &str = "access-control-allow-credentials";

/// A folder with the files for a web server, which may run as somebody else.
pub(crate) struct Front {
    pub(crate) folder: TempDir,
    pub(crate) settings: Settings,
}

impl Front {
    pub(crate) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            let all = fs::Permissions::from_mode(0o755);
            fs::set_permissions(folder.path(), all).unwrap();
        }
        let mut settings = Settings::default();
        settings.store = format!("file:{}", folder.path().join("state").display());
        settings.response.retry_after = Duration::from_secs(120);
        settings.web_server.flag = Some(folder.path().join("maintenance.flag"));
        settings.web_server.page = Some(folder.path().join("maintenance.html"));
        settings.exempt.prefixes = vec!["/api".to_owned()];
        settings.exempt.patterns = vec![r"/v\d+/(hook|bell)".to_owned()];
        Self { folder, settings }
    }

    fn flag(&self) -> PathBuf {
        self.settings.web_server.flag.clone().unwrap()
    }

    fn page(&self) -> PathBuf {
        self.settings.web_server.page.clone().unwrap()
    }

    async fn maintenance(&self) -> Maintenance {
        Maintenance::builder()
            .settings(self.settings.clone())
            .build()
            .await
            .unwrap()
    }
}

#[actix_web::test]
async fn the_flag_is_there_exactly_while_the_site_is_offline() {
    let front = Front::new();
    let maintenance = front.maintenance().await;
    assert!(!front.flag().exists());
    for _ in 0..10 {
        maintenance.turn_on().await.unwrap();
        assert!(
            front.flag().exists(),
            "when the switch is done, it is there"
        );
        maintenance.turn_off().await.unwrap();
        assert!(!front.flag().exists());
    }
    // Also when another process switches, or a hand.
    fs::write(front.folder.path().join("state"), "on").unwrap();
    eventually("the flag is there", || front.flag().exists()).await;
    fs::write(front.folder.path().join("state"), "off").unwrap();
    eventually("the flag is gone", || !front.flag().exists()).await;
}

#[actix_web::test]
async fn the_flag_is_not_there_while_the_site_is_closing() {
    let front = Front::new();
    let maintenance = front.maintenance().await;
    let app = maintenance.clone();
    let server = TestServer::start(move || {
        App::new()
            .route(
                "/slow",
                web::get().to(|| async {
                    rt::time::sleep(Duration::from_millis(400)).await;
                    "done"
                }),
            )
            .wrap(app.middleware())
    });
    let address = server.address;
    let slow = rt::spawn(async move { send(address, "GET /slow", "").await });
    eventually("it is inside", || maintenance.status().in_flight == Some(1)).await;
    maintenance.turn_on().drain().await.unwrap();
    assert!(!front.flag().exists(), "those who are in may finish");
    assert_eq!(slow.await.unwrap().status(), 200);
    eventually("the flag is there", || front.flag().exists()).await;
    server.stop().await;
}

#[actix_web::test]
async fn a_window_sets_and_removes_the_flag_by_itself() {
    let front = Front::new();
    let maintenance = front.maintenance().await;
    let now = jiff::Timestamp::now();
    let window = maintenance
        .plan_window()
        .start(now + Duration::from_millis(200))
        .end(now + Duration::from_millis(900));
    window.await.unwrap();
    assert!(!front.flag().exists());
    eventually("the flag is there", || front.flag().exists()).await;
    eventually("the flag is gone", || !front.flag().exists()).await;
}

#[actix_web::test]
async fn a_start_makes_right_what_a_crash_left_behind() {
    let front = Front::new();
    fs::write(front.flag(), "left behind").unwrap();
    fs::write(front.page(), "half a pa").unwrap();
    drop(front.maintenance().await);
    assert!(!front.flag().exists());
    assert!(
        fs::read_to_string(front.page())
            .unwrap()
            .ends_with("</html>\n")
    );

    fs::write(front.folder.path().join("state"), "on").unwrap();
    drop(front.maintenance().await);
    assert!(front.flag().exists());
}

#[actix_web::test]
async fn a_mode_that_is_not_the_site_has_no_flag() {
    let mut front = Front::new();
    front.settings.modes = vec![
        actix_maintenance_mode::settings::ModeSettings::new("site"),
        actix_maintenance_mode::settings::ModeSettings::new("shop"),
    ];
    let maintenance = front.maintenance().await;
    maintenance.turn_on().mode("shop").await.unwrap();
    assert!(!front.flag().exists());
    maintenance.turn_on().mode("site").await.unwrap();
    assert!(front.flag().exists());
}

#[actix_web::test]
async fn the_page_is_a_file_that_follows_the_message() {
    let front = Front::new();
    let maintenance = front.maintenance().await;
    let page = || fs::read_to_string(front.page()).unwrap();
    assert_eq!(page(), maintenance.page());
    assert!(page().contains("Down for maintenance"));
    maintenance
        .turn_on()
        .message("Back at noon.")
        .await
        .unwrap();
    assert!(page().contains("Back at noon."));
    assert_eq!(page(), maintenance.page());
    maintenance.turn_off().await.unwrap();
    assert!(!page().contains("Back at noon."));
}

#[cfg(unix)]
#[actix_web::test]
async fn the_files_can_be_read_by_others_and_keep_their_mode() {
    use std::os::unix::fs::PermissionsExt as _;

    let front = Front::new();
    let maintenance = front.maintenance().await;
    let mode = || fs::metadata(front.page()).unwrap().permissions().mode() & 0o777;
    let of_new_files = front.folder.path().join("new");
    fs::write(&of_new_files, "").unwrap();
    let usual = fs::metadata(&of_new_files).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), usual);
    fs::set_permissions(front.page(), fs::Permissions::from_mode(0o640)).unwrap();
    maintenance.turn_on().message("other").await.unwrap();
    assert_eq!(mode(), 0o640);
}

#[actix_web::test]
async fn files_that_cannot_be_written_are_told_and_tried_again() {
    let front = Front::new();
    let maintenance = front.maintenance().await;
    // Nobody can replace a folder that is not empty by a file, not even root.
    fs::create_dir(front.flag()).unwrap();
    fs::write(front.flag().join("x"), "").unwrap();
    // The state is switched all the same.
    assert!(maintenance.turn_on().await.unwrap().changed);
    maintenance.turn_off().await.unwrap();
    let files = maintenance.status().web_server.unwrap();
    let error = files.error.unwrap();
    assert!(error.contains("cannot remove the flag"), "{error}");
    fs::remove_dir_all(front.flag()).unwrap();
    maintenance.turn_on().await.unwrap();
    assert_eq!(maintenance.status().web_server.unwrap().error, None);
    assert!(front.flag().exists());
}

#[actix_web::test]
async fn settings_say_what_is_wrong_with_the_files() {
    let folder = TempDir::new().unwrap();
    let fault = |text: String| Settings::from_toml(&text).unwrap_err().to_string();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let no_folder = fault(format!("[web_server]\nflag = '{}'", path("no/flag")));
    assert!(no_folder.contains("there is no folder"), "{no_folder}");
    let is_folder = fault(format!(
        "[web_server]\npage = '{}'",
        folder.path().display()
    ));
    assert!(is_folder.contains("not the name of a file"), "{is_folder}");
    let same = path("same");
    let same = fault(format!("[web_server]\nflag = '{same}'\npage = '{same}'"));
    assert!(same.contains("two files"), "{same}");
    let no_site = fault(format!(
        "[web_server]\nflag = '{}'\n[[mode]]\nkey = \"shop\"",
        path("flag")
    ));
    assert!(no_site.contains("the mode `site`"), "{no_site}");
}

/// A real web server with the rules, in front of the app.
pub(crate) struct RealServer {
    process: Child,
    pub(crate) address: SocketAddr,
    log: PathBuf,
}

impl RealServer {
    pub(crate) async fn start(front: &Front, server: WebServer, app: SocketAddr) -> Self {
        Self::start_with(front, server, app, &[]).await
    }

    /// With something else in the place of some of the rules.
    pub(crate) async fn start_with(
        front: &Front,
        server: WebServer,
        app: SocketAddr,
        changes: &[(&str, &str)],
    ) -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let folder = front.folder.path();
        let rules = web_server::export(server, &front.settings, &app.to_string()).unwrap();
        let rules = changes
            .iter()
            .fold(rules, |rules, (from, to)| rules.replace(from, to));
        let mut command = command(server, folder, &rules, address);
        let log = folder.join("server.log");
        let output = fs::File::create(&log).unwrap();
        let process = command
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap_or_else(|error| panic!("{server} cannot be started: {error}"));
        let mut server = Self {
            process,
            address,
            log,
        };
        for _ in 0..400 {
            if TcpStream::connect(address).is_ok() {
                return server;
            }
            let ended = server.process.try_wait().unwrap();
            assert!(ended.is_none(), "it ended: {}", server.logged());
            rt::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it does not listen: {}", server.logged());
    }

    fn logged(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    async fn get(&self, path: &str) -> WireAnswer {
        send(self.address, &format!("GET {path}"), "").await
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // Asked to end first, so that it ends its own children.
        let _ = Command::new("kill")
            .arg(self.process.id().to_string())
            .status();
        for _ in 0..100 {
            if self.process.try_wait().is_ok_and(|ended| ended.is_some()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// What the first lines of the rules say to write around them.
fn example(rules: &str) -> String {
    let lines = rules.lines().skip_while(|line| !line.starts_with("#     "));
    let shown = lines.take_while(|line| line.starts_with("#     "));
    shown.map(|line| format!("{}\n", &line[1..])).collect()
}

/// Writes a configuration as the first lines of the rules say, has the server check it, and starts
/// the server with it.
fn command(server: WebServer, folder: &Path, rules: &str, address: SocketAddr) -> Command {
    let at = |name: &str| folder.join(name).display().to_string();
    let port = address.port();
    let included = at("rules.conf");
    fs::write(&included, rules).unwrap();
    // The last block is what is written around; of Apache the first one says which modules to load.
    let around = match server {
        WebServer::Apache => {
            let (_, rest) = rules.split_once("#     a2enmod ").unwrap();
            example(rest)
        }
        _ => example(rules),
    };
    let around = |pairs: &[(&str, &str)]| {
        pairs.iter().fold(around.clone(), |text, (from, to)| {
            assert!(text.contains(from), "no `{from}` in {text}");
            text.replace(from, to)
        })
    };
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let of_file = at("server.conf");
    let (program, configuration, check, run): (_, String, Vec<String>, Vec<String>) = match server {
        WebServer::Nginx => (
            "nginx",
            format!(
                "daemon off;\npid {};\nerror_log stderr;\nevents {{}}\n\
                 http {{\n access_log off;\n client_body_temp_path {};\n proxy_temp_path {};\n \
                 fastcgi_temp_path {};\n uwsgi_temp_path {};\n scgi_temp_path {};\n{}}}\n",
                at("pid"),
                at("t1"),
                at("t2"),
                at("t3"),
                at("t4"),
                at("t5"),
                around(&[
                    ("listen 80;", &format!("listen {address};")),
                    ("/etc/nginx/maintenance.conf", &included),
                ]),
            ),
            words(&["-t", "-c", &of_file]),
            words(&["-c", &of_file]),
        ),
        WebServer::Apache => {
            let modules: String = [
                "mpm_event",
                "authz_core",
                "alias",
                "headers",
                "mime",
                "proxy",
                "proxy_http",
                "rewrite",
            ]
            .iter()
            .map(|name| {
                format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n")
            })
            .collect();
            (
                "apache2",
                format!(
                    "ServerRoot {}\nPidFile {}\nServerName localhost\nErrorLog /dev/stderr\n\
                     User www-data\nGroup www-data\n{modules}TypesConfig /etc/mime.types\n\
                     Listen {port}\n{}",
                    folder.display(),
                    at("pid"),
                    around(&[
                        ("<VirtualHost *:80>", &format!("<VirtualHost *:{port}>")),
                        ("/etc/apache2/maintenance.conf", &included),
                        // Else it does not ask an app again that was down a moment ago.
                        ("upgrade=websocket", "upgrade=websocket retry=0"),
                    ]),
                ),
                words(&["-t", "-f", &of_file]),
                words(&["-DFOREGROUND", "-f", &of_file]),
            )
        }
        WebServer::Caddy => (
            "caddy",
            format!(
                "{{\n admin off\n auto_https off\n}}\n{}",
                around(&[
                    ("example.com {", &format!("http://:{port} {{")),
                    ("/etc/caddy/maintenance.caddy", &included),
                ])
            ),
            words(&["validate", "--adapter", "caddyfile", "--config", &of_file]),
            words(&["run", "--adapter", "caddyfile", "--config", &of_file]),
        ),
        WebServer::HaProxy => (
            "haproxy",
            format!(
                "defaults\n timeout connect 2s\n timeout client 10s\n timeout server 10s\n{}",
                rules.replace("bind :80", &format!("bind {address}"))
            ),
            words(&["-c", "-f", &of_file]),
            words(&["-db", "-f", &of_file]),
        ),
        _ => unreachable!("there are four"),
    };
    fs::write(&of_file, configuration).unwrap();
    let command = |arguments: Vec<String>| {
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("HOME", folder)
            .env("XDG_DATA_HOME", folder)
            .env("XDG_CONFIG_HOME", folder);
        command
    };
    let checked = command(check).output();
    let checked = checked.unwrap_or_else(|error| panic!("{server} cannot be started: {error}"));
    assert!(checked.status.success(), "{server}: {checked:?}");
    command(run)
}

/// Opens a WebSocket, and returns the head of the answer and what is told first.
async fn open_live(address: SocketAddr, path: &str) -> String {
    let asked = format!(
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    rt::task::spawn_blocking(move || {
        let mut client = TcpStream::connect(address).unwrap();
        let patience = Duration::from_secs(20);
        client.set_read_timeout(Some(patience)).unwrap();
        client.write_all(asked.as_bytes()).unwrap();
        let mut told = Vec::new();
        let mut buffer = [0; 4096];
        // The document ends with the one brace that it has.
        while !told.ends_with(b"}") {
            match client.read(&mut buffer) {
                Ok(length @ 1..) => told.extend(&buffer[..length]),
                _ => break,
            }
        }
        String::from_utf8_lossy(&told).into_owned()
    })
    .await
    .unwrap()
}

/// What needs more of the web server than to pass pages on.
async fn a_websocket_and_a_request_without_a_body_pass(real: &RealServer, prefix: &str) {
    let live = open_live(real.address, &format!("{prefix}/maintenance-mode/live")).await;
    assert!(
        live.starts_with("HTTP/1.1 101 "),
        "{live}: {}",
        real.logged()
    );
    assert!(live.contains("\"maintenance_mode\":"), "{live}");
    // It says nothing of a body, so it has none.
    let posted = send(real.address, &format!("POST {prefix}/api/items"), "").await;
    assert_eq!(posted.status(), 200, "{posted:?}");
    assert!(
        posted.body().contains("the app at /api/items"),
        "{posted:?}"
    );
}

fn app(maintenance: &Maintenance) -> TestServer {
    let maintenance = maintenance.clone();
    TestServer::start(move || {
        App::new()
            .service(maintenance.admin())
            .wrap(maintenance.middleware())
            .default_service(web::to(|request: actix_web::HttpRequest| async move {
                HttpResponse::Ok().body(format!("the app at {}", request.path()))
            }))
    })
}

#[track_caller]
fn is_the_page(answer: &WireAnswer, is_meant: bool) {
    assert_eq!(answer.status(), 503, "{answer:?}");
    assert!(answer.body().contains("Down for maintenance"), "{answer:?}");
    assert_eq!(answer.header("retry-after"), Some("120"), "{answer:?}");
    assert_eq!(
        answer.header("cache-control"),
        Some("no-store"),
        "{answer:?}"
    );
    let kind = answer.header("content-type").map(str::to_ascii_lowercase);
    assert_eq!(
        kind.as_deref(),
        Some("text/html; charset=utf-8"),
        "{answer:?}"
    );
    for validator in ["etag", "last-modified"] {
        assert_eq!(answer.header(validator), None, "{answer:?}");
    }
    let marker = is_meant.then_some("1");
    assert_eq!(answer.header("x-maintenance-mode"), marker, "{answer:?}");
}

/// Asks until the answer is of this kind: a web server may look only from time to time.
async fn until(server: &RealServer, path: &str, status: u16, part: &str) -> WireAnswer {
    for _ in 0..200 {
        let answer = server.get(path).await;
        if answer.status() == status && answer.body().contains(part) {
            return answer;
        }
        rt::time::sleep(Duration::from_millis(50)).await;
    }
    panic!(
        "no {status} with {part:?} at {path}, but {:?}: {}",
        server.get(path).await,
        server.logged()
    );
}

async fn the_rules_hold_in(server: WebServer) {
    let front = Front::new();
    let maintenance = front.maintenance().await;
    let app = app(&maintenance);
    let real = RealServer::start(&front, server, app.address).await;
    let own_path = "/.maintenance-page.html";

    until(&real, "/", 200, "the app at /").await;
    a_websocket_and_a_request_without_a_body_pass(&real, "").await;
    maintenance.turn_on().await.unwrap();
    is_the_page(&until(&real, "/", 503, "Down for").await, true);
    is_the_page(&real.get("/shop?x=/api/").await, true);
    is_the_page(&real.get("/apix").await, true);
    assert!([404, 503].contains(&real.get(own_path).await.status()));
    let validators = "If-None-Match: *\r\nIf-Modified-Since: Fri, 01 Jan 2038 00:00:00 GMT\r\n\
                      Range: bytes=0-3\r\n";
    is_the_page(&send(real.address, "GET /", validators).await, true);
    for method in ["POST", "PUT", "DELETE"] {
        let answer = send(
            real.address,
            &format!("{method} /"),
            "Content-Length: 0\r\n",
        )
        .await;
        is_the_page(&answer, true);
    }
    let head = send(real.address, "HEAD /", "").await;
    assert_eq!((head.status(), head.body()), (503, ""), "{head:?}");
    // What is exempt reaches the app, which lets it through as well or answers by itself.
    for path in ["/api", "/api/items", "/v2/hook", "/robots.txt"] {
        let answer = real.get(path).await;
        assert_eq!(answer.status(), 200, "{path}: {answer:?}");
        assert!(answer.body().contains("the app at"), "{path}: {answer:?}");
    }
    let ping = real.get("/maintenance-mode/ping").await;
    assert!(ping.body().contains("\"phase\":\"offline\""), "{ping:?}");
    is_the_page(&real.get("/v2/hoo").await, true);
    a_websocket_and_a_request_without_a_body_pass(&real, "").await;

    maintenance.turn_off().await.unwrap();
    until(&real, "/", 200, "the app at /").await;
    app.stop().await;
    let down = until(&real, "/", 503, "Down for").await;
    is_the_page(&down, false);
    is_the_page(&real.get("/api").await, false);
}

/// The web server strips a prefix, which is before all paths that it goes by.
async fn a_prefix_is_stripped_by(server: WebServer) {
    let mut front = Front::new();
    front.settings.public_path = Some("/shop".to_owned());
    let maintenance = front.maintenance().await;
    let app = app(&maintenance);
    let real = RealServer::start(&front, server, app.address).await;
    until(&real, "/shop/", 200, "the app at /").await;
    a_websocket_and_a_request_without_a_body_pass(&real, "/shop").await;
    maintenance.turn_on().await.unwrap();
    is_the_page(&until(&real, "/shop/", 503, "Down for").await, true);
    for path in ["/shop/api", "/shop/v2/hook"] {
        let answer = real.get(path).await;
        assert_eq!(answer.status(), 200, "{path}: {answer:?}");
    }
    let ping = real.get("/shop/maintenance-mode/ping").await;
    assert!(ping.body().contains("\"phase\":\"offline\""), "{ping:?}");
    a_websocket_and_a_request_without_a_body_pass(&real, "/shop").await;
    app.stop().await;
}

/// What the app refuses while the web server lets it through is the app's own answer.
async fn exempt_addresses_reach_the_app_behind(server: WebServer) {
    let mut front = Front::new();
    // Everybody here comes from it; the app itself sees the web server, and so refuses.
    front.settings.exempt.addresses = vec!["127.0.0.0/30".to_owned(), "::1".to_owned()];
    let mut settings = Settings::default();
    settings.store = front.settings.store.clone();
    settings.web_server = front.settings.web_server.clone();
    let maintenance = Maintenance::builder()
        .settings(settings)
        .build()
        .await
        .unwrap();
    let app = app(&maintenance);
    maintenance.turn_on().await.unwrap();
    let real = RealServer::start(&front, server, app.address).await;
    let refused = send(real.address, "GET /", "Accept: application/json\r\n").await;
    assert_eq!(refused.status(), 503);
    assert!(
        refused.body().contains("\"phase\":\"offline\""),
        "{refused:?}"
    );
    app.stop().await;
}

/// Without a flag, the app refuses by all its rules, and the page is for when it is down.
async fn the_page_alone_is_for_when_the_app_is_down_in(server: WebServer) {
    let mut front = Front::new();
    front.settings.web_server.flag = None;
    front.settings.exempt.paths = vec!["/shop".to_owned()];
    let maintenance = front.maintenance().await;
    maintenance.turn_on().await.unwrap();
    let app = app(&maintenance);
    let real = RealServer::start(&front, server, app.address).await;
    assert_eq!(real.get("/shop").await.status(), 200);
    let refused = send(real.address, "GET /", "Accept: application/json\r\n").await;
    assert!(
        refused.body().contains("\"phase\":\"offline\""),
        "{refused:?}"
    );
    app.stop().await;
    is_the_page(&until(&real, "/shop", 503, "Down for").await, false);
}

/// Scripts of named origins read the page, and their preflights are answered while it is closed.
async fn named_origins_read_the_page_in(server: WebServer) {
    let shop = "https://shop.example:8443";
    let mut front = Front::new();
    let named = vec!["https://other.example".to_owned(), shop.to_owned()];
    front.settings.response.cors = CorsSetting::Named(named);
    let maintenance = front.maintenance().await;
    let app = app(&maintenance);
    let real = RealServer::start(&front, server, app.address).await;
    let asks = async |request: &str, origin: &str, more: &str| {
        let headers = format!("Origin: {origin}\r\n{more}");
        send(real.address, request, &headers).await
    };
    let preflight = "Access-Control-Request-Method: PUT\r\n\
                     Access-Control-Request-Headers: x-basket,content-type\r\n";
    until(&real, "/", 200, "the app at /").await;
    let open = asks("OPTIONS /", shop, preflight).await;
    assert_eq!(open.status(), 200, "the app answers: {open:?}");
    assert_eq!(asks("GET /", shop, "").await.header(ALLOW_ORIGIN), None);

    maintenance.turn_on().await.unwrap();
    until(&real, "/", 503, "Down for").await;
    let answer = asks("PUT /", shop, "X-Basket: 7\r\nContent-Length: 0\r\n").await;
    is_the_page(&answer, true);
    assert_eq!(answer.header(ALLOW_ORIGIN), Some(shop), "{answer:?}");
    assert_eq!(answer.header(ALLOW_CREDENTIALS), Some("true"));
    let exposed = answer.header("access-control-expose-headers");
    assert_eq!(exposed, Some("Retry-After, X-Maintenance-Mode"));
    assert!(answer.header("vary").unwrap().contains("Origin"));

    let answer = asks("OPTIONS /shop?x=1", shop, preflight).await;
    assert_eq!(answer.status(), 204, "{answer:?}: {}", real.logged());
    assert_eq!(answer.body(), "", "{answer:?}");
    for (name, value) in [
        (ALLOW_ORIGIN, shop),
        (ALLOW_CREDENTIALS, "true"),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "x-basket,content-type"),
        ("access-control-max-age", "0"),
        ("cache-control", "no-store"),
        ("x-maintenance-mode", "1"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name}: {answer:?}");
    }
    assert!(answer.header("vary").unwrap().contains("Origin"));
    // What asks for no headers is allowed none.
    let plain = "Access-Control-Request-Method: PUT\r\n";
    let answer = asks("OPTIONS /", shop, plain).await;
    assert_eq!(answer.status(), 204, "{answer:?}");
    assert_eq!(
        answer.header("access-control-allow-headers").unwrap_or(""),
        ""
    );

    // Nothing for anybody else, and what is no preflight gets the page.
    for (request, origin, more) in [
        ("GET /", "https://shop.example", ""),
        ("OPTIONS /", "https://shop.example", preflight),
        ("OPTIONS /", "null", preflight),
        ("GET /", "https://stranger.example", preflight),
    ] {
        let answer = asks(request, origin, more).await;
        is_the_page(&answer, true);
        for name in [
            ALLOW_ORIGIN,
            ALLOW_CREDENTIALS,
            "access-control-expose-headers",
        ] {
            assert_eq!(answer.header(name), None, "{request} {origin}: {answer:?}");
        }
    }
    is_the_page(&asks("OPTIONS /", shop, "").await, true);
    is_the_page(&real.get("/").await, true);
    // What is exempt reaches the app, preflights too.
    let exempt = asks("OPTIONS /api", shop, preflight).await;
    assert!(exempt.body().contains("the app at /api"), "{exempt:?}");

    maintenance.turn_off().await.unwrap();
    until(&real, "/", 200, "the app at /").await;
    app.stop().await;
    until(&real, "/", 503, "Down for").await;
    let down = asks("GET /", shop, "").await;
    is_the_page(&down, false);
    assert_eq!(down.header(ALLOW_ORIGIN), Some(shop), "{down:?}");
}

/// Scripts of all origins read the page, where that is set.
async fn all_origins_read_the_page_in(server: WebServer) {
    let mut front = Front::new();
    front.settings.response.cors = CorsSetting::Any;
    let maintenance = front.maintenance().await;
    let app = app(&maintenance);
    let real = RealServer::start(&front, server, app.address).await;
    maintenance.turn_on().await.unwrap();
    until(&real, "/", 503, "Down for").await;
    let asked = "Origin: https://stranger.example\r\nAccess-Control-Request-Method: PUT\r\n";
    for (request, status) in [("GET /", 503), ("OPTIONS /", 204)] {
        let answer = send(real.address, request, asked).await;
        assert_eq!(answer.status(), status, "{answer:?}: {}", real.logged());
        assert_eq!(answer.header(ALLOW_ORIGIN), Some("*"), "{answer:?}");
        assert_eq!(answer.header(ALLOW_CREDENTIALS), None, "{answer:?}");
    }
    let unasked = real.get("/").await;
    is_the_page(&unasked, true);
    assert_eq!(unasked.header(ALLOW_ORIGIN), None, "{unasked:?}");
    app.stop().await;
}

#[actix_web::test]
#[ignore = "needs nginx"]
async fn the_rules_hold_in_nginx() {
    the_rules_hold_in(WebServer::Nginx).await;
    a_prefix_is_stripped_by(WebServer::Nginx).await;
    exempt_addresses_reach_the_app_behind(WebServer::Nginx).await;
    the_page_alone_is_for_when_the_app_is_down_in(WebServer::Nginx).await;
    named_origins_read_the_page_in(WebServer::Nginx).await;
    all_origins_read_the_page_in(WebServer::Nginx).await;
}

#[actix_web::test]
#[ignore = "needs apache2"]
async fn the_rules_hold_in_apache() {
    the_rules_hold_in(WebServer::Apache).await;
    a_prefix_is_stripped_by(WebServer::Apache).await;
    exempt_addresses_reach_the_app_behind(WebServer::Apache).await;
    the_page_alone_is_for_when_the_app_is_down_in(WebServer::Apache).await;
    named_origins_read_the_page_in(WebServer::Apache).await;
    all_origins_read_the_page_in(WebServer::Apache).await;
}

#[actix_web::test]
#[ignore = "needs caddy"]
async fn the_rules_hold_in_caddy() {
    the_rules_hold_in(WebServer::Caddy).await;
    a_prefix_is_stripped_by(WebServer::Caddy).await;
    exempt_addresses_reach_the_app_behind(WebServer::Caddy).await;
    the_page_alone_is_for_when_the_app_is_down_in(WebServer::Caddy).await;
    named_origins_read_the_page_in(WebServer::Caddy).await;
    all_origins_read_the_page_in(WebServer::Caddy).await;
}

#[actix_web::test]
#[ignore = "needs haproxy"]
async fn the_rules_hold_in_haproxy() {
    the_rules_hold_in(WebServer::HaProxy).await;
    a_prefix_is_stripped_by(WebServer::HaProxy).await;
    exempt_addresses_reach_the_app_behind(WebServer::HaProxy).await;
}
