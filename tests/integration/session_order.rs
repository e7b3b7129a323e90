//! A maintenance middleware outside of the session middleware sees no sessions, and the log says
//! so once.

use actix_web::test;

use crate::{
    log::Log,
    test_app::{TestApp, app, maintenance, routes, sessions},
};

/// The maintenance middleware wrapped last, so that it decides before any session is loaded.
async fn in_the_wrong_order() -> TestApp {
    let maintenance =
        maintenance(|builder| builder.configure(|settings| settings.exempt.superusers = true))
            .await;
    let app = actix_web::App::new()
        .service(maintenance.admin())
        .configure(routes)
        .wrap(sessions())
        .wrap(maintenance.middleware());
    TestApp::serving(maintenance, test::init_service(app).await)
}

async fn in_the_right_order() -> TestApp {
    let maintenance =
        maintenance(|builder| builder.configure(|settings| settings.exempt.superusers = true))
            .await;
    let app = app(&maintenance).wrap(sessions());
    TestApp::serving(maintenance, test::init_service(app).await)
}

#[track_caller]
fn tells_the_order_once(log: &Log) {
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(
        warnings[0].contains(".wrap(maintenance.middleware())"),
        "{warnings:#?}"
    );
    assert!(warnings[0].contains("SessionMiddleware"), "{warnings:#?}");
}

#[actix_web::test]
async fn visitors_who_are_refused_with_their_session_reveal_the_wrong_order() {
    let log = Log::collect();
    let app = in_the_wrong_order().await;
    let superuser = app.log_in_superuser("ada").await;
    app.turn_on().await;
    assert_eq!(log.warnings(), [""; 0]);
    for _ in 0..5 {
        app.get("/").by(&superuser).await.is_refused();
    }
    tells_the_order_once(&log);
}

#[actix_web::test]
async fn a_superuser_in_the_admin_scope_reveals_the_wrong_order() {
    let log = Log::collect();
    let app = in_the_wrong_order().await;
    let superuser = app.log_in_superuser("ada").await;
    app.turn_on().await;
    for _ in 0..5 {
        let answer = app.get("/maintenance-mode/status").by(&superuser).await;
        assert_eq!(answer.status, 200);
    }
    tells_the_order_once(&log);
    app.get("/").by(&superuser).await.is_refused();
    tells_the_order_once(&log);
}

#[actix_web::test]
async fn the_right_order_is_nothing_to_talk_about() {
    let log = Log::collect();
    let app = in_the_right_order().await;
    let superuser = app.log_in_superuser("ada").await;
    let user = app.log_in_user("bob").await;
    app.turn_on().await;
    app.get("/").await.is_refused();
    app.get("/").by(&user).await.is_refused();
    app.get("/").by(&superuser).await.is_served();
    app.get("/maintenance-mode/status").by(&superuser).await;
    app.get("/")
        .header("Cookie", "consent=yes")
        .await
        .is_refused();
    assert_eq!(log.warnings(), [""; 0]);
}

#[actix_web::test]
async fn who_needs_no_session_is_told_nothing() {
    let log = Log::collect();
    // No rule looks at sessions, so any order will do.
    let app = TestApp::start().await;
    app.turn_on().await;
    app.get("/")
        .header("Cookie", "id=x; consent=yes")
        .await
        .is_refused();
    assert_eq!(log.warnings(), [""; 0]);
}

#[actix_web::test]
async fn visitors_without_cookies_reveal_nothing() {
    let log = Log::collect();
    let app = in_the_wrong_order().await;
    app.turn_on().await;
    app.get("/").await.is_refused();
    app.get("/maintenance-mode/ping").await;
    assert_eq!(log.warnings(), [""; 0]);
}

#[actix_web::test]
async fn a_cookie_that_is_no_session_leaves_it_open_which_order_it_is() {
    let log = Log::collect();
    let app = in_the_right_order().await;
    app.turn_on().await;
    for _ in 0..5 {
        app.get("/")
            .header("Cookie", "consent=yes")
            .await
            .is_refused();
    }
    // Nothing tells such a cookie from a session's, so the advice stands under a condition.
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:#?}");
    assert!(
        warnings[0].contains("if sessions are never seen"),
        "{warnings:#?}"
    );
}
