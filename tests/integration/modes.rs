//! Several kinds of maintenance side by side: what each applies to, and what it answers.

use std::{rc::Rc, time::Duration};

use actix_maintenance_mode::{
    ChangeError, Maintenance, Phase,
    settings::{ModeSettings, Settings},
};
use actix_web::{
    App, HttpResponse,
    body::MessageBody as _,
    dev::Service as _,
    http::Method,
    rt,
    test::{self, TestRequest},
    web,
};
use serde_json::{Map, Value, json};
use tokio::sync::Notify;

use crate::{
    eventually::eventually,
    log::Log,
    test_app::{self, Answer, TestApp},
};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The modes `site` and `shop`, of which the second one is about `/shop`.
fn site_and_shop(settings: &mut Settings) {
    let mut shop = ModeSettings::new("shop");
    shop.applies_to.prefixes = texts(&["/shop"]);
    settings.modes = vec![ModeSettings::new("site"), shop];
}

/// The same with more said about `shop`, which is on.
async fn app_with_shop_closed(edit: impl FnOnce(&mut ModeSettings) + Send + 'static) -> TestApp {
    let app = TestApp::with_settings(|settings| {
        site_and_shop(settings);
        edit(&mut settings.modes[1]);
    })
    .await;
    turn_on(&app, "shop").await;
    app
}

async fn turn_on(app: &TestApp, mode: &str) {
    app.maintenance.turn_on().mode(mode).await.unwrap();
}

async fn turn_off(app: &TestApp, mode: &str) {
    app.maintenance.turn_off().mode(mode).await.unwrap();
}

/// The mode that refused.
async fn mode_of(answer: impl IntoFuture<Output = Answer>) -> String {
    let answer = answer.await;
    answer.is_refused_somehow();
    answer.json()["mode"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn a_mode_refuses_what_it_applies_to_and_nothing_else() {
    let app = app_with_shop_closed(|_| {}).await;
    app.get("/shop").await.is_refused();
    app.post("/shop/1").await.is_refused();
    app.get("/").await.is_served();
    app.get("/shopping").await.is_served();
    assert!(app.maintenance.is_on());
    turn_off(&app, "shop").await;
    app.get("/shop/1").await.is_served();
}

#[actix_web::test]
async fn of_several_modes_that_are_on_the_first_applying_one_answers() {
    let app = TestApp::with_settings(|settings| {
        site_and_shop(settings);
        // The order of the settings is not the order of the modes.
        settings.modes[0].order = 5;
    })
    .await;
    let json = async |path: &str| mode_of(app.get(path).accept("application/json")).await;
    turn_on(&app, "site").await;
    turn_on(&app, "shop").await;
    assert_eq!(json("/shop/1").await, "shop");
    assert_eq!(json("/").await, "site");
    turn_off(&app, "shop").await;
    assert_eq!(json("/shop/1").await, "site");
    let keys: Vec<_> = app
        .maintenance
        .status()
        .modes
        .into_iter()
        .map(|mode| mode.key)
        .collect();
    assert_eq!(keys, ["shop", "site"]);
}

#[actix_web::test]
async fn a_mode_is_about_hosts_patterns_and_methods_as_well() {
    let app = app_with_shop_closed(|shop| {
        shop.applies_to.prefixes.clear();
        shop.applies_to.patterns = texts(&[r"/shop/\d+$"]);
        shop.applies_to.hosts = texts(&["shop.example"]);
        shop.applies_to.methods = texts(&["POST", "DELETE"]);
    })
    .await;
    for (method, host, path, refused) in [
        (Method::POST, "shop.example", "/shop/1", true),
        (Method::DELETE, "SHOP.example:8080", "/shop/12", true),
        (Method::GET, "shop.example", "/shop/1", false),
        (Method::POST, "blog.example", "/shop/1", false),
        (Method::POST, "shop.example", "/shop/x", false),
    ] {
        let answer = app.request(method, path).header("Host", host).await;
        assert_eq!(answer.status == 503, refused, "{host} {path}");
    }
}

#[actix_web::test]
async fn behind_a_trusted_proxy_the_host_is_the_one_that_the_proxy_was_asked_for() {
    let app = TestApp::with_settings(|settings| {
        let mut shop = ModeSettings::new("shop");
        shop.applies_to.hosts = texts(&["shop.example"]);
        settings.modes = vec![shop];
        settings.client.trusted_proxies = texts(&["10.0.0.1"]);
    })
    .await;
    turn_on(&app, "shop").await;
    let asked = |peer: &'static str| {
        app.get("/")
            .header("Host", "backend:8080")
            .header("X-Forwarded-Host", "shop.example")
            .from(peer)
    };
    asked("10.0.0.1").await.is_refused();
    asked("10.0.0.2").await.is_served();
    for forwarded in [
        "for=192.0.2.1;host=shop.example",
        "for=x, Host=\"shop.example:80\"",
    ] {
        let asked = |peer: &'static str| {
            app.get("/")
                .header("Host", "backend")
                .header("Forwarded", forwarded)
                .from(peer)
        };
        asked("10.0.0.1").await.is_refused();
        asked("10.0.0.2").await.is_served();
    }
}

