//! The real Alertmanager, and the alert rules of the guide.

use std::{
    env,
    io::Write as _,
    net::TcpListener,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use actix_maintenance_mode::{Maintenance, Settings};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::{Role, kills, report};

/// How long a silence lives that nobody extends.
const TIME_TO_LIVE: Duration = Duration::from_secs(10);

const TOML: &str = "TEST_TOML";

/// An Alertmanager on this machine, which ends with this.
struct Alertmanager {
    process: Child,
    port: u16,
    _folder: TempDir,
}

impl Drop for Alertmanager {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

impl Alertmanager {
    async fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let config = folder.path().join("alertmanager.yml");
        std::fs::write(
            &config,
            "route:\n  receiver: nobody\nreceivers:\n  - name: nobody\n",
        )
        .unwrap();
        let port = free_port();
        let process = Command::new("prometheus-alertmanager")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.path={}",
                folder.path().join("data").display()
            ))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg("--cluster.listen-address=")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("prometheus-alertmanager is installed");
        let started = Self {
            process,
            port,
            _folder: folder,
        };
        until("it answers", || {
            started.amtool(&["config", "show"]).is_some()
        })
        .await;
        started
    }

    fn amtool(&self, arguments: &[&str]) -> Option<String> {
        let output = Command::new("amtool")
            .arg(format!("--alertmanager.url=http://127.0.0.1:{}", self.port))
            .args(arguments)
            .output()
            .expect("amtool is installed");
        output
            .status
            .success()
            .then(|| String::from_utf8(output.stdout).unwrap())
    }

    /// The silences in a state: `active` or `expired`.
    fn silences(&self, state: &str) -> Vec<Value> {
        let more: &[&str] = if state == "expired" {
            &["--expired"]
        } else {
            &[]
        };
        let told = self.amtool(&[&["silence", "query", "-o", "json"], more].concat());
        let all: Vec<Value> = told
            .and_then(|told| serde_json::from_str(&told).ok())
            .unwrap_or_default();
        all.into_iter()
            .filter(|it| it["status"]["state"] == state)
            .collect()
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "not in time: {what}"
        );
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
}

fn settings_of(alertmanager: &Alertmanager, store: &str) -> String {
    format!(
        "store = \"{store}\"\n[node]\ntime_to_live = \"1s\"\n[[notice]]\nkind = \"alertmanager\"\n\
         url = \"http://127.0.0.1:{}\"\nmatchers = [\"team=\\\"shop\\\"\", \"severity=~\\\"warn.*\\\"\"]\n\
         time_to_live = \"{}s\"\n",
        alertmanager.port,
        TIME_TO_LIVE.as_secs()
    )
}

async fn site_of(toml: &str) -> Maintenance {
    let settings = Settings::from_toml(toml).unwrap();
    let builder = Maintenance::builder().settings(settings);
    builder.build().await.unwrap()
}

async fn site(alertmanager: &Alertmanager, store: &str) -> Maintenance {
    site_of(&settings_of(alertmanager, store)).await
}

fn time(silence: &Value, name: &str) -> jiff::Timestamp {
    silence[name].as_str().unwrap().parse().unwrap()
}

