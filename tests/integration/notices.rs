//! Notices, as receivers on this machine get them.

use std::{
    collections::HashMap,
    env,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use actix_maintenance_mode::{Maintenance, Settings};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::{
    child::{Role, kills, report},
    eventually::{eventually, within},
};

const SECRET: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const TOML: &str = "TEST_NOTICE_SETTINGS";

/// One request that came in.
#[derive(Debug, Clone)]
struct Got {
    headers: HashMap<String, String>,
    body: String,
}

impl Got {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn id(&self) -> String {
        self.headers["webhook-id"].clone()
    }

    fn kind(&self) -> String {
        let kind = self.json()["type"].as_str().unwrap().to_owned();
        kind.strip_prefix("maintenance.").unwrap().to_owned()
    }

    /// The signature, worked out another way than by the crate: HMAC as RFC 2104 writes it.
    fn is_signed(&self) -> bool {
        let key = STANDARD.decode(SECRET).unwrap();
        let mut block = [0_u8; 64];
        block[..key.len()].copy_from_slice(&key);
        let content = format!(
            "{}.{}.{}",
            self.id(),
            self.headers["webhook-timestamp"],
            self.body
        );
        let inner = Sha256::new()
            .chain_update(block.map(|byte| byte ^ 0x36))
            .chain_update(content);
        let outer = Sha256::new()
            .chain_update(block.map(|byte| byte ^ 0x5c))
            .chain_update(inner.finalize());
        let expected = format!("v1,{}", STANDARD.encode(outer.finalize()));
        self.headers.get("webhook-signature") == Some(&expected)
    }
}

/// What a receiver does with a request, of which it is the so many-th.
type Answer = dyn Fn(usize, &mut TcpStream) + Send + Sync;

/// Somebody who is told.
struct Receiver {
    address: SocketAddr,
    got: Arc<Mutex<Vec<Got>>>,
}

impl Receiver {
    fn good() -> Self {
        Self::answering(|_, stream| status(stream, "204 No Content"))
    }

    fn answering(answer: impl Fn(usize, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let got = Arc::<Mutex<Vec<Got>>>::default();
        let (all, answer) = (
            Arc::clone(&got),
            Arc::<Answer>::from(Box::new(answer) as Box<Answer>),
        );
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (all, answer) = (Arc::clone(&all), Arc::clone(&answer));
                thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    let Some(got) = read(&stream) else { return };
                    let count = {
                        let mut all = all.lock();
                        all.push(got);
                        all.len()
                    };
                    answer(count, &mut stream);
                });
            }
        });
        Self { address, got }
    }

    fn got(&self) -> Vec<Got> {
        self.got.lock().clone()
    }

    fn kinds(&self) -> Vec<String> {
        self.got().iter().map(Got::kind).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Got> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some(Got { headers, body })
}

fn status(stream: &mut TcpStream, status: &str) {
    // Whoever asked may be gone.
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
    );
}

fn target(name: &str, url: &str, more: &str) -> String {
    format!("[[notice]]\nname = \"{name}\"\nurl = \"{url}\"\n{more}\n")
}

async fn site(store: &str, targets: &[String]) -> Maintenance {
    let toml = format!("store = \"{store}\"\n{}", targets.concat());
    let settings = Settings::from_toml(&toml).unwrap();
    let site = Maintenance::builder()
        .settings(settings)
        .build()
        .await
        .unwrap();
    // Of what was before a node has stored whom it tells, nobody is told.
    eventually("it tells others", || {
        targets.is_empty() || site.status().generation > 0
    })
    .await;
    site
}

fn of(maintenance: &Maintenance, name: &str) -> Value {
    let status = serde_json::to_value(maintenance.status()).unwrap();
    let targets = status["notices"].as_array().unwrap().clone();
    targets.into_iter().find(|it| it["name"] == name).unwrap()
}

