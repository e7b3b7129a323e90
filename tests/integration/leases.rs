//! Leases in a file store that several processes share.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{self, ChildStdin, ChildStdout, Command, Stdio},
    time::{Duration, Instant},
};

use actix_maintenance_mode::store::{
    FileStore, Lease, LeaseCondition::IfAbsent, MemoryStore, PutLease, Store,
};
use futures_util::StreamExt as _;

/// Long enough for the busiest machine; nothing that works takes so long.
const PATIENCE: Duration = Duration::from_secs(10);
/// Longer than any test.
const LONG: Duration = Duration::from_secs(600);

const STATE: &str = "TEST_LEASES_STATE";
const HOLDER: &str = "TEST_LEASES_HOLDER";
/// What every line of a child's answers begins with.
const MARK: &str = "@answer ";

fn lease(name: &str, holder: &str) -> Lease {
    Lease::new(name, holder, format!("of {holder}")).unwrap()
}

async fn names(store: &dyn Store, prefix: &str) -> Vec<String> {
    let leases = store.leases(prefix).await.unwrap();
    leases
        .into_iter()
        .map(|live| live.lease.name().to_owned())
        .collect()
}

/// A process that does with leases what it is told.
struct Child {
    process: process::Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Child {
    fn start(state: &Path, holder: &str) -> Self {
        let mut process = Command::new(env::current_exe().unwrap())
            .args(["leases::child_role", "--exact", "--nocapture"])
            .args(["--test-threads", "1"])
            .env(STATE, state)
            .env(HOLDER, holder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self {
            orders: process.stdin.take().unwrap(),
            answers: BufReader::new(process.stdout.take().unwrap()),
            process,
        }
    }

    fn order(&mut self, order: &str) {
        writeln!(self.orders, "{order}").unwrap();
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.answers.read_line(&mut line).unwrap(), 0, "it ended");
            // The test harness writes to the same stream.
            if let Some((_, answer)) = line.split_once(MARK) {
                return answer.trim_end().to_owned();
            }
        }
    }

    fn ask(&mut self, order: &str) -> String {
        self.order(order);
        self.answer()
    }
}

impl Drop for Child {
    /// Ends the process as no process can prevent (SIGKILL).
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Not a test in the process that runs the tests: there it does nothing.
#[tokio::test]
async fn child_role() {
    let Ok(state) = env::var(STATE) else {
        return;
    };
    let holder = env::var(HOLDER).unwrap();
    let store = FileStore::new(state).unwrap();
    for order in std::io::stdin().lines() {
        let order = order.unwrap();
        let words: Vec<_> = order.split(' ').collect();
        let mine = lease(words.get(1).unwrap_or(&"none"), &holder);
        let time_to_live = |text: &str| Duration::from_millis(text.parse().unwrap());
        let answer = match words[..] {
            ["put", _, time] => {
                let put = store.put_lease(&mine, time_to_live(time), IfAbsent);
                match put.await.unwrap() {
                    PutLease::Held => "held".to_owned(),
                    PutLease::Taken(by) => format!("taken by {}", by.lease.holder()),
                }
            }
            ["renew", _, time] => {
                let renew = store.renew_lease(&mine, time_to_live(time));
                let answer = if renew.await.unwrap() {
                    "renewed"
                } else {
                    "lost"
                };
                answer.to_owned()
            }
            ["drop", _] => {
                store.drop_lease(&mine).await.unwrap();
                "dropped".to_owned()
            }
            ["list"] => names(&store, "").await.join(" "),
            _ => panic!("{order:?}"),
        };
        println!("{MARK}{answer}");
    }
}

fn state_in(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("maintenance.state")
}

#[tokio::test]
async fn processes_see_each_others_leases_and_keep_out_of_each_others_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut one = Child::start(&state_in(&folder), "one");
    let mut two = Child::start(&state_in(&folder), "two");
    assert_eq!(one.ask("put task/import 600000"), "held");
    assert_eq!(two.ask("put task/export 600000"), "held");
    for child in [&mut one, &mut two] {
        assert_eq!(child.ask("list"), "task/export task/import");
    }
    assert_eq!(two.ask("put task/import 600000"), "taken by one");
    assert_eq!(two.ask("renew task/import 600000"), "lost");
    assert_eq!(two.ask("drop task/import"), "dropped");
    assert_eq!(one.ask("renew task/import 600000"), "renewed");
    assert_eq!(one.ask("drop task/import"), "dropped");
    assert_eq!(two.ask("put task/import 600000"), "held");
    assert_eq!(one.ask("renew task/import 600000"), "lost");
}

