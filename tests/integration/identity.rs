//! Who is asking.

use std::{future::IntoFuture as _, pin::pin, sync::Arc};

use actix_maintenance_mode::Visitor;
use actix_web::{App, test};
use futures_util::FutureExt as _;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::test_app::{self, TestApp, maintenance};

async fn app_for_superusers() -> TestApp {
    TestApp::with_settings(|settings| settings.exempt.superusers = true).await
}

#[actix_web::test]
async fn the_session_says_who_is_asking() {
    let app = app_for_superusers().await;
    let superuser = app.log_in_superuser("ada").await;
    let user = app.log_in_user("bob").await;
    app.turn_on().await;
    app.get("/").by(&superuser).await.is_served();
    app.get("/").by(&user).await.is_refused();
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn the_keys_in_the_session_are_settings() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.superusers = true;
        settings.exempt.staff = true;
        settings.session.user_key = "account".to_owned();
        settings.session.staff_key = "crew".to_owned();
        settings.session.superuser_key = "root".to_owned();
    })
    .await;
    let root = app.log_in_with(json!({ "account": 1, "root": true })).await;
    let crew = app.log_in_with(json!({ "account": 2, "crew": true })).await;
    let by_defaults = app.log_in_superuser("ada").await;
    app.turn_on().await;
    app.get("/").by(&root).await.is_served();
    app.get("/").by(&crew).await.is_served();
    app.get("/").by(&by_defaults).await.is_refused();
}

#[actix_web::test]
async fn a_session_without_a_user_is_anonymous_whatever_else_it_claims() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.authenticated = true;
        settings.exempt.superusers = true;
    })
    .await;
    let none = app.log_in_with(json!({ "is_superuser": true })).await;
    let null = app
        .log_in_with(json!({ "user_id": null, "is_superuser": true }))
        .await;
    app.turn_on().await;
    app.get("/").by(&none).await.is_refused();
    app.get("/").by(&null).await.is_refused();
}

#[actix_web::test]
async fn any_other_user_id_is_somebody() {
    let app = TestApp::with_settings(|settings| settings.exempt.authenticated = true).await;
    let mut sessions = Vec::new();
    for id in [
        json!(7),
        json!("bob"),
        json!(0),
        json!(""),
        json!({ "a": [1] }),
    ] {
        sessions.push(app.log_in_with(json!({ "user_id": id })).await);
    }
    app.turn_on().await;
    for session in sessions {
        app.get("/").by(&session).await.is_served();
    }
}

#[actix_web::test]
async fn a_flag_that_is_no_truth_value_is_not_set() {
    let app = app_for_superusers().await;
    let odd: [Value; 6] = [
        json!("true"),
        json!(1),
        json!(null),
        json!([true]),
        json!({ "is": true }),
        json!(false),
    ];
    let mut sessions = Vec::new();
    for flag in odd {
        let session = json!({ "user_id": "eve", "is_superuser": flag });
        sessions.push(app.log_in_with(session).await);
    }
    app.turn_on().await;
    for session in sessions {
        app.get("/").by(&session).await.is_refused();
    }
}

#[actix_web::test]
async fn a_cookie_that_is_no_session_is_anonymous() {
    let app = app_for_superusers().await;
    app.turn_on().await;
    let long = format!("id={}", "A".repeat(8000));
    for cookie in [
        "id=garbage",
        "id=",
        "id=%00%ff",
        ";;;=",
        "id=a; id=b",
        long.as_str(),
    ] {
        app.get("/").header("Cookie", cookie).await.is_refused();
    }
    app.get("/")
        .header("Cookie", b"id=\xff\xfe")
        .await
        .is_refused();
}

#[actix_web::test]
async fn a_closure_says_who_is_asking() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.exempt.staff = true)
            .identity(|request| match request.headers().get("x-user") {
                Some(user) => Visitor::user(user.to_str().unwrap_or("?"))
                    .with_staff(user.as_bytes().ends_with(b"@example.com")),
                None => Visitor::anonymous(),
            })
    })
    .await;
    let by_session = app.log_in_staff("sue").await;
    app.turn_on().await;
    app.get("/")
        .header("X-User", "sue@example.com")
        .await
        .is_served();
    app.get("/")
        .header("X-User", "sue@evil.test")
        .await
        .is_refused();
    // The closure replaces the session.
    app.get("/").by(&by_session).await.is_refused();
}

#[actix_web::test]
async fn a_future_says_who_is_asking() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.exempt.superusers = true)
            .async_identity(|request| {
                let token = request
                    .headers()
                    .get("authorization")
                    .and_then(|value| value.to_str().ok())
                    .and_then(|value| value.strip_prefix("Bearer "))
                    .map(str::to_owned);
                async move {
                    tokio::task::yield_now().await;
                    match token.as_deref() {
                        Some("header.root.signature") => Visitor::user("root").with_superuser(true),
                        Some(other) => Visitor::user(other),
                        None => Visitor::anonymous(),
                    }
                }
            })
    })
    .await;
    app.turn_on().await;
    let visit = |value: &str| app.get("/").header("Authorization", value);
    visit("Bearer header.root.signature").await.is_served();
    visit("Bearer header.bob.signature").await.is_refused();
    visit("Basic header.root.signature").await.is_refused();
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn an_identity_of_the_apps_own_needs_no_session_middleware() {
    let maintenance = maintenance(|builder| {
        builder
            .configure(|settings| settings.exempt.authenticated = true)
            .async_identity(|request| {
                let known = request.headers().contains_key("authorization");
                async move {
                    if known {
                        Visitor::user("bob")
                    } else {
                        Visitor::anonymous()
                    }
                }
            })
    })
    .await;
    let app = App::new()
        .configure(test_app::routes)
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.turn_on().await;
    app.get("/").header("Authorization", "x").await.is_served();
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn an_identity_that_takes_time_is_judged_by_what_is_when_it_is_known() {
    let known = Arc::new(Notify::new());
    let app = TestApp::with_builder(|builder| {
        let known = Arc::clone(&known);
        builder
            .configure(|settings| settings.exempt.superusers = true)
            .async_identity(move |_| {
                let known = Arc::clone(&known);
                async move {
                    known.notified().await;
                    Visitor::anonymous()
                }
            })
    })
    .await;
    app.turn_on().await;
    for (is_on, status) in [(true, 503), (false, 200)] {
        let mut visit = pin!(app.get("/").into_future());
        assert!(visit.as_mut().now_or_never().is_none(), "nobody knows yet");
        if !is_on {
            app.turn_off().await;
        }
        known.notify_one();
        assert_eq!(visit.await.status, status);
    }
}
