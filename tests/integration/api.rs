//! The JSON API: programs switch a mode by `PUT` and `DELETE`, and are told all that is wrong.

use actix_maintenance_mode::{Phase, Visitor, settings::Forced, settings::ModeSettings};
use actix_web::http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::test_app::{Answer, LoggedIn, TestApp};

const SITE: &str = "/maintenance-mode/modes/site";

async fn put(app: &TestApp, who: &LoggedIn, body: &Value) -> Answer {
    app.request(Method::PUT, SITE)
        .by(who)
        .body("application/json", body.to_string())
        .await
}

/// What a problem says of the single members.
#[track_caller]
fn faults(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let problem = answer.json();
    assert_eq!(problem["status"], 400);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("Nothing was changed"),
        "{problem}"
    );
    serde_json::from_value(problem["faults"].clone()).unwrap()
}

#[actix_web::test]
async fn a_mode_is_switched_on_and_off_with_and_without_a_slash() {
    let (app, ada) = TestApp::with_superuser().await;
    for slash in ["", "/"] {
        let path = format!("{SITE}{slash}");
        let answer = app.request(Method::PUT, &path).by(&ada).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let status = answer.json();
        assert_eq!(
            (&status["changed"], &status["maintenance_mode"]),
            (&json!(true), &json!(true))
        );
        assert_eq!(status["modes"][0]["by"], "ada");
        app.get("/").await.is_refused();
        let again = app.request(Method::PUT, &path).by(&ada).await.json();
        assert_eq!(again["changed"], false);

        let answer = app.request(Method::DELETE, &path).by(&ada).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.json()["maintenance_mode"], false);
        app.get("/").await.is_served();
        let again = app.request(Method::DELETE, &path).by(&ada).await;
        assert_eq!(
            (again.status, &again.json()["changed"]),
            (200, &json!(false))
        );
    }
}

#[actix_web::test]
async fn all_that_the_body_says_is_stored() {
    let (app, ada) = TestApp::with_superuser().await;
    let until = "2126-03-29T10:00:00+02:00";
    let body = json!({ "reason": "release 7", "message": "Back at ten.", "until": until });
    let status = put(&app, &ada, &body).await.json();
    let mode = &status["modes"][0];
    assert_eq!(mode["reason"], "release 7");
    assert_eq!(mode["message"], "Back at ten.");
    assert_eq!(mode["until"], "2126-03-29T08:00:00Z");
    app.turn_off().await;

    for duration in [json!(90), json!("90s"), json!("1m 30s"), json!("PT90S")] {
        let before = Timestamp::now();
        put(&app, &ada, &json!({ "for": duration })).await;
        let mode = app.maintenance.status().modes.remove(0);
        let lasts = mode.until.unwrap().duration_since(before).as_secs();
        assert!((90..=99).contains(&lasts), "{duration}: {lasts}");
        app.turn_off().await;
    }
}

#[actix_web::test]
async fn a_drain_is_asked_for_with_and_without_its_details() {
    let (app, ada) = TestApp::with_superuser().await;
    // Somebody is inside, so that it stays pending.
    let bob = app.log_in_user("bob").await;
    app.get("/session").by(&bob).await.is_served();
    for drain in [
        json!(true),
        json!({}),
        json!({ "timeout": "5m", "on_timeout": "cancel" }),
        json!({ "timeout": 300 }),
    ] {
        let answer = put(&app, &ada, &json!({ "drain": drain })).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        assert_eq!(answer.json()["modes"][0]["phase"], "pending", "{drain}");
        app.turn_off().await;
    }
    for body in [
        json!({ "drain": false }),
        json!({ "drain": null }),
        json!({}),
    ] {
        put(&app, &ada, &body).await;
        assert_eq!(app.maintenance.phase(), Phase::Offline, "{body}");
        app.turn_off().await;
    }
}

