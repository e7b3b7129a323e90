//! Each recipe is started as a reader would start it, and does what it says.

// A test that cannot go on fails, also in what it calls.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use jsonwebtoken::{EncodingKey, Header, encode, get_current_timestamp};
use serde_json::json;
use tempfile::TempDir;

/// A recipe that runs, in a folder of its own.
struct Recipe {
    child: Child,
    address: String,
    folder: TempDir,
}

impl Drop for Recipe {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Recipe {
    fn start(program: &str, variables: &[(&str, &str)]) -> Self {
        Self::start_with(program, variables, |_| {})
    }

    fn start_with(program: &str, variables: &[(&str, &str)], prepare: impl Fn(&Path)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let mut child = Command::new(program)
            .current_dir(folder.path())
            .env("ADDRESS", "127.0.0.1:0")
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = line.trim().strip_prefix("listens on ").unwrap().to_owned();
        Self {
            child,
            address,
            folder,
        }
    }

    /// Sends a request with these headers, and returns the status and the rest of the answer.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(60)))
            .unwrap();
        let mut request =
            format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            request += "Host: localhost\r\n";
        }
        for (name, value) in headers {
            request += &format!("{name}: {value}\r\n");
        }
        stream
            .write_all(format!("{request}\r\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer)
    }

    fn status(&self, method: &str, path: &str) -> u16 {
        self.ask(method, path, &[]).0
    }

    fn until(&self, method: &str, path: &str, status: u16) {
        let since = Instant::now();
        while self.status(method, path) != status {
            assert!(
                since.elapsed() < Duration::from_secs(60),
                "{method} {path} is never {status}"
            );
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }
}

#[test]
fn who_is_asking_is_in_a_token() {
    let recipe = Recipe::start(
        env!("CARGO_BIN_EXE_jwt"),
        &[("JWT_SECRET", "a secret of the test")],
    );
    let token = |secret: &str, roles: &[&str], age: u64| {
        let claims = json!({
            "sub": "alice", "roles": roles, "exp": get_current_timestamp() + 3600 - age,
        });
        let key = EncodingKey::from_secret(secret.as_bytes());
        format!(
            "Bearer {}",
            encode(&Header::default(), &claims, &key).unwrap()
        )
    };
    let ask = |method: &str, path: &str, token: &str| {
        recipe.ask(
            method,
            path,
            &[("Authorization", token), ("Accept", "application/json")],
        )
    };
    let superuser = token("a secret of the test", &["superuser"], 0);
    let staff = token("a secret of the test", &["staff"], 0);
    let forged = token("another secret", &["superuser"], 0);
    let old = token("a secret of the test", &["superuser"], 7200);
    for nobody in [&forged, &old, &staff] {
        assert_eq!(ask("POST", "/maintenance-mode/on", nobody).0, 403);
    }
    assert_eq!(ask("POST", "/maintenance-mode/on", &superuser).0, 200);
    assert_eq!(ask("GET", "/orders", &staff).0, 200);
    let (status, answer) = ask("GET", "/orders", &old);
    assert_eq!(status, 503);
    assert!(answer.contains("\"maintenance_mode\":true"), "{answer}");
}

#[test]
fn one_tenant_is_moved_and_the_others_notice_nothing() {
    let recipe = Recipe::start(env!("CARGO_BIN_EXE_tenants"), &[("MOVE_TENANT", "blue")]);
    let visit = |host: &str| recipe.ask("GET", "/", &[("Host", host), ("Accept", "text/plain")]);
    let (status, answer) = visit("blue.example");
    assert_eq!(status, 503);
    assert!(answer.contains("We move your shop"), "{answer}");
    assert_eq!(visit("red.example").0, 200);
}

#[test]
fn reading_goes_on_while_the_database_is_migrated() {
    let recipe = Recipe::start(env!("CARGO_BIN_EXE_read_only"), &[]);
    assert_eq!(recipe.status("POST", "/items"), 200);
    thread::scope(|scope| {
        let migration = scope.spawn(|| recipe.ask("POST", "/migrate", &[]));
        recipe.until("POST", "/items", 503);
        assert_eq!(recipe.status("GET", "/items"), 200);
        assert_eq!(recipe.status("POST", "/search"), 200);
        let (status, answer) = migration.join().unwrap();
        assert_eq!(status, 200, "{answer}");
    });
    recipe.until("POST", "/items", 200);
}

#[test]
fn nginx_tells_the_address_and_finds_flag_and_page() {
    let recipe = Recipe::start(env!("CARGO_BIN_EXE_behind_nginx"), &[]);
    let whoami = |forwarded: &str| recipe.ask("GET", "/whoami", &[("X-Forwarded-For", forwarded)]);
    assert!(whoami("192.0.2.7").1.ends_with("192.0.2.7"));
    recipe.write("maintenance.state", "on");
    recipe.until("GET", "/whoami", 503);
    assert_eq!(
        whoami("192.0.2.7").0,
        200,
        "the office sees the closed site"
    );
    assert_eq!(whoami("198.51.100.7").0, 503);
    let since = Instant::now();
    while !recipe.folder.path().join("maintenance.flag").exists() {
        assert!(
            since.elapsed() < Duration::from_secs(60),
            "there is no flag"
        );
        thread::sleep(Duration::from_millis(20));
    }
    assert!(recipe.folder.path().join("maintenance.html").exists());
}

#[test]
fn the_old_state_and_the_old_settings_go_on() {
    let recipe = Recipe::start_with(env!("CARGO_BIN_EXE_from_django"), &[], |folder| {
        fs::write(folder.join("maintenance_mode_state.txt"), "1").unwrap();
    });
    let (status, answer) = recipe.ask("GET", "/", &[("Accept", "application/json")]);
    assert_eq!(status, 503);
    assert!(answer.contains("retry-after: 600"), "{answer}");
    assert!(answer.contains("help@example.com"), "{answer}");
    assert_eq!(recipe.status("GET", "/api/health"), 200);
    recipe.write("maintenance_mode_state.txt", "0");
    recipe.until("GET", "/", 200);
}

#[test]
#[ignore = "needs redis-server"]
fn one_switch_closes_every_node() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("redis.socket");
    let mut redis = Command::new("redis-server")
        .current_dir(folder.path())
        .args(["--port", "0", "--save", "", "--unixsocket"])
        .arg(&socket)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let since = Instant::now();
    while !socket.exists() {
        assert!(
            since.elapsed() < Duration::from_secs(60),
            "Redis does not start"
        );
        thread::sleep(Duration::from_millis(20));
    }
    let url = format!("redis+unix://{}", socket.display());
    let nodes =
        [(); 2].map(|()| Recipe::start(env!("CARGO_BIN_EXE_redis_fleet"), &[("REDIS_URL", &url)]));
    assert_eq!(nodes[1].status("GET", "/"), 200);
    let (status, answer) = nodes[0].ask("POST", "/release", &[]);
    assert_eq!(status, 200, "{answer}");
    for node in &nodes {
        node.until("GET", "/", 200);
    }
    drop(nodes);
    redis.kill().unwrap();
    redis.wait().unwrap();
}

/// Short enough to be read in a minute.
#[test]
fn each_is_under_eighty_lines() {
    let mut recipes = 0;
    for entry in fs::read_dir(env!("CARGO_MANIFEST_DIR")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|it| it == "rs") {
            recipes += 1;
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines < 80, "{}: {lines} lines", path.display());
        }
    }
    assert_eq!(recipes, 6);
}
