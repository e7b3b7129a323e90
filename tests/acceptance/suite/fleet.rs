//! Real node processes under load, some of which are killed, stopped or started while somebody waits
//! for maintenance: when that one hears that it is safe, nobody does anything for a visitor.

use std::{
    env,
    fs::{self, File},
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use actix_maintenance_mode::{Maintenance, Settings, settings::WhenCutOff};
use actix_web::{App, HttpMessage as _, HttpRequest, HttpServer, dev::Service as _, rt, web};
use serde_json::json;

use crate::{
    child::{Child, Role, report},
    eventually::eventually,
};

const STORE: &str = "TEST_STORE";
const MARKS: &str = "TEST_MARKS";

/// Short, so that a node that dies is soon counted out. Far longer than any step of a request.
const TIME_TO_LIVE: Duration = Duration::from_secs(1);

/// No step of a handler takes longer, or the promise does not hold for it, as `docs/barrier.md` says: its
/// process was stopped between the look at the clock and the step, where nothing can break it off.
const LONGEST_STEP: Duration = Duration::from_millis(250);

fn micros() -> u64 {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    passed.as_micros().try_into().unwrap()
}

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.when_cut_off = WhenCutOff::Close;
    settings.node.time_to_live = TIME_TO_LIVE;
    settings
}

async fn handle(store: &str) -> Maintenance {
    Maintenance::builder()
        .settings(settings())
        .store(store)
        .build()
        .await
        .unwrap()
}

/// When each worker of a node last did something for a visitor, in a file that outlives it: by a step as
/// it should be, and by one that took too long.
#[derive(Clone)]
struct Marks {
    file: Arc<File>,
    place: u64,
}

impl Marks {
    /// Notes a step of a request that goes on since then.
    fn step(&self, since: Instant) -> Instant {
        let at = micros();
        let took_too_long = since.elapsed() > LONGEST_STEP;
        let place = self.place + if took_too_long { 8 } else { 0 };
        self.file.write_all_at(&at.to_le_bytes(), place).unwrap();
        Instant::now()
    }

    /// The latest step of the one kind, and of the other.
    fn latest(path: &Path) -> [u64; 2] {
        let bytes = fs::read(path).unwrap_or_default();
        let marks = bytes.as_chunks().0.iter();
        let marks: Vec<u64> = marks.map(|mark| u64::from_le_bytes(*mark)).collect();
        let latest = |kind: usize| marks.iter().skip(kind).step_by(2).max().copied();
        [latest(0).unwrap_or(0), latest(1).unwrap_or(0)]
    }
}

/// Not a test by itself: a node whose every request takes some steps.
pub(crate) async fn child_serves() {
    let maintenance = handle(&env::var(STORE).unwrap()).await;
    let file = Arc::new(File::create(env::var_os(MARKS).unwrap()).unwrap());
    let places = Arc::new(AtomicU64::new(0));
    let server = HttpServer::new({
        let maintenance = maintenance.clone();
        move || {
            let marks = Marks {
                file: Arc::clone(&file),
                place: 16 * places.fetch_add(1, Ordering::SeqCst),
            };
            App::new()
                .app_data(web::Data::new(marks))
                .route("/", web::get().to(some_steps))
                .wrap(maintenance.middleware())
                // Outside of it: the look at the clock is part of the first step.
                .wrap_fn(|request, service| {
                    request.extensions_mut().insert(Instant::now());
                    service.call(request)
                })
        }
    })
    .workers(2)
    .bind("127.0.0.1:0")
    .unwrap();
    report(&json!({ "address": server.addrs()[0].to_string() }));
    server.run().await.unwrap();
}

async fn some_steps(request: HttpRequest, marks: web::Data<Marks>) -> &'static str {
    let arrived = request.extensions().get::<Instant>().copied();
    let mut since = arrived.unwrap();
    for _ in 0..4 {
        since = marks.step(since);
        rt::time::sleep(Duration::from_millis(20)).await;
    }
    marks.step(since);
    "done"
}

/// A node process, as the test sees it.
struct Node {
    child: Child,
    marks: PathBuf,
    address: SocketAddr,
}

impl Node {
    fn start(store: &str, folder: &Path, number: usize) -> Self {
        let marks = folder.join(format!("marks-{number}"));
        let mut child = Role::new("fleet-node")
            .env(STORE, store)
            .env(MARKS, &marks)
            .start();
        let address = child.next().unwrap()["address"].as_str().unwrap().parse();
        Self {
            child,
            marks,
            address: address.unwrap(),
        }
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id();
        let told = Command::new("sh")
            .args(["-c", &format!("kill -{signal} {id}")])
            .status();
        assert!(told.unwrap().success());
    }
}

/// Visitors, who come again and again to whichever nodes there are.
struct Visitors {
    addresses: Arc<Mutex<Vec<SocketAddr>>>,
    is_over: Arc<AtomicBool>,
    served: Arc<AtomicU64>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Visitors {
    fn come() -> Self {
        let (addresses, is_over, served) = (
            Arc::<Mutex<Vec<SocketAddr>>>::default(),
            Arc::<AtomicBool>::default(),
            Arc::<AtomicU64>::default(),
        );
        let threads = (0..6)
            .map(|_| {
                let (addresses, is_over, served) = (
                    Arc::clone(&addresses),
                    Arc::clone(&is_over),
                    Arc::clone(&served),
                );
                thread::spawn(move || {
                    while !is_over.load(Ordering::Relaxed) {
                        let address = fastrand::choice(addresses.lock().unwrap().iter().copied());
                        if address.is_some_and(|address| visit(address).unwrap_or(false)) {
                            served.fetch_add(1, Ordering::Relaxed);
                        } else {
                            thread::sleep(Duration::from_millis(5));
                        }
                    }
                })
            })
            .collect();
        Self {
            addresses,
            is_over,
            served,
            threads,
        }
    }

    fn leave(self) -> u64 {
        self.is_over.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().unwrap();
        }
        self.served.load(Ordering::Relaxed)
    }
}

