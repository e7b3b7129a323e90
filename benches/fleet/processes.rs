//! Fifty real processes that follow one switch, and how much of their time is waiting for a processor.

use std::{
    env, fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use rustix::time::{ClockId, clock_gettime};

use crate::{ROUNDS, Redis, milliseconds, node};

/// Says where the store is, and that this process only follows it.
pub(crate) const NODE: &str = "BENCH_FLEET_NODE";
const PROCESSES: usize = 50;

/// The clock that all processes of a machine share, in nanoseconds.
fn now() -> u64 {
    let now = clock_gettime(ClockId::Monotonic);
    now.tv_sec.unsigned_abs() * 1_000_000_000 + now.tv_nsec.unsigned_abs()
}

/// How long the threads of this process were ready to run and did not, in nanoseconds.
fn waited_for_a_processor() -> u64 {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten();
    threads
        .flatten()
        .filter_map(|thread| fs::read_to_string(thread.path().join("schedstat")).ok())
        .filter_map(|figures| figures.split(' ').nth(1)?.parse::<u64>().ok())
        .sum()
}

/// Tells of each change when it is in force here, and how long was waited for a processor so far.
pub(crate) async fn follow(url: &str) {
    let maintenance = node(url).await;
    let mut changes = maintenance.subscribe();
    println!("ready");
    while let Some(status) = changes.next().await {
        let at = now();
        println!("{} {at} {}", status.generation, waited_for_a_processor());
        let _ = std::io::stdout().flush();
    }
}

struct Follower(Child);

impl Drop for Follower {
    fn drop(&mut self) {
        // Fails only if it has ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What one of them told: which one, the generation, when, and how long it had waited.
struct Told {
    process: usize,
    generation: u64,
    at: u64,
    waited: u64,
}

pub(crate) async fn measure() {
    let (_server, url) = Redis::start();
    let (sender, told) = mpsc::channel();
    let mut followers = Vec::new();
    for process in 0..PROCESSES {
        let mut child = Command::new(env::current_exe().unwrap())
            .env(NODE, &url)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(lines.next().unwrap().unwrap(), "ready");
        followers.push(Follower(child));
        let sender = sender.clone();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let figures: Vec<u64> = line.split(' ').map(|it| it.parse().unwrap()).collect();
                let [generation, at, waited] = figures[..] else {
                    panic!("{line}");
                };
                let told = Told {
                    process,
                    generation,
                    at,
                    waited,
                };
                if sender.send(told).is_err() {
                    return;
                }
            }
        });
    }
    let switch = node(&url).await;
    let mut waited_before = vec![0; PROCESSES];
    // Of the last process to follow: how long it took, and how long of that it waited.
    let mut last: Vec<(Duration, Duration)> = Vec::new();
    let mut each: Vec<Duration> = Vec::new();
    for round in 0..ROUNDS {
        thread::sleep(Duration::from_millis(fastrand::u64(20..60)));
        let change = match round % 2 == 0 {
            true => switch.turn_on().await.unwrap(),
            false => switch.turn_off().await.unwrap(),
        };
        let returned = now();
        let generation = change.status.generation;
        let mut missing = PROCESSES;
        let mut slowest = (Duration::ZERO, Duration::ZERO);
        while missing > 0 {
            let told = told.recv_timeout(Duration::from_secs(30)).unwrap();
            let before = std::mem::replace(&mut waited_before[told.process], told.waited);
            // What a thread waited that has ended is not in the sum any more.
            let waited = told.waited.saturating_sub(before);
            if told.generation != generation {
                continue;
            }
            missing -= 1;
            // One may have it before the switch has returned.
            let took = Duration::from_nanos(told.at.saturating_sub(returned));
            let waited = Duration::from_nanos(waited).min(took);
            each.push(took);
            slowest = slowest.max((took, waited));
        }
        // The first tells of the time since the start, too.
        if round > 1 {
            last.push(slowest);
        }
    }
    drop(followers);
    each.sort_unstable();
    last.sort_unstable();
    println!("\n| {PROCESSES} processes over Redis | median | p99 | longest |");
    println!("|---|---|---|---|");
    let row = |name: &str, times: &[Duration]| {
        println!(
            "| {name} | {:.1} ms | {:.1} ms | {:.1} ms |",
            milliseconds(times[times.len() / 2]),
            milliseconds(times[times.len() * 99 / 100]),
            milliseconds(times[times.len() - 1]),
        );
    };
    row("a process follows", &each);
    let took: Vec<Duration> = last.iter().map(|(took, _)| *took).collect();
    row("the last process follows", &took);
    let mut waited: Vec<Duration> = last.iter().map(|(_, waited)| *waited).collect();
    waited.sort_unstable();
    row("of that, waiting for a processor", &waited);
    let mut ours: Vec<Duration> = last.iter().map(|(took, waited)| *took - *waited).collect();
    ours.sort_unstable();
    row(
        "of that, everything else: Redis, its way, and what the node does",
        &ours,
    );
}