#[actix_web::test]
async fn all_faults_of_a_body_are_told_at_once() {
    let (app, ada) = TestApp::with_superuser().await;
    let body = json!({
        "reason": 7,
        "message": "",
        "until": "tomorrow",
        "for": "soon",
        "drain": { "timeout": 0, "on_timeout": "shout", "speed": 1 },
        "colour": "red",
    });
    let told = faults(&put(&app, &ada, &body).await);
    let names: Vec<&str> = told
        .iter()
        .map(|fault| fault.split('`').nth(1).unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "reason",
            "message",
            "until",
            "for",
            "drain.timeout",
            "drain.on_timeout",
            "drain.speed",
            "colour"
        ],
        "{told:#?}"
    );
    assert!(
        told[7].contains("known here: reason, message, until, for, drain"),
        "{told:#?}"
    );
    assert_eq!(app.maintenance.status().generation, 0);

    let both = json!({ "until": "2126-01-01T00:00:00Z", "for": "1h" });
    assert!(faults(&put(&app, &ada, &both).await)[0].contains("not both"));
    let local = json!({ "until": "2126-01-01T00:00:00" });
    assert!(faults(&put(&app, &ada, &local).await)[0].contains("time_zone"));
    for body in [
        json!({ "drain": 7 }),
        json!({ "for": -1 }),
        json!({ "for": 1.5 }),
        json!({"reason": "x".repeat(5000)}),
    ] {
        assert_eq!(faults(&put(&app, &ada, &body).await).len(), 1, "{body}");
    }
    let past = put(&app, &ada, &json!({ "until": "2020-01-01T00:00:00Z" })).await;
    assert_eq!(past.status, 400);
    assert!(
        past.json()["detail"].as_str().unwrap().contains("past"),
        "{past:?}"
    );
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn a_local_time_is_one_of_the_settings_zone_and_what_was_taken_is_said() {
    let app = TestApp::with_settings(|settings| {
        settings.time_zone = Some("Europe/Rome".to_owned());
    })
    .await;
    let ada = app.log_in_superuser("ada").await;
    let status = put(&app, &ada, &json!({ "until": "2125-07-01T10:00" }))
        .await
        .json();
    assert_eq!(status["modes"][0]["until"], "2125-07-01T08:00:00Z");
    assert_eq!(status.get("warnings"), None);
}

#[actix_web::test]
async fn what_is_no_json_object_changes_nothing() {
    let (app, ada) = TestApp::with_superuser().await;
    for (kind, body, status) in [
        ("text/plain", "{}", 415),
        ("application/x-www-form-urlencoded", "reason=x", 415),
        ("application/jsonp", "{}", 415),
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("application/json", "null", 400),
        ("application/json", "\u{feff}{}", 400),
        ("application/json; charset=utf-8", "\"on\"", 400),
    ] {
        let answer = app
            .request(Method::PUT, SITE)
            .by(&ada)
            .body(kind, body)
            .await;
        assert_eq!(answer.status, status, "{kind} {body}: {answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
    }
    let deep = "[".repeat(60_000);
    for body in [deep.into_bytes(), vec![b'{', 0xff], vec![b' '; 70_000]] {
        let answer = app
            .request(Method::PUT, SITE)
            .by(&ada)
            .body("application/json", body)
            .await;
        assert!([400, 413].contains(&answer.status), "{answer:?}");
    }
    assert_eq!(app.maintenance.status().generation, 0);
    for kind in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/merge-patch+json",
    ] {
        let answer = app
            .request(Method::PUT, SITE)
            .by(&ada)
            .body(kind, "{}")
            .await;
        assert_eq!(answer.status, 200, "{kind}");
    }
}