/// Whether the visitor was served. A node that is stopped or dead keeps nobody for long.
fn visit(address: SocketAddr) -> std::io::Result<bool> {
    let patience = Duration::from_millis(300);
    let mut connection = TcpStream::connect_timeout(&address, patience)?;
    connection.set_read_timeout(Some(patience))?;
    connection.write_all(b"GET / HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    Ok(answer.starts_with("HTTP/1.1 200"))
}

/// What goes wrong in a round.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Nothing,
    Kill,
    /// Stopped for so many milliseconds at least, and at least until it is said to be safe.
    Stop {
        shorter_than_its_lease: bool,
    },
    Join,
}

/// Plays so many rounds, and returns how many visitors were served meanwhile.
pub(crate) async fn play(store: &str, folder: &Path, rounds: usize) -> u64 {
    let operator = handle(store).await;
    let mut number = 0;
    let mut start = || {
        number += 1;
        Node::start(store, folder, number)
    };
    let mut nodes: Vec<Node> = (0..3).map(|_| start()).collect();
    // The marks of those who have died count too: nobody else can have made them.
    let mut marks: Vec<PathBuf> = nodes.iter().map(|node| node.marks.clone()).collect();
    let visitors = Visitors::come();
    let mut too_long = 0;
    for round in 0..rounds {
        *visitors.addresses.lock().unwrap() = nodes.iter().map(|node| node.address).collect();
        let before = visitors.served.load(Ordering::Relaxed);
        let is_under_load = || visitors.served.load(Ordering::Relaxed) > before + 4;
        eventually("visitors are served", is_under_load).await;

        let fault = match round % 8 {
            1 | 5 => Fault::Kill,
            2 | 6 => Fault::Stop {
                shorter_than_its_lease: false,
            },
            3 => Fault::Stop {
                shorter_than_its_lease: true,
            },
            4 | 7 => Fault::Join,
            _ => Fault::Nothing,
        };
        let victim = fastrand::usize(..nodes.len());
        let waiting = rt::spawn({
            let operator = operator.clone();
            // Sometimes the fault comes before the switch, sometimes while it is waited for.
            let pause = Duration::from_millis(fastrand::u64(..60));
            async move {
                rt::time::sleep(pause).await;
                let change = operator
                    .turn_on()
                    .wait_at_most(Duration::from_secs(20))
                    .await;
                (change, micros())
            }
        });
        rt::time::sleep(Duration::from_millis(fastrand::u64(..60))).await;
        match fault {
            Fault::Kill => {
                let killed = nodes.swap_remove(victim);
                drop(killed);
            }
            Fault::Stop { .. } => nodes[victim].signal("STOP"),
            Fault::Join => {
                let node = start();
                marks.push(node.marks.clone());
                visitors.addresses.lock().unwrap().push(node.address);
                nodes.push(node);
            }
            Fault::Nothing => {}
        }
        if let Fault::Stop {
            shorter_than_its_lease: true,
        } = fault
        {
            rt::time::sleep(Duration::from_millis(fastrand::u64(..300))).await;
            nodes[victim].signal("CONT");
        }
        let (safe, safe_at) = waiting.await.unwrap();
        safe.unwrap_or_else(|error| panic!("round {round}, {fault:?}: {error}"));
        if let Fault::Stop { .. } = fault {
            // It wakes up in the middle of what it was doing, and is at once asked for more.
            nodes[victim].signal("CONT");
        }
        let begin = Instant::now();
        let mut is_too_long = false;
        while begin.elapsed() < Duration::from_millis(100) {
            for marks in &marks {
                let [latest, latest_too_long] = Marks::latest(marks);
                is_too_long |= latest_too_long > safe_at;
                assert!(
                    latest <= safe_at,
                    "round {round}, {fault:?}: {} microseconds after it was said to be safe, a \
                     visitor was served; {}",
                    latest - safe_at,
                    marks.display(),
                );
            }
            rt::time::sleep(Duration::from_millis(5)).await;
        }
        too_long += usize::from(is_too_long);
        operator.turn_off().await.unwrap();
        while nodes.len() < 3 {
            let node = start();
            marks.push(node.marks.clone());
            nodes.push(node);
        }
        if nodes.len() > 4 {
            nodes.remove(0);
        }
    }
    // Were they not broken off where they can be, every second process that is stopped would have one.
    assert!(
        too_long <= 1 + rounds / 20,
        "in {too_long} of {rounds} rounds a step went on after it was said to be safe"
    );
    web::block(move || visitors.leave()).await.unwrap()
}

async fn play_with_a_file(rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("file:{}", folder.path().join("state").display());
    let begin = Instant::now();
    let served = play(&store, folder.path(), rounds).await;
    println!(
        "{rounds} rounds in {:?}, {served} visitors served",
        begin.elapsed()
    );
    assert!(served > rounds as u64 * 4);
}

#[actix_web::test]
async fn it_is_never_called_safe_while_somebody_is_served() {
    play_with_a_file(9).await;
}

#[actix_web::test]
#[ignore = "takes minutes: 200 rounds"]
async fn it_is_never_called_safe_in_200_rounds() {
    play_with_a_file(200).await;
}
