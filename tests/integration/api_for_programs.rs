//! What the JSON API has for programs that do not have the store: whether a mode
//! is empty, and why something was not done, as a word.

use actix_maintenance_mode::{
    Permission,
    settings::{Forced, ModeSettings},
};
use actix_web::http::Method;
use serde_json::{Value, json};

use crate::test_app::{Answer, LoggedIn, TestApp};

const SITE: &str = "/maintenance-mode/modes/site";

async fn app_and_superuser() -> (TestApp, LoggedIn) {
    let app = TestApp::with_settings(|settings| {
        settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
        settings.default_mode = Some("shop".to_owned());
        settings.time_zone = Some("Europe/Rome".to_owned());
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    (app, superuser)
}

async fn put(app: &TestApp, who: &LoggedIn, body: Value) -> Answer {
    app.request(Method::PUT, SITE)
        .by(who)
        .body("application/json", body.to_string())
        .await
}

async fn delete(app: &TestApp, who: &LoggedIn, query: &str) -> Answer {
    let path = format!("{SITE}{query}");
    app.request(Method::DELETE, &path).by(who).await
}

#[actix_web::test]
async fn what_is_not_understood_switches_nothing_off() {
    let (app, ada) = app_and_superuser().await;
    app.maintenance.turn_on().mode("site").await.unwrap();
    for query in ["?forget=yes", "?forget", "?forgot=true", "?over=never"] {
        let answer = delete(&app, &ada, query).await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
        assert!(app.maintenance.is_on(), "{query}");
    }
}

#[actix_web::test]
async fn a_mode_is_forgotten() {
    let (app, ada) = app_and_superuser().await;
    app.maintenance.turn_on().mode("site").await.unwrap();
    let start = jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1);
    app.maintenance
        .plan_window()
        .mode("site")
        .start(start)
        .await
        .unwrap();
    let answer = delete(&app, &ada, "?forget=true").await;
    let mode = &answer.json()["modes"][0];
    assert_eq!(
        (&mode["phase"], &mode["windows"]),
        (&json!("online"), &json!([]))
    );
    let again = delete(&app, &ada, "?forget=true").await;
    assert_eq!(again.json()["changed"], false);
    let path = "/maintenance-mode/modes/nonsense?forget=true";
    let answer = app.request(Method::DELETE, path).by(&ada).await;
    assert_eq!(
        (answer.status, &answer.json()["code"]),
        (404, &json!("unknown-mode"))
    );
}

#[actix_web::test]
async fn whether_a_mode_is_empty_is_told_with_who_is_missing() {
    let (app, ada) = app_and_superuser().await;
    let bob = app.log_in_user("bob").await;
    let ask = async |query: &str| {
        let path = format!("{SITE}/empty{query}");
        app.get(&path).accept("application/json").by(&ada).await
    };
    // Nobody has closed it.
    let open = ask("").await.json();
    assert_eq!(
        open,
        json!({ "empty": false, "phase": "online", "missing": [], "nodes": 0, "if_dead": [] })
    );
    app.maintenance.turn_on().mode("site").await.unwrap();
    let closed = ask("?wait=5s").await.json();
    assert_eq!(
        closed,
        json!({ "empty": true, "phase": "offline", "missing": [], "nodes": 1, "if_dead": [] })
    );
    // The question itself is not waited for.
    let task = app
        .maintenance
        .task("import")
        .by("bob")
        .enter()
        .await
        .unwrap();
    let busy = ask("?wait=1s").await.json();
    assert_eq!(busy["empty"], false, "{busy}");
    let missing = &busy["missing"][0];
    assert_eq!(
        (&missing["name"], &missing["why"]),
        (&json!("import"), &json!("task-runs"))
    );
    task.release().await;
    assert_eq!(ask("?wait=5s").await.json()["empty"], true);

    for wrong in ["?wait=never", "?wait=21s", "?until=noon"] {
        assert_eq!(ask(wrong).await.status, 400, "{wrong}");
    }
    let answer = app
        .get("/maintenance-mode/modes/nonsense/empty")
        .by(&ada)
        .await;
    assert_eq!(answer.status, 404, "{answer:?}");
    let path = format!("{SITE}/empty");
    assert_eq!(
        app.get(&path)
            .accept("application/json")
            .by(&bob)
            .await
            .status,
        403
    );
}

#[actix_web::test]
async fn the_default_mode_and_the_zone_are_told_to_those_who_may_see_them() {
    let (app, ada) = app_and_superuser().await;
    let status = app.get("/maintenance-mode/status").by(&ada).await.json();
    assert_eq!(status["default_mode"], "shop");
    assert_eq!(status["time_zone"], "Europe/Rome");

    // `shop` is hidden from this one.
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| {
                settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
                settings.default_mode = Some("shop".to_owned());
            })
            .permission(Permission::See, |_, mode| mode == "site")
    })
    .await;
    let bob = app.log_in_user("bob").await;
    let status = app.get("/maintenance-mode/status").by(&bob).await.json();
    assert_eq!(status["modes"][0]["key"], "site");
    assert_eq!(status["default_mode"], Value::Null);
}

#[actix_web::test]
async fn why_a_change_was_not_made_is_a_word() {
    let (app, ada) = app_and_superuser().await;
    let code = |answer: &Answer| (answer.status, answer.json()["code"].clone());
    let past = put(&app, &ada, json!({ "until": "2020-01-01T00:00:00Z" })).await;
    assert_eq!(code(&past), (400, json!("plan")));
    let path = "/maintenance-mode/windows/abcdefgh";
    let answer = app.request(Method::DELETE, path).by(&ada).await;
    assert_eq!(code(&answer), (404, json!("unknown-window")));

    let app = TestApp::with_settings(|settings| settings.forced = Some(Forced::Off)).await;
    let ada = app.log_in_superuser("ada").await;
    let answer = put(&app, &ada, json!({})).await;
    assert_eq!(code(&answer), (409, json!("forced")));
}