#[actix_web::test]
async fn a_silence_is_made_extended_and_ended_with_the_maintenance() {
    let alertmanager = Alertmanager::start().await;
    let site = site(&alertmanager, "memory:").await;
    site.turn_on().await.unwrap();
    until("it is made", || alertmanager.silences("active").len() == 1).await;
    let made = alertmanager.silences("active").remove(0);
    let matchers = made["matchers"].as_array().unwrap();
    assert_eq!(
        (&matchers[0]["name"], &matchers[0]["value"]),
        (&"team".into(), &"shop".into())
    );
    assert_eq!(matchers[1]["isRegex"], true);
    let ends = time(&made, "endsAt");
    assert!(ends <= jiff::Timestamp::now() + jiff::SignedDuration::from_secs(11));
    until("it is made longer", || {
        let active = alertmanager.silences("active");
        active.len() == 1 && time(&active[0], "endsAt") > ends
    })
    .await;
    assert_eq!(alertmanager.silences("active")[0]["id"], made["id"]);
    site.turn_off().await.unwrap();
    until("it is ended", || alertmanager.silences("active").is_empty()).await;
    assert_eq!(alertmanager.silences("expired").len(), 1);
    // Once more, and somebody has ended it by hand meanwhile.
    site.turn_on().await.unwrap();
    until("another is made", || {
        alertmanager.silences("active").len() == 1
    })
    .await;
    let id = alertmanager.silences("active")[0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    alertmanager.amtool(&["silence", "expire", &id]).unwrap();
    until("it is made anew", || {
        alertmanager.silences("active").len() == 1
    })
    .await;
    alertmanager.amtool(&[
        "silence",
        "expire",
        alertmanager.silences("active")[0]["id"].as_str().unwrap(),
    ]);
    site.turn_off().await.unwrap();
    let told = || serde_json::to_value(site.status()).unwrap()["notices"][0].clone();
    until("nothing is left", || {
        told()["silences"] == 0 && told()["error"].is_null()
    })
    .await;
}

#[actix_web::test]
async fn a_silence_dies_with_everybody_who_could_end_it() {
    let alertmanager = Alertmanager::start().await;
    let folder = TempDir::new().unwrap();
    let store = format!("file:{}", folder.path().join("state").display());
    let first = site(&alertmanager, &store).await;
    first.turn_on().await.unwrap();
    until("it is made", || alertmanager.silences("active").len() == 1).await;
    drop(first);
    let began = Instant::now();
    until("it dies", || alertmanager.silences("active").is_empty()).await;
    assert!(began.elapsed() < Duration::from_secs(12));
    // Whoever comes next finds the site closed, and makes it anew.
    let second = site(&alertmanager, &store).await;
    until("it is back", || alertmanager.silences("active").len() == 1).await;
    second.turn_off().await.unwrap();
    until("it is ended", || alertmanager.silences("active").is_empty()).await;
}

/// Not a test by itself: a process that makes and ends silences until it is killed.
pub(crate) async fn child_silences() {
    let site = site_of(&env::var(TOML).unwrap()).await;
    report(&json!("ready"));
    std::future::pending::<()>().await;
    drop(site);
}

#[actix_web::test]
async fn whoever_kills_senders_keeps_no_silence_alive() {
    let alertmanager = Alertmanager::start().await;
    let folder = TempDir::new().unwrap();
    let store = format!("file:{}", folder.path().join("state").display());
    let toml = settings_of(&alertmanager, &store);
    // Whoever switches sends nothing.
    let operator = site_of(&format!("store = \"{store}\"\n")).await;
    let start = || {
        let mut sender = Role::new("silence-sender").env(TOML, &toml).start();
        sender.next().unwrap();
        sender
    };
    let mut sender = start();
    let pause = async |longest| {
        let pause = Duration::from_millis(fastrand::u64(0..longest));
        actix_web::rt::time::sleep(pause).await;
    };
    let mut closed: Vec<(Timestamp, Timestamp)> = Vec::new();
    for _ in 0..kills() {
        let since = Timestamp::now();
        operator.turn_on().await.unwrap();
        pause(700).await;
        if fastrand::bool() {
            drop(sender);
            sender = start();
            pause(300).await;
        }
        operator.turn_off().await.unwrap();
        closed.push((since, Timestamp::now()));
        pause(300).await;
        drop(sender);
        sender = start();
    }
    let none = || alertmanager.silences("active").is_empty();
    until("all are ended", none).await;
    // Of each, when it ended, whoever ended it, and whether anybody has.
    let silences = alertmanager.silences("expired");
    assert!(!silences.is_empty());
    let margin = SignedDuration::from_secs(1);
    let lives = SignedDuration::try_from(TIME_TO_LIVE).unwrap() + margin;
    for silence in &silences {
        let (starts, ends) = (time(silence, "startsAt"), time(silence, "endsAt"));
        let of = closed.iter().rfind(|(since, _)| *since <= starts + margin);
        let (_, until) = of.unwrap_or_else(|| panic!("nothing was closed: {silence}"));
        assert!(
            ends <= *until + lives,
            "closed until {until}, silent until {ends}: {silence}"
        );
    }
    // Whoever lives on makes one again.
    operator.turn_on().await.unwrap();
    let one = || alertmanager.silences("active").len() == 1;
    until("it is made", one).await;
    operator.turn_off().await.unwrap();
    until("it is ended", none).await;
    println!("{} kills, {} silences", kills(), silences.len());
}

#[test]
fn the_alert_rules_of_the_guide_are_rules() {
    for page in [
        include_str!("../../../docs/guide/telling-systems.md"),
        include_str!("../../../docs/guide/observing.md"),
    ] {
        let rules: Vec<&str> = page
            .split("```yaml\n")
            .skip(1)
            .filter_map(|rest| rest.split("```").next())
            .filter(|yaml| yaml.contains("alert:"))
            .collect();
        assert!(!rules.is_empty());
        for yaml in rules {
            let mut file = tempfile::NamedTempFile::new().unwrap();
            file.write_all(yaml.as_bytes()).unwrap();
            let checked = Command::new("promtool")
                .args(["check", "rules"])
                .arg(file.path())
                .output();
            let checked = checked.expect("promtool is installed");
            assert!(
                checked.status.success(),
                "{}",
                String::from_utf8_lossy(&checked.stderr)
            );
        }
    }
}
