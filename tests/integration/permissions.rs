//! Who may switch and see: superusers, or whom the app permits it; and where the others are sent.

use actix_maintenance_mode::{Permission, Phase};
use actix_web::web;
use serde_json::{Value, json};

use crate::{
    log::Log,
    test_app::{self, LoggedIn, TestApp, maintenance},
};

const ON: &str = "/maintenance-mode/on";
const STATUS: &str = "/maintenance-mode/status";
const PING: &str = "/maintenance-mode/ping";

/// Two modes; the staff sees both and switches the second one.
async fn app_of_the_staff() -> (TestApp, LoggedIn) {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.modes = vec![mode("site"), mode("shop")])
            .permission(Permission::See, |visitor, _| visitor.staff)
            .permission(Permission::Toggle, |visitor, mode| {
                visitor.superuser || (visitor.staff && mode == "shop")
            })
    })
    .await;
    let staff = app.log_in_staff("sam").await;
    (app, staff)
}

fn mode(key: &str) -> actix_maintenance_mode::settings::ModeSettings {
    actix_maintenance_mode::settings::ModeSettings::new(key)
}

#[actix_web::test]
async fn a_closure_says_who_may_switch_which_mode() {
    let (app, staff) = app_of_the_staff().await;
    for refused in [ON.to_owned(), format!("{ON}?mode=site")] {
        let answer = app.post(&refused).by(&staff).await;
        assert_eq!(answer.status, 403, "{refused}");
        assert!(answer.text().contains("You may not switch"), "{answer:?}");
        assert!(!app.maintenance.is_on());
    }
    let answer = app.post(&format!("{ON}?mode=shop")).by(&staff).await;
    assert_eq!(answer.status, 303);
    let status = app.maintenance.status();
    assert_eq!(status.mode("shop").unwrap().phase, Phase::Offline);
    assert_eq!(status.mode("shop").unwrap().by.as_deref(), Some("sam"));
    assert_eq!(status.mode("site").unwrap().phase, Phase::Online);
}

#[actix_web::test]
async fn the_mode_in_a_form_is_what_is_asked_about() {
    let (app, staff) = app_of_the_staff().await;
    // The form wins over the query, also in what is permitted.
    let answer = app
        .post(&format!("{ON}?mode=shop"))
        .by(&staff)
        .form("mode=site")
        .await;
    assert_eq!(answer.status, 403);
    let answer = app.post(ON).by(&staff).form("mode=shop").await;
    assert_eq!(answer.status, 303);
}

#[actix_web::test]
async fn an_unknown_mode_is_told_of_to_those_who_may_switch_all() {
    let (app, staff) = app_of_the_staff().await;
    let user = app.log_in_user("uma").await;
    let unknown = format!("{ON}?mode=attic");
    // To others it is as one that they may not touch, so that nobody finds out which there are.
    assert_eq!(app.post(&unknown).by(&staff).await.status, 403);
    assert_eq!(app.post(&unknown).by(&user).await.status, 403);
}

#[actix_web::test]
async fn only_the_modes_that_somebody_may_see_are_shown() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.modes = vec![mode("site"), mode("shop")])
            .permission(Permission::See, |visitor, mode| {
                visitor.superuser || (visitor.authenticated && mode == "shop")
            })
    })
    .await;
    let keys = |document: &Value| -> Vec<String> {
        let modes = document["modes"].as_array().unwrap();
        modes
            .iter()
            .map(|mode| mode["key"].as_str().unwrap().to_owned())
            .collect()
    };
    let superuser = app.log_in_superuser("ada").await;
    let user = app.log_in_user("uma").await;
    for (who, visible) in [(&superuser, &["site", "shop"][..]), (&user, &["shop"])] {
        assert_eq!(keys(&app.get(STATUS).by(who).await.json()), visible);
        assert_eq!(keys(&app.get(PING).by(who).await.json()), visible);
    }
    assert_eq!(app.get(STATUS).await.status, 403);
    assert_eq!(app.get(PING).await.json()["modes"], Value::Null);
}

#[actix_web::test]
async fn an_async_closure_says_it_as_well() {
    let app = TestApp::with_builder(|builder| {
        builder
            .async_permission(Permission::Toggle, async |visitor, mode| {
                // As a look-up in a database does, it lets others run meanwhile.
                actix_web::rt::task::yield_now().await;
                visitor.id.as_deref() == Some("olga") && mode == "site"
            })
            .async_permission(Permission::See, async |visitor, _| visitor.authenticated)
    })
    .await;
    let olga = app.log_in_user("olga").await;
    let ada = app.log_in_superuser("ada").await;
    assert_eq!(app.post(ON).by(&ada).await.status, 403);
    assert!(!app.maintenance.is_on());
    assert_eq!(app.get(STATUS).by(&ada).await.status, 200);
    assert_eq!(app.post(ON).by(&olga).await.status, 303);
    assert!(app.maintenance.is_on());
}

