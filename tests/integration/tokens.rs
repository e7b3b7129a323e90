//! Bearer tokens: a program uses the admin scope without a session.

use actix_maintenance_mode::{
    Visitor,
    settings::{ModeSettings, Settings, TokenSettings},
};
use actix_web::http::Method;
use jiff::{Timestamp, ToSpan as _};
use serde_json::json;

use crate::{
    log::Log,
    test_app::{Answer, TestApp},
};

const SITE: &str = "/maintenance-mode/modes/site";
const STATUS: &str = "/maintenance-mode/status";

struct Api {
    app: TestApp,
    token: String,
}

impl Api {
    async fn start(edit: impl FnOnce(&mut TokenSettings)) -> Self {
        let (mut settings, token) = TokenSettings::generate("deploy").unwrap();
        edit(&mut settings);
        let app = TestApp::with_settings(|all| {
            all.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
            all.admin.tokens.push(settings);
        })
        .await;
        Self { app, token }
    }

    async fn send(&self, method: Method, path: &str) -> Answer {
        self.app
            .request(method, path)
            .header("Authorization", format!("Bearer {}", self.token))
            .await
    }
}

#[actix_web::test]
async fn a_deploy_job_switches_and_sees_with_its_token_alone() {
    let api = Api::start(|_| {}).await;
    let answer = api.send(Method::PUT, SITE).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["modes"][0]["by"], "token deploy");
    assert!(api.app.maintenance.is_on());
    for path in [
        STATUS,
        "/maintenance-mode/history",
        "/maintenance-mode/explain?path=/",
    ] {
        assert_eq!(api.send(Method::GET, path).await.status, 200, "{path}");
    }
    let ping = api.send(Method::GET, "/maintenance-mode/ping").await;
    assert_eq!(ping.json()["modes"].as_array().unwrap().len(), 2);
    assert_eq!(api.send(Method::DELETE, SITE).await.status, 200);
    assert!(!api.app.maintenance.is_on());
    assert_eq!(
        api.app.maintenance.history()[0].ended_by.as_deref(),
        Some("token deploy")
    );
    assert_eq!(
        api.send(Method::POST, "/maintenance-mode/on").await.status,
        303
    );
    assert!(api.app.maintenance.is_on());
}

#[actix_web::test]
async fn a_token_needs_no_origin_because_no_browser_adds_it() {
    let api = Api::start(|_| {}).await;
    let answer = api
        .app
        .request(Method::PUT, SITE)
        .header("Authorization", format!("Bearer {}", api.token))
        .header("Origin", "https://ci.example")
        .header("Sec-Fetch-Site", "cross-site")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
}

#[actix_web::test]
async fn a_token_may_what_the_settings_say() {
    let watch = Api::start(|token| token.toggle = false).await;
    assert_eq!(watch.send(Method::GET, STATUS).await.status, 200);
    let answer = watch.send(Method::PUT, SITE).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("`deploy` may not"), "{answer:?}");
    assert!(!watch.app.maintenance.is_on());

    let blind = Api::start(|token| token.see = false).await;
    assert_eq!(blind.send(Method::GET, STATUS).await.status, 403);
    let answer = blind.send(Method::PUT, SITE).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json(), json!({ "changed": true, "modes": [] }));

    let shop = Api::start(|token| token.modes = vec!["shop".to_owned()]).await;
    assert_eq!(shop.send(Method::PUT, SITE).await.status, 403);
    let answer = shop.send(Method::PUT, "/maintenance-mode/modes/shop").await;
    assert_eq!(answer.json()["modes"].as_array().unwrap().len(), 1);
    let modes = shop.send(Method::GET, STATUS).await.json()["modes"].clone();
    assert_eq!(modes.as_array().unwrap().len(), 1);
    assert_eq!(modes[0]["key"], "shop");
}

#[actix_web::test]
async fn what_is_no_token_is_nobody() {
    let api = Api::start(|_| {}).await;
    let (other, _) = TokenSettings::generate("other").unwrap();
    let lines: Vec<Vec<u8>> = vec![
        b"Bearer".to_vec(),
        b"Bearer ".to_vec(),
        b"Bearer \xff\xfe\x80".to_vec(),
        b"Basic YWRhOmFkYQ==".to_vec(),
        format!("Basic {}", api.token).into_bytes(),
        format!("Bearer {}x", api.token).into_bytes(),
        format!("Bearer {}", other.hash).into_bytes(),
        [b"Bearer ".as_slice(), &b"a".repeat(8000)].concat(),
        api.token.clone().into_bytes(),
    ];
    for line in lines {
        for (method, path) in [(Method::PUT, SITE), (Method::GET, STATUS)] {
            let answer = api
                .app
                .request(method, path)
                .header("Authorization", &line)
                .await;
            assert_eq!(answer.status, 403, "{line:?}");
            let kind = answer.header("content-type");
            assert_eq!(kind, Some("application/problem+json"), "{line:?}");
        }
    }
    assert!(!api.app.maintenance.is_on());
}

