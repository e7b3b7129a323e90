//! Requests per second of a server with one worker, with and without the middleware.
//!
//! `cargo bench --bench end_to_end`; what the figures mean is in `benches/README.md`.
//!
//! The servers run in a process of their own, so that `wrk` meets nothing but them. All cases take
//! turns in every round, because a machine is not equally fast all the time; the median counts.

#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot be set up has to stop"
)]

use std::{
    env,
    io::{self, BufRead as _, BufReader, Read as _},
    process::{Child, Command, ExitCode, Stdio},
    thread,
    time::Duration,
};

use actix_maintenance_mode::Settings;
use actix_web::{App, HttpServer, dev::Server, web};

use self::apps::{BROWSER, PATH, greeting, maintenance, page_of_refusals, refusal};

mod apps;

const ROUNDS: usize = 7;
const ROUND: Duration = Duration::from_secs(2);
const CONNECTIONS: usize = 32;

/// The first argument of the program when it starts itself to serve.
const SERVE: &str = "serve";

/// In the order in which the servers tell their ports.
const CASES: [&str; 4] = ["bare", "online", "offline", "handler"];

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    match arguments.next().as_deref() {
        Some(SERVE) => {
            serve();
            ExitCode::SUCCESS
        }
        Some("--bench") => match compare() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            println!(
                "nothing is measured under `cargo test`; run `cargo bench --bench end_to_end`"
            );
            ExitCode::SUCCESS
        }
    }
}

// The side of the client.

fn compare() -> Result<(), String> {
    check_for_wrk()?;
    let servers = Servers::start()?;
    // Caches, branch predictors and connections are cold in the first round.
    for port in &servers.ports {
        requests_per_second(*port, Duration::from_secs(1))?;
    }
    let mut measured: [Vec<f64>; 4] = Default::default();
    for round in 0..ROUNDS {
        // Who comes first changes, so that nobody always follows the same one.
        for turn in 0..CASES.len() {
            let case = (round + turn) % CASES.len();
            measured[case].push(requests_per_second(servers.ports[case], ROUND)?);
        }
    }
    drop(servers);

    println!(
        "{:<12}{:>18}{:>12}{:>12}",
        "", "requests/second", "lowest", "highest"
    );
    for (case, figures) in CASES.iter().zip(&mut measured) {
        figures.sort_by(f64::total_cmp);
        println!(
            "{case:<12}{:>18.0}{:>12.0}{:>12.0}",
            median(figures),
            figures[0],
            figures[figures.len() - 1]
        );
    }
    let [bare, online, offline, handler] = measured.each_ref().map(|figures| median(figures));
    println!();
    tell("online relative to bare", online / bare, 0.98);
    tell("offline relative to the handler", offline / handler, 1.0);
    Ok(())
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}

/// Says how it went and no more: how fast a machine is in a second depends on who else uses it.
fn tell(what: &str, ratio: f64, at_least: f64) {
    let verdict = if ratio >= at_least {
        "reached"
    } else {
        "missed; run it again on a machine with nothing else to do"
    };
    println!("{what:<34}{ratio:>8.3}   at least {at_least:.2}: {verdict}");
}

fn check_for_wrk() -> Result<(), String> {
    match Command::new("wrk").arg("--version").output() {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(
            "wrk sends the requests and is not installed; install the package `wrk` (Debian and \
             Ubuntu: `apt install wrk`)"
                .to_owned(),
        ),
        Err(error) => Err(format!("wrk cannot be started: {error}")),
    }
}

fn requests_per_second(port: u16, duration: Duration) -> Result<f64, String> {
    let output = Command::new("wrk")
        .args(["--threads", "1"])
        .args(["--connections", &CONNECTIONS.to_string()])
        .args(["--duration", &format!("{}s", duration.as_secs())])
        .args(["--header", &format!("Accept: {BROWSER}")])
        .arg(format!("http://127.0.0.1:{port}{PATH}"))
        .output()
        .map_err(|error| format!("wrk cannot be started: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if text.contains("Socket errors") {
        return Err(format!("requests failed:\n{text}"));
    }
    text.lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"))
        .and_then(|figure| figure.trim().parse().ok())
        .ok_or_else(|| {
            let complaint = String::from_utf8_lossy(&output.stderr);
            format!("wrk told no requests per second:\n{text}{complaint}")
        })
}

/// The process with the servers; it ends when this is dropped.
struct Servers {
    process: Child,
    ports: Vec<u16>,
}

impl Servers {
    fn start() -> Result<Self, String> {
        let itself =
            env::current_exe().map_err(|error| format!("the program is not found: {error}"))?;
        let mut process = Command::new(itself)
            .arg(SERVE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the servers cannot be started: {error}"))?;
        let mut line = String::new();
        if let Some(told) = process.stdout.take() {
            BufReader::new(told)
                .read_line(&mut line)
                .map_err(|error| format!("the servers do not tell their ports: {error}"))?;
        }
        let ports: Vec<u16> = line
            .split_whitespace()
            .filter_map(|port| port.parse().ok())
            .collect();
        let started = ports.len() == CASES.len();
        let servers = Self { process, ports };
        started
            .then_some(servers)
            .ok_or_else(|| "the servers did not start".to_owned())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // Its standard input ends, and it with it.
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

// The side of the servers.

/// A server with one worker on a free port, and that port. The type of an app cannot be written
/// down, so this is no function.
macro_rules! server {
    ($factory:expr) => {{
        let server = HttpServer::new($factory)
            .workers(1)
            .disable_signals()
            .bind(("127.0.0.1", 0))
            .expect("a free port on the loopback interface");
        let port = server.addrs()[0].port();
        (server.run(), port)
    }};
}

/// Serves every case with one worker each until standard input ends.
fn serve() {
    let (end, ended) = tokio::sync::oneshot::channel();
    thread::spawn(|| {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = end.send(());
    });
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    actix_web::rt::System::new().block_on(async {
        let page = page_of_refusals(folder.path()).await;
        let off = maintenance(Settings::default(), &folder.path().join("off"), "off").await;
        let on = maintenance(Settings::default(), &folder.path().join("on"), "on").await;

        let mut ports = Vec::new();
        let mut start = |(server, port): (Server, u16)| {
            actix_web::rt::spawn(server);
            ports.push(port.to_string());
        };
        start(server!(|| App::new().route(PATH, web::get().to(greeting))));
        for state in [off, on] {
            start(server!(move || {
                App::new()
                    .route(PATH, web::get().to(greeting))
                    .wrap(state.middleware())
            }));
        }
        start(server!(move || {
            App::new().route(PATH, web::get().to(move || async move { refusal(page) }))
        }));
        println!("{}", ports.join(" "));
        let _ = ended.await;
    });
}