#[actix_web::test]
async fn a_closure_says_whether_a_mode_applies_to_a_request() {
    let app = TestApp::with_builder(|builder| {
        builder.configure(site_and_shop).mode("shop", |mode| {
            mode.applies_if(|request| request.headers().contains_key("x-customer"))
        })
    })
    .await;
    turn_on(&app, "shop").await;
    app.get("/shop")
        .header("X-Customer", "1")
        .await
        .is_refused();
    app.get("/shop").await.is_served();
    // The settings are asked as well.
    app.get("/").header("X-Customer", "1").await.is_served();
}

#[actix_web::test]
async fn a_mode_answers_in_its_own_way() {
    let app = app_with_shop_closed(|shop| {
        shop.label = Some("The shop".to_owned());
        shop.message = Some("The shop moves.".to_owned());
        shop.status = Some(500);
        shop.retry_after = Some(std::time::Duration::from_secs(60));
    })
    .await;
    let answer = app.get("/shop").accept("application/json").await;
    answer.is_refused_somehow();
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("retry-after"), Some("60"));
    assert_eq!(answer.json()["mode"], "shop");
    assert_eq!(answer.json()["message"], "The shop moves.");
    // The next mode's answer is not the one that was kept of this one, nor the other way round.
    turn_on(&app, "site").await;
    for _ in 0..2 {
        let answer = app.get("/about").accept("application/json").await;
        answer.is_refused();
        assert_eq!(answer.header("retry-after"), Some("3600"));
        assert_eq!(answer.json()["mode"], "site");
        assert_eq!(
            mode_of(app.get("/shop").accept("application/json")).await,
            "site"
        );
        turn_off(&app, "site").await;
        assert_eq!(app.get("/shop").await.status, 500);
        turn_on(&app, "site").await;
    }
}

#[actix_web::test]
async fn a_mode_sends_pages_where_it_says_and_that_page_is_let_through() {
    let app = TestApp::with_settings(|settings| {
        site_and_shop(settings);
        settings.response.redirect = Some("/sorry".to_owned());
        settings.modes[1].redirect = Some("/shop/sorry".to_owned());
    })
    .await;
    turn_on(&app, "site").await;
    assert_eq!(app.get("/shop").await.header("location"), Some("/sorry"));
    turn_off(&app, "site").await;
    turn_on(&app, "shop").await;
    assert_eq!(
        app.get("/shop").await.header("location"),
        Some("/shop/sorry")
    );
    app.get("/shop/sorry").await.is_served();
    // Also while a mode is on that would send it elsewhere: nobody is sent in circles.
    turn_on(&app, "site").await;
    app.get("/shop/sorry").await.is_served();
    app.get("/sorry").await.is_served();
}

#[actix_web::test]
async fn a_mode_has_a_template_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("shop.html"),
        "<h1>{{ maintenance.label }}: {{ maintenance.message }}</h1>",
    )
    .unwrap();
    let templates = folder.path().to_owned();
    let app = TestApp::with_settings(move |settings| {
        site_and_shop(settings);
        settings.response.templates_dir = Some(templates);
        settings.response.message = Some("Back soon.".to_owned());
        settings.modes[1].template = Some("shop.html".to_owned());
    })
    .await;
    turn_on(&app, "shop").await;
    assert_eq!(app.get("/shop").await.text(), "<h1>shop: Back soon.</h1>");
    turn_on(&app, "site").await;
    assert!(app.get("/").await.text().contains("<!doctype html>"));
}

