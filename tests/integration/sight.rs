//! Whoever sees one mode hears nothing of another, whatever they ask.

use std::time::{Duration, Instant};

use actix_maintenance_mode::{
    Permission,
    settings::{Forced, ModeSettings, TokenSettings},
    store::MemoryStore,
};
use actix_web::{http::Method, rt};
use serde_json::Value;

use crate::{
    eventually::PATIENCE,
    log::Log,
    test_app::{Answer, TestApp},
};

const SCOPE: &str = "/maintenance-mode";
/// What nobody may read anywhere who sees the shop alone.
const HIDDEN: [&str; 5] = [
    "vault",
    "Vault",
    "secret reason",
    "secret message",
    "mallory",
];

/// An app with the mode `shop`, which is seen, and the mode `vault`, which is hidden and on.
struct Divided {
    app: TestApp,
    sees_shop: String,
    switches_shop: String,
    sees_all: String,
}

impl Divided {
    async fn start() -> Self {
        let token = |name: &str, edit: fn(&mut TokenSettings)| {
            let (mut token, secret) = TokenSettings::generate(name).unwrap();
            edit(&mut token);
            (token, secret)
        };
        let shop = |token: &mut TokenSettings| token.modes = vec!["shop".to_owned()];
        let (sees, sees_shop) = token("sees", shop);
        let (switches, switches_shop) = token("switches", |token| {
            token.modes = vec!["shop".to_owned()];
            token.see = false;
        });
        let (all, sees_all) = token("all", |_| {});
        let app = TestApp::with_builder(|builder| {
            builder
                .configure(move |settings| {
                    let mut vault = ModeSettings::new("vault");
                    vault.label = Some("Vault".to_owned());
                    settings.modes = vec![ModeSettings::new("shop"), vault];
                    settings.admin.tokens = vec![sees, switches, all];
                })
                .permission(Permission::See, |visitor, mode| {
                    visitor.superuser || visitor.staff && mode == "shop"
                })
        })
        .await;
        app.maintenance
            .turn_on()
            .mode("vault")
            .by("mallory")
            .reason("secret reason")
            .message("secret message")
            .await
            .unwrap();
        Self {
            app,
            sees_shop,
            switches_shop,
            sees_all,
        }
    }

    async fn send(&self, token: &str, method: Method, path: &str) -> Answer {
        self.app
            .request(method, &format!("{SCOPE}{path}"))
            .accept("application/json")
            .header("Authorization", format!("Bearer {token}"))
            .await
    }
}

#[track_caller]
fn tells_nothing_hidden(answer: &Answer, what: &str) {
    let said = format!("{:?} {}", answer.headers, answer.text());
    for hidden in HIDDEN {
        assert!(!said.contains(hidden), "{what} tells `{hidden}`: {said}");
    }
}

const READS: [&str; 9] = [
    "/status",
    "/history",
    "/ping",
    "/ping?mode=shop",
    "/readyz",
    "/readyz?mode=shop",
    "/explain?path=/",
    "/explain?path=/&role=superuser",
    "/",
];

#[actix_web::test]
async fn who_sees_one_mode_hears_nothing_of_the_other() {
    let divided = Divided::start().await;
    let staff = divided.app.log_in_with(serde_json::json!({
        "user_id": "sue", "is_staff": true,
    }));
    for path in READS {
        let answer = divided.send(&divided.sees_shop, Method::GET, path).await;
        assert!(matches!(answer.status, 200 | 503), "{path}: {answer:?}");
        tells_nothing_hidden(&answer, path);
    }
    divided
        .app
        .maintenance
        .turn_off()
        .mode("vault")
        .await
        .unwrap();
    let staff = staff.await;
    divided
        .app
        .maintenance
        .turn_on()
        .mode("vault")
        .by("mallory")
        .await
        .unwrap();
    for path in READS {
        let answer = divided.app.get(&format!("{SCOPE}{path}")).by(&staff).await;
        tells_nothing_hidden(&answer, path);
    }
}

#[actix_web::test]
async fn what_may_be_seen_is_all_there() {
    let divided = Divided::start().await;
    let status = divided
        .send(&divided.sees_all, Method::GET, "/status")
        .await;
    let status = status.json();
    assert_eq!(status["modes"].as_array().unwrap().len(), 2);
    assert_eq!(status["modes"][1]["reason"], "secret reason");
    assert_eq!(status["nodes"][0]["phases"]["vault"], "offline", "{status}");
    let explained = divided
        .send(&divided.sees_all, Method::GET, "/explain?path=/")
        .await;
    assert_eq!(explained.json()["mode"], "vault");

    let status = divided
        .send(&divided.sees_shop, Method::GET, "/status")
        .await;
    let status = status.json();
    let phases: Vec<&String> = status["nodes"][0]["phases"]
        .as_object()
        .unwrap()
        .keys()
        .collect();
    assert_eq!(phases, ["shop"]);
    assert_eq!(status["maintenance_mode"], false);
    let explained = divided
        .send(&divided.sees_shop, Method::GET, "/explain?path=/")
        .await
        .json();
    assert_eq!(explained["outcome"], "refuse");
    assert_eq!(explained["mode"], Value::Null);
}

