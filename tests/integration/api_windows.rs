//! The JSON API: programs plan, change and cancel windows.

use actix_maintenance_mode::{
    Permission, Visitor,
    settings::{Forced, ModeSettings},
};
use actix_web::http::Method;
use serde_json::{Value, json};

use crate::test_app::{Answer, LoggedIn, TestApp};

const WINDOWS: &str = "/maintenance-mode/windows";

async fn app_and_superuser() -> (TestApp, LoggedIn) {
    let app = TestApp::with_settings(|settings| {
        settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    (app, superuser)
}

async fn plan(app: &TestApp, who: &LoggedIn, body: &Value) -> Answer {
    app.post(WINDOWS)
        .by(who)
        .body("application/json", body.to_string())
        .await
}

async fn cancel(app: &TestApp, who: &LoggedIn, id: &str) -> Answer {
    let path = format!("{WINDOWS}/{id}");
    app.request(Method::DELETE, &path).by(who).await
}

async fn change(app: &TestApp, who: &LoggedIn, id: &str, body: &Value) -> Answer {
    app.request(Method::PATCH, &format!("{WINDOWS}/{id}"))
        .by(who)
        .body("application/json", body.to_string())
        .await
}

#[actix_web::test]
async fn a_member_that_is_there_changes_a_window_and_the_rest_stays() {
    let (app, ada) = app_and_superuser().await;
    let body = json!({
        "mode": "shop",
        "start": "2098-07-01T22:00Z",
        "end": "2098-07-02T00:00Z",
        "title": "new database",
        "message": "Back at midnight.",
    });
    let planned = plan(&app, &ada, &body).await.json();
    let id = planned["window"].as_str().unwrap();
    let window = |answer: &Answer| answer.json()["modes"][1]["windows"][0].clone();

    let changed = change(
        &app,
        &ada,
        id,
        &json!({ "for": "4h", "reason": "slow disks" }),
    )
    .await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.json()["window"], id);
    assert_eq!(changed.json()["changed"], true);
    let told = window(&changed);
    assert_eq!(told["start"], "2098-07-01T22:00:00Z");
    assert_eq!(told["end"], "2098-07-02T02:00:00Z");
    assert_eq!(told["title"], "new database");
    assert_eq!(told["reason"], "slow disks");
    assert_eq!(told["by"], "ada");

    let changed = change(&app, &ada, id, &json!({ "end": null, "message": null })).await;
    let told = window(&changed);
    assert_eq!(
        (&told["end"], &told["message"]),
        (&Value::Null, &Value::Null)
    );
    assert!(changed.text().contains("no end"), "{changed:?}");
    let same = change(&app, &ada, id, &json!({ "title": "new database" })).await;
    assert_eq!(same.json()["changed"], false, "{same:?}");
}

#[actix_web::test]
async fn a_change_of_a_window_that_makes_no_sense_or_that_is_none_changes_nothing() {
    let (app, ada) = app_and_superuser().await;
    let times = json!({ "start": "2098-07-01T22:00Z", "end": "2098-07-02T00:00Z" });
    let planned = plan(&app, &ada, &times).await.json();
    let id = planned["window"].as_str().unwrap();
    let generation = app.maintenance.status().generation;
    for (body, status, what) in [
        (
            json!({ "start": "2098-07-02T01:00Z" }),
            400,
            "is not after the start",
        ),
        (
            json!({ "end": "2098-07-02T01:00Z", "for": "1h" }),
            400,
            "leave one of them out",
        ),
        (json!({ "end": "soon" }), 400, "the end"),
        (json!({ "mode": "shop" }), 400, "unknown"),
        (json!({ "title": 7 }), 400, "title"),
        (json!({ "repeats": "0 3 * * SUN" }), 400, "time zone"),
    ] {
        let answer = change(&app, &ada, id, &body).await;
        assert_eq!(answer.status, status, "{body}: {answer:?}");
        assert!(answer.text().contains(what), "{body}: {answer:?}");
    }
    let unknown = change(&app, &ada, "nowindow", &json!({ "title": "x" })).await;
    assert_eq!(unknown.status, 404, "{unknown:?}");
    let visitor = app
        .request(Method::PATCH, &format!("{WINDOWS}/{id}"))
        .body("application/json", r#"{"title": "x"}"#)
        .await;
    assert_eq!(visitor.status, 403, "{visitor:?}");
    assert_eq!(app.maintenance.status().generation, generation);
}

/// The history says when it was closed.
#[actix_web::test]
async fn a_window_that_is_open_and_moved_opens_the_site_until_then() {
    let (app, ada) = app_and_superuser().await;
    let planned = plan(&app, &ada, &json!({ "for": "2h" })).await.json();
    let id = planned["window"].as_str().unwrap();
    app.get("/").await.is_refused();
    let moved = json!({ "start": "2098-07-01T22:00Z", "for": "2h" });
    assert_eq!(change(&app, &ada, id, &moved).await.status, 200);
    assert_eq!(app.get("/").await.status, 200);
    let history = app.maintenance.history();
    assert_eq!(history.len(), 1);
    assert!(history[0].ended_at.is_some());
    assert_eq!(
        change(&app, &ada, id, &json!({ "start": "now", "for": "1h" }))
            .await
            .status,
        200
    );
    app.get("/").await.is_refused();
    assert_eq!(app.maintenance.history().len(), 2);
}

#[actix_web::test]
async fn a_window_is_planned_with_all_that_is_said_of_it_and_cancelled() {
    let (app, ada) = app_and_superuser().await;
    let body = json!({
        "mode": "shop",
        "start": "2125-07-01T22:00",
        "for": "2h",
        "zone": "Europe/Rome",
        "title": "new database",
        "message": "Back at midnight.",
        "reason": "ticket 7",
    });
    let answer = plan(&app, &ada, &body).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let status = answer.json();
    let id = status["window"].as_str().unwrap().to_owned();
    assert_eq!(status["changed"], true);
    assert!(
        status["warnings"][0].as_str().unwrap().contains("year"),
        "{status}"
    );
    let window = &status["modes"][1]["windows"][0];
    assert_eq!(
        window,
        &json!({
            "id": id,
            "start": "2125-07-01T20:00:00Z",
            "end": "2125-07-01T22:00:00Z",
            "repeats": null,
            "zone": "Europe/Rome",
            "title": "new database",
            "message": "Back at midnight.",
            "reason": "ticket 7",
            "by": "ada",
        })
    );
    for (slash, expected) in [("/", 200), ("", 404)] {
        let answer = cancel(&app, &ada, &format!("{id}{slash}")).await;
        assert_eq!(answer.status, expected, "{answer:?}");
    }
    assert!(app.maintenance.status().modes[1].windows.is_empty());
}

#[actix_web::test]
async fn a_window_that_starts_now_opens_at_once_and_says_that_it_has_no_end() {
    let (app, ada) = app_and_superuser().await;
    let status = plan(&app, &ada, &json!({ "start": "now" })).await.json();
    assert_eq!(status["modes"][0]["phase"], "offline");
    assert!(
        status["warnings"][0].as_str().unwrap().contains("no end"),
        "{status}"
    );
    let answer = cancel(&app, &ada, status["window"].as_str().unwrap()).await;
    assert_eq!(answer.json()["maintenance_mode"], false);
}

#[actix_web::test]
async fn one_occurrence_of_a_window_that_repeats_is_cancelled_or_all() {
    let (app, ada) = app_and_superuser().await;
    let body = json!({ "repeats": "0 3 * * SUN", "for": 7200, "zone": "Europe/Rome" });
    let status = plan(&app, &ada, &body).await.json();
    let id = status["window"].as_str().unwrap();
    let first = status["modes"][0]["windows"][0].clone();
    assert_eq!(first["repeats"]["cron"], "0 3 * * SUN", "{first}");

    let next = cancel(&app, &ada, &format!("{id}?only_next=true"))
        .await
        .json();
    let second = &next["modes"][0]["windows"][0];
    assert!(
        second["start"].as_str() > first["start"].as_str(),
        "{second}"
    );
    for wrong in ["only_next=yes", "only_next", "next=true"] {
        let answer = cancel(&app, &ada, &format!("{id}?{wrong}")).await;
        assert_eq!(answer.status, 400, "{wrong}");
    }
    let all = cancel(&app, &ada, id).await.json();
    assert_eq!(all["modes"][0]["windows"], json!([]));
}

#[actix_web::test]
async fn what_makes_no_sense_is_told_and_plans_nothing() {
    let (app, ada) = app_and_superuser().await;
    for (body, part) in [
        (json!({ "end": "2020-01-01T00:00:00Z" }), "past"),
        (
            json!({ "start": "2125-01-02T00:00:00Z", "end": "2125-01-01T00:00:00Z" }),
            "after",
        ),
        (
            json!({ "start": "2026-03-29T02:30", "zone": "Europe/Rome" }),
            "does not exist",
        ),
        (json!({ "start": "2125-03-29T02:30" }), "zone"),
        (
            json!({ "zone": "Europe/Atlantis", "start": "2125-03-29T02:30" }),
            "zone",
        ),
        (
            json!({ "repeats": "often", "for": "1h", "zone": "UTC" }),
            "often",
        ),
        (json!({ "repeats": "0 3 * * *", "zone": "UTC" }), "how long"),
    ] {
        let answer = plan(&app, &ada, &body).await;
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(part), "{body}: {detail}");
    }
    let faulty = json!({ "start": 7, "for": true, "mode": "site", "ende": "x" });
    let faults = plan(&app, &ada, &faulty).await.json()["faults"].clone();
    assert_eq!(faults.as_array().unwrap().len(), 3, "{faults}");
    let unknown = plan(&app, &ada, &json!({ "mode": "nothing" })).await;
    assert_eq!(unknown.status, 404);
    let no_json = app.post(WINDOWS).by(&ada).body("text/plain", "{}").await;
    assert_eq!(no_json.status, 415);
    let status = app.maintenance.status();
    assert!(
        status.modes.iter().all(|mode| mode.windows.is_empty()),
        "{status:?}"
    );
}

#[actix_web::test]
async fn windows_are_planned_and_cancelled_by_those_who_may_switch_their_mode() {
    let app = TestApp::with_builder(|builder| {
        builder
            .identity(|_| Visitor::user("sam"))
            .permission(Permission::Toggle, |_, mode| mode == "shop")
            .configure(|settings| {
                settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
            })
    })
    .await;
    let of_site = app.maintenance.plan_window().await.unwrap().id;
    let path = format!("{WINDOWS}/{of_site}");
    assert_eq!(app.request(Method::DELETE, &path).await.status, 403);
    assert_eq!(app.post(WINDOWS).await.status, 403);
    let evil = app
        .post(WINDOWS)
        .header("Sec-Fetch-Site", "cross-site")
        .body("application/json", r#"{"mode":"shop","for":"1h"}"#)
        .await;
    assert_eq!(evil.status, 403);
    let answer = app
        .post(WINDOWS)
        .body("application/json", r#"{"mode":"shop","for":"1h"}"#)
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(answer.json()["window"].is_string(), "{answer:?}");
    assert_eq!(answer.json()["modes"].as_array().unwrap().len(), 0);
}

#[actix_web::test]
async fn what_the_settings_force_is_a_conflict() {
    let app = TestApp::with_builder(|builder| {
        builder
            .identity(|_| Visitor::user("ada").with_superuser(true))
            .configure(|settings| settings.forced = Some(Forced::Off))
    })
    .await;
    assert_eq!(app.post(WINDOWS).await.status, 409);
    let path = format!("{WINDOWS}/x");
    assert_eq!(app.request(Method::DELETE, &path).await.status, 409);
    assert_eq!(app.get(WINDOWS).await.header("allow"), Some("POST"));
    assert_eq!(app.head(&path).await.header("allow"), Some("DELETE, PATCH"));
}

#[actix_web::test]
async fn who_may_plan_for_one_mode_cannot_keep_another_from_being_switched() {
    let (app, ada) = app_and_superuser().await;
    let long = "\u{e4}".repeat(2000);
    let body = |message: &str| json!({"mode": "shop", "start": "2125-07-01T22:00Z", "for": "2h", "message": message});
    let too_long = plan(&app, &ada, &body(&format!("{long}x"))).await;
    assert_eq!(too_long.status, 400);
    assert!(too_long.text().contains("2000"), "{too_long:?}");
    let hostile = plan(&app, &ada, &body("a\u{1b}[2J")).await;
    assert_eq!(hostile.status, 400);
    assert!(hostile.text().contains("U+001B"), "{hostile:?}");
    for number in 0..200 {
        let answer = plan(&app, &ada, &body("m")).await;
        assert_eq!(answer.status, 200, "{number}: {answer:?}");
    }
    let one_more = plan(&app, &ada, &body("m")).await;
    assert_eq!(one_more.status, 409);
    assert!(one_more.text().contains("200 windows"), "{one_more:?}");
    app.maintenance
        .turn_on()
        .mode("site")
        .message(long)
        .await
        .unwrap();
    app.maintenance.turn_off().mode("site").await.unwrap();
}

#[actix_web::test]
async fn a_window_without_any_time_is_refused_and_closes_nothing() {
    let (app, ada) = app_and_superuser().await;
    for body in [
        json!({}),
        json!({ "mode": "site", "title": "New disks", "start": null }),
    ] {
        let answer = plan(&app, &ada, &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(
            answer.text().contains("give `start`, `end` or `for`"),
            "{answer:?}"
        );
    }
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn whoever_cancels_learns_what_closes_the_site_all_the_same() {
    let (app, ada) = app_and_superuser().await;
    let planned = async |start: &str, end: &str| {
        let body = json!({"mode": "shop", "start": start, "end": end});
        let answer = plan(&app, &ada, &body).await.json();
        answer["window"].as_str().unwrap().to_owned()
    };
    let first = planned("2125-07-01T20:00Z", "2125-07-01T22:00Z").await;
    let second = planned("2125-07-01T21:00Z", "2125-07-01T23:00Z").await;
    let answer = cancel(&app, &ada, &first).await.json();
    assert_eq!(
        answer["still_closed"],
        json!({"from": "2125-07-01T21:00:00Z", "until": "2125-07-01T23:00:00Z", "window": second})
    );
    let answer = cancel(&app, &ada, &second).await.json();
    assert_eq!(answer.get("still_closed"), None, "{answer}");
}
