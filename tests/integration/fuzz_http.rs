//! The demo under requests that nobody in their right mind sends: every answer is a valid one, a 5xx
//! is one that was meant, nothing panics, and the process does not grow.
//!
//! `cargo test` sends some thousands. A long run, whose figures are in `benches/README.md`:
//!
//! ```sh
//! FUZZ_REQUESTS=1000000 cargo test --all-features --test integration fuzz_http -- --nocapture
//! ```

use std::{
    env,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
    process::Stdio,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use fastrand::Rng;
use tempfile::TempDir;

use crate::demo::Demo;

const USUAL: u64 = 4000;
const CLIENTS: u64 = 4;
const PATIENCE: Duration = Duration::from_secs(30);

const METHODS: [&str; 12] = [
    "GET", "GET", "GET", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE",
    "BREW",
];
const PATHS: [&str; 32] = [
    "/",
    "/about",
    "/health",
    "/closed",
    "/api/items",
    "/admin",
    "/admin/x",
    "/shop/1",
    "/whoami",
    "/static/",
    "/static/shop.css",
    "/robots.txt",
    "/metrics",
    "/login/user",
    "/logout",
    "/slow?ms=1",
    "/stream?ms=2&every=1",
    "/maintenance-mode",
    "/maintenance-mode/",
    "/maintenance-mode/on",
    "/maintenance-mode/off",
    "/maintenance-mode/status",
    "/maintenance-mode/history",
    "/maintenance-mode/explain",
    "/maintenance-mode/ping",
    "/maintenance-mode/readyz",
    "/maintenance-mode/openapi.json",
    "/maintenance-mode/switch",
    "/maintenance-mode/plan",
    "/maintenance-mode/cancel",
    "/maintenance-mode/live",
    "/maintenance-mode/static/dashboard.css",
];
const KEYED: [&str; 5] = [
    "/maintenance-mode/modes/",
    "/maintenance-mode/windows/",
    "/maintenance-mode/windows",
    "/maintenance-mode/static/",
    "/shop/",
];
const KEYS: [&str; 10] = [
    "site",
    "shop",
    "read-only",
    "nothing",
    "",
    "%00",
    "..",
    "%2e%2e%2f",
    "%ff%fe",
    "a%0d%0ab",
];
const NAMES: [&str; 24] = [
    "mode",
    "next",
    "message",
    "reason",
    "title",
    "for",
    "until",
    "start",
    "end",
    "drain",
    "repeats",
    "zone",
    "id",
    "only",
    "only_next",
    "path",
    "method",
    "address",
    "role",
    "host",
    "to",
    "api_key",
    "ms",
    "%6dode",
];
const VALUES: [&str; 30] = [
    "site",
    "shop",
    "on",
    "off",
    "true",
    "false",
    "null",
    "1h",
    "-1",
    "99999999999999999999",
    "1e309",
    "2026-11-25T22:00",
    "9999-12-31T23:59:59Z",
    "-9999-01-01T00:00:00Z",
    "Europe/Rome",
    "Mars/Base",
    "0 0 31 2 *",
    "* * * * *",
    "/",
    "//evil.test",
    "https://evil.test/",
    "GET",
    "staff",
    "::1",
    "192.0.2.7",
    "%00%01%ff",
    "%F0%9F%94%A5",
    "%E2%80%AE",
    "<script>alert(1)</script>",
    "{{7*7}}",
];
const HEADERS: [(&str, &[&str]); 22] = [
    (
        "Accept",
        &[
            "application/json",
            "text/html",
            "*/*;q=0",
            "a/b;q=9",
            ",,;=",
            "text/plain",
        ],
    ),
    (
        "Accept-Language",
        &["de", "zh-Hans;q=0.1", "*", "-", "xx-yy-zz-1-2-3"],
    ),
    (
        "Authorization",
        &[
            "Bearer x",
            "Bearer ",
            "Basic Og==",
            "bearer mmt_0",
            "Bearer \u{e9}",
        ],
    ),
    (
        "Origin",
        &[
            "null",
            "https://evil.test",
            "http://",
            "",
            "http://127.0.0.1",
        ],
    ),
    ("Referer", &["/", "https://evil.test/x", "about:blank"]),
    (
        "Sec-Fetch-Site",
        &["same-origin", "none", "cross-site", "x"],
    ),
    ("Sec-Fetch-Mode", &["navigate", "cors"]),
    ("Sec-Fetch-User", &["?1", "?0"]),
    ("Sec-Fetch-Dest", &["document", "iframe", "empty", "image"]),
    ("Sec-Purpose", &["prefetch", "prerender"]),
    (
        "X-Forwarded-For",
        &["192.0.2.7", "a, b", "::1, , 10.0.0.1", "\""],
    ),
    (
        "Forwarded",
        &[
            "for=192.0.2.7",
            "for=\"[::1]:1\";proto=https",
            "for=\"",
            ";;,,",
        ],
    ),
    ("X-Forwarded-Host", &["evil.test", "a@b", ":"]),
    ("X-Forwarded-Proto", &["https", "javascript"]),
    ("X-Maintenance-Key", &["x"]),
    ("Upgrade", &["websocket", "h2c"]),
    ("Connection", &["upgrade", "keep-alive, upgrade"]),
    ("Sec-WebSocket-Version", &["13", "8"]),
    ("If-None-Match", &["*", "\"x\"", "W/\"", "\u{ff}"]),
    ("Range", &["bytes=0-1", "bytes=-", "bytes=9-1,2-", "x"]),
    ("Access-Control-Request-Method", &["GET", "PUT", "\t"]),
    ("Expect", &["100-continue", "x"]),
];
const KINDS: [&str; 5] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
    "application/json; charset=utf-16",
    "multipart/form-data; boundary=x",
];

