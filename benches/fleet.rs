//! How soon a change on one node is in force on every other: Redis on this machine, and a file.
//!
//! `cargo bench --features redis --bench fleet`; needs redis-server. It reports and does not fail.
//! The nodes are handles in this process, each with its driver's thread and its own connections.

// A bench that cannot go on fails.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{Maintenance, Settings};

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