#[actix_web::test]
async fn a_template_of_a_mode_that_is_not_there_stops_the_start() {
    let mut settings = Settings::default();
    settings.store = "memory:".to_owned();
    site_and_shop(&mut settings);
    settings.modes[1].template = Some("shop.html".to_owned());
    let built = actix_maintenance_mode::Maintenance::builder()
        .settings(settings)
        .build()
        .await;
    let error = built.unwrap_err().to_string();
    assert!(
        error.contains("there is no template `shop.html`"),
        "{error}"
    );
}

#[actix_web::test]
async fn a_mode_lets_its_own_through_and_only_by_itself() {
    let app = TestApp::with_settings(|settings| {
        site_and_shop(settings);
        let shop = &mut settings.modes[1].exempt;
        shop.paths = texts(&["/shop/terms"]);
        shop.prefixes = texts(&["/shop/help"]);
        shop.patterns = texts(&["/shop/[a-c]$"]);
        shop.routes = texts(&["item"]);
        shop.addresses = texts(&["192.0.2.0/24"]);
        shop.address_patterns = texts(&[r"198\.51\.100\..*"]);
        shop.staff = true;
    })
    .await;
    let staff = app.log_in_staff("sam").await;
    let user = app.log_in_user("uma").await;
    let visits = || {
        [
            app.get("/shop/terms"),
            app.get("/shop/help/me"),
            app.get("/shop/b"),
            app.get("/shop/1"),
            app.get("/shop").from("192.0.2.7"),
            app.get("/shop").from("198.51.100.7"),
            app.get("/shop").by(&staff),
        ]
    };
    turn_on(&app, "shop").await;
    for visit in visits() {
        visit.await.is_served();
    }
    app.get("/shop").await.is_refused();
    app.get("/shop").by(&user).await.is_refused();
    // What one mode lets through, another may refuse.
    turn_on(&app, "site").await;
    for visit in visits() {
        assert_eq!(mode_of(visit.accept("application/json")).await, "site");
    }
}

#[actix_web::test]
async fn a_mode_has_a_context_of_its_own() {
    let note = |text: &str| match json!({ "note": text }) {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(site_and_shop)
            .response_context(note("all"))
            .mode("shop", |mode| {
                mode.response_context_with(move |request, refusal| {
                    note(&format!("{} of {}", request.path(), refusal.mode))
                })
            })
    })
    .await;
    let told = async |path: &str| {
        let answer = app.get(path).accept("application/json").await;
        answer.json()["note"].as_str().unwrap().to_owned()
    };
    turn_on(&app, "shop").await;
    assert_eq!(told("/shop/1").await, "/shop/1 of shop");
    assert_eq!(told("/shop/2").await, "/shop/2 of shop");
    turn_on(&app, "site").await;
    assert_eq!(told("/shop/2").await, "all");
}

#[actix_web::test]
async fn a_mode_is_rendered_by_code_of_its_own() {
    let app = TestApp::with_builder(|builder| {
        builder.configure(site_and_shop).mode("shop", |mode| {
            mode.response_renderer(|_, refusal| {
                HttpResponse::BadGateway().body(format!("<{}>", refusal.message))
            })
            .configure(|settings| settings.message = Some("The shop moves.".to_owned()))
        })
    })
    .await;
    turn_on(&app, "shop").await;
    let answer = app.get("/shop").await;
    answer.is_refused_somehow();
    assert_eq!((answer.status, answer.text()), (502, "<The shop moves.>"));
    turn_on(&app, "site").await;
    app.get("/shop").await.is_refused();
}