fn one<'a>(random: &mut Rng, of: &[&'a str]) -> &'a str {
    of[random.usize(..of.len())]
}

fn pairs(random: &mut Rng) -> String {
    let pairs: Vec<String> = (0..random.usize(..5))
        .map(|_| format!("{}={}", one(random, &NAMES), one(random, &VALUES)))
        .collect();
    pairs.join("&").replace([' ', '<', '>', '{', '}'], "+")
}

fn target(random: &mut Rng) -> String {
    let mut path = match random.u8(..10) {
        0..7 => one(random, &PATHS).to_owned(),
        7..9 => format!("{}{}", one(random, &KEYED), one(random, &KEYS)),
        _ => {
            let noise = (0..random.usize(..40)).map(|_| match random.u8(..8) {
                0 => "/".to_owned(),
                1 => "..".to_owned(),
                2 => format!("%{:02x}", random.u8(..)),
                _ => random.alphanumeric().to_string(),
            });
            format!("/{}", noise.collect::<String>())
        }
    };
    if random.u8(..4) == 0 {
        path.push('/');
    }
    if random.bool() {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&pairs(random));
    }
    path
}

fn json(random: &mut Rng) -> String {
    let members: Vec<String> = (0..random.usize(..6))
        .map(|_| {
            let value = match random.u8(..6) {
                0 => "null".to_owned(),
                1 => "{\"timeout\": \"1s\", \"on_timeout\": \"cancel\"}".to_owned(),
                2 => random.i64(..).to_string(),
                3 => "[[[[[]]]]]".to_owned(),
                _ => format!("\"{}\"", one(random, &VALUES)),
            };
            format!("\"{}\": {value}", one(random, &NAMES))
        })
        .collect();
    format!("{{{}}}", members.join(", "))
}

