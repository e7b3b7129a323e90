//! `/live` of the demo, a real process: many at once, and an end without delay.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use actix_maintenance_mode::settings::TokenSettings;
use actix_web::rt::time::timeout;
use awc::{
    BoxedSocket, Client,
    ws::{Codec, Frame},
};
use futures_util::{StreamExt as _, future::join_all};
use serde_json::Value;

use crate::{demo::Demo, eventually::PATIENCE};

type Connection = actix_codec::Framed<BoxedSocket, Codec>;

async fn connect(demo: &Demo) -> Connection {
    let url = format!("http://{}/maintenance-mode/live", demo.address);
    let (response, connection) = Client::builder()
        .timeout(PATIENCE)
        .finish()
        .ws(url)
        .connect()
        .await
        .unwrap();
    assert_eq!(response.status(), 101);
    connection
}

async fn document(connection: &mut Connection) -> Value {
    match timeout(PATIENCE, connection.next()).await.unwrap() {
        Some(Ok(Frame::Text(text))) => serde_json::from_slice(&text).unwrap(),
        other => panic!("no document: {other:?}"),
    }
}

/// The memory that a process has in use, in KiB.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS:"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Lets a process have as many open files as the test needs.
fn may_open_many(process: u32) {
    let set = Command::new("prlimit")
        .args(["--pid", &process.to_string(), "--nofile=4096"])
        .status()
        .unwrap();
    assert!(set.success());
}

#[cfg(target_os = "linux")]
#[actix_web::test]
async fn a_server_that_stops_does_not_wait_for_live_connections() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let mut connections = join_all((0..20).map(|_| connect(&demo))).await;
    for connection in &mut connections {
        document(connection).await;
    }
    let asked = Instant::now();
    demo.signal("TERM");
    for connection in &mut connections {
        match timeout(PATIENCE, connection.next()).await.unwrap() {
            Some(Ok(Frame::Close(Some(reason)))) => assert_eq!(u16::from(reason.code), 1001),
            other => panic!("{other:?}"),
        }
    }
    drop(connections);
    assert_eq!(demo.exit_code(), Some(0));
    // It would wait for ten seconds otherwise.
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
}

#[actix_web::test]
#[ignore = "needs prlimit, and a machine that is not busy"]
async fn a_thousand_are_told_within_a_second_and_cost_little_memory() {
    const CONNECTIONS: usize = 1000;
    const MEMORY: u64 = 50 * 1024;
    may_open_many(std::process::id());
    let folder = tempfile::tempdir().unwrap();
    let (token, secret) = TokenSettings::generate("test").unwrap();
    let tokens = format!(r#"[{{ name = "test", hash = "{}" }}]"#, token.hash);
    let demo = Demo::start_with(
        folder.path(),
        &[
            ("MAINTENANCE_ADMIN__TOKENS", &tokens),
            ("MAINTENANCE_LIVE__PER_ADDRESS", "2000"),
        ],
    );
    may_open_many(demo.process.id());
    // Whatever a first connection sets up for all is no cost of a thousand.
    document(&mut connect(&demo).await).await;
    let before = resident(demo.process.id());

    let mut connections = Vec::with_capacity(CONNECTIONS);
    while connections.len() < CONNECTIONS {
        connections.extend(join_all((0..50).map(|_| connect(&demo))).await);
    }
    for connection in &mut connections {
        assert_eq!(document(connection).await["maintenance_mode"], false);
    }
    let more = resident(demo.process.id()).saturating_sub(before);

    let url = format!("http://{}/maintenance-mode/modes/site", demo.address);
    let asked = Instant::now();
    let put = Client::default().put(url).bearer_auth(&secret).send();
    let told = connections.iter_mut().map(async |connection| {
        assert_eq!(document(connection).await["maintenance_mode"], true);
        asked.elapsed()
    });
    let (answer, told) = futures_util::join!(put, join_all(told));
    assert_eq!(answer.unwrap().status(), 200);
    let slowest = told.into_iter().max().unwrap();
    let afterwards = resident(demo.process.id()).saturating_sub(before);
    println!("told within {slowest:?}; {more} KiB more, {afterwards} KiB after the change");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    assert!(
        more.max(afterwards) < MEMORY,
        "{more} KiB, then {afterwards} KiB"
    );
}