#[actix_web::test]
async fn neither_token_nor_hash_is_ever_shown() {
    let logs = Log::collect();
    let (settings, token) = TokenSettings::generate("deploy").unwrap();
    let hash = settings.hash.clone();
    let api = Api::start(|own| own.hash.clone_from(&hash)).await;
    let api = Api {
        token: token.clone(),
        ..api
    };
    let mut shown = String::new();
    for (method, path) in [
        (Method::PUT, SITE),
        (Method::GET, STATUS),
        (Method::GET, "/maintenance-mode/history"),
        (Method::DELETE, SITE),
        (Method::PUT, "/maintenance-mode/modes/nothing"),
    ] {
        shown += &format!("{:?}", api.send(method, path).await);
    }
    let mut all = Settings::default();
    all.admin.tokens.push(settings);
    shown += &format!("{all:?} {all:#?} {:?}", api.app.maintenance);
    shown += &logs.lines().join("\n");
    let digits = hash.strip_prefix("sha256:").unwrap();
    assert!(shown.contains("deploy"), "{shown}");
    assert!(
        !shown.contains(&token) && !shown.contains(digits),
        "{shown}"
    );
}

#[actix_web::test]
async fn who_did_it_tells_a_token_from_a_user_of_the_same_name() {
    let api = Api::start(|_| {}).await;
    let by = || api.app.maintenance.status().modes.remove(0).by.unwrap();
    api.send(Method::PUT, SITE).await;
    assert_eq!(by(), "token deploy");
    api.app.turn_off().await;
    for (id, written) in [
        ("deploy", "deploy"),
        ("token deploy", "user token deploy"),
        ("user token deploy", "user user token deploy"),
        ("tokens", "tokens"),
    ] {
        let user = api.app.log_in_superuser(id).await;
        api.app.post("/maintenance-mode/on").by(&user).await;
        assert_eq!(by(), written);
        api.app.turn_off().await;
    }
}

#[actix_web::test]
async fn a_token_that_has_expired_opens_nothing() {
    let now = Timestamp::now();
    let fresh = Api::start(|token| token.expires = Some(now + 1.hour())).await;
    assert_eq!(fresh.send(Method::GET, STATUS).await.status, 200);

    let logs = Log::collect();
    let stale = Api::start(|token| token.expires = Some(now - 1.second())).await;
    let started = logs.warnings().join("\n");
    assert!(
        started.contains("expired") && started.contains("deploy"),
        "{started}"
    );
    let logs = Log::collect();
    for (method, path) in [(Method::GET, STATUS), (Method::PUT, SITE)] {
        let answer = stale.send(method, path).await;
        assert_eq!(answer.status, 403);
        let text = answer.text();
        assert!(
            text.contains("expired") && text.contains("deploy"),
            "{text}"
        );
    }
    assert!(!stale.app.maintenance.is_on());
    let refused = refusals(&logs);
    assert_eq!(refused.len(), 2, "{refused:#?}");
    assert!(refused[0].contains("why=\"expired-token\""), "{refused:#?}");
    assert!(refused[0].contains("token=\"deploy\""), "{refused:#?}");
}

/// What is logged of tokens.
fn refusals(logs: &Log) -> Vec<String> {
    let lines = logs.lines().into_iter();
    lines
        .filter(|line| line.contains("event=\"maintenance.token-refused\""))
        .collect()
}

#[actix_web::test]
async fn a_wrong_token_is_logged_apart_from_none_with_its_address() {
    let api = Api::start(|_| {}).await;
    let logs = Log::collect();
    let anonymous = |method| api.app.request(method, STATUS).from("192.0.2.7");
    anonymous(Method::GET).await;
    assert!(refusals(&logs).is_empty());
    drop(logs);
    for path in [STATUS, "/maintenance-mode/ping"] {
        let logs = Log::collect();
        api.app
            .get(path)
            .from("192.0.2.7")
            .header("Authorization", "Bearer mmt_wrong")
            .await;
        let lines = refusals(&logs);
        assert_eq!(lines.len(), 1, "{path}: {lines:#?}");
        assert!(lines[0].starts_with("WARN"), "{lines:#?}");
        assert!(lines[0].contains("why=\"wrong-token\""), "{lines:#?}");
        assert!(lines[0].contains("address=192.0.2.7"), "{lines:#?}");
        assert!(!lines[0].contains("mmt_wrong"), "{lines:#?}");
    }
}

