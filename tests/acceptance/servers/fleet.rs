//! Demos that share one Redis, each a process of its own.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::redis_server::{RedisServer, free_port};

const PATIENCE: Duration = Duration::from_secs(30);

/// The example's binary is beside the folder of this test's own.
fn demo() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let demo = profile.join("examples/demo");
    assert!(
        demo.exists(),
        "first: cargo build --all-features --example demo"
    );
    demo
}

/// Sends a request, and returns the status and the whole answer.
fn send(port: u16, method: &str, path: &str, headers: &str) -> (u16, String) {
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nConnection: close\r\n\
         {headers}\r\n"
    );
    connection.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

fn login(port: u16) -> String {
    let (_, answer) = send(port, "GET", "/login/superuser", "");
    let cookie = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .and_then(|cookie| cookie.split(';').next());
    format!(
        "Cookie: {}\r\n",
        cookie.unwrap_or_else(|| panic!("{answer}"))
    )
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Ended as Ctrl-C and `kill` do.
struct Ended(Child);

impl Ended {
    fn end(&mut self) {
        let process = self.0.id().to_string();
        let sent = Command::new("kill").args(["-s", "TERM", &process]).status();
        assert!(sent.unwrap().success());
        self.0.wait().unwrap();
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        if self.0.try_wait().unwrap().is_none() {
            self.end();
        }
    }
}

#[test]
#[ignore = "needs redis-server"]
fn the_script_starts_nodes_that_agree_at_once_and_ends_them() {
    // Some in a row are free, in all likelihood.
    let first = free_port();
    let redis = free_port();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/fleet/run");
    let mut command = Command::new(script);
    command
        .arg("3")
        .env("FLEET_DEMO", demo())
        .env("FLEET_PORT", first.to_string())
        .env("FLEET_REDIS_PORT", redis.to_string())
        .env_remove("MAINTENANCE_STORE")
        .env_remove("DEMO_KEY")
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut process = command.spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let mut script = Ended(process);
    let end = lines.find(|line| line.as_ref().unwrap().contains("Ctrl-C ends all"));
    assert!(end.is_some(), "it has ended");
    let nodes = [first, first + 1, first + 2];

    let status = |node: u16| send(node, "GET", "/", "").0;
    // Who has logged in on one node is known to the others.
    let cookie = login(nodes[0]);
    for (at, change, expected) in [(0, "on", 503), (2, "off", 200), (1, "on", 503)] {
        let path = format!("/maintenance-mode/{change}");
        let (changed, answer) = send(nodes[at], "POST", &path, &cookie);
        assert_eq!(changed, 303, "{answer}");
        assert_eq!(status(nodes[at]), expected);
        until("every node has it", || {
            nodes.iter().all(|node| status(*node) == expected)
        });
    }
    script.end();
    for port in nodes.into_iter().chain([redis]) {
        assert!(
            TcpStream::connect(("127.0.0.1", port)).is_err(),
            "{port} is still open"
        );
    }
}

#[test]
#[ignore = "needs redis-server"]
fn a_store_elsewhere_needs_no_local_disk() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let (home, temporary) = (folder.path().join("home"), folder.path().join("tmp"));
    fs::create_dir(&home).unwrap();
    fs::create_dir(&temporary).unwrap();
    let port = free_port();
    let process = Command::new(demo())
        .current_dir(&home)
        // No folder can be made there for the copy of what was known last.
        .env("HOME", "/dev/null")
        .env_remove("XDG_CACHE_HOME")
        .env_remove("STATE_DIRECTORY")
        .env("TMPDIR", &temporary)
        .env("DEMO_ADDR", format!("127.0.0.1:{port}"))
        .env("MAINTENANCE_STORE", server.url())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _demo = Ended(process);
    until("it starts", || {
        TcpStream::connect(("127.0.0.1", port)).is_ok()
    });
    let cookie = login(port);
    for change in ["on", "off", "on"] {
        let (status, answer) = send(
            port,
            "POST",
            &format!("/maintenance-mode/{change}"),
            &cookie,
        );
        assert_eq!(status, 303, "{answer}");
    }
    assert_eq!(send(port, "GET", "/", "").0, 503);
    assert!(server.get("maintenance:state").unwrap().contains("\"on\""));
    // The demo's settings ask for the file of the audit.
    for (folder, asked_for) in [(home, &["maintenance.audit.jsonl"][..]), (temporary, &[])] {
        let files = fs::read_dir(folder).unwrap();
        let names: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
        assert_eq!(names, asked_for);
    }
}
