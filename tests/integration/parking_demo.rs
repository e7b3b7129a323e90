//! Requests that wait at the demo, a process of its own: one that is told to stop, clients that go away,
//! and thousands of them.

use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::demo::{Demo, PATIENCE, Response, Visitor};

/// Has the demo closed, and requests wait so long.
fn park(superuser: &mut Visitor, patience: &str) {
    let body = format!("{{\"park\": \"{patience}\"}}");
    let kind = [("Content-Type", "application/json")];
    let answer = superuser.send("PUT", "/maintenance-mode/modes/site", &kind, &body);
    assert_eq!(answer.status, 200, "{answer:?}");
}

fn open(superuser: &mut Visitor) {
    let answer = superuser.press("/maintenance-mode/off", "");
    assert_eq!(answer.status, 303, "{answer:?}");
}

fn status(superuser: &mut Visitor) -> Value {
    superuser.get("/maintenance-mode/status").json()
}

fn wait_for(superuser: &mut Visitor, count: usize) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let parked = status(superuser)["parked"].as_u64().unwrap();
        if parked == count as u64 {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "{parked} wait instead of {count}"
        );
        thread::sleep(Duration::from_millis(10));
    }
}

fn visit(demo: &Demo) -> thread::JoinHandle<Response> {
    let mut visitor = demo.visitor();
    thread::spawn(move || visitor.get("/"))
}

#[test]
fn a_server_that_is_told_to_stop_does_not_wait_for_those_who_wait() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start(folder.path());
    let mut superuser = demo.superuser();
    park(&mut superuser, "30s");
    let visits = [visit(&demo), visit(&demo)];
    wait_for(&mut superuser, 2);
    let asked = Instant::now();
    demo.signal("TERM");
    for visit in visits {
        let answer = visit.join().unwrap();
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("x-maintenance-mode"), Some("1"));
    }
    assert_eq!(demo.exit_code(), Some(0));
    // It would wait for ten seconds otherwise, and then break them off.
    assert!(
        asked.elapsed() < Duration::from_secs(8),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn a_client_that_goes_away_frees_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let demo = Demo::start_with(folder.path(), &[("MAINTENANCE_PARK__MOST", "1")]);
    let mut superuser = demo.superuser();
    park(&mut superuser, "30s");
    let mut client = TcpStream::connect(demo.address).unwrap();
    client
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    wait_for(&mut superuser, 1);
    // Another finds no place.
    assert_eq!(demo.visitor().get("/").status, 503);
    drop(client);
    wait_for(&mut superuser, 0);
    let visit = visit(&demo);
    wait_for(&mut superuser, 1);
    open(&mut superuser);
    assert_eq!(visit.join().unwrap().status, 200);
}

/// What a process has in memory, in KiB.
fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.trim().parse().unwrap()
}

/// One of many clients, none of which has a thread of its own.
struct Client {
    connection: TcpStream,
    sent: Instant,
    answer: Vec<u8>,
}

impl Client {
    fn connect(demo: &Demo) -> Self {
        let connection = TcpStream::connect(demo.address).unwrap();
        connection.set_nonblocking(true).unwrap();
        Self {
            connection,
            sent: Instant::now(),
            answer: Vec::new(),
        }
    }

    fn send(&mut self) {
        self.connection
            .write_all(b"GET /health-of-none HTTP/1.1\r\nHost: x\r\n\r\n")
            .unwrap();
        self.sent = Instant::now();
    }

    /// The status of the answer, once it is there.
    fn look(&mut self) -> Option<u16> {
        let mut chunk = [0; 16 * 1024];
        match self.connection.read(&mut chunk) {
            Ok(0) => panic!("closed without an answer: {:?}", self.answer),
            Ok(length) => self.answer.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return None,
            Err(error) => panic!("{error}"),
        }
        let line = std::str::from_utf8(self.answer.get(..12)?).unwrap();
        line.strip_prefix("HTTP/1.1 ")?.parse().ok()
    }
}

/// What each of them got, and when it was there.
fn answers(clients: &mut [Client], at_most: Duration) -> Vec<(u16, Instant)> {
    let deadline = Instant::now() + at_most;
    let mut answers: Vec<Option<(u16, Instant)>> = vec![None; clients.len()];
    while answers.iter().any(Option::is_none) {
        assert!(Instant::now() < deadline, "some have no answer");
        for (client, answer) in clients.iter_mut().zip(&mut answers) {
            if answer.is_none() {
                *answer = client.look().map(|status| (status, Instant::now()));
            }
        }
    }
    answers.into_iter().flatten().collect()
}