/// A request as it goes over the wire, and its method.
fn request(random: &mut Rng, host: SocketAddr, cookie: &str) -> (Vec<u8>, &'static str) {
    let method = one(random, &METHODS);
    let mut head = format!("{method} {} HTTP/1.1\r\nHost: {host}\r\n", target(random));
    if random.u8(..3) > 0 {
        head.push_str(&format!("Cookie: {cookie}\r\n"));
    }
    for _ in 0..random.usize(..6) {
        let (name, values) = HEADERS[random.usize(..HEADERS.len())];
        head.push_str(&format!("{name}: {}\r\n", one(random, values)));
    }
    let mut body = match random.u8(..6) {
        0 => json(random).into_bytes(),
        1 => pairs(random).into_bytes(),
        2 => (0..random.usize(..200)).map(|_| random.u8(..)).collect(),
        3 if random.u8(..20) == 0 => vec![b'x'; 100_000],
        _ => Vec::new(),
    };
    if !body.is_empty() {
        let kind = one(random, &KINDS);
        head.push_str(&format!(
            "Content-Type: {kind}\r\nContent-Length: {}\r\n",
            body.len()
        ));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.append(&mut body);
    (bytes, method)
}

/// One connection, which is made anew whenever the server or the request has ended it.
struct Client {
    address: SocketAddr,
    open: Option<BufReader<TcpStream>>,
}

struct Answer {
    status: u16,
    head: String,
}

impl Client {
    /// `None`: the server has ended the connection without an answer.
    fn send(&mut self, request: &[u8], method: &str) -> Option<Answer> {
        let mut connection = match self.open.take() {
            Some(connection) => connection,
            None => {
                let stream = TcpStream::connect_timeout(&self.address, PATIENCE).unwrap();
                stream.set_read_timeout(Some(PATIENCE)).unwrap();
                stream.set_nodelay(true).unwrap();
                BufReader::new(stream)
            }
        };
        // A server that has said no already may not read the rest.
        let _ = connection.get_mut().write_all(request);
        // To actix whatever follows a request for an upgrade is its body, which ends with the
        // connection; and its answer announces chunks, sends none and ends with it, too.
        let may_upgrade = request
            .windows(7)
            .any(|part| part.eq_ignore_ascii_case(b"upgrade"));
        if may_upgrade {
            let _ = connection.get_mut().shutdown(Shutdown::Write);
        }
        let mut head = String::new();
        loop {
            let length = head.len();
            let mut line = Vec::new();
            match connection.read_until(b'\n', &mut line) {
                Ok(1..) => head.push_str(&String::from_utf8_lossy(&line)),
                Ok(0) | Err(_) if length == 0 => return None,
                Ok(_) => panic!("half a head: {head}"),
                Err(error) => panic!("{error}: {head}"),
            }
            if head.ends_with("\r\n\r\n") {
                if head.starts_with("HTTP/1.1 100") {
                    head.clear();
                    continue;
                }
                break;
            }
        }
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        let lower = head.to_ascii_lowercase();
        let value = |name: &str| {
            let line = lower.lines().find_map(|line| line.strip_prefix(name));
            line.map(str::trim)
        };
        let has_body = method != "HEAD" && !matches!(status, 204 | 304);
        let is_whole = match (value("content-length:"), value("transfer-encoding:")) {
            _ if status == 101 || may_upgrade => false,
            _ if !has_body => true,
            (Some(length), _) => {
                let mut body = vec![0; length.parse().unwrap()];
                connection.read_exact(&mut body).unwrap();
                true
            }
            (None, Some("chunked")) => read_chunks(&mut connection),
            (None, _) => false,
        };
        // Whatever it asked for, the next request is one of its own.
        let ends = value("connection:").is_some_and(|words| words.contains("close"))
            || matches!(status, 400 | 413 | 414 | 431)
            || request.len() > 50_000;
        if is_whole && !ends {
            self.open = Some(connection);
        }
        Some(Answer { status, head })
    }
}

fn read_chunks(connection: &mut BufReader<TcpStream>) -> bool {
    loop {
        let mut line = String::new();
        if connection.read_line(&mut line).unwrap_or(0) == 0 {
            return false;
        }
        let length = usize::from_str_radix(line.trim(), 16).unwrap();
        let mut chunk = vec![0; length + 2];
        if connection.read_exact(&mut chunk).is_err() {
            return false;
        }
        if length == 0 {
            return true;
        }
    }
}

/// How much memory a process has, in KiB (proc(5)).
#[cfg(target_os = "linux")]
fn memory_of(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn the_demo_answers_whatever_is_sent() {
    let wanted: u64 = env::var("FUZZ_REQUESTS").map_or(USUAL, |text| text.parse().unwrap());
    let seed: u64 = env::var("FUZZ_SEED").map_or(1, |text| text.parse().unwrap());
    let folder = TempDir::new().unwrap();
    let log = folder.path().join("log");
    let demo = Demo::start_logging_to(
        folder.path(),
        &[("RUST_LOG", "error"), ("RUST_BACKTRACE", "1")],
        Stdio::from(File::create(&log).unwrap()),
    );
    let process = demo.process.id();
    let cookie = {
        let login = b"GET /login/superuser HTTP/1.1\r\nHost: x\r\n\r\n";
        let mut client = Client {
            address: demo.address,
            open: None,
        };
        let answer = client.send(login, "GET").unwrap();
        let line = answer
            .head
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "));
        line.unwrap().split(';').next().unwrap().to_owned()
    };
    let begun = Instant::now();
    let sent = AtomicU64::new(0);
    let unanswered = AtomicU64::new(0);
    let wrong = Mutex::new(Vec::new());
    let memory_when_warm = AtomicU64::new(0);
    let statuses = Mutex::new(std::collections::BTreeMap::<u16, u64>::new());
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let mut random = Rng::with_seed(seed * 1000 + number);
            let mut client = Client {
                address: demo.address,
                open: None,
            };
            let (sent, unanswered, wrong, cookie) = (&sent, &unanswered, &wrong, &cookie);
            let (memory_when_warm, statuses) = (&memory_when_warm, &statuses);
            scope.spawn(move || {
                let mut own = std::collections::BTreeMap::<u16, u64>::new();
                loop {
                    let count = sent.fetch_add(1, Ordering::Relaxed);
                    if count >= wanted {
                        break;
                    }
                    if count == wanted / 5 {
                        memory_when_warm.store(memory_of(process), Ordering::Relaxed);
                    }
                    let (request, method) = request(&mut random, client.address, cookie);
                    let Some(answer) = client.send(&request, method) else {
                        unanswered.fetch_add(1, Ordering::Relaxed);
                        if env::var_os("FUZZ_VERBOSE").is_some() {
                            println!("not answered: {}", String::from_utf8_lossy(&request));
                        }
                        continue;
                    };
                    *own.entry(answer.status).or_default() += 1;
                    let head = answer.head.to_ascii_lowercase();
                    let is_meant = answer.status < 500
                        || answer.status == 503 && head.contains("x-maintenance-mode: 1")
                        || answer.status == 503 && request.windows(7).any(|it| it == b"/readyz");
                    if !is_meant {
                        let request = String::from_utf8_lossy(&request).into_owned();
                        wrong.lock().unwrap().push((request, answer.head));
                    }
                }
                let mut statuses = statuses.lock().unwrap();
                for (status, count) in own {
                    *statuses.entry(status).or_default() += count;
                }
            });
        }
    });
    let took = begun.elapsed();
    let (warm, end) = (memory_when_warm.into_inner(), memory_of(process));
    let unanswered = unanswered.into_inner();
    println!(
        "{wanted} requests in {:.1} s, seed {seed}; {unanswered} connections ended by the server \
         without an answer; memory {warm} KiB after a fifth, {end} KiB at the end; {:?}",
        took.as_secs_f64(),
        statuses.lock().unwrap(),
    );
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} are not meant, among them {:#?}",
        wrong.len(),
        wrong[0]
    );
    let log = fs::read_to_string(log).unwrap();
    assert!(!log.contains("panicked"), "{log}");
    // A keep-alive connection may be over just when the next request is sent.
    assert!(
        unanswered * 100 <= wanted,
        "{unanswered} of {wanted} are not answered"
    );
    assert!(
        end <= warm + warm / 4 + 16 * 1024,
        "it grows: {warm} KiB, {end} KiB"
    );
    // The site still does what it is for.
    assert_eq!(demo.superuser().get("/maintenance-mode/status").status, 200);
}