#[actix_web::test]
async fn the_status_tells_what_a_mode_is_for_and_what_the_app_adds() {
    let app = TestApp::with_builder(|builder| {
        builder.configure(site_and_shop).mode("shop", |mode| {
            mode.configure(|settings| settings.help = Some("Nobody buys.".to_owned()))
                .status_details(|status| {
                    let open = if status.phase == Phase::Online { 3 } else { 0 };
                    Map::from_iter([("open_tills".to_owned(), json!(open))])
                })
        })
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    let status = async || {
        let answer = app.get("/maintenance-mode/status").by(&superuser).await;
        answer.json()["modes"].as_array().unwrap().clone()
    };
    let modes = status().await;
    assert_eq!(modes[0]["help"], Value::Null);
    assert_eq!(modes[0].get("details"), None);
    assert_eq!(modes[1]["help"], "Nobody buys.");
    assert_eq!(modes[1]["access"], "none");
    assert_eq!(modes[1]["details"], json!({ "open_tills": 3 }));
    turn_on(&app, "shop").await;
    assert_eq!(status().await[1]["details"], json!({ "open_tills": 0 }));
}

#[actix_web::test]
async fn modes_of_code_are_added_to_those_of_the_settings_or_change_them() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| {
                let mut shop = ModeSettings::new("shop");
                shop.label = Some("Shop".to_owned());
                shop.message = Some("The shop moves.".to_owned());
                settings.modes = vec![shop];
            })
            .mode("shop", |mode| {
                mode.configure(|settings| settings.label = Some("The shop".to_owned()))
            })
            .mode("blog", |mode| {
                mode.configure(|settings| settings.order = -1)
            })
    })
    .await;
    let status = app.maintenance.status();
    let labels: Vec<_> = status
        .modes
        .iter()
        .map(|mode| mode.label.as_str())
        .collect();
    assert_eq!(labels, ["blog", "The shop"]);
    turn_on(&app, "shop").await;
    assert_eq!(
        app.get("/").accept("application/json").await.json()["message"],
        "The shop moves."
    );
}

#[actix_web::test]
async fn a_mode_of_code_with_a_fault_stops_the_start() {
    let mut settings = Settings::default();
    settings.store = "memory:".to_owned();
    let built = actix_maintenance_mode::Maintenance::builder()
        .settings(settings)
        .mode("The Shop", |mode| mode)
        .build()
        .await;
    let error = built.unwrap_err().to_string();
    assert!(error.contains("`mode[0].key` is `The Shop`"), "{error}");
}

#[actix_web::test]
async fn the_flag_of_a_page_is_about_the_modes_that_apply_to_it() {
    let app = TestApp::with_settings(|settings| {
        let mut flag = ModeSettings::new("flag");
        flag.applies_to.prefixes = texts(&["/flag"]);
        flag.exempt.anonymous = true;
        let mut shop = ModeSettings::new("shop");
        shop.applies_to.prefixes = texts(&["/shop"]);
        settings.modes = vec![shop, flag];
    })
    .await;
    turn_on(&app, "shop").await;
    let flag = app.get("/flag").await.json();
    assert_eq!(flag["maintenance_mode"], false);
    assert_eq!(flag["maintenance"]["phase"], "online");
    assert_eq!(flag["maintenance"]["since"], Value::Null);
    turn_on(&app, "flag").await;
    let flag = app.get("/flag").await.json();
    assert_eq!(flag["maintenance_mode"], true);
    assert_eq!(flag["maintenance"]["mode"], "flag");
    // Outside of a request, all modes count.
    assert_eq!(app.maintenance.flag().maintenance.mode, "shop");
}

#[actix_web::test]
async fn a_window_of_any_mode_is_announced() {
    use jiff::{Timestamp, ToSpan as _};
    let app = TestApp::with_settings(|settings| {
        settings.modes = vec![ModeSettings::new("site"), ModeSettings::new("shop")];
        settings.modes[1].announce = std::time::Duration::from_secs(7200);
    })
    .await;
    let start = Timestamp::now() + 1.hour();
    let planned = app.maintenance.plan_window().mode("shop").start(start);
    planned.end(start + 1.hour()).await.unwrap();
    let flag = app.get("/flag").await.json();
    assert_eq!(flag["maintenance"]["scheduled"], true);
    assert_eq!(flag["maintenance"]["mode"], "shop");
    let ping = app.get("/maintenance-mode/ping").await.json();
    assert_eq!(ping["phase"], "scheduled");
    assert_eq!(app.maintenance.phase_of("shop"), Some(Phase::Scheduled));
    assert_eq!(app.maintenance.phase_of("site"), Some(Phase::Online));
    assert_eq!(app.maintenance.phase_of("attic"), None);
}

