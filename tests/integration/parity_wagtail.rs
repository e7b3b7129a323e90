//! What users of wagtail-maintenance had: a test for each thing, named after it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use actix_maintenance_mode::{
    Builder, ChangeError, Maintenance, Permission, Phase, Refusal,
    settings::{ModeSettings, Settings},
};
use actix_web::{HttpRequest, HttpResponse, test::TestRequest};
use awc::ws::Frame;
use futures_util::StreamExt as _;
use serde_json::{Map, Value, json};

use crate::{
    eventually::eventually,
    test_app::{self, TestApp, maintenance, sessions},
    test_server::TestServer,
};

const HOUR: Duration = Duration::from_secs(3600);

/// Two keys: `site`, and `orders` for everything below `/shop`.
fn keys(settings: &mut Settings) {
    let mut orders = ModeSettings::new("orders");
    orders.label = Some("Orders".to_owned());
    orders.help = Some("Nobody buys meanwhile.".to_owned());
    orders.timeout = Some(HOUR);
    orders.order = 2;
    orders.applies_to.prefixes = vec!["/shop".to_owned()];
    settings.modes = vec![orders, ModeSettings::new("site")];
}

async fn app(build: impl FnOnce(Builder) -> Builder) -> TestApp {
    TestApp::with_builder(|builder| build(builder.configure(keys))).await
}

async fn orders_are_stopped(build: impl FnOnce(Builder) -> Builder) -> TestApp {
    let app = app(build).await;
    app.maintenance.turn_on().mode("orders").await.unwrap();
    app
}

#[actix_web::test]
async fn keys_with_label_help_text_timeout_and_order_are_modes() {
    let app = orders_are_stopped(|builder| builder).await;
    let status = app.maintenance.status();
    let in_order: Vec<_> = status.modes.iter().map(|mode| mode.key.as_str()).collect();
    assert_eq!(in_order, ["site", "orders"]);
    let orders = status.mode("orders").unwrap();
    assert_eq!(orders.label, "Orders");
    assert_eq!(orders.help.as_deref(), Some("Nobody buys meanwhile."));
    let lasts = orders.until.unwrap().duration_since(orders.since.unwrap());
    assert_eq!(lasts.as_secs(), 3600);
    app.get("/shop/tea").await.is_refused();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn a_key_has_a_template_a_context_a_json_and_a_status_of_its_own() {
    let templates = tempfile::tempdir().unwrap();
    let page = "<p>{{ maintenance.label }}: {{ queue }} waiting</p>";
    std::fs::write(templates.path().join("orders.html"), page).unwrap();
    let folder = templates.path().to_path_buf();
    let app = orders_are_stopped(|builder| {
        let builder = builder.configure(|settings| settings.response.templates_dir = Some(folder));
        builder.mode("orders", |mode| {
            mode.configure(|settings| {
                settings.template = Some("orders.html".to_owned());
                settings.status = Some(521);
            })
            .response_context(Map::from_iter([("queue".to_owned(), json!(3))]))
        })
    })
    .await;
    let page = app.get("/shop").accept("text/html").await;
    assert_eq!(page.status, 521);
    assert_eq!(page.text(), "<p>Orders: 3 waiting</p>");
    let body = app.get("/shop").accept("application/json").await.json();
    assert_eq!(body["queue"], 3);
    assert_eq!(body["mode"], "orders");
}

#[actix_web::test]
async fn a_key_is_rendered_by_a_function_of_its_own() {
    let render = |_: &HttpRequest, refusal: &Refusal| {
        HttpResponse::ServiceUnavailable().body(format!("{} later", refusal.label))
    };
    let app = orders_are_stopped(|builder| {
        builder.mode("orders", move |mode| mode.response_renderer(render))
    })
    .await;
    assert_eq!(app.get("/shop").await.text(), "Orders later");
}

#[actix_web::test]
async fn is_in_maintenance_asks_for_a_request_and_some_keys() {
    let app = orders_are_stopped(|builder| builder).await;
    let shop = TestRequest::with_uri("/shop").to_http_request();
    let home = TestRequest::with_uri("/").to_http_request();
    assert!(
        app.maintenance
            .is_in_maintenance(&shop, &["site", "orders"])
    );
    assert!(!app.maintenance.is_in_maintenance(&shop, &["site"]));
    assert!(!app.maintenance.is_in_maintenance(&home, &[]));
}

#[actix_web::test]
async fn maintenance_mode_takes_a_key_a_time_out_and_whether_hooks_are_called() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&calls);
    let app = app(|builder| {
        builder.after_entering(move |_| {
            counted.fetch_add(1, Ordering::SeqCst);
            async {}
        })
    })
    .await;
    let on = || app.maintenance.turn_on().mode("orders").lasting(2 * HOUR);
    let status = on().call_hooks(false).await.unwrap().status;
    let orders = status.mode("orders").unwrap();
    let lasts = orders.until.unwrap().duration_since(orders.since.unwrap());
    assert_eq!(lasts.as_secs(), 2 * 3600);
    let off = || app.maintenance.turn_off().mode("orders").call_hooks(false);
    off().await.unwrap();
    on().await.unwrap();
    eventually("the hook is called", || calls.load(Ordering::SeqCst) > 0).await;
    assert_eq!(
        calls.load(Ordering::SeqCst),
        1,
        "and was not the first time"
    );
}

