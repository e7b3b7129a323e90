//! What users of django-site-maintenance had: a test for each thing, named after it. Its commands are
//! those of the program.

use std::{fs, time::Duration};

use actix_maintenance_mode::{
    OnTimeout, Phase, Settings, TaskError,
    settings::{Access, ModeSettings},
    web_server::{self, WebServer},
};
use jiff::{Timestamp, ToSpan as _};

use crate::{
    eventually::eventually,
    test_app::{TestApp, maintenance},
};

#[actix_web::test]
async fn states_online_pending_and_offline_are_phases() {
    let app = TestApp::start().await;
    let user = app.log_in_user("ada").await;
    let phase = || app.maintenance.phase();
    assert_eq!(phase(), Phase::Online);
    app.get("/").by(&user).await.is_served();
    app.maintenance.turn_on().drain().await.unwrap();
    assert_eq!(phase(), Phase::Pending);
    // Without waiting for those who are in: its `--force`.
    app.maintenance.turn_on().await.unwrap();
    assert_eq!(phase(), Phase::Offline);
    app.maintenance.turn_off().await.unwrap();
    assert_eq!(phase(), Phase::Online);
}

#[actix_web::test]
async fn while_pending_sessions_go_on_and_are_counted_and_newcomers_are_redirected() {
    let app = TestApp::with_settings(|settings| {
        settings.response.redirect = Some("/sorry".to_owned());
    })
    .await;
    let user = app.log_in_user("ada").await;
    app.get("/").by(&user).await.is_served();
    app.maintenance.turn_on().drain().await.unwrap();
    let sessions = app.maintenance.status().visitors;
    assert_eq!(sessions.len(), 1);
    assert!(!sessions[0].id.contains("ada"), "its id tells nothing");
    app.get("/").by(&user).await.is_served();
    let newcomer = app.get("/").accept("text/html").await;
    let to = newcomer.header("location");
    assert_eq!((newcomer.status, to), (302, Some("/sorry")));
    // There is no new log-in, either.
    let log_in = app.get("/login/user").accept("text/html").await;
    assert_eq!(log_in.header("location"), Some("/sorry"));
}

#[actix_web::test]
async fn timeout_is_how_long_a_drain_waits() {
    let app = TestApp::start().await;
    let user = app.log_in_user("ada").await;
    app.get("/").by(&user).await.is_served();
    let drain = || {
        let on = app.maintenance.turn_on();
        on.drain_timeout(Duration::from_millis(200))
    };
    drain().on_timeout(OnTimeout::Cancel).await.unwrap();
    assert_eq!(app.maintenance.phase(), Phase::Pending);
    let is = |phase| app.maintenance.phase() == phase;
    eventually("it is called off", || is(Phase::Online)).await;
    drain().on_timeout(OnTimeout::Offline).await.unwrap();
    eventually("it is offline all the same", || is(Phase::Offline)).await;
}

#[actix_web::test]
async fn maintenance_file_is_the_flag_for_the_web_server() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("maintenance.flag");
    let named = flag.clone();
    let app = TestApp::with_settings(|settings| settings.web_server.flag = Some(named)).await;
    let user = app.log_in_user("ada").await;
    app.get("/").by(&user).await.is_served();
    assert!(!flag.exists());
    app.maintenance.turn_on().drain().await.unwrap();
    assert!(!flag.exists(), "while it is pending, the app answers");
    app.maintenance.turn_on().await.unwrap();
    eventually("the flag is there", || fs::metadata(&flag).is_ok()).await;
    app.maintenance.turn_off().await.unwrap();
    eventually("the flag is gone", || fs::metadata(&flag).is_err()).await;
}

#[actix_web::test]
async fn the_context_processor_and_the_tag_have_the_status() {
    let maintenance = maintenance(|builder| builder).await;
    let mut tera = tera::Tera::default();
    maintenance.register_tera_function(&mut tera);
    let page = "{{ maintenance.phase }} {% if maintenance_mode(mode=\"site\") %}closed{% endif %}";
    tera.add_raw_template("page", page).unwrap();
    let shown = || {
        let context = maintenance.flag().tera_context();
        tera.render("page", &context).unwrap()
    };
    assert_eq!(shown(), "online ");
    maintenance.turn_on().await.unwrap();
    assert_eq!(shown(), "offline closed");
}

#[actix_web::test]
async fn command_task_is_a_task_that_is_exclusive_by_its_name() {
    let app = TestApp::start().await;
    let task = || app.maintenance.task("import").exclusive();
    let running = task().lapses_after(Duration::from_secs(1)).enter().await;
    let running = running.unwrap();
    // Its `timeout` is how long to wait for the other.
    let late = task().waiting(Duration::from_millis(50)).enter().await;
    assert!(matches!(late, Err(TaskError::Taken { .. })));
    // Its `force` takes the place of the other.
    let forced = task().take_over().enter().await.unwrap();
    running.lost().await;
    forced.release().await;
    // Its `check_maintenance` refuses while there is maintenance.
    app.turn_on().await;
    let refused = task().refuse_in_maintenance().enter().await;
    assert!(matches!(refused, Err(TaskError::Refused { .. })));
}

#[actix_web::test]
async fn maintenance_window_is_a_window_with_a_name_an_access_and_a_notice() {
    let app = TestApp::with_settings(|settings| {
        let mut soft = ModeSettings::new("soft");
        soft.access = actix_maintenance_mode::settings::Access::ReadOnly;
        soft.announce = Duration::from_secs(24 * 3600);
        settings.modes = vec![soft];
    })
    .await;
    let now = Timestamp::now();
    let plan = |start| {
        let window = app.maintenance.plan_window().title("new database");
        window.start(start).end(start + 1.hour())
    };
    let ahead = plan(now + 3.hours()).await.unwrap();
    assert_eq!(app.maintenance.phase_of("soft"), Some(Phase::Scheduled));
    let flag = app.maintenance.flag();
    assert_eq!(flag.maintenance.start, Some(now + 3.hours()));
    assert_eq!(
        ahead.window().unwrap().title.as_deref(),
        Some("new database")
    );
    app.post("/").await.is_served();
    plan(now).await.unwrap();
    app.get("/").await.is_served();
    app.post("/").await.is_refused();
}

#[actix_web::test]
async fn a_site_that_can_be_read_is_not_closed_by_the_web_server() {
    let folder = tempfile::tempdir().unwrap();
    let flag = folder.path().join("maintenance.flag");
    let wanted = flag.clone();
    let maintenance = maintenance(|builder| {
        builder
            .configure(|settings| settings.web_server.flag = Some(wanted))
            .mode("site", |mode| {
                mode.configure(|settings| settings.access = Access::ReadOnly)
            })
    })
    .await;
    maintenance.turn_on().await.unwrap();
    assert!(!flag.exists());
}

#[actix_web::test]
async fn its_static_page_is_the_page_as_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("maintenance.html");
    let wanted = page.clone();
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| settings.web_server.page = Some(wanted))
    })
    .await;
    maintenance
        .turn_on()
        .message("Back at noon.")
        .await
        .unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    assert!(page.contains("Back at noon."), "{page}");
}

#[actix_web::test]
async fn its_apache_and_nginx_rules_are_exported() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::default();
    settings.web_server.flag = Some(folder.path().join("maintenance.flag"));
    settings.web_server.page = Some(folder.path().join("maintenance.html"));
    for server in [WebServer::Nginx, WebServer::Apache] {
        let rules = web_server::export(server, &settings, "127.0.0.1:8080").unwrap();
        assert!(rules.contains("maintenance.flag"), "{rules}");
        assert!(rules.contains("503"), "{rules}");
    }
}
