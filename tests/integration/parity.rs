//! What users of django-maintenance-mode and django-downtime had: a test for each of their settings,
//! named after it.

use std::time::Duration;

use actix_maintenance_mode::{
    RefusalMarker, ResponseFormat, Settings, Visitor,
    settings::{ApiKeySettings, Forced, FormatSetting, WhenStoreFails},
    store::{Hint, Hints, Loaded, MemoryStore, Saved, Store, StoreError, StoreFuture, Version},
};
use actix_web::{HttpRequest, HttpResponse, dev::ServiceResponse, test, web};
use futures_util::StreamExt as _;
use jiff::{Timestamp, ToSpan as _};
use serde_json::{Map, json};
use tempfile::TempDir;

use crate::handed_on::leases_of;
use crate::test_app::{TestApp, app, maintenance, sessions};

fn list(item: &str) -> Vec<String> {
    vec![item.to_owned()]
}

async fn in_maintenance(edit: impl FnOnce(&mut Settings) + Send + 'static) -> TestApp {
    let app = TestApp::with_settings(edit).await;
    app.turn_on().await;
    app
}

// django-maintenance-mode

#[actix_web::test]
async fn maintenance_mode_is_forced() {
    let app = TestApp::with_settings(|settings| settings.forced = Some(Forced::On)).await;
    app.get("/").await.is_refused();
    app.maintenance.turn_off().await.unwrap_err();
    let app = TestApp::with_settings(|settings| settings.forced = Some(Forced::Off)).await;
    app.maintenance.turn_on().await.unwrap_err();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn state_backend_local_file_is_a_file_store_that_survives_a_restart() {
    let folder = TempDir::new().unwrap();
    let url = format!("file:{}", folder.path().join("maintenance.state").display());
    let app = TestApp::with_builder(|builder| builder.store(&url)).await;
    app.turn_on().await;
    drop(app);
    let app = TestApp::with_builder(|builder| builder.store(&url)).await;
    app.get("/").await.is_refused();
}

/// A backend of a team's own, which is out of reach.
#[derive(Debug, Default)]
struct OwnBackend {
    leases: MemoryStore,
}

impl Store for OwnBackend {
    fn url(&self) -> String {
        "own:".to_owned()
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(async { Err(StoreError::new("out of reach")) })
    }

    fn save<'a>(&'a self, _: &'a [u8], _: Option<&'a Version>) -> StoreFuture<'a, Saved> {
        Box::pin(async { Err(StoreError::new("out of reach")) })
    }

    fn watch(&self) -> Hints {
        futures_util::stream::pending::<Hint>().boxed()
    }

    leases_of!(leases);
}

#[actix_web::test]
async fn custom_backend_class_is_the_store_trait() {
    let app = TestApp::with_builder(|builder| builder.custom_store(OwnBackend::default())).await;
    assert_eq!(app.maintenance.status().store.url, "own:");
}

#[actix_web::test]
async fn state_backend_fallback_value_is_when_store_fails() {
    for (setting, is_on) in [
        (WhenStoreFails::On, true),
        (WhenStoreFails::Off, false),
        (WhenStoreFails::KeepLast, false),
    ] {
        let app = TestApp::with_builder(|builder| {
            builder
                .custom_store(OwnBackend::default())
                .configure(move |settings| settings.when_store_fails = setting)
        })
        .await;
        assert_eq!(app.maintenance.is_on(), is_on);
        let error = app.maintenance.status().store.error.unwrap();
        assert!(error.contains("out of reach"), "{error}");
    }
}

#[actix_web::test]
async fn state_file_path_and_state_file_name_are_the_store_url() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("elsewhere.txt");
    let url = format!("file:{}", path.display());
    let app = TestApp::with_builder(|builder| builder.store(url)).await;
    app.turn_on().await;
    assert!(path.is_file());
}

#[actix_web::test]
async fn its_state_file_is_read_as_it_is() {
    for (text, is_on) in [("0", false), ("1", true), ("1\n", true), ("", false)] {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("maintenance_mode_state.txt");
        std::fs::write(&path, text).unwrap();
        let url = format!("file:{}", path.display());
        let app = TestApp::with_builder(|builder| builder.store(url)).await;
        assert_eq!(app.maintenance.is_on(), is_on, "{text:?}");
    }
}