#[actix_web::test]
async fn many_wrong_tokens_from_one_address_are_slowed_down() {
    let api = Api::start(|_| {}).await;
    let guess = |from: &str, token: &str| {
        api.app
            .get(STATUS)
            .from(from)
            .header("Authorization", format!("Bearer {token}"))
    };
    let mut statuses = Vec::new();
    for number in 0..60 {
        let answer = guess("192.0.2.7", &format!("guess-{number}")).await;
        if answer.status == 429 {
            let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=6).contains(&wait), "{answer:?}");
        }
        statuses.push(answer.status);
    }
    assert_eq!(statuses[..20], [403; 20]);
    let looked_at = statuses.iter().filter(|status| **status == 403).count();
    assert!(looked_at < 30, "{statuses:?}");
    // A right one is not looked at either: the answer would tell that it is one.
    assert_eq!(guess("192.0.2.7", &api.token).await.status, 429);
    assert_eq!(guess("192.0.2.8", &api.token).await.status, 200);
    // Sessions and those who have no token are not held up.
    let ada = api.app.log_in_superuser("ada").await;
    assert_eq!(
        api.app.get(STATUS).from("192.0.2.7").by(&ada).await.status,
        200
    );
    let ping = api
        .app
        .get("/maintenance-mode/ping")
        .from("192.0.2.7")
        .await;
    assert_eq!(ping.status, 200);
}

#[actix_web::test]
async fn right_tokens_are_never_too_many() {
    let api = Api::start(|_| {}).await;
    for _ in 0..100 {
        assert_eq!(api.send(Method::GET, STATUS).await.status, 200);
    }
}

#[actix_web::test]
async fn a_token_of_the_apps_own_is_not_wrong() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| {
                let (token, _) = TokenSettings::generate("deploy").unwrap();
                settings.admin.tokens.push(token);
            })
            .identity(|request| {
                let is_own = request
                    .headers()
                    .get("authorization")
                    .is_some_and(|line| line == "Bearer own");
                if is_own {
                    Visitor::user("ada").with_superuser(true)
                } else {
                    Visitor::anonymous()
                }
            })
    })
    .await;
    let logs = Log::collect();
    for _ in 0..60 {
        let answer = app.get(STATUS).header("Authorization", "Bearer own").await;
        assert_eq!(answer.status, 200);
    }
    assert!(refusals(&logs).is_empty());
}

#[test]
fn hashes_of_well_known_words_stop_the_start() {
    // printf %s test | sha256sum, and test2: they stood in examples.
    for hash in [
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "9F86D081884C7D659A2FEAA0C55AD015A3BF4F1B2B0B822CD15D6C15B0F00A08",
        "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        // password, of nothing, and `echo test`
        "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2",
    ] {
        let text = format!("[admin]\ntokens = [{{ name = \"ci\", hash = \"sha256:{hash}\" }}]");
        let error = Settings::from_toml(&text).unwrap_err().to_string();
        assert!(error.contains("`admin.tokens[0].hash`"), "{error}");
        assert!(error.contains("well-known word"), "{error}");
        assert!(!error.contains(hash), "{error}");
    }
}

#[test]
fn an_end_is_an_instant_and_nothing_else() {
    let (token, _) = TokenSettings::generate("ci").unwrap();
    let read = |expires: &str| {
        Settings::from_toml(&format!(
            "[admin]\ntokens = [{{ name = \"ci\", hash = \"{}\", expires = {expires} }}]",
            token.hash
        ))
    };
    let expected: Timestamp = "2027-01-01T00:00:00Z".parse().unwrap();
    for given in [
        "\"2027-01-01T00:00:00Z\"",
        "\"2027-01-01T01:00:00+01:00\"",
        "2027-01-01T00:00:00Z",
    ] {
        let settings = read(given).unwrap();
        assert_eq!(settings.admin.tokens[0].expires, Some(expected), "{given}");
    }
    for wrong in [
        "\"2027-01-01\"",
        "\"tomorrow\"",
        "3600",
        "2027-01-01",
        "true",
    ] {
        let error = read(wrong).unwrap_err().to_string();
        assert!(error.contains("date, time and offset"), "{wrong}: {error}");
    }
}