#[actix_web::test]
async fn code_asks_whether_a_request_is_in_maintenance_by_some_modes() {
    let app = app_with_shop_closed(|shop| shop.exempt.anonymous = true).await;
    let maintenance = &app.maintenance;
    let asked = |path: &str, modes: &[&str]| {
        let request = actix_web::test::TestRequest::with_uri(path).to_http_request();
        maintenance.is_in_maintenance(&request, modes)
    };
    // Exempt or not, that is what is.
    app.get("/shop").await.is_served();
    assert!(asked("/shop", &[]));
    assert!(asked("/shop", &["site", "shop"]));
    assert!(!asked("/shop", &["site"]));
    assert!(!asked("/shop", &["attic"]));
    assert!(!asked("/", &[]));
}

#[actix_web::test]
async fn a_mode_that_there_is_not_is_warned_of_once_when_code_asks_for_it() {
    let app = app_with_shop_closed(|_| {}).await;
    let log = Log::collect();
    let request = actix_web::test::TestRequest::default().to_http_request();
    for _ in 0..3 {
        assert!(
            !app.maintenance
                .is_in_maintenance(&request, &["typo", "shop"])
        );
    }
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    for part in ["maintenance.unknown-mode", "`typo`", "site, shop"] {
        assert!(warnings[0].contains(part), "{warnings:?}");
    }
    // Another one is told, too.
    assert!(!app.maintenance.is_in_maintenance(&request, &["atic"]));
    assert_eq!(log.warnings().len(), 2, "{:?}", log.warnings());
}

#[actix_web::test]
async fn a_drain_of_one_mode_waits_for_those_who_may_be_in_it_and_for_nobody_else() {
    let maintenance = test_app::maintenance(|builder| builder.configure(site_and_shop)).await;
    let gate = Rc::new(Notify::new());
    let opened = Rc::clone(&gate);
    let held = move || {
        let gate = Rc::clone(&opened);
        async move {
            gate.notified().await;
            "held"
        }
    };
    let app = App::new()
        .route("/held/{name}", web::to(held))
        .wrap(maintenance.middleware());
    let app = Rc::new(test::init_service(app).await);
    let hold = |path: &'static str| {
        let request = app.call(TestRequest::with_uri(path).to_request());
        rt::spawn(async move { request.await.unwrap().into_body().size() })
    };
    let settles = async || {
        for _ in 0..50 {
            rt::time::sleep(Duration::from_millis(2)).await;
        }
    };
    // Nobody knows yet what it is inside of, as no mode is on.
    let before = hold("/held/before");
    settles().await;
    assert_eq!(maintenance.status().in_flight, Some(1));
    maintenance.turn_on().mode("shop").drain().await.unwrap();
    let meanwhile = hold("/held/meanwhile");
    settles().await;
    assert_eq!(maintenance.phase_of("shop"), Some(Phase::Pending));
    gate.notify_one();
    before.await.unwrap();
    eventually("the shop is offline", || {
        maintenance.phase_of("shop") == Some(Phase::Offline)
    })
    .await;
    assert!(!meanwhile.is_finished());
    gate.notify_one();
    meanwhile.await.unwrap();
}

#[actix_web::test]
async fn a_drain_waits_for_those_who_were_let_in_while_another_mode_was_closed() {
    for (path, drained) in [
        // Exempt from the mode that is closed, and none of its business.
        ("/shop", false),
        ("/about", false),
        ("/shop", true),
        ("/about", true),
    ] {
        let maintenance = test_app::maintenance(|builder| {
            builder.configure(|settings| {
                site_and_shop(settings);
                settings.modes[1].exempt.anonymous = true;
            })
        })
        .await;
        let gate = Rc::new(Notify::new());
        let opened = Rc::clone(&gate);
        let held = move || {
            let gate = Rc::clone(&opened);
            async move {
                gate.notified().await;
                "held"
            }
        };
        let app = App::new()
            .default_service(web::to(held))
            .wrap(maintenance.middleware());
        let app = test::init_service(app).await;
        if drained {
            // Keeps the shop pending until the end.
            let before = app.call(TestRequest::with_uri("/before").to_request());
            rt::spawn(async move { before.await.unwrap().into_body().size() });
            eventually("the first is inside", || {
                maintenance.status().in_flight == Some(1)
            })
            .await;
            maintenance.turn_on().mode("shop").drain().await.unwrap();
        } else {
            maintenance.turn_on().mode("shop").await.unwrap();
        }
        let request = app.call(TestRequest::with_uri(path).to_request());
        let inside = rt::spawn(async move { request.await.unwrap().into_body().size() });
        let known = Some(1 + u64::from(drained));
        eventually("it is inside", || maintenance.status().in_flight == known).await;
        if drained {
            gate.notify_one();
            eventually("the shop is offline", || {
                maintenance.phase_of("shop") == Some(Phase::Offline)
            })
            .await;
        }
        maintenance.turn_off().mode("shop").await.unwrap();
        maintenance.turn_on().mode("site").drain().await.unwrap();
        for _ in 0..50 {
            rt::time::sleep(Duration::from_millis(2)).await;
            assert_eq!(maintenance.phase_of("site"), Some(Phase::Pending), "{path}");
        }
        gate.notify_one();
        inside.await.unwrap();
        eventually("the site is offline", || {
            maintenance.phase_of("site") == Some(Phase::Offline)
        })
        .await;
    }
}