#[actix_web::test]
async fn ignore_admin_site_is_exempt_admin_site() {
    let app =
        in_maintenance(|settings| settings.exempt.admin_site = Some("/admin".to_owned())).await;
    app.get("/admin/users").await.is_served();
}

#[actix_web::test]
async fn ignore_anonymous_user_is_exempt_anonymous() {
    in_maintenance(|settings| settings.exempt.anonymous = true)
        .await
        .get("/")
        .await
        .is_served();
}

async fn lets_in(edit: fn(&mut Settings), session: serde_json::Value) {
    let app = TestApp::with_settings(edit).await;
    let who = app.log_in_with(session).await;
    app.turn_on().await;
    app.get("/").by(&who).await.is_served();
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn ignore_authenticated_user_is_exempt_authenticated() {
    lets_in(
        |settings| settings.exempt.authenticated = true,
        json!({ "user_id": 1 }),
    )
    .await;
}

#[actix_web::test]
async fn ignore_staff_is_exempt_staff() {
    lets_in(
        |settings| settings.exempt.staff = true,
        json!({ "user_id": 1, "is_staff": true }),
    )
    .await;
}

#[actix_web::test]
async fn ignore_superuser_is_exempt_superusers() {
    lets_in(
        |settings| settings.exempt.superusers = true,
        json!({ "user_id": 1, "is_superuser": true }),
    )
    .await;
}

#[actix_web::test]
async fn ignore_ip_addresses_is_exempt_addresses_and_address_patterns() {
    let app = in_maintenance(|settings| {
        settings.exempt.addresses = list("127.0.0.1");
        settings.exempt.address_patterns = list(r"192\.168\.0\.\d+");
    })
    .await;
    app.get("/").from("127.0.0.1").await.is_served();
    app.get("/").from("192.168.0.9").await.is_served();
    app.get("/").from("192.168.1.9").await.is_refused();
}

#[actix_web::test]
async fn get_client_ip_address_is_client_address_or_trusted_proxies() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.exempt.addresses = list("198.51.100.1"))
            .client_address(|_| "198.51.100.1".parse().ok())
    })
    .await;
    app.turn_on().await;
    app.get("/").await.is_served();

    let app = in_maintenance(|settings| {
        settings.exempt.addresses = list("198.51.100.1");
        settings.client.trusted_proxies = list("10.0.0.1");
    })
    .await;
    let visit = app.get("/").header("X-Forwarded-For", "198.51.100.1");
    visit.from("10.0.0.1").await.is_served();
}

#[actix_web::test]
async fn ignore_urls_is_exempt_patterns_paths_prefixes_and_routes() {
    let app = in_maintenance(|settings| {
        settings.exempt.patterns = list("/news.*");
        settings.exempt.paths = list("/about");
        settings.exempt.prefixes = list("/api");
        settings.exempt.routes = list("health");
    })
    .await;
    for path in ["/news/1", "/about", "/api/x", "/health"] {
        app.get(path).await.is_served();
    }
}

#[actix_web::test]
async fn ignore_tests_is_exempt_tests() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.exempt.tests = true)
            .tests(cfg!(test))
    })
    .await;
    app.turn_on().await;
    app.get("/").await.is_served();
}

async fn logs_out(edit: fn(&mut Settings), session: serde_json::Value) {
    let app = TestApp::with_settings(edit).await;
    let who = app.log_in_with(session).await;
    app.turn_on().await;
    let answer = app.get("/").by(&who).await;
    answer.is_refused();
    assert_eq!(answer.cookie("id").unwrap().value(), "");
}

#[actix_web::test]
async fn logout_authenticated_user_is_logout_authenticated() {
    logs_out(
        |settings| settings.logout.authenticated = true,
        json!({ "user_id": 1 }),
    )
    .await;
}

#[actix_web::test]
async fn logout_staff_user_is_logout_staff() {
    logs_out(
        |settings| settings.logout.staff = Some(true),
        json!({ "user_id": 1, "is_staff": true }),
    )
    .await;
}

#[actix_web::test]
async fn logout_superuser_is_logout_superusers() {
    logs_out(
        |settings| settings.logout.superusers = Some(true),
        json!({ "user_id": 1, "is_superuser": true }),
    )
    .await;
}

