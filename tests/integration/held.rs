//! A mode that a program holds by the API, as a job of a deployment does.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use actix_maintenance_mode::IfLost;
use actix_web::{http::Method, rt::time::sleep};
use serde_json::{Value, json};

use crate::{
    eventually::eventually,
    test_app::{Answer, LoggedIn, TestApp, maintenance},
};

const SITE: &str = "/maintenance-mode/modes/site";

async fn put(app: &TestApp, who: &LoggedIn, body: &Value) -> Answer {
    let request = app.request(Method::PUT, SITE).by(who);
    request.body("application/json", body.to_string()).await
}

async fn hold(app: &TestApp, who: &LoggedIn, held: Value) -> String {
    let answer = put(app, who, &json!({ "held": held })).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["held"]["id"].as_str().unwrap().to_owned()
}

async fn post(app: &TestApp, who: &LoggedIn, body: &Value) -> Answer {
    let request = app.request(Method::POST, &format!("{SITE}/held")).by(who);
    request.body("application/json", body.to_string()).await
}

async fn held(app: &TestApp, who: &LoggedIn) -> Value {
    let status = app
        .request(Method::GET, "/maintenance-mode/status")
        .by(who)
        .await;
    status.json()["modes"][0]["held"].clone()
}

#[actix_web::test]
async fn a_program_holds_a_mode_for_as_long_as_it_renews_that() {
    let (app, ada) = TestApp::with_superuser().await;
    let id = hold(
        &app,
        &ada,
        json!({ "name": "deploy 7", "ttl": 2, "if_lost": "reopen" }),
    )
    .await;
    let told = held(&app, &ada).await;
    assert_eq!(told["name"], "deploy 7");
    assert_eq!(told["by"], "ada");
    assert_eq!(told["if_lost"], "reopen");
    assert_eq!(told["alive"], true);
    for _ in 0..6 {
        sleep(Duration::from_millis(500)).await;
        let renewed = post(&app, &ada, &json!({ "id": id })).await;
        assert_eq!((renewed.status, renewed.text()), (204, ""));
        app.get("/").await.is_refused();
    }
    eventually("it has lapsed", || !app.maintenance.is_on()).await;
    let late = post(&app, &ada, &json!({ "id": id })).await;
    assert_eq!(late.status, 409, "{late:?}");
    assert!(
        late.text().contains("The hold on the mode `site` is lost"),
        "{late:?}"
    );
}

/// Whoever knows it holds the mode.
#[actix_web::test]
async fn the_secret_is_told_once_and_to_nobody_else() {
    let (app, ada) = TestApp::with_superuser().await;
    let id = hold(&app, &ada, json!({ "name": "deploy" })).await;
    assert!(id.len() >= 32, "{id}");
    let status = app
        .request(Method::GET, "/maintenance-mode/status")
        .by(&ada)
        .await;
    assert!(!status.text().contains(&id));
    let again = put(&app, &ada, &json!({ "reason": "more" })).await;
    assert!(!again.text().contains(&id));
    assert_eq!(again.json()["held"], Value::Null);
    assert!(!format!("{:?}", app.maintenance.status()).contains(&id));
}

#[actix_web::test]
async fn one_job_holds_a_mode_and_only_that_one_renews_it() {
    let (app, ada) = TestApp::with_superuser().await;
    let id = hold(&app, &ada, json!({ "name": "first" })).await;
    let second = put(&app, &ada, &json!({ "held": { "name": "second" } })).await;
    assert_eq!(second.status, 409, "{second:?}");
    assert!(second.text().contains("is held by first"), "{second:?}");
    assert_eq!(held(&app, &ada).await["name"], "first");
    let wrong = post(
        &app,
        &ada,
        &json!({ "id": "0123456789abcdef0123456789abcdef" }),
    )
    .await;
    assert_eq!(wrong.status, 409, "{wrong:?}");
    // A part of the first may nest in it.
    let inner = hold(&app, &ada, json!({ "name": "inner", "within": id })).await;
    let left = post(&app, &ada, &json!({ "id": inner, "done": "put-back" })).await;
    assert_eq!(left.status, 200, "{left:?}");
    assert_eq!(left.json()["maintenance_mode"], true);
    let left = post(&app, &ada, &json!({ "id": id, "done": "put-back" })).await;
    assert_eq!(left.json()["maintenance_mode"], false);
    assert_eq!(held(&app, &ada).await, Value::Null);
}

#[actix_web::test]
async fn who_lets_go_puts_back_what_was_before() {
    let (app, ada) = TestApp::with_superuser().await;
    let reason = || app.maintenance.status().modes.remove(0).reason;
    app.maintenance.turn_on().reason("by hand").await.unwrap();
    let answer = put(&app, &ada, &json!({ "held": true, "reason": "job" }))
        .await
        .json();
    assert_eq!(reason().as_deref(), Some("job"));
    let id = &answer["held"]["id"];
    post(&app, &ada, &json!({ "id": id, "done": "put-back" })).await;
    assert_eq!(reason().as_deref(), Some("by hand"));

    // What somebody has changed meanwhile stays.
    let id = hold(&app, &ada, json!({ "name": "deploy" })).await;
    app.maintenance.turn_off().await.unwrap();
    app.maintenance.turn_on().reason("anew").await.unwrap();
    let late = post(&app, &ada, &json!({ "id": id, "done": "put-back" })).await;
    assert_eq!(
        (late.status, &late.json()["code"]),
        (409, &json!("not-held"))
    );
    assert_eq!(reason().as_deref(), Some("anew"));
}