#[tokio::test]
async fn the_lease_of_a_killed_process_lives_to_the_end_of_its_time_and_no_longer() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(state_in(&folder)).unwrap();
    let mut child = Child::start(&state_in(&folder), "child");
    assert_eq!(child.ask("put node/stays 600000"), "held");
    let time_to_live = Duration::from_millis(1500);
    let asked = Instant::now();
    assert_eq!(child.ask("put lock/site 1500"), "held");
    let answered = Instant::now();
    drop(child);

    loop {
        // A process of its own, which has never seen the lease, decides no differently.
        let fresh = FileStore::new(state_in(&folder)).unwrap();
        let before = Instant::now();
        let is_there = names(&fresh, "lock/").await == ["lock/site"];
        assert_eq!(names(&store, "node/").await, ["node/stays"]);
        if before >= answered + time_to_live {
            assert!(!is_there, "it lives too long");
            break;
        }
        if Instant::now() < asked + time_to_live {
            assert!(is_there, "it does not live as long as it was to");
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mine = lease("lock/site", "me");
    let put = store.put_lease(&mine, LONG, IfAbsent).await.unwrap();
    assert_eq!(put, PutLease::Held);
}

#[tokio::test]
async fn a_process_that_renews_keeps_its_lease_beyond_its_time_to_live() {
    let folder = tempfile::tempdir().unwrap();
    let store = FileStore::new(state_in(&folder)).unwrap();
    let mut child = Child::start(&state_in(&folder), "child");
    assert_eq!(child.ask("put lock/site 2000"), "held");
    assert_eq!(child.ask("renew lock/site 600000"), "renewed");
    let end = Instant::now() + Duration::from_millis(2200);
    while Instant::now() < end {
        let mine = lease("lock/site", "me");
        let put = store.put_lease(&mine, LONG, IfAbsent);
        assert!(matches!(put.await.unwrap(), PutLease::Taken(_)));
        assert_eq!(names(&store, "lock/").await, ["lock/site"]);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// In each round all want the lock, and the one that gets it is killed.
#[tokio::test]
async fn of_processes_that_want_a_lock_one_gets_it_and_its_death_frees_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut children: BTreeMap<String, Child> = (0..5)
        .map(|number| format!("child-{number}"))
        .map(|holder| (holder.clone(), Child::start(&state_in(&folder), &holder)))
        .collect();
    while !children.is_empty() {
        let started = Instant::now();
        let winner = loop {
            for child in children.values_mut() {
                child.order("put lock/site 600000");
            }
            let mut winners = Vec::new();
            for (holder, child) in &mut children {
                if child.answer() == "held" {
                    winners.push(holder.clone());
                }
            }
            assert!(winners.len() <= 1, "{winners:?}");
            if let Some(winner) = winners.pop() {
                break winner;
            }
            assert!(started.elapsed() < PATIENCE, "nobody gets it");
        };
        let mut child = children.remove(&winner).unwrap();
        for other in children.values_mut() {
            let taken = format!("taken by {winner}");
            assert_eq!(other.ask("put lock/site 600000"), taken);
        }
        // Its last sign of life.
        assert_eq!(child.ask("renew lock/site 100"), "renewed");
        drop(child);
    }
}

#[tokio::test]
async fn leases_are_no_hints_of_a_change_of_state() {
    let folder = tempfile::tempdir().unwrap();
    let file = FileStore::new(state_in(&folder)).unwrap();
    file.save(b"off", None).await.unwrap();
    let memory = MemoryStore::new();
    memory.save(b"off", None).await.unwrap();
    for store in [&file as &dyn Store, &memory] {
        let mut hints = store.watch();
        // The watch of a file is restless for two seconds and then gives a last hint.
        let calm = Duration::from_secs(3);
        while tokio::time::timeout(calm, hints.next()).await.is_ok() {}

        for number in 0..20 {
            let mine = lease(&format!("task/{number}"), "me");
            store.put_lease(&mine, LONG, IfAbsent).await.unwrap();
            assert!(store.renew_lease(&mine, LONG).await.unwrap());
            assert_eq!(store.leases("task/").await.unwrap().len(), 1);
            store.drop_lease(&mine).await.unwrap();
        }
        let hint = tokio::time::timeout(calm, hints.next()).await;
        assert!(hint.is_err(), "a hint from {}", store.url());

        // The watch is alive.
        let version = store.load().await.unwrap().unwrap().version;
        store.save(b"on", Some(&version)).await.unwrap();
        let hint = tokio::time::timeout(PATIENCE, hints.next()).await;
        assert!(hint.is_ok(), "no hint from {}", store.url());
    }
}