#[actix_web::test]
async fn get_authenticated_user_is_the_identity_closure() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.exempt.authenticated = true)
            .async_identity(|_| async { Visitor::user("from a token") })
    })
    .await;
    app.turn_on().await;
    app.get("/").await.is_served();
}

/// There, a function that returns nothing leaves it to `request.user`.
#[actix_web::test]
async fn get_authenticated_user_that_says_nothing_leaves_it_to_the_session() {
    fn by_token(request: &HttpRequest) -> Option<Visitor> {
        let is_known = request.headers().contains_key("authorization");
        is_known.then(|| Visitor::user("from a token").with_superuser(true))
    }
    fn superusers(settings: &mut Settings) {
        settings.exempt.superusers = true;
    }
    let apps = [
        TestApp::with_builder(|builder| builder.configure(superusers).identity(by_token)).await,
        TestApp::with_builder(|builder| {
            builder
                .configure(superusers)
                .async_identity(|request| std::future::ready(by_token(request)))
        })
        .await,
    ];
    for app in apps {
        let (root, bob) = (
            app.log_in_superuser("root").await,
            app.log_in_user("bob").await,
        );
        app.turn_on().await;
        app.get("/").by(&root).await.is_served();
        app.get("/").by(&bob).await.is_refused();
        let both = app.get("/").by(&bob).header("Authorization", "x");
        both.await.is_served();
        app.get("/").header("Authorization", "x").await.is_served();
        app.get("/").await.is_refused();
    }
}

#[actix_web::test]
async fn redirect_url_is_response_redirect() {
    let app =
        in_maintenance(|settings| settings.response.redirect = Some("/sorry".to_owned())).await;
    assert_eq!(app.get("/").await.header("location"), Some("/sorry"));
    app.get("/sorry").await.is_served();
}

#[actix_web::test]
async fn response_type_is_response_format_or_a_closure() {
    let app = in_maintenance(|settings| settings.response.format = FormatSetting::Json).await;
    assert_eq!(app.get("/").await.json()["maintenance_mode"], true);
    let app = in_maintenance(|settings| settings.response.format = FormatSetting::Html).await;
    assert!(
        app.get("/")
            .accept("application/json")
            .await
            .text()
            .contains("</html>")
    );
    let app =
        TestApp::with_builder(|builder| builder.response_format(|_| ResponseFormat::Json)).await;
    app.turn_on().await;
    assert_eq!(app.get("/").await.json()["maintenance_mode"], true);

    // A closure may leave it to what the client asks for.
    let app = TestApp::with_builder(|builder| {
        builder.response_format(|request| (request.path() == "/").then_some(ResponseFormat::Text))
    })
    .await;
    app.turn_on().await;
    let form = async |path: &str, accept: &str| {
        let answer = app.get(path).accept(accept).await;
        answer.header("content-type").unwrap().to_owned()
    };
    assert!(form("/", "text/html").await.starts_with("text/plain"));
    assert!(form("/other", "text/html").await.starts_with("text/html"));
    assert_eq!(form("/other", "application/json").await, "application/json");
}

#[actix_web::test]
async fn template_is_response_template() {
    let folder = TempDir::new().unwrap();
    std::fs::write(folder.path().join("ours.html"), "ours").unwrap();
    let path = folder.path().to_owned();
    let app = in_maintenance(move |settings| {
        settings.response.templates_dir = Some(path);
        settings.response.template = "ours.html".to_owned();
    })
    .await;
    assert_eq!(app.get("/").await.text(), "ours");
}

#[actix_web::test]
async fn get_context_is_the_response_context() {
    let app = TestApp::with_builder(|builder| {
        builder.response_context_with(|request, _| {
            Map::from_iter([("path".to_owned(), request.path().into())])
        })
    })
    .await;
    app.turn_on().await;
    let answer = app.get("/shop").accept("application/json").await;
    assert_eq!(answer.json()["path"], "/shop");
}

#[actix_web::test]
async fn status_code_and_retry_after_are_settings_of_the_response() {
    let app = in_maintenance(|settings| {
        settings.response.status = 500;
        settings.response.retry_after = Duration::from_secs(60);
    })
    .await;
    let answer = app.get("/").await;
    assert_eq!(
        (answer.status, answer.header("retry-after")),
        (500, Some("60"))
    );
}

