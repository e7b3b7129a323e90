//! Whose session ends when they meet the maintenance.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_maintenance_mode::{Settings, Visitor};

use crate::test_app::{Answer, LoggedIn, TestApp};

/// Whether the answer takes the session cookie away from the browser.
fn ends_the_session(answer: &Answer) -> bool {
    answer.cookie("id").is_some_and(|cookie| {
        cookie.value().is_empty() && cookie.max_age().is_some_and(|age| age.is_zero())
    })
}

struct Sessions {
    app: TestApp,
    user: LoggedIn,
    staff: LoggedIn,
    superuser: LoggedIn,
}

impl Sessions {
    async fn in_maintenance(edit: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        let app = TestApp::with_settings(edit).await;
        let user = app.log_in_user("bob").await;
        let staff = app.log_in_staff("sue").await;
        let superuser = app.log_in_superuser("ada").await;
        app.turn_on().await;
        Self {
            app,
            user,
            staff,
            superuser,
        }
    }

    /// Whose session ends: the user's, the staff's, the superuser's.
    async fn that_end(&self) -> [bool; 3] {
        [
            ends_the_session(&self.app.get("/").by(&self.user).await),
            ends_the_session(&self.app.get("/").by(&self.staff).await),
            ends_the_session(&self.app.get("/").by(&self.superuser).await),
        ]
    }
}

#[actix_web::test]
async fn by_default_nobody_is_logged_out() {
    let sessions = Sessions::in_maintenance(|_| {}).await;
    assert_eq!(sessions.that_end().await, [false; 3]);
}

#[actix_web::test]
async fn everybody_is_logged_out_where_only_users_are_set() {
    let sessions = Sessions::in_maintenance(|settings| settings.logout.authenticated = true).await;
    assert_eq!(sessions.that_end().await, [true; 3]);
    sessions.app.get("/").by(&sessions.user).await.is_refused();
    assert!(!ends_the_session(&sessions.app.get("/").await));
}

#[actix_web::test]
async fn staff_and_superusers_have_settings_of_their_own() {
    let sessions = Sessions::in_maintenance(|settings| {
        settings.logout.authenticated = true;
        settings.logout.staff = Some(false);
        settings.logout.superusers = Some(false);
    })
    .await;
    assert_eq!(sessions.that_end().await, [true, false, false]);

    let sessions = Sessions::in_maintenance(|settings| {
        settings.logout.staff = Some(true);
    })
    .await;
    assert_eq!(sessions.that_end().await, [false, true, false]);

    let sessions = Sessions::in_maintenance(|settings| {
        settings.logout.superusers = Some(true);
    })
    .await;
    assert_eq!(sessions.that_end().await, [false, false, true]);
}

#[actix_web::test]
async fn who_is_logged_out_is_judged_as_anonymous() {
    let sessions = Sessions::in_maintenance(|settings| {
        settings.logout.authenticated = true;
        settings.logout.superusers = Some(false);
        settings.exempt.authenticated = true;
        settings.exempt.anonymous = false;
    })
    .await;
    sessions.app.get("/").by(&sessions.user).await.is_refused();
    sessions
        .app
        .get("/")
        .by(&sessions.superuser)
        .await
        .is_served();

    let sessions = Sessions::in_maintenance(|settings| {
        settings.logout.authenticated = true;
        settings.exempt.anonymous = true;
    })
    .await;
    let answer = sessions.app.get("/session").by(&sessions.user).await;
    answer.is_served();
    assert!(ends_the_session(&answer));
    assert!(
        !answer.text().contains("user_id"),
        "the app sees no session: {answer:?}"
    );
}

#[actix_web::test]
async fn what_is_exempt_by_a_cheaper_rule_logs_nobody_out() {
    let sessions = Sessions::in_maintenance(|settings| {
        settings.logout.authenticated = true;
        settings.exempt.paths = vec!["/about".to_owned()];
    })
    .await;
    let answer = sessions.app.get("/about").by(&sessions.user).await;
    answer.is_served();
    assert!(!ends_the_session(&answer));
}

#[actix_web::test]
async fn the_admin_scope_logs_nobody_out() {
    let sessions = Sessions::in_maintenance(|settings| settings.logout.authenticated = true).await;
    let app = &sessions.app;
    for path in ["/maintenance-mode/status", "/maintenance-mode/ping"] {
        let answer = app.get(path).by(&sessions.superuser).await;
        assert!(!ends_the_session(&answer), "{path}");
    }
    let answer = app
        .post("/maintenance-mode/off")
        .by(&sessions.superuser)
        .await;
    assert_eq!(answer.status, 303);
    assert!(!ends_the_session(&answer));
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn the_app_may_log_out_what_is_not_in_the_session() {
    let logged_out = Arc::new(AtomicUsize::new(0));
    let app = TestApp::with_builder(|builder| {
        let logged_out = Arc::clone(&logged_out);
        builder
            .configure(|settings| settings.logout.authenticated = true)
            .identity(|request| match request.headers().get("x-user") {
                Some(_) => Visitor::user("bob"),
                None => Visitor::anonymous(),
            })
            .on_logout(move |request| {
                assert!(request.headers().contains_key("x-user"));
                logged_out.fetch_add(1, Ordering::Relaxed);
            })
    })
    .await;
    app.get("/").header("X-User", "bob").await.is_served();
    app.turn_on().await;
    app.get("/").await.is_refused();
    assert_eq!(logged_out.load(Ordering::Relaxed), 0);
    app.get("/").header("X-User", "bob").await.is_refused();
    assert_eq!(logged_out.load(Ordering::Relaxed), 1);
}
