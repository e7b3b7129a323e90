//! How soon a change on one node is in force on every other: Redis on this machine, and a file. What
//! an idle fleet asks of Redis, how soon fifty real processes follow, and what requests notice of a Redis
//! that is down.
//!
//! `cargo bench --features redis --bench fleet`; needs redis-server. It reports and does not fail.
//! `-- idle`, `-- processes` and so on run one part. But for the fifty processes the nodes are handles
//! in this process, each with its driver's thread and its own connections.

// A bench that cannot go on fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{Maintenance, Settings};
use actix_web::{App, HttpServer, rt, web};

#[path = "fleet/idle.rs"]
mod idle;
#[path = "fleet/processes.rs"]
mod processes;

const ROUNDS: usize = 200;
const NODES: [usize; 3] = [1, 10, 50];
/// How often the nodes are looked at.
const LOOK_EVERY: Duration = Duration::from_micros(100);

struct Redis(Child);

impl Redis {
    fn start() -> (Self, String) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let process = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--port",
                &port.to_string(),
                "--save",
                "",
            ])
            .current_dir(std::env::temp_dir())
            .stdout(Stdio::null())
            .spawn()
            .expect("start redis-server");
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            thread::sleep(Duration::from_millis(10));
        }
        (Self(process), format!("redis://127.0.0.1:{port}"))
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn node(url: &str) -> Maintenance {
    let mut settings = Settings::default();
    settings.store = url.to_owned();
    Maintenance::builder()
        .settings(settings)
        .build()
        .await
        .unwrap()
}

/// Switches on and off by one node, and tells how long it took until all others had it.
async fn measure(url: &str, others: usize) -> Vec<Duration> {
    let switch = node(url).await;
    let mut nodes = Vec::new();
    for _ in 0..others {
        nodes.push(node(url).await);
    }
    let mut times = Vec::new();
    for round in 0..ROUNDS {
        // Not in step with what the nodes do by themselves.
        thread::sleep(Duration::from_millis(fastrand::u64(5..20)));
        let on = round % 2 == 0;
        match on {
            true => switch.turn_on().await.unwrap(),
            false => switch.turn_off().await.unwrap(),
        };
        let returned = Instant::now();
        while nodes.iter().any(|node| node.is_on() != on) {
            assert!(
                returned.elapsed() < Duration::from_secs(30),
                "{url}: a node does not follow"
            );
            thread::sleep(LOOK_EVERY);
        }
        times.push(returned.elapsed());
    }
    times.sort_unstable();
    times
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

#[actix_web::main]
async fn main() {
    if let Ok(url) = std::env::var(processes::NODE) {
        return processes::follow(&url).await;
    }
    let only: Vec<String> = std::env::args()
        .skip(1)
        .filter(|it| !it.starts_with("--"))
        .collect();
    let is_wanted = |part: &str| only.is_empty() || only.iter().any(|it| it == part);
    if is_wanted("flips") {
        flips().await;
    }
    if is_wanted("idle") {
        idle::measure().await;
    }
    if is_wanted("processes") {
        processes::measure().await;
    }
    if is_wanted("outage") {
        outage().await;
    }
}

async fn flips() {
    let (_server, redis) = Redis::start();
    let folder = tempfile::tempdir().unwrap();
    let file = format!("file:{}/maintenance.state", folder.path().display());
    println!("| store | other nodes | median | p99 | longest |");
    println!("|---|---|---|---|---|");
    for (name, url) in [("Redis", redis), ("file", file)] {
        for others in NODES {
            let times = measure(&url, others).await;
            println!(
                "| {name} | {others} | {:.1} ms | {:.1} ms | {:.1} ms |",
                milliseconds(times[times.len() / 2]),
                milliseconds(times[times.len() * 99 / 100]),
                milliseconds(times[times.len() - 1]),
            );
        }
    }
}

/// How long the server is up and how long it is down while requests are made.
const PHASE: Duration = Duration::from_secs(10);
const CLIENTS: usize = 4;

/// Makes requests over one connection until it is told to stop; how long each took, and how many
/// were not answered as they should be.
fn client(address: SocketAddr, stop: &AtomicBool) -> (Vec<Duration>, usize) {
    let mut connection = BufReader::new(TcpStream::connect(address).unwrap());
    let (mut times, mut failed) = (Vec::new(), 0);
    while !stop.load(Ordering::Relaxed) {
        let begin = Instant::now();
        let request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n";
        connection.get_mut().write_all(request).unwrap();
        let (mut line, mut length) = (String::new(), 0);
        connection.read_line(&mut line).unwrap();
        failed += usize::from(!line.starts_with("HTTP/1.1 200"));
        while line != "\r\n" {
            line.clear();
            connection.read_line(&mut line).unwrap();
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = value.trim().parse().unwrap();
            }
        }
        connection.read_exact(&mut vec![0; length]).unwrap();
        times.push(begin.elapsed());
    }
    (times, failed)
}

async fn load(name: &str, address: SocketAddr) {
    let stop = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|_| {
            let stop = Arc::clone(&stop);
            thread::spawn(move || client(address, &stop))
        })
        .collect();
    rt::time::sleep(PHASE).await;
    stop.store(true, Ordering::Relaxed);
    let (mut times, mut failed) = (Vec::new(), 0);
    for client in clients {
        let (its, failures) = client.join().unwrap();
        times.extend(its);
        failed += failures;
    }
    times.sort_unstable();
    println!(
        "| {name} | {} | {failed} | {:.3} ms | {:.3} ms |",
        times.len(),
        milliseconds(times[times.len() / 2]),
        milliseconds(times[times.len() * 99 / 100]),
    );
}

/// Requests while the store is there, while it is down, and while it hangs.
async fn outage() {
    let (server, url) = Redis::start();
    let maintenance = node(&url).await;
    let app = HttpServer::new(move || {
        App::new()
            .route("/", web::get().to(|| async { "Hello" }))
            .wrap(maintenance.middleware())
    })
    .workers(1)
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .unwrap();
    let address = app.addrs()[0];
    let app = app.run();
    let handle = app.handle();
    rt::spawn(app);
    println!("\n| Redis | requests | failed | median | p99 |");
    println!("|---|---|---|---|---|");
    load("is up", address).await;
    let process = server.0.id().to_string();
    let stopped = Command::new("kill").args(["-s", "STOP", &process]).status();
    assert!(stopped.unwrap().success());
    load("hangs", address).await;
    drop(server);
    load("is down", address).await;
    handle.stop(false).await;
}