#[actix_web::test]
async fn whoever_switches_is_told_what_they_may_see() {
    let divided = Divided::start().await;
    for (token, sees) in [(&divided.sees_shop, 1), (&divided.switches_shop, 0)] {
        for (method, path) in [
            (Method::POST, "/on?mode=shop"),
            (Method::POST, "/off?mode=shop"),
            (Method::PUT, "/modes/shop"),
            (Method::DELETE, "/modes/shop"),
        ] {
            let answer = divided.send(token, method, path).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            tells_nothing_hidden(&answer, path);
            let document = answer.json();
            assert_eq!(
                document["modes"].as_array().unwrap().len(),
                sees,
                "{document}"
            );
            assert_eq!(document["nodes"].is_array(), sees > 0, "{document}");
        }
        let planned = divided
            .app
            .post(&format!("{SCOPE}/windows"))
            .header("Authorization", format!("Bearer {token}"))
            .body(
                "application/json",
                r#"{"mode": "shop", "start": "2126-01-01T00:00:00Z", "for": "1h"}"#,
            )
            .await;
        assert_eq!(planned.status, 200, "{planned:?}");
        tells_nothing_hidden(&planned, "/windows");
        let id = planned.json()["window"].as_str().unwrap().to_owned();
        let path = format!("/windows/{id}");
        let changed = divided.send(token, Method::PATCH, &path).await;
        assert_eq!(changed.status, 200, "{changed:?}");
        tells_nothing_hidden(&changed, &path);
        let cancelled = divided.send(token, Method::DELETE, &path).await;
        assert_eq!(cancelled.status, 200, "{cancelled:?}");
        tells_nothing_hidden(&cancelled, &path);
    }
}

#[actix_web::test]
async fn a_mode_that_is_hidden_is_as_one_that_there_is_not() {
    let divided = Divided::start().await;
    for token in [&divided.sees_shop, &divided.switches_shop] {
        for (method, path) in [
            (Method::PUT, "/modes/KEY"),
            (Method::DELETE, "/modes/KEY"),
            (Method::POST, "/on?mode=KEY"),
            (Method::GET, "/on?mode=KEY"),
            (Method::GET, "/ping?mode=KEY"),
            (Method::GET, "/readyz?mode=KEY"),
            (Method::GET, "/switch?mode=KEY"),
        ] {
            let hidden = path.replace("KEY", "vault");
            let hidden = divided.send(token, method.clone(), &hidden).await;
            let nothing = path.replace("KEY", "nothing");
            let nothing = divided.send(token, method.clone(), &nothing).await;
            assert_eq!(hidden.status, nothing.status, "{method} {path}");
            assert_eq!(hidden.text(), nothing.text(), "{method} {path}");
            tells_nothing_hidden(&hidden, path);
        }
    }
    // Anonymous clients ask about the default mode alone, as load balancers do.
    for path in ["/ping?mode=KEY", "/readyz?mode=KEY"] {
        let ask = |key: &str| {
            divided
                .app
                .get(&format!("{SCOPE}{}", path.replace("KEY", key)))
        };
        assert_eq!(ask("shop").await.status, 200);
        let (hidden, nothing) = (ask("vault").await, ask("nothing").await);
        assert_eq!((hidden.status, hidden.text()), (404, nothing.text()));
    }
    // Those from whom nothing is hidden are told what there is.
    let answer = divided
        .send(&divided.sees_all, Method::PUT, "/modes/nothing")
        .await;
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("vault"), "{answer:?}");
    let ping = divided
        .send(&divided.sees_all, Method::GET, "/ping?mode=vault")
        .await;
    assert_eq!(ping.status, 503);
}