#[actix_web::test]
async fn a_webhook_is_told_in_order_and_can_tell_who_it_was() {
    let receiver = Receiver::good();
    let url = format!("http://{}/hook", receiver.address);
    let signed = target("a", &url, &format!("secret = \"whsec_{SECRET}\""));
    let site = site("memory:", &[signed]).await;
    site.turn_on()
        .by("ada")
        .reason("secret reason")
        .message("Back at noon.")
        .await
        .unwrap();
    site.turn_on().message("Back at one.").await.unwrap();
    site.turn_off().await.unwrap();
    eventually("three are told", || receiver.got().len() == 3).await;
    assert_eq!(receiver.kinds(), ["closed", "changed", "open"]);
    for got in receiver.got() {
        assert!(got.is_signed(), "{got:?}");
        assert!(
            !got.body.contains("ada") && !got.body.contains("secret reason"),
            "{got:?}"
        );
    }
    let first = receiver.got()[0].json();
    assert_eq!(first["data"]["message"], "Back at noon.");
    assert_eq!(first["data"]["phase"], "offline");
    assert_eq!(
        first["data"]["text"],
        "Whole site: Down for maintenance\nBack at noon."
    );
    let mut ids: Vec<String> = receiver.got().iter().map(Got::id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    eventually("it is noted", || of(&site, "a")["waiting"] == 0).await;
}

#[actix_web::test]
async fn each_hears_what_it_asked_for_in_its_language_and_words() {
    let [all, few, slack] = [(); 3].map(|()| Receiver::good());
    let url = |receiver: &Receiver| format!("http://{}/", receiver.address);
    let targets = [
        "[[mode]]\nkey = \"site\"\n[[mode]]\nkey = \"shop\"\nlabel = \"<Shop>\"\n".to_owned(),
        target("all", &url(&all), "details = true\nlanguage = \"de\""),
        target(
            "few",
            &url(&few),
            "events = [\"open\"]\nmodes = [\"shop\"]\ntext = \"{{ kind }} of {{ label }}\"",
        ),
        target(
            "slack",
            &url(&slack),
            "kind = \"slack\"\nmodes = [\"shop\"]",
        ),
    ];
    let site = site("memory:", &targets).await;
    for mode in ["site", "shop"] {
        site.turn_on().mode(mode).by("ada").await.unwrap();
        site.turn_off().mode(mode).await.unwrap();
    }
    eventually("all are told", || {
        all.got().len() == 4 && few.got().len() == 1 && slack.got().len() == 2
    })
    .await;
    assert_eq!(all.kinds(), ["closed", "open", "closed", "open"]);
    assert_eq!(all.got()[0].json()["data"]["by"], "ada");
    assert_eq!(all.got()[1].json()["data"]["text"], "site: Wieder offen");
    assert_eq!(few.got()[0].json()["data"]["text"], "open of <Shop>");
    let told: Vec<Value> = slack.got().iter().map(Got::json).collect();
    assert_eq!(told[1], json!({"text": "&lt;Shop&gt;: Open again"}));
}

#[actix_web::test]
async fn one_that_fails_is_told_again_with_the_same_id_and_holds_up_nobody() {
    let good = Receiver::good();
    let weak = Receiver::answering(|count, stream| match count {
        1 => status(stream, "500 Internal Server Error"),
        2 => status(stream, "429 Too Many Requests\r\nretry-after: 2"),
        _ => status(stream, "200 OK"),
    });
    let silent = Receiver::answering(|_, _| thread::sleep(Duration::from_secs(3600)));
    let url = |receiver: &Receiver| format!("http://{}/", receiver.address);
    let targets = [
        target("silent", &url(&silent), ""),
        target("weak", &url(&weak), ""),
        target("good", &url(&good), ""),
    ];
    let site = site("memory:", &targets).await;
    site.turn_on().await.unwrap();
    site.turn_off().await.unwrap();
    eventually("the good one is told", || good.got().len() == 2).await;
    eventually("the weak one is shown", || {
        !of(&site, "weak")["failing_since"].is_null()
    })
    .await;
    let began = Instant::now();
    within(Duration::from_secs(30), "the weak one is told", || {
        weak.got().len() == 4
    })
    .await;
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(weak.kinds(), ["closed", "closed", "closed", "open"]);
    let ids: Vec<String> = weak.got().iter().map(Got::id).collect();
    assert!(
        ids[0] == ids[1] && ids[1] == ids[2] && ids[2] != ids[3],
        "{ids:?}"
    );
    eventually("it is well again", || of(&site, "weak")["error"].is_null()).await;
    let shown = || {
        of(&site, "silent")["error"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    };
    within(Duration::from_secs(30), "the silent one is shown", || {
        shown().contains("10 seconds")
    })
    .await;
    assert_eq!(of(&site, "silent")["waiting"], 2);
}

#[actix_web::test]
async fn nothing_leads_elsewhere() {
    let elsewhere = Receiver::good();
    let other = elsewhere.address;
    let redirect = Receiver::answering(move |_, stream| {
        status(
            stream,
            &format!("307 Temporary Redirect\r\nlocation: http://{other}/"),
        );
    });
    let endless = Receiver::answering(|_, stream| {
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n";
        let _ = stream.write_all(head.as_bytes());
        while stream.write_all(&[b'x'; 65536]).is_ok() {}
    });
    let gone = Receiver::answering(|_, stream| status(stream, "410 Gone"));
    let picky = Receiver::answering(|count, stream| match count {
        1..=3 => status(stream, "422 Unprocessable Content"),
        _ => status(stream, "200 OK"),
    });
    let meant = Receiver::good();
    let url = |receiver: &Receiver| format!("http://{}/", receiver.address);
    let by_name = |receiver: &Receiver| format!("http://localhost:{}/", receiver.address.port());
    let targets = [
        target("redirect", &url(&redirect), ""),
        target("endless", &url(&endless), ""),
        target("gone", &url(&gone), ""),
        target("picky", &url(&picky), ""),
        target("name", &by_name(&elsewhere), ""),
        target("meant", &by_name(&meant), "private = true"),
        target("tls", &format!("https://{}/", meant.address), ""),
    ];
    let site = site("memory:", &targets).await;
    site.turn_on().await.unwrap();
    site.turn_off().await.unwrap();
    let told = || meant.got().len() >= 2;
    within(Duration::from_secs(30), "who is meant is told", told).await;
    within(Duration::from_secs(30), "the endless one is told", || {
        endless.got().len() == 2
    })
    .await;
    within(
        Duration::from_secs(30),
        "what nobody takes is given up",
        || picky.got().len() >= 4,
    )
    .await;
    eventually("it is counted", || of(&site, "picky")["lost"] == 1).await;
    for (name, said) in [
        ("redirect", "not followed"),
        ("gone", "gone for good"),
        ("name", "private = true"),
    ] {
        let error = || {
            of(&site, name)["error"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        };
        eventually(said, || error().contains(said)).await;
        assert_eq!(of(&site, name)["waiting"], 2, "{name}");
    }
    eventually("no certificate", || !of(&site, "tls")["error"].is_null()).await;
    assert!(elsewhere.got().is_empty(), "{:?}", elsewhere.got());
}

#[actix_web::test]
async fn of_two_nodes_one_sends_also_what_time_does() {
    let folder = TempDir::new().unwrap();
    let store = format!("file:{}", folder.path().join("state").display());
    let receiver = Receiver::good();
    let targets = [target("a", &format!("http://{}/", receiver.address), "")];
    let one = site(&store, &targets).await;
    let two = site(&store, &targets).await;
    let now = jiff::Timestamp::now();
    let plan = two
        .plan_window()
        .start(now + jiff::SignedDuration::from_secs(1));
    plan.lasting(Duration::from_secs(1)).await.unwrap();
    one.turn_on().mode("site").await.unwrap();
    one.turn_off().mode("site").await.unwrap();
    within(Duration::from_secs(20), "all is told", || {
        receiver.got().len() >= 5
    })
    .await;
    assert_eq!(
        receiver.kinds(),
        ["planned", "closed", "open", "closed", "open"]
    );
}

/// A process that sends until it is killed.
pub(crate) async fn child_sends() {
    let settings = Settings::from_toml(&env::var(TOML).unwrap()).unwrap();
    let maintenance = Maintenance::builder()
        .settings(settings)
        .build()
        .await
        .unwrap();
    report(&json!("ready"));
    std::future::pending::<()>().await;
    drop(maintenance);
}

#[actix_web::test]
async fn whoever_kills_senders_keeps_no_notice_from_arriving() {
    let folder = TempDir::new().unwrap();
    let receiver = Receiver::answering(|count, stream| {
        // Some are killed between the message and its answer, and some after.
        thread::sleep(Duration::from_millis(count as u64 * 7919 % 60));
        status(stream, "200 OK");
    });
    let toml = settings_of(folder.path(), &receiver);
    // Whoever switches sends nothing, and knows nothing of whom it is for.
    let store = format!("file:{}", folder.path().join("state").display());
    let site = site(&store, &[]).await;
    let start = || {
        Role::new("sender")
            .env(TOML, &toml)
            .in_folder(folder.path())
            .start()
    };
    let mut first = start();
    first.next().unwrap();
    let told = |site: &Maintenance, count: u64| {
        let state = std::fs::read_to_string(folder.path().join("state")).unwrap_or_default();
        let state: Value = serde_json::from_str(&state).unwrap_or_default();
        let _ = site;
        state["notices"]["next"]
            .as_u64()
            .is_some_and(|next| count <= next)
    };
    eventually("somebody wants to be told", || told(&site, 1)).await;
    for round in 0..kills() {
        site.turn_on().message(round.to_string()).await.unwrap();
        site.turn_off().await.unwrap();
        // At any point: while it waits for its turn, while it sends, while it notes that it has.
        let pause = Duration::from_millis(fastrand::u64(0..1500));
        actix_web::rt::time::sleep(pause).await;
        drop(first);
        first = start();
    }
    let sent = 2 * kills();
    let ids = |receiver: &Receiver| {
        let mut ids: Vec<String> = Vec::new();
        for got in receiver.got() {
            if !ids.contains(&got.id()) {
                ids.push(got.id());
            }
        }
        ids
    };
    let all = || ids(&receiver).len() as u64 >= sent;
    within(Duration::from_secs(60), "every notice arrives", all).await;
    let ids = ids(&receiver);
    assert_eq!(ids.len() as u64, sent);
    let sequence = |id: &String| id.split('_').nth(1).unwrap().parse::<u64>().unwrap();
    let sequences: Vec<u64> = ids.iter().map(sequence).collect();
    assert_eq!(sequences, (1..=sent).collect::<Vec<_>>());
    println!(
        "{} kills, {} notices, {} messages",
        kills(),
        sent,
        receiver.got().len()
    );
}

fn settings_of(folder: &Path, receiver: &Receiver) -> String {
    let store = folder.join("state");
    format!(
        "store = \"file:{}\"\n[node]\ntime_to_live = \"1s\"\n{}",
        store.display(),
        target("a", &format!("http://{}/", receiver.address), "")
    )
}