#[actix_web::test]
async fn context_processor_is_the_flag_in_the_tera_context() {
    let app = in_maintenance(|settings| settings.exempt.anonymous = true).await;
    let context = app.maintenance.flag().tera_context();
    let page = "{% if maintenance_mode %}closed{% endif %}";
    assert_eq!(tera::Tera::one_off(page, &context, true).unwrap(), "closed");
    assert_eq!(app.get("/flag").await.json()["maintenance_mode"], true);
}

#[actix_web::test]
async fn require_not_maintenance_mode_503_is_the_marker() {
    let maintenance = maintenance(|builder| builder).await;
    let service = test::init_service(app(&maintenance).wrap(sessions())).await;
    let is_outage = |response: &ServiceResponse<_>| {
        response.status().is_server_error()
            && !response.response().extensions().contains::<RefusalMarker>()
    };
    let get = |path: &str| test::TestRequest::with_uri(path).to_request();
    assert!(is_outage(
        &test::call_service(&service, get("/fails")).await
    ));
    maintenance.turn_on().await.unwrap();
    assert!(!is_outage(
        &test::call_service(&service, get("/fails")).await
    ));
}

#[actix_web::test]
async fn force_maintenance_mode_on_is_by_route_or_by_wrapper() {
    let app = TestApp::with_settings(|settings| settings.forced_on.routes = list("closed")).await;
    app.get("/closed").await.is_refused();

    let maintenance = maintenance(|builder| builder).await;
    let resource = web::resource("/x")
        .wrap(maintenance.forced_on())
        .to(async || "x");
    let service = test::init_service(actix_web::App::new().service(resource)).await;
    TestApp::serving(maintenance, service)
        .get("/x")
        .await
        .is_refused();
}

#[actix_web::test]
async fn force_maintenance_mode_off_is_by_route() {
    let app = in_maintenance(|settings| settings.exempt.routes = list("health")).await;
    app.get("/health").await.is_served();
}