#[actix_web::test]
async fn errors_have_the_form_that_is_asked_for_by_name() {
    let (app, ada) = TestApp::with_superuser().await;
    for (accept, content_type) in [
        (None, "application/problem+json"),
        (Some("*/*"), "application/problem+json"),
        (Some("application/json"), "application/problem+json"),
        (Some("text/html"), "text/html; charset=utf-8"),
        (Some("text/plain"), "text/plain; charset=utf-8"),
    ] {
        let mut visit = app
            .request(Method::PUT, SITE)
            .by(&ada)
            .body("application/json", r#"{"colour":1}"#);
        if let Some(accept) = accept {
            visit = visit.accept(accept);
        }
        let answer = visit.await;
        assert_eq!(answer.status, 400);
        assert_eq!(
            answer.header("content-type"),
            Some(content_type),
            "{accept:?}"
        );
        assert!(answer.text().contains("colour"), "{answer:?}");
    }
}

#[actix_web::test]
async fn what_is_not_there_is_404_and_what_is_not_allowed_405() {
    let (app, ada) = TestApp::with_superuser().await;
    for method in [Method::PUT, Method::DELETE] {
        for key in ["shop", "%2e", "a%20b", "%ff"] {
            let path = format!("/maintenance-mode/modes/{key}");
            let answer = app.request(method.clone(), &path).by(&ada).await;
            assert_eq!(answer.status, 404, "{method} {path}: {answer:?}");
        }
    }
    for (path, allow) in [
        (SITE, "PUT, DELETE"),
        ("/maintenance-mode/status", "GET, HEAD"),
    ] {
        for method in [Method::POST, Method::PATCH, Method::OPTIONS] {
            let answer = app.request(method, path).by(&ada).await;
            assert_eq!(answer.status, 405);
            assert_eq!(answer.header("allow"), Some(allow));
        }
    }
    for method in [Method::GET, Method::HEAD] {
        assert_eq!(app.request(method, SITE).by(&ada).await.status, 405);
    }
    assert_eq!(
        app.get("/maintenance-mode/modes").by(&ada).await.status,
        404
    );
    assert_eq!(app.maintenance.status().generation, 0);
}

#[actix_web::test]
async fn who_may_not_changes_nothing() {
    let (app, ada) = TestApp::with_superuser().await;
    let bob = app.log_in_user("bob").await;
    for method in [Method::PUT, Method::DELETE] {
        assert_eq!(app.request(method.clone(), SITE).await.status, 403);
        assert_eq!(app.request(method.clone(), SITE).by(&bob).await.status, 403);
        for (name, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Sec-Fetch-Site", "same-site"),
            ("Origin", "https://evil.example"),
            ("Referer", "https://evil.example/"),
        ] {
            let answer = app
                .request(method.clone(), SITE)
                .by(&ada)
                .header(name, value)
                .await;
            assert_eq!(answer.status, 403, "{name}: {value}");
            assert!(answer.text().contains("another site"), "{answer:?}");
        }
    }
    assert_eq!(app.maintenance.status().generation, 0);
}

#[actix_web::test]
async fn what_the_settings_force_is_a_conflict() {
    let app = TestApp::with_builder(|builder| {
        builder
            .identity(|_| Visitor::user("ada").with_superuser(true))
            .configure(|settings| settings.forced = Some(Forced::On))
    })
    .await;
    for method in [Method::PUT, Method::DELETE] {
        let answer = app.request(method, SITE).await;
        assert_eq!(answer.status, 409);
        assert!(answer.text().contains("MAINTENANCE_FORCED"), "{answer:?}");
    }
}

#[actix_web::test]
async fn one_who_may_switch_one_mode_switches_that_and_no_other() {
    let app = TestApp::with_builder(|builder| {
        builder
            .identity(|_| Visitor::user("sam"))
            .permission(actix_maintenance_mode::Permission::Toggle, |_, mode| {
                mode == "shop"
            })
            .configure(|settings| {
                settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
            })
    })
    .await;
    let shop = "/maintenance-mode/modes/shop";
    let answer = app.request(Method::PUT, shop).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    // They may switch it, and see nothing.
    assert_eq!(answer.json(), json!({ "changed": true, "modes": [] }));
    assert_eq!(app.request(Method::PUT, SITE).await.status, 403);
    assert_eq!(
        app.maintenance.status().mode("site").unwrap().phase,
        Phase::Online
    );
}

#[actix_web::test]
async fn what_the_store_does_not_take_is_a_problem_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let store = format!("file:{}/maintenance.state", folder.path().display());
    let app = TestApp::with_builder(|builder| {
        builder
            .identity(|_| Visitor::user("ada").with_superuser(true))
            .store(store)
    })
    .await;
    std::fs::remove_dir_all(folder.path()).unwrap();
    for (method, path) in [
        (Method::PUT, SITE),
        (Method::POST, "/maintenance-mode/windows"),
    ] {
        let body = r#"{"for":"1h"}"#;
        let answer = app.request(method, path).body("application/json", body);
        let answer = answer.await;
        assert_eq!(answer.status, 503, "{answer:?}");
        assert_eq!(
            answer.header("content-type"),
            Some("application/problem+json")
        );
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("maintenance.state"), "{detail}");
    }
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn a_head_request_changes_nothing_anywhere() {
    let (app, ada) = TestApp::with_superuser().await;
    app.turn_on().await;
    let generation = app.maintenance.status().generation;
    for path in [
        "on",
        "off",
        "modes/site",
        "windows",
        "windows/abc",
        "status",
        "history",
        "explain?path=/",
        "ping",
        "live",
        "openapi.json",
    ] {
        app.head(&format!("/maintenance-mode/{path}"))
            .by(&ada)
            .await;
        assert_eq!(app.maintenance.status().generation, generation, "{path}");
    }
}

