//! What is so only where a site is reached by its API: what is sent where, what answers there, and what
//! comes of it.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use actix_maintenance_mode::settings::TokenSettings;

use super::{Operator as AtTheStore, OperatorBy, Ran, until, way::BySite};
use crate::demo::{self, Demo};

type Operator = OperatorBy<BySite>;

/// Something that listens, answers each request alike, and keeps what was sent to it.
struct Listener {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    fn new(answer: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let (keeps, answer) = (Arc::clone(&heard), answer.into());
        thread::spawn(move || {
            for connection in listener.incoming() {
                let mut connection: TcpStream = connection.unwrap();
                keeps.lock().unwrap().push(head(&mut connection));
                let _ = connection.write_all(answer.as_bytes());
            }
        });
        Self { address, heard }
    }

    fn sending(status: &str, headers: &str, body: &str) -> Self {
        let length = body.len();
        Self::new(format!(
            "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        ))
    }

    fn url(&self) -> String {
        format!("http://{}/maintenance-mode", self.address)
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

/// The head of a request, as far as it comes.
fn head(connection: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut part = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match connection.read(&mut part) {
            Ok(read @ 1..) => head.extend_from_slice(&part[..read]),
            _ => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

const SECRET: &str = "mmt_geheim";

/// Runs the program with a token.
fn with_token(url: &str, arguments: &[&str]) -> Ran {
    let operator = AtTheStore::new();
    let mut command = operator.command(&[&["--url", url], arguments].concat());
    command.env("MAINTENANCE_TOKEN", SECRET);
    let ran = Ran::of(command);
    assert!(!format!("{ran:?}").contains(SECRET), "{ran:?}");
    ran
}

#[track_caller]
fn fails(url: &str, code: i32, says: &[&str]) {
    for arguments in [&["-vvv", "status"][..], &["on"], &["--json", "off"]] {
        let ran = with_token(url, arguments);
        assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
        for text in says {
            assert!(ran.err.contains(text), "{text}: {ran:?}");
        }
    }
}

#[test]
fn the_same_is_said_on_each_way() {
    let operator = Operator::with_settings(
        "time_zone = \"Europe/Rome\"\n[exempt]\nprefixes = [\"/static\"]\n[[mode]]\nkey = \"site\"\n\
         [[mode]]\nkey = \"shop\"\nlabel = \"The shop\"\n",
    );
    operator.done(&[
        "on",
        "--reason",
        "release 7",
        "--message",
        "Back at noon.",
        "--for",
        "2h",
    ]);
    operator.done(&["off"]);
    operator.done(&["on", "--mode", "shop", "--end", "2099-01-01T10:00"]);
    operator.done(&[
        "window",
        "add",
        "--start",
        "2099-02-01T10:00",
        "--for",
        "1h",
        "--title",
        "disks",
    ]);
    operator.done(&["window", "add", "--repeats", "0 3 * * SUN", "--for", "2h"]);
    for arguments in [
        &["status"][..],
        &["status", "--exit-code"],
        &["--mode", "shop", "status"],
        &["history"],
        &["--json", "history"],
        &["--json", "history", "--last", "1"],
        &["window", "list"],
        &["--json", "window", "list"],
        &["--mode", "nonsense", "status"],
        &["on", "--end", "2020-01-01T00:00Z"],
        &[
            "window",
            "add",
            "--start",
            "2099-02-01T10:00",
            "--end",
            "2099-01-01T10:00",
        ],
        &["window", "remove", "nonsense"],
        &["forget", "nonsense"],
        &["explain", "GET", "nonsense"],
        &["during"],
    ] {
        let by_site = operator.run(arguments);
        let by_store = operator.start_at_the_store(arguments).end();
        // How long ago something was may have become more in between.
        let settled = |text: &str| text.replace("1 s ago", "now").replace("2 s ago", "now");
        assert_eq!(
            (by_site.code, settled(&by_site.out), settled(&by_site.err)),
            (
                by_store.code,
                settled(&by_store.out),
                settled(&by_store.err)
            ),
            "{arguments:?}"
        );
    }
    let document = |ran: Ran| {
        let mut status = ran.json();
        // When it was read last, which each does for itself.
        for moment in ["known_at", "age"] {
            status["store"][moment].take();
        }
        status
    };
    let status = ["--json", "status"];
    let by_store = document(operator.start_at_the_store(&status).end());
    assert_eq!(document(operator.run(&status)), by_store);
}

#[test]
fn whoever_has_no_token_or_one_that_may_not_is_told_what_to_do() {
    let operator = Operator::new();
    let with = |name: &str, value: &str, arguments: &[&str]| {
        let mut command = operator.command(arguments);
        command.env_remove("MAINTENANCE_TOKEN").env(name, value);
        let ran = Ran::of(command);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(!ran.err.contains(SECRET), "{ran:?}");
        ran.err
    };
    let error = with("UNUSED", "", &["on"]);
    assert!(
        error.contains("MAINTENANCE_TOKEN or --token-file"),
        "{error}"
    );
    let error = with("MAINTENANCE_TOKEN", SECRET, &["on"]);
    assert!(error.contains("The token is not known here"), "{error}");
    assert_eq!(operator.phase(), "online");

    // One that may see and not switch.
    let (token, secret) = TokenSettings::generate("reader").unwrap();
    operator.write(
        "maintenance.toml",
        "[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"shop\"\n",
    );
    let mut command = demo::command(operator.path());
    let tokens = format!(
        "[{{ name = \"reader\", hash = \"{}\", see = true, toggle = false }}]",
        token.hash
    );
    command.env("MAINTENANCE_ADMIN__TOKENS", tokens);
    let demo = Demo::start_by(command, std::process::Stdio::null());
    let url = format!("http://{}/maintenance-mode", demo.address);
    let run = |arguments: &[&str]| {
        let mut command = operator.command(&[&["--url", &url], arguments].concat());
        command.env("MAINTENANCE_TOKEN", &secret);
        Ran::of(command)
    };
    assert_eq!(run(&["status"]).code, Some(0));
    let ran = run(&["on"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("The token `reader` may not"), "{ran:?}");
}

#[test]
fn a_token_comes_from_a_file_too() {
    let operator = Operator::new();
    let given = operator.environment();
    let given = |name: &str| given.iter().find(|it| it.0 == name).unwrap().1.clone();
    let (url, token) = (given("MAINTENANCE_URL"), given("MAINTENANCE_TOKEN"));
    operator.write("token", &format!("{token}\n"));
    let path = operator.path().join("token");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let run = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = operator.command(&[arguments, &["status"]].concat());
        command
            .env_remove("MAINTENANCE_URL")
            .env_remove("MAINTENANCE_TOKEN")
            .envs(variables.iter().copied());
        Ran::of(command)
    };
    let ran = run(&["--url", &url, "--token-file", "token"], &[]);
    assert_eq!((ran.code, &*ran.err), (Some(0), ""), "{ran:?}");
    let of_environment = [
        ("MAINTENANCE_URL", &*url),
        ("MAINTENANCE_TOKEN_FILE", "token"),
    ];
    assert_eq!(run(&[], &of_environment).code, Some(0));
    // What is given wins over the environment.
    let wrong = [
        ("MAINTENANCE_URL", "http://127.0.0.1:1/"),
        ("MAINTENANCE_TOKEN", SECRET),
    ];
    let ran = run(&["--url", &url, "--token-file", "token"], &wrong);
    assert_eq!(ran.code, Some(0), "{ran:?}");

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let ran = run(&["--url", &url, "--token-file", "token"], &[]);
    assert_eq!(ran.code, Some(0));
    assert!(ran.err.contains("warning: the token file token"), "{ran:?}");
    assert!(ran.err.contains("chmod 600"), "{ran:?}");

    for (content, says) in [
        ("", "is empty"),
        (" \n", "is empty"),
        ("two words", "no token"),
    ] {
        operator.write("token", content);
        let ran = run(&["--url", &url, "--token-file", "token"], &[]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(
            ran.err.contains(says) && !ran.err.contains("two words"),
            "{ran:?}"
        );
    }
    let ran = run(&["--url", &url, "--token-file", "missing"], &[]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.err.contains("missing"), "{ran:?}");
}

#[test]
fn a_token_goes_by_plain_http_to_this_machine_alone() {
    for url in ["http://shop.example/m", "http://192.0.2.7:8080/m"] {
        fails(url, 2, &["https"]);
    }
    // Not by way of a proxy, either, which would read it.
    let (site, proxy) = (Operator::new(), Listener::new(""));
    let mut command = site.command(&["status"]);
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"] {
        command.env(name, format!("http://{}", proxy.address));
    }
    let ran = Ran::of(command);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(proxy.heard(), [""; 0]);
}

#[test]
fn https_goes_by_the_proxy_that_is_set_which_does_not_see_the_token() {
    let proxy = Listener::sending("403 Forbidden", "", "");
    let operator = AtTheStore::new();
    let mut command = operator.command(&["--url", "https://shop.example/m", "status"]);
    command
        .env("MAINTENANCE_TOKEN", SECRET)
        .env("HTTPS_PROXY", format!("http://{}", proxy.address));
    let ran = Ran::of(command);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.err.contains("proxy"), "{ran:?}");
    let heard = proxy.heard();
    assert!(
        heard[0].starts_with("CONNECT shop.example:443 "),
        "{heard:?}"
    );
    assert!(!format!("{heard:?}").contains(SECRET), "{heard:?}");
}

#[test]
fn a_redirect_is_told_and_not_followed() {
    let elsewhere = Listener::sending("200 OK", "Content-Type: application/json\r\n", "{}");
    for status in [
        "301 Moved",
        "302 Found",
        "303 See Other",
        "307 There",
        "308 There",
    ] {
        let location = format!("Location: {}?key=geheim\r\n", elsewhere.url());
        let site = Listener::sending(status, &location, "");
        fails(
            &site.url(),
            1,
            &["points to", &elsewhere.url(), "not followed"],
        );
        assert!(site.heard()[0].contains(SECRET));
    }
    assert_eq!(elsewhere.heard(), [""; 0]);
}

#[test]
fn what_is_no_site_is_told_from_one() {
    let json = "Content-Type: application/json\r\n";
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    for (headers, body) in [
        (html, "<h1>It works!</h1>"),
        (json, "{\"maintenance_mode\": "),
        (json, "[]"),
        (json, "{}"),
        (json, "\u{1b}[2J"),
        ("", ""),
    ] {
        let site = Listener::sending("200 OK", headers, body);
        fails(
            &site.url(),
            1,
            &[
                "no maintenance API",
                "https://shop.example/maintenance-mode",
            ],
        );
    }
    let site = Listener::sending("404 Not Found", html, "<h1>Nothing here</h1>");
    fails(
        &site.url(),
        1,
        &["there is no maintenance API at http://127.0.0.1"],
    );
    let site = Listener::sending("418 I'm a teapot", html, "");
    fails(&site.url(), 1, &["418"]);
    // What it says commands no terminal.
    let problem = "Content-Type: application/problem+json\r\n";
    let detail = "{\"detail\": \"a\\u001b[2Jb\", \"code\": \"refused\"}";
    let site = Listener::sending("409 Conflict", problem, detail);
    fails(&site.url(), 1, &["a\\u{1b}[2Jb"]);
}

#[test]
fn a_site_out_of_reach_is_3() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/m", gone.local_addr().unwrap());
    drop(gone);
    fails(&url, 3, &["cannot be reached", "refused"]);
    fails("https://no-such-host.invalid/m", 3, &["cannot be reached"]);
    for status in [
        "500 Fault",
        "502 Bad Gateway",
        "503 Unavailable",
        "504 Time-out",
    ] {
        let site = Listener::sending(status, "", "");
        fails(&site.url(), 3, &["out of reach", &status[..3]]);
    }
    // Half an answer.
    let site = Listener::new("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    fails(&site.url(), 3, &["cannot be reached"]);
}

#[test]
fn a_url_that_is_none_is_a_usage_error() {
    for url in [
        "shop.example",
        "ftp://shop.example/m",
        "https://u:geheim@shop.example/m",
    ] {
        let ran = with_token(url, &["status"]);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(!ran.err.contains(":geheim"), "{ran:?}");
    }
    let operator = AtTheStore::new();
    let url = "https://shop.example/m";
    for arguments in [
        &["--url", url, "--store", "memory:", "status"][..],
        &["--url", url, "--settings", "x.toml", "status"],
        &["--token-file", "token", "status"],
        &["--ca-file", "ca.pem", "status"],
    ] {
        operator.fails(2, arguments);
    }
}

#[test]
fn what_needs_the_store_says_so_and_asks_nobody() {
    let site = Listener::sending("500 Fault", "", "");
    for arguments in [
        &["render"][..],
        &["export", "nginx"],
        &["task", "import", "--", "touch", "ran"],
    ] {
        let ran = with_token(&site.url(), arguments);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.err.contains("without --url"), "{ran:?}");
    }
    assert_eq!(site.heard(), [""; 0]);
}

#[test]
fn a_store_that_is_given_wins_over_the_environment() {
    let site = Listener::sending("500 Fault", "", "");
    let operator = AtTheStore::new();
    operator.write("other.toml", "");
    for arguments in [["--store", "file:here"], ["--settings", "other.toml"]] {
        let mut command = operator.command(&[&arguments[..], &["status"]].concat());
        command
            .env("MAINTENANCE_URL", site.url())
            .env("MAINTENANCE_TOKEN", SECRET)
            .env("MAINTENANCE_TOKEN_FILE", "none");
        let ran = Ran::of(command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
    }
    assert_eq!(site.heard(), [""; 0]);
}

#[test]
fn a_site_whose_state_nobody_else_sees_is_reached() {
    let operator = Operator::with_settings("store = \"memory:\"\n");
    operator.done(&["on"]);
    assert_eq!(operator.phase(), "offline");
    operator.done(&["during", "--", "true"]);
    assert_eq!(operator.phase(), "offline");
    operator.done(&["off"]);
}

#[test]
fn the_running_app_explains_by_its_routes() {
    let operator = Operator::with_settings("[exempt]\nroutes = [\"health\"]\n");
    let (token, secret) = TokenSettings::generate("deploy").unwrap();
    let tokens = format!(
        "[{{ name = \"deploy\", hash = \"{}\", see = true, toggle = true }}]",
        token.hash
    );
    let demo = Demo::start_with(operator.path(), &[("MAINTENANCE_ADMIN__TOKENS", &tokens)]);
    let url = format!("http://{}/maintenance-mode", demo.address);
    let run = |arguments: &[&str]| {
        let mut command = operator.command(&[&["--url", &url], arguments].concat());
        command.env("MAINTENANCE_TOKEN", &secret);
        let ran = Ran::of(command);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        ran
    };
    assert_eq!(run(&["on"]).out, "site is offline on 1 of 1 nodes\n");
    let told = run(&["--json", "explain", "GET", "/health?a=b&c=%2F"]).json();
    assert_eq!(told["rule"], "forced-off-route", "{told}");
    let not_known = told["not_known"].to_string();
    assert!(!not_known.contains("only the running app"), "{told}");
    assert_eq!(run(&["--json", "on", "--wait"]).json()["waited"], "done");
}

/// The job must not end before the site is open again.
#[test]
fn a_site_that_is_away_at_the_end_is_tried_again() {
    let operator = AtTheStore::new();
    let (token, secret) = TokenSettings::generate("deploy").unwrap();
    let tokens = format!(
        "[{{ name = \"deploy\", hash = \"{}\", see = true, toggle = true }}]",
        token.hash
    );
    let start = |address: &str| {
        let mut command = demo::command(operator.path());
        command
            .env("DEMO_ADDR", address)
            .env("MAINTENANCE_ADMIN__TOKENS", &tokens);
        Demo::start_by(command, std::process::Stdio::null())
    };
    let demo = start("127.0.0.1:0");
    let address = demo.address.to_string();
    let url = format!("http://{address}/maintenance-mode");
    let line = "echo > ready; while [ ! -e go ]; do sleep 0.02; done";
    let mut command = operator.command(&["--url", &url, "during", "--", "sh", "-c", line]);
    command.env("MAINTENANCE_TOKEN", &secret);
    let running = super::start(command);
    until("it runs", || operator.exists("ready"));
    assert_eq!(operator.phase(), "offline");
    drop(demo);
    operator.write("go", "");
    thread::sleep(Duration::from_millis(500));
    let _demo = start(&address);
    let ran = running.end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.err.contains("warning: "), "{ran:?}");
    assert_eq!(operator.phase(), "online");
}