/// A handle on this file with the modes `site` and `shop`, or with `site` alone.
async fn on_file(path: &std::path::Path, with_shop: bool) -> Maintenance {
    let url = format!("file:{}", path.display());
    test_app::maintenance(|builder| {
        builder.store(url).configure(move |settings| {
            site_and_shop(settings);
            settings.modes.truncate(1 + usize::from(with_shop));
        })
    })
    .await
}

#[actix_web::test]
async fn a_stored_mode_that_the_settings_do_not_have_is_kept_and_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let with_shop = on_file(&file, true).await;
    let turn_on = with_shop.turn_on().mode("shop").reason("moves");
    turn_on.await.unwrap();
    drop(with_shop);

    let without = on_file(&file, false).await;
    let status = without.status();
    assert!(!status.maintenance_mode);
    assert_eq!(status.unknown_modes.len(), 1);
    assert_eq!(status.unknown_modes[0].key, "shop");
    assert_eq!(status.unknown_modes[0].phase, Phase::Offline);
    // It survives what this version changes.
    without.turn_on().await.unwrap();
    without.turn_off().await.unwrap();
    let refused = without.turn_off().mode("shop").await;
    assert!(matches!(refused, Err(ChangeError::UnknownMode { .. })));
    drop(without);

    let again = on_file(&file, true).await;
    let status = again.status();
    assert!(status.unknown_modes.is_empty());
    let shop = status.mode("shop").unwrap();
    assert_eq!(shop.phase, Phase::Offline);
    assert_eq!(shop.reason.as_deref(), Some("moves"));
}

#[actix_web::test]
async fn a_mode_is_forgotten_with_all_that_is_stored_of_it() {
    use jiff::{Timestamp, ToSpan as _};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let maintenance = on_file(&file, true).await;
    let stored = || {
        let text = std::fs::read_to_string(&file).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["modes"].clone()
    };
    let start = Timestamp::now() + 1.hour();
    let plan = maintenance.plan_window().mode("shop").start(start);
    plan.end(start + 1.hour()).await.unwrap();
    maintenance.turn_on().mode("shop").await.unwrap();
    // Off is not forgotten.
    maintenance.turn_off().mode("shop").await.unwrap();
    assert_eq!(stored()["shop"]["switch"], "off");
    maintenance.turn_on().mode("shop").await.unwrap();

    let change = maintenance.forget("shop").by("ada").await.unwrap();
    assert!(change.changed);
    let shop = change.status.mode("shop").unwrap();
    assert_eq!(shop.phase, Phase::Online);
    assert!(shop.windows.is_empty());
    assert_eq!(stored().get("shop"), None);
    let last = maintenance.history().pop().unwrap();
    assert_eq!(last.ended_by.as_deref(), Some("ada"));
    assert!(last.ended_at.is_some());
    // There is nothing more to forget.
    assert!(!maintenance.forget("shop").await.unwrap().changed);
    let refused = maintenance.forget("attic").await;
    assert!(matches!(refused, Err(ChangeError::UnknownMode { .. })));
}

#[actix_web::test]
async fn what_a_former_version_left_can_be_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let with_shop = on_file(&file, true).await;
    with_shop.turn_on().mode("shop").await.unwrap();
    drop(with_shop);
    let without = on_file(&file, false).await;
    let change = without.forget("shop").await.unwrap();
    assert!(change.changed && change.status.unknown_modes.is_empty());
}