#[actix_web::test]
async fn unset_maintenance_forgets_a_key() {
    let app = orders_are_stopped(|builder| builder).await;
    app.maintenance.forget("orders").await.unwrap();
    app.get("/shop").await.is_served();
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn maintain_is_a_guard_with_a_time_out() {
    let app = app(|builder| builder).await;
    let guard = app.maintenance.while_on().mode("orders").lasting(HOUR);
    let guard = guard.enter().await.unwrap();
    app.get("/shop").await.is_refused();
    assert!(
        app.maintenance
            .status()
            .mode("orders")
            .unwrap()
            .until
            .is_some()
    );
    guard.release().await.unwrap();
    app.get("/shop").await.is_served();
}

#[actix_web::test]
async fn hooks_changing_entering_and_exiting_are_before_change_after_entering_and_after_leaving() {
    let (entered, left) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (entering, leaving) = (Arc::clone(&entered), Arc::clone(&left));
    let maintenance = maintenance(|builder| {
        builder
            .before_change(async |change| match change.reason {
                Some(_) => Ok(()),
                None => Err("say why"),
            })
            .after_entering(move |_| {
                entering.fetch_add(1, Ordering::SeqCst);
                async {}
            })
            .after_leaving(move |_| {
                leaving.fetch_add(1, Ordering::SeqCst);
                async {}
            })
    })
    .await;
    let refused = maintenance.turn_on().await.unwrap_err();
    assert!(refused.to_string().contains("say why"), "{refused}");
    maintenance.turn_on().reason("upgrade").await.unwrap();
    eventually("entering is told", || entered.load(Ordering::SeqCst) == 1).await;
    assert_eq!(left.load(Ordering::SeqCst), 0);
}

#[actix_web::test]
async fn hook_register_key_is_a_mode_of_code() {
    let app = app(|builder| {
        builder.mode("search", |mode| {
            mode.applies_if(|request| request.query_string().starts_with("q="))
        })
    })
    .await;
    app.maintenance.turn_on().mode("search").await.unwrap();
    app.get("/?q=tea").await.is_refused();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn the_admin_page_is_the_dashboard_and_permissions_are_toggle_and_see() {
    let app = app(|builder| {
        builder.permission(Permission::See, |visitor, _| {
            visitor.staff || visitor.superuser
        })
    })
    .await;
    let staff = app.log_in_staff("sam").await;
    let page = app
        .get("/maintenance-mode")
        .by(&staff)
        .accept("text/html")
        .await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("Orders"), "{}", page.text());
    assert_eq!(
        app.post("/maintenance-mode/on").by(&staff).await.status,
        403
    );
    let root = app.log_in_superuser("root").await;
    let answer = app.post("/maintenance-mode/on?mode=orders").by(&root).await;
    assert_eq!(answer.status, 303);
    app.get("/shop").await.is_refused();
    let nobody = app.get("/maintenance-mode").accept("text/html").await;
    assert_eq!(nobody.status, 403);
}

#[actix_web::test]
async fn the_ping_view_tells_anybody_and_the_script_and_the_socket_have_urls() {
    let app = app(|builder| builder).await;
    let ping = app.get("/maintenance-mode/ping").await;
    assert_eq!(
        (ping.status, &ping.json()["phase"]),
        (200, &json!("online"))
    );
    app.turn_on().await;
    let ping = app.get("/maintenance-mode/ping").await;
    assert_eq!(
        (ping.status, &ping.json()["phase"]),
        (503, &json!("offline"))
    );
    let script = app.get(&app.maintenance.script_url()).await;
    assert_eq!(script.status, 200);
    let kind = script.header("content-type").unwrap();
    assert!(kind.contains("javascript"), "{kind}");
    assert!(app.maintenance.live_url().ends_with("/live"));
}

#[actix_web::test]
async fn refusals_follow_accept_and_tell_retry_after_and_x_maintenance_mode() {
    let app = orders_are_stopped(|builder| builder).await;
    for (accept, expected) in [
        ("text/html", "text/html"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
    ] {
        let answer = app.get("/shop").accept(accept).await;
        assert_eq!(answer.status, 503);
        assert!(answer.header("content-type").unwrap().starts_with(expected));
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("x-maintenance-mode"), Some("1"));
    }
}

#[actix_web::test]
async fn template_ignore_paths_are_exempt_prefixes_also_of_one_key() {
    let app = orders_are_stopped(|builder| {
        builder.mode("orders", |mode| {
            mode.configure(|settings| settings.exempt.prefixes = vec!["/shop/help".to_owned()])
        })
    })
    .await;
    app.get("/shop/help/returns").await.is_served();
    app.get("/shop/helpless").await.is_refused();
    assert_eq!(app.maintenance.phase_of("orders"), Some(Phase::Offline));
}

#[actix_web::test]
async fn lock_cache_is_the_lock_of_a_guard_that_waits_or_fails_at_once() {
    let maintenance = maintenance(|builder| builder.configure(keys)).await;
    let guarding = || maintenance.while_on().mode("orders");
    let guard = guarding()
        .lasting(Duration::from_secs(60))
        .exclusive()
        .enter()
        .await
        .unwrap();
    assert!(maintenance.status().mode("orders").unwrap().until.is_some());
    let at_once = guarding().exclusive().enter().await;
    assert!(matches!(at_once, Err(ChangeError::Locked { .. })));
    let waiting = actix_web::rt::spawn(guarding().waiting(Duration::from_secs(20)).run(async {}));
    guard.release().await.unwrap();
    waiting.await.unwrap().unwrap();
    assert_eq!(maintenance.phase_of("orders"), Some(Phase::Online));
}

#[actix_web::test]
async fn whether_a_key_applies_to_a_request_is_asked_of_code() {
    let app = TestApp::with_builder(|builder| {
        builder.mode("beta", |mode| {
            mode.applies_if(|request| request.headers().contains_key("x-beta"))
        })
    })
    .await;
    app.turn_on().await;
    app.get("/").header("X-Beta", "1").await.is_refused();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn see_menu_is_whether_there_is_an_item_for_the_menu() {
    let request = TestRequest::default().to_http_request();
    let for_superusers = maintenance(|builder| builder).await;
    assert_eq!(for_superusers.menu_item(&request).await, None);
    let for_all = maintenance(|builder| builder.permission(Permission::See, |_, _| true)).await;
    let item = for_all.menu_item(&request).await.unwrap();
    assert_eq!((item.url.as_str(), item.on), ("/maintenance-mode", false));
}

async fn server() -> (Maintenance, TestServer) {
    let maintenance = maintenance(|builder| builder).await;
    let handle = maintenance.clone();
    let server = TestServer::start(move || test_app::app(&handle).wrap(sessions()));
    (maintenance, server)
}

#[actix_web::test]
async fn realtime_over_a_websocket_is_live() {
    let (maintenance, server) = server().await;
    let client = awc::Client::builder()
        .max_http_version(awc::http::Version::HTTP_11)
        .finish();
    let url = format!("http://{}/maintenance-mode/live", server.address);
    let (_, mut connection) = client.ws(url).connect().await.unwrap();
    for on in [false, true] {
        if on {
            maintenance.turn_on().await.unwrap();
        }
        let document = loop {
            match connection.next().await.unwrap().unwrap() {
                Frame::Text(text) => break serde_json::from_slice::<Value>(&text).unwrap(),
                Frame::Ping(_) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(document["maintenance_mode"], on);
    }
}