/// How many requests may wait here at once: 5,000, or as many descriptors as there may be, of which this
/// process and the demo take one each.
#[cfg(target_os = "linux")]
fn count() -> usize {
    use rustix::process::{Resource, getrlimit, setrlimit};

    const WANTED: u64 = 5000;
    const OTHERS: u64 = 200;
    let mut limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    limit.current = Some(most.min(WANTED + OTHERS).max(limit.current.unwrap_or(0)));
    setrlimit(Resource::Nofile, limit).unwrap();
    let may = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let count = WANTED.min(may.saturating_sub(OTHERS));
    if count < WANTED {
        println!("{count} requests instead of {WANTED}: no more descriptors may be opened");
    }
    usize::try_from(count).unwrap()
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "takes half a minute and thousands of descriptors"]
fn of_thousands_none_is_lost_and_none_waits_longer_than_it_may() {
    let count = count();
    let folder = tempfile::tempdir().unwrap();
    let most = count.to_string();
    let demo = Demo::start_with(folder.path(), &[("MAINTENANCE_PARK__MOST", &most)]);
    let mut superuser = demo.superuser();
    // Connections have their price without anybody waiting: each has had an answer.
    let mut clients: Vec<Client> = (0..count).map(|_| Client::connect(&demo)).collect();
    clients.iter_mut().for_each(Client::send);
    answers(&mut clients, PATIENCE);
    let before = resident(demo.process.id());

    // All are let in, over a second.
    park(&mut superuser, "30s");
    for client in &mut clients {
        client.answer.clear();
        client.send();
    }
    wait_for(&mut superuser, count);
    let waiting = resident(demo.process.id());
    assert_eq!(demo.visitor().get("/").status, 503, "the newest is refused");
    let opened = Instant::now();
    open(&mut superuser);
    let let_in = answers(&mut clients, PATIENCE);
    // There is no such page, as the app says.
    assert!(let_in.iter().all(|(status, _)| *status == 404));
    let mut after: Vec<Duration> = let_in.iter().map(|(_, at)| *at - opened).collect();
    after.sort();
    let each = (waiting.saturating_sub(before)) as f64 / count as f64;
    println!("{count} requests waited, {each:.1} KiB more in memory for each");
    println!(
        "let in after the reopening: the first {:?}, the last {:?}",
        after[0],
        after[count - 1]
    );
    for tenth in 0..12 {
        let from = Duration::from_millis(100) * tenth;
        let within = after
            .iter()
            .filter(|after| (from..from + Duration::from_millis(100)).contains(*after));
        println!("{:>6} ms: {}", from.as_millis(), within.count());
    }
    let half = after[count / 2];
    assert!(
        half > Duration::from_millis(300),
        "as one wave: half of them by {half:?}"
    );
    assert!(each < 16.0, "{each} KiB");

    // How long it takes to refuse so many at once, which has nothing to do with waiting.
    let ask_all = |clients: &mut Vec<Client>| {
        for client in clients.iter_mut() {
            client.answer.clear();
            client.send();
        }
        let refused = answers(clients, 3 * PATIENCE);
        assert!(refused.iter().all(|(status, _)| *status == 503));
        let ages = clients
            .iter()
            .zip(&refused)
            .map(|(client, (_, at))| *at - client.sent);
        let ages: Vec<Duration> = ages.collect();
        (*ages.iter().min().unwrap(), *ages.iter().max().unwrap())
    };
    let put = superuser.press("/maintenance-mode/on", "");
    assert_eq!(put.status, 303, "{put:?}");
    let (_, at_once) = ask_all(&mut clients);

    // Nobody opens: all are refused when their patience ends.
    const SHORT: Duration = Duration::from_secs(5);
    park(&mut superuser, "5s");
    let (youngest, oldest) = ask_all(&mut clients);
    println!("refused at once: the last after {at_once:?}");
    println!("refused after five seconds: the first after {youngest:?}, the last after {oldest:?}");
    assert!(
        youngest >= SHORT - Duration::from_millis(100),
        "{youngest:?}"
    );
    assert!(
        oldest < SHORT + 2 * at_once + Duration::from_secs(1),
        "{oldest:?}"
    );
    let ended = status(&mut superuser);
    assert_eq!(
        (&ended["parked"], &ended["in_flight"]),
        (&0.into(), &0.into())
    );
}