#[actix_web::test]
async fn context_managers_maintenance_mode_on_and_off_are_guards() {
    let app = TestApp::start().await;
    let guard = app.maintenance.while_on().enter().await.unwrap();
    app.get("/").await.is_refused();
    let inner = app.maintenance.while_off().enter().await.unwrap();
    app.get("/").await.is_served();
    inner.release().await.unwrap();
    app.get("/").await.is_refused();
    guard.release().await.unwrap();
    // The decorators: it is put back also when what runs in between fails.
    let failing = app.maintenance.while_on().run(async { Err::<(), _>("no") });
    assert_eq!(failing.await.unwrap(), Err("no"));
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn get_maintenance_mode_and_set_maintenance_mode_are_the_handle() {
    let maintenance = maintenance(|builder| builder).await;
    assert!(!maintenance.is_on());
    maintenance.turn_on().await.unwrap();
    assert!(maintenance.is_on() && maintenance.status().maintenance_mode);
    maintenance.turn_off().await.unwrap();
    assert!(!maintenance.is_on());
}

#[actix_web::test]
async fn urls_on_and_off_are_the_admin_scope() {
    let app = TestApp::start().await;
    let superuser = app.log_in_superuser("ada").await;
    app.get("/maintenance-mode/on/").by(&superuser).await;
    assert!(app.maintenance.is_on());
    app.get("/maintenance-mode/off/").by(&superuser).await;
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn set_maintenance_mode_with_start_and_end_is_a_window() {
    let app = TestApp::start().await;
    let now = Timestamp::now();
    let window = app.maintenance.plan_window().start(now);
    window.end(now + 1.hour()).await.unwrap();
    app.get("/").await.is_refused();
    assert_eq!(
        app.maintenance.status().modes[0].until,
        Some(now + 1.hour())
    );
}

#[actix_web::test]
async fn context_managers_and_decorators_maintenance_mode_on_and_off_are_guards() {
    let maintenance = maintenance(|builder| builder).await;
    let guard = maintenance.while_on().enter().await.unwrap();
    assert!(maintenance.is_on());
    let off = maintenance.while_off();
    off.run(async { assert!(!maintenance.is_on()) })
        .await
        .unwrap();
    assert!(maintenance.is_on());
    drop(guard);
    assert!(!maintenance.is_on());
    // A decorator wraps a function.
    let decorated = || maintenance.while_on().run(async { maintenance.is_on() });
    assert!(decorated().await.unwrap());
    assert!(!maintenance.is_on());
}

// django-downtime

#[actix_web::test]
async fn exempt_exact_urls_is_exempt_paths() {
    let app = in_maintenance(|settings| settings.exempt.paths = list("/about")).await;
    app.get("/about").await.is_served();
    app.get("/about/us").await.is_refused();
}

#[actix_web::test]
async fn exempt_paths_is_exempt_prefixes() {
    let app = in_maintenance(|settings| settings.exempt.prefixes = list("/about")).await;
    app.get("/about/us").await.is_served();
}

#[actix_web::test]
async fn url_redirect_is_response_redirect() {
    let target = "https://status.example.com/";
    let app = in_maintenance(|settings| settings.response.redirect = Some(target.to_owned())).await;
    assert_eq!(app.get("/").await.header("location"), Some(target));
}

#[actix_web::test]
async fn its_template_is_the_page() {
    let page = in_maintenance(|_| {}).await.get("/").await;
    assert!(page.text().contains("<h1>Down for maintenance</h1>"));
}

#[actix_web::test]
async fn downtime_start_and_downtime_end_are_on_and_off() {
    let app = TestApp::start().await;
    app.maintenance
        .turn_on()
        .by("ops")
        .reason("upgrade")
        .await
        .unwrap();
    app.get("/").await.is_refused();
    app.maintenance.turn_off().by("ops").await.unwrap();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn periods_are_windows_before_and_history_afterwards() {
    let app = TestApp::start().await;
    let now = jiff::Timestamp::now();
    let later = now + jiff::SignedDuration::from_hours(5);
    let end = later + jiff::SignedDuration::from_hours(1);
    let plan = app.maintenance.plan_window().start(later).end(end);
    let planned = plan.title("upgrade").await.unwrap();
    let open = app.maintenance.plan_window().by("ops").await.unwrap();
    app.get("/").await.is_refused();
    let ids = || {
        let status = app.maintenance.status();
        let windows = status.modes[0].windows.iter();
        windows.map(|window| window.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(), [open.id.clone(), planned.id.clone()]);
    app.maintenance.cancel_window(&open.id).await.unwrap();
    app.get("/").await.is_served();
    assert_eq!(ids(), [planned.id]);
    let history = app.maintenance.history();
    assert_eq!(history.len(), 1);
    assert!(history[0].ended_at.is_some());
    assert_eq!(history[0].by.as_deref(), Some("ops"));
}

#[actix_web::test]
async fn admin_of_periods_is_the_dashboard() {
    let app = TestApp::start().await;
    let superuser = app.log_in_superuser("ada").await;
    let start = Timestamp::now() + 1.hour();
    let period = app.maintenance.plan_window().start(start).title("upgrade");
    period.end(start + 1.hour()).await.unwrap();
    let page = app.get("/maintenance-mode").by(&superuser).await;
    assert!(page.text().contains("upgrade"), "{page:?}");
}

#[actix_web::test]
async fn mixin_is_any_number_of_predicates() {
    let app = TestApp::with_builder(|builder| {
        builder
            .exempt_if("first", |request| request.path() == "/first")
            .exempt_if("second", |request| {
                request.headers().contains_key("x-second")
            })
    })
    .await;
    app.turn_on().await;
    app.get("/first").await.is_served();
    app.get("/").header("X-Second", "1").await.is_served();
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn api_key_is_exempt_api_key() {
    let app = in_maintenance(|settings| {
        let mut api_key = ApiKeySettings::default();
        api_key.query = Some("api_key".to_owned());
        api_key.keys = list("open-sesame-42");
        settings.exempt.api_key = Some(api_key);
    })
    .await;
    app.get("/?api_key=open-sesame-42").await.is_served();
    app.get("/?api_key=other").await.is_refused();
}

#[actix_web::test]
async fn nodatabase_mode_needs_no_setting_because_no_database_is_ever_asked() {
    let maintenance = maintenance(|builder| builder).await;
    maintenance.turn_on().await.unwrap();
    let app = actix_web::App::new()
        .default_service(web::to(async || -> HttpResponse {
            panic!("the database is down")
        }))
        .wrap(maintenance.middleware());
    let service = test::init_service(app).await;
    TestApp::serving(maintenance, service)
        .get("/")
        .await
        .is_refused();
}