#[actix_web::test]
async fn looking_is_logged_quietly_and_trying_to_switch_aloud() {
    let app = TestApp::start().await;
    for (method, path, level, event) in [
        (Method::GET, "/status", "DEBUG", "maintenance.see-refused"),
        (Method::GET, "/", "DEBUG", "maintenance.see-refused"),
        (Method::GET, "/history", "DEBUG", "maintenance.see-refused"),
        (Method::POST, "/on", "INFO", "maintenance.toggle-refused"),
        (Method::GET, "/on", "INFO", "maintenance.toggle-refused"),
        (
            Method::PUT,
            "/modes/site",
            "INFO",
            "maintenance.toggle-refused",
        ),
    ] {
        let logs = Log::collect();
        app.request(method, &format!("{SCOPE}{path}"))
            .from("192.0.2.7")
            .await;
        let lines = logs.lines();
        let refused: Vec<&String> = lines
            .iter()
            // The audit notes it once more.
            .filter(|line| line.contains("-refused") && !line.contains("maintenance.audit"))
            .collect();
        assert_eq!(refused.len(), 1, "{path}: {lines:#?}");
        assert!(refused[0].starts_with(level), "{path}: {refused:?}");
        assert!(refused[0].contains(event), "{path}: {refused:?}");
        assert!(
            refused[0].contains("address=192.0.2.7"),
            "{path}: {refused:?}"
        );
    }
}

#[actix_web::test]
async fn a_refusal_names_the_token() {
    let divided = Divided::start().await;
    let logs = Log::collect();
    divided
        .send(&divided.sees_shop, Method::PUT, "/modes/vault")
        .await;
    divided
        .send(&divided.switches_shop, Method::GET, "/status")
        .await;
    let lines = logs.lines();
    for (event, token) in [("toggle-refused", "sees"), ("see-refused", "switches")] {
        let is_told =
            |line: &String| line.contains(event) && line.contains(&format!("token=\"{token}\""));
        assert!(lines.iter().any(is_told), "{event}: {lines:#?}");
    }
}

#[actix_web::test]
async fn every_answer_of_the_scope_has_its_security_headers() {
    let app = TestApp::start().await;
    let ada = app.log_in_superuser("ada").await;
    for path in [
        "",
        "/",
        "/switch?mode=site",
        "/switch",
        "/plan",
        "/cancel?id=x",
        "/on",
        "/off",
        "/modes/site",
        "/windows",
        "/windows/x",
        "/status",
        "/history",
        "/explain",
        "/explain?path=/",
        "/ping",
        "/livez",
        "/readyz",
        "/openapi.json",
        "/live",
        "/static/dashboard.css",
        "/static/nothing",
        "/nothing",
        "/static/%2f",
    ] {
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::HEAD,
        ] {
            for who in [None, Some(&ada)] {
                let mut visit = app.request(method.clone(), &format!("{SCOPE}{path}"));
                if let Some(who) = who {
                    visit = visit.by(who);
                }
                let answer = visit.await;
                let said = format!("{method} {path}: {answer:?}");
                assert_eq!(
                    answer.header("x-content-type-options"),
                    Some("nosniff"),
                    "{said}"
                );
                assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{said}");
                let policy = answer.header("content-security-policy").expect(&said);
                assert!(policy.contains("default-src 'none'"), "{said}");
                assert!(policy.contains("frame-ancestors 'none'"), "{said}");
            }
        }
    }
    let too_long = app
        .post(&format!("{SCOPE}/on"))
        .by(&ada)
        .form(&"x".repeat(1 << 20))
        .await;
    assert_eq!(too_long.status, 413);
    assert_eq!(too_long.header("x-content-type-options"), Some("nosniff"));
}

/// Another node of the same store, which serves whatever is stored.
async fn a_node_that_is_forced_off(store: &MemoryStore) -> TestApp {
    let store = store.clone();
    TestApp::with_builder(move |builder| {
        builder.custom_store(store).configure(|settings| {
            settings.forced = Some(Forced::Off);
            settings.modes = vec![ModeSettings::new("shop"), ModeSettings::new("vault")];
        })
    })
    .await
}

#[actix_web::test]
async fn what_is_remarked_of_a_node_is_told_of_modes_that_are_seen() {
    let store = MemoryStore::new();
    let kept = store.clone();
    let app = TestApp::with_builder(move |builder| {
        builder
            .custom_store(kept)
            .configure(|settings| {
                settings.modes = vec![ModeSettings::new("shop"), ModeSettings::new("vault")];
            })
            .permission(Permission::See, |visitor, mode| {
                visitor.superuser || visitor.staff && mode == "shop"
            })
    })
    .await;
    let other = a_node_that_is_forced_off(&store).await;
    let alice = app.log_in_superuser("alice").await;
    let sue = app.log_in_staff("sue").await;
    let told = async |who| {
        let status = app.get("/maintenance-mode/status").by(who).await;
        status.text().contains("serves-although-offline")
    };
    for (mode, sue_is_told) in [("vault", false), ("shop", true)] {
        app.maintenance.turn_on().mode(mode).await.unwrap();
        let started = Instant::now();
        while !told(&alice).await || told(&sue).await != sue_is_told {
            assert!(started.elapsed() < PATIENCE, "{mode}");
            rt::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(told(&sue).await, sue_is_told, "{mode}");
    }
    drop(other);
}