#[actix_web::test]
async fn the_apps_menu_learns_whether_to_show_the_item() {
    let maintenance = maintenance(|builder| builder).await;
    let app = actix_web::App::new()
        .app_data(web::Data::new(maintenance.clone()))
        .route("/log-in-as/{name}", web::get().to(log_in_as))
        .route("/menu", web::get().to(menu))
        .wrap(test_app::sessions());
    let app = actix_web::test::init_service(app).await;
    let app = TestApp::serving(maintenance, app);
    let superuser = app.get("/log-in-as/superuser").await.cookie("id").unwrap();
    let user = app.get("/log-in-as/user").await.cookie("id").unwrap();
    let menu = async |cookie: Option<String>| {
        let visit = app.get("/menu");
        let visit = match cookie {
            Some(cookie) => visit.header("Cookie", cookie),
            None => visit,
        };
        visit.await.json()
    };
    let cookie = |cookie: &actix_web::cookie::Cookie<'_>| Some(cookie.stripped().to_string());
    assert_eq!(menu(None).await, Value::Null);
    assert_eq!(menu(cookie(&user)).await, Value::Null);
    let mut expected = json!({
        "label": "Maintenance",
        "url": "/maintenance-mode",
        "on": false,
        "phase": "online",
    });
    assert_eq!(menu(cookie(&superuser)).await, expected);
    app.turn_on().await;
    expected["on"] = json!(true);
    expected["phase"] = json!("offline");
    assert_eq!(menu(cookie(&superuser)).await, expected);
}

async fn menu(
    request: actix_web::HttpRequest,
    maintenance: web::Data<actix_maintenance_mode::Maintenance>,
) -> web::Json<Option<actix_maintenance_mode::MenuItem>> {
    web::Json(maintenance.menu_item(&request).await)
}

async fn log_in_as(session: actix_session::Session, name: web::Path<String>) -> &'static str {
    session.insert("user_id", name.as_str()).unwrap();
    session
        .insert("is_superuser", *name == "superuser")
        .unwrap();
    "welcome"
}

async fn app_with_log_in(login_url: &'static str) -> TestApp {
    TestApp::with_settings(move |settings| {
        settings.login_url = Some(login_url.to_owned());
        settings.exempt.prefixes = vec!["/log-in".to_owned()];
    })
    .await
}

#[actix_web::test]
async fn who_has_not_logged_in_is_sent_to_the_log_in_page_and_back() {
    let app = app_with_log_in("/log-in").await;
    let answer = app.get(&format!("{STATUS}?pretty=1")).await;
    assert_eq!(answer.status, 303);
    assert_eq!(
        answer.header("location"),
        Some("/log-in?next=/maintenance-mode/status%3Fpretty%3D1")
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    // Whatever the state is.
    app.turn_on().await;
    assert_eq!(app.get(STATUS).await.status, 303);
}

#[actix_web::test]
async fn nobody_comes_back_from_the_log_in_page_to_what_changes_something() {
    let app = app_with_log_in("https://sso.example/start?app=shop").await;
    for answer in [app.get(ON).await, app.post(ON).await] {
        assert_eq!(answer.status, 303);
        assert_eq!(
            answer.header("location"),
            Some("https://sso.example/start?app=shop&next=/maintenance-mode")
        );
    }
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn programs_and_those_who_have_logged_in_are_told_that_they_may_not() {
    let app = app_with_log_in("/log-in").await;
    let user = app.log_in_user("uma").await;
    for accept in ["application/json", "application/problem+json", "text/plain"] {
        assert_eq!(app.get(STATUS).accept(accept).await.status, 403, "{accept}");
        assert_eq!(app.post(ON).accept(accept).await.status, 403, "{accept}");
    }
    assert_eq!(app.get(STATUS).by(&user).await.status, 403);
    assert_eq!(app.post(ON).by(&user).await.status, 403);
}

#[actix_web::test]
async fn without_a_log_in_page_all_are_told_that_they_may_not() {
    let app = TestApp::start().await;
    let answer = app.get(STATUS).await;
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("Only superusers may"), "{answer:?}");
}

#[actix_web::test]
async fn a_log_in_page_in_the_admin_scope_is_a_fault() {
    let mut settings = actix_maintenance_mode::Settings::default();
    for (login, part) in [
        ("/maintenance-mode/log-in", "the app's own log-in page"),
        ("/maintenance-mode?x", "the app's own log-in page"),
        ("log-in", "starts with one `/`"),
        ("//elsewhere.example", "another host"),
    ] {
        settings.login_url = Some(login.to_owned());
        let error = settings.check().unwrap_err().to_string();
        assert!(error.contains(part), "{login}: {error}");
    }
    settings.login_url = Some("/maintenance-mode-log-in".to_owned());
    assert!(settings.check().is_ok());
}

#[actix_web::test]
async fn a_log_in_page_that_is_refused_in_maintenance_is_warned_of() {
    let log = Log::collect();
    for (login, exempt) in [("/enter", "/come-in"), ("/come-in", "/come-in")] {
        maintenance(|builder| {
            builder.configure(move |settings| {
                settings.login_url = Some(login.to_owned());
                settings.exempt.paths = vec![exempt.to_owned()];
            })
        })
        .await;
    }
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("/enter"), "{warnings:?}");
}