#[actix_web::test]
async fn who_lets_go_may_leave_it_closed() {
    let (app, ada) = TestApp::with_superuser().await;
    let id = hold(&app, &ada, json!({ "name": "deploy" })).await;
    let kept = post(&app, &ada, &json!({ "id": id, "done": "keep" })).await;
    assert_eq!(kept.json()["maintenance_mode"], true);
    assert_eq!(held(&app, &ada).await, Value::Null);
    assert_eq!(post(&app, &ada, &json!({ "id": id })).await.status, 409);
}

#[actix_web::test]
async fn what_is_wrong_with_a_hold_is_said() {
    let (app, ada) = TestApp::with_superuser().await;
    for (body, what) in [
        (json!({ "held": { "ttl": 100000 } }), "from 1 s to 1 d"),
        (json!({ "held": { "ttl": "a while" } }), "held.ttl"),
        (
            json!({ "held": { "if_lost": "panic" } }),
            "\\\"stay\\\" or \\\"reopen\\\"",
        ),
        (json!({ "held": { "nam": "x" } }), "held.nam"),
        (json!({ "held": 7 }), "give true, false or an object"),
    ] {
        let answer = put(&app, &ada, &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.text().contains(what), "{answer:?}");
    }
    for body in [
        json!({}),
        json!({ "id": null }),
        json!({ "id": "x", "done": "perhaps" }),
    ] {
        let answer = post(&app, &ada, &body).await;
        assert_eq!(answer.status, 400, "{answer:?}");
    }
    let visitor = app.request(Method::POST, &format!("{SITE}/held"));
    let answer = visitor.body("application/json", r#"{"id": "x"}"#).await;
    assert_eq!(answer.status, 403, "{answer:?}");
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn a_guard_holds_what_it_closes() {
    let maintenance = maintenance(|builder| builder).await;
    let guard = maintenance
        .while_on()
        .name("re-index")
        .if_lost(IfLost::Reopen)
        .lasting(Duration::from_millis(50))
        .enter()
        .await
        .unwrap();
    sleep(Duration::from_millis(200)).await;
    assert!(maintenance.is_on(), "whatever end was announced");
    let status = maintenance.ask_status().await.unwrap();
    let held = status.modes[0].held.as_ref().unwrap();
    assert_eq!(
        (held.name.as_str(), held.if_lost),
        ("re-index", IfLost::Reopen)
    );
    assert_eq!(held.alive, Some(true));
    assert!(held.overdue_since.is_some());
    assert!(!guard.is_lost());
    // Another guard of this program, in any order.
    let inner = maintenance.while_on().enter().await.unwrap();
    guard.release().await.unwrap();
    assert!(maintenance.is_on());
    inner.release().await.unwrap();
    assert!(!maintenance.is_on());
    assert_eq!(maintenance.status().modes[0].held, None);
}

/// A store in a file, and the files of the leases by which modes are held.
struct Leases {
    folder: tempfile::TempDir,
}

impl Leases {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder }
    }

    fn url(&self) -> String {
        let file = self.folder.path().join("maintenance.state");
        format!("file:{}", file.display())
    }

    fn files(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.folder.path()).unwrap();
        let folders = folders.map(|entry| entry.unwrap().path());
        let files = folders
            .filter(|path| path.is_dir())
            .flat_map(|folder| fs::read_dir(folder).unwrap());
        let files = files.map(|entry| entry.unwrap().path());
        files.filter(|path| is_of_a_holder(path)).collect()
    }

    /// What a store does that evicts one.
    fn lose(&self) {
        let files = self.files();
        assert_eq!(files.len(), 1, "{files:?}");
        fs::remove_file(&files[0]).unwrap();
    }
}

/// By its first line, as files come and go.
fn is_of_a_holder(path: &Path) -> bool {
    fs::read(path).is_ok_and(|content| content.starts_with(br#"{"name":"held/"#))
}

#[actix_web::test]
async fn a_lease_that_the_store_loses_is_put_back_by_its_job() {
    let leases = Leases::new();
    let url = leases.url();
    let job = maintenance(|builder| builder.store(&url)).await;
    let node = maintenance(|builder| builder.store(&url)).await;
    let guard = job
        .while_on()
        .if_lost(IfLost::Reopen)
        .lost_after(Duration::from_secs(6))
        .enter()
        .await
        .unwrap();
    eventually("the node has it", || node.is_on()).await;
    leases.lose();
    eventually("it is there again", || {
        assert!(node.is_on() && !guard.is_lost());
        !leases.files().is_empty()
    })
    .await;
    guard.release().await.unwrap();
    eventually("it is open", || !node.is_on()).await;
    assert_eq!(node.status().modes[0].held, None);
}

/// Whoever has seen the lease, and not that it was renewed since, must not take it for lapsed.
#[actix_web::test]
async fn a_lease_that_the_store_loses_after_it_was_renewed_opens_nothing() {
    let leases = Leases::new();
    let url = leases.url();
    let app = TestApp::with_builder(move |builder| builder.store(url)).await;
    let ada = app.log_in_superuser("ada").await;
    let wish = json!({ "name": "deploy", "ttl": 8, "if_lost": "reopen" });
    let id = hold(&app, &ada, wish).await;
    let renew = || async { post(&app, &ada, &json!({ "id": id })).await.status };
    // In between two looks at it.
    sleep(Duration::from_millis(5000)).await;
    assert_eq!(renew().await, 204);
    leases.lose();
    sleep(Duration::from_millis(4500)).await;
    assert!(app.maintenance.is_on(), "the job lives");
    assert_eq!(renew().await, 204);
    assert_eq!(leases.files().len(), 1);
}