#[actix_web::test]
async fn a_member_that_is_null_takes_away_what_was_and_one_that_is_not_there_leaves_it() {
    let (app, ada) = TestApp::with_superuser().await;
    let until = "2098-06-01T12:00:00Z";
    let all = json!({ "until": until, "message": "Back soon.", "reason": "release 7" });
    put(&app, &ada, &all).await;
    let said = |answer: &Answer| {
        let mode = answer.json()["modes"][0].clone();
        ["until", "message", "reason"].map(|key| mode[key].clone())
    };
    let one = put(&app, &ada, &json!({ "message": "Back at noon." })).await;
    let stands = [json!(until), json!("Back at noon."), json!("release 7")];
    assert_eq!(said(&one), stands);
    assert_eq!(said(&put(&app, &ada, &json!({})).await), stands);
    for (body, place) in [
        (json!({ "until": null }), 0),
        (json!({ "for": null }), 0),
        (json!({ "message": null }), 1),
        (json!({ "reason": null }), 2),
    ] {
        put(&app, &ada, &all).await;
        let now = said(&put(&app, &ada, &body).await);
        let mut expected = [json!(until), json!("Back soon."), json!("release 7")];
        expected[place] = Value::Null;
        assert_eq!(now, expected, "{body}");
    }
    let both = json!({ "until": null, "for": "1h" });
    let told = faults(&put(&app, &ada, &both).await);
    assert!(told[0].contains("not both"), "{told:?}");
}

#[actix_web::test]
async fn times_are_taken_as_people_say_them() {
    let app =
        TestApp::with_settings(|settings| settings.time_zone = Some("Europe/Rome".into())).await;
    let ada = app.log_in_superuser("ada").await;
    let answer = put(&app, &ada, &json!({ "until": "+2h" })).await;
    let mode = answer.json()["modes"][0].clone();
    let time = |key: &str| mode[key].as_str().unwrap().parse::<Timestamp>().unwrap();
    let lasts = time("until").duration_since(time("since")).as_secs_f64();
    assert!((7199.0..=7200.0).contains(&lasts), "{lasts}");
    for text in ["22:00", "tomorrow 22:00"] {
        let answer = put(&app, &ada, &json!({ "until": text })).await;
        assert_eq!(answer.status, 200, "{text}: {answer:?}");
    }
    let told = faults(&put(&app, &ada, &json!({ "until": "2098-06-01T12:00+25:00" })).await);
    assert!(told[0].contains("an offset that no clock has"), "{told:?}");
}
