//! The gate agrees with the router, or fails closed.

use std::path::Path;

use actix_files::Files;
use actix_maintenance_mode::{Settings, settings::ModeSettings};
use actix_web::{
    App, HttpResponse, guard,
    middleware::{Condition, NormalizePath, TrailingSlash},
    test::init_service,
    web::{self, ServiceConfig},
};
use proptest::prelude::*;

use crate::{
    log::Log,
    test_app::{TestApp, maintenance},
};

/// Generated apps and requests; the fuzz target `gate` uses the same file.
mod model;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// An offline app with routes of its own.
async fn offline(
    edit: impl FnOnce(&mut Settings) + Send + 'static,
    routes: impl FnOnce(&mut ServiceConfig),
) -> TestApp {
    let app = online(edit, routes, None).await;
    app.turn_on().await;
    app
}

async fn online(
    edit: impl FnOnce(&mut Settings) + Send + 'static,
    routes: impl FnOnce(&mut ServiceConfig),
    normalize: Option<TrailingSlash>,
) -> TestApp {
    let maintenance = maintenance(|builder| builder.configure(edit)).await;
    let app = App::new()
        .configure(routes)
        .wrap(maintenance.middleware())
        .wrap(Condition::new(
            normalize.is_some(),
            NormalizePath::new(normalize.unwrap_or(TrailingSlash::MergeOnly)),
        ));
    TestApp::serving(maintenance, init_service(app).await)
}

fn two_of_one_pattern(config: &mut ServiceConfig) {
    config
        .service(
            web::resource("/items")
                .name("list")
                .guard(guard::Get())
                .to(async || "list"),
        )
        .service(
            web::resource("/items")
                .guard(guard::Post())
                .to(async || "add"),
        )
        .service(web::resource("/alone").name("alone").to(async || "alone"));
}

fn two_scopes_of_one_prefix(config: &mut ServiceConfig) {
    config
        .service(
            web::scope("/items")
                .guard(guard::Get())
                .service(web::resource("").name("list").to(async || "list")),
        )
        .service(
            web::scope("/items")
                .guard(guard::Post())
                .service(web::resource("").to(async || "add")),
        );
}

#[actix_web::test]
async fn a_name_that_several_resources_could_serve_opens_nothing() {
    for routes in [two_of_one_pattern, two_scopes_of_one_prefix] {
        for entry in ["list", "/items"] {
            let app = offline(
                move |settings| settings.exempt.routes = texts(&[entry, "alone"]),
                routes,
            )
            .await;
            app.post("/items").await.is_refused();
            app.get("/items").await.is_refused();
        }
    }
    let app = offline(
        |settings| settings.exempt.routes = texts(&["alone"]),
        two_of_one_pattern,
    )
    .await;
    app.get("/alone").await.is_served();
}

#[actix_web::test]
async fn a_name_that_several_resources_could_serve_closes_all_of_them() {
    for routes in [two_of_one_pattern, two_scopes_of_one_prefix] {
        let edit = |settings: &mut Settings| settings.forced_on.routes = texts(&["list"]);
        let app = online(edit, routes, None).await;
        app.get("/items").await.is_refused();
        app.post("/items").await.is_refused();
    }
}

#[actix_web::test]
async fn an_entry_with_methods_says_which_resource_it_means() {
    for routes in [two_of_one_pattern, two_scopes_of_one_prefix] {
        let app = offline(
            |settings| settings.exempt.routes = texts(&["GET list"]),
            routes,
        )
        .await;
        assert_eq!(app.get("/items").await.text(), "list");
        app.post("/items").await.is_refused();
        app.head("/items").await.is_refused();
    }
    let edit = |settings: &mut Settings| settings.forced_on.routes = texts(&["POST /items"]);
    let app = online(edit, two_of_one_pattern, None).await;
    app.get("/items").await.is_served();
    app.post("/items").await.is_refused();
}

#[actix_web::test]
async fn a_scope_that_answers_before_a_resource_keeps_it_closed() {
    let app = offline(
        |settings| settings.exempt.routes = texts(&["open"]),
        |config| {
            config
                .service(web::scope("/shop").default_service(web::to(async || "the scope")))
                .service(web::resource("/shop/open").name("open").to(async || "open"));
        },
    )
    .await;
    app.get("/shop/open").await.is_refused();
}

#[actix_web::test]
async fn a_resource_with_several_patterns_goes_by_each_of_them() {
    let routes = |config: &mut ServiceConfig| {
        config.service(web::resource(["/a", "/b/{x}"]).to(async || "both"));
    };
    for entry in ["/a", "/b/{x}"] {
        let edit = move |settings: &mut Settings| settings.exempt.routes = texts(&[entry]);
        let app = offline(edit, routes).await;
        app.get("/a").await.is_served();
        app.get("/b/1").await.is_served();
        app.get("/b").await.is_refused();
        let edit = move |settings: &mut Settings| settings.forced_on.routes = texts(&[entry]);
        let app = online(edit, routes, None).await;
        app.get("/a").await.is_refused();
        app.get("/b/1").await.is_refused();
    }
}

fn site() -> &'static Path {
    model::site()
}

fn files(config: &mut ServiceConfig) {
    config.service(Files::new("/", site()));
}

#[actix_web::test]
async fn dots_in_a_path_open_nothing() {
    for normalize in [None, Some(TrailingSlash::Trim)] {
        let edit = |settings: &mut Settings| settings.exempt.prefixes = texts(&["/static"]);
        let app = online(edit, files, normalize).await;
        app.get("/static/../secret.html").await.is_served();
        app.turn_on().await;
        app.get("/static/x.html").await.is_served();
        for path in [
            "/static/../secret.html",
            "/static/%2e%2e/secret.html",
            "/static/.%2E/secret.html",
            "/static/%252e%252e/secret.html",
            "/static/..%2fsecret.html",
            "/static/./x.html",
            "/static//../secret.html",
        ] {
            app.get(path).await.is_refused();
        }
    }
}

#[actix_web::test]
async fn what_restricts_matches_every_way_to_write_a_path() {
    let ways = [
        "/private/s.html",
        "//private/s.html",
        "/private//s.html",
        "/x/../private/s.html",
        "/x/%2e%2e/private/s.html",
        "/static/../private/s.html",
        "/%70rivate/s.html",
        "/private%2Fs.html",
    ];
    let edit = |settings: &mut Settings| settings.forced_on.patterns = texts(&["/private"]);
    let app = online(edit, files, None).await;
    for path in ways {
        app.get(path).await.is_refused();
    }
    app.get("/secret.html").await.is_served();

    let edit = |settings: &mut Settings| {
        let mut private = ModeSettings::new("private");
        private.applies_to.prefixes = texts(&["/private"]);
        settings.modes = vec![private];
    };
    let app = offline(edit, files).await;
    for path in ways {
        app.get(path).await.is_refused();
    }
    app.get("/secret.html").await.is_served();
}

#[actix_web::test]
async fn normalize_path_inside_does_not_lead_around_what_is_forced_on() {
    for edit in [
        (|settings: &mut Settings| settings.forced_on.routes = texts(&["closed"]))
            as fn(&mut Settings),
        |settings| settings.forced_on.patterns = texts(&["/closed$"]),
    ] {
        let maintenance = maintenance(|builder| builder.configure(edit)).await;
        let app = App::new()
            .service(
                web::resource("/closed")
                    .name("closed")
                    .to(async || "closed"),
            )
            .wrap(NormalizePath::trim())
            .wrap(maintenance.middleware());
        let app = TestApp::serving(maintenance, init_service(app).await);
        for path in [
            "/closed",
            "/closed/",
            "//closed",
            "//closed//",
            "/%63losed/",
        ] {
            app.get(path).await.is_refused();
        }
    }
}

/// It merges slashes, and leaves dots to whoever is inside: what is merged begins otherwise than what
/// was sent, and than where the dots lead.
#[actix_web::test]
async fn slashes_that_are_merged_do_not_lead_around_what_is_forced_on() {
    for slashes in [
        TrailingSlash::Trim,
        TrailingSlash::Always,
        TrailingSlash::MergeOnly,
    ] {
        let edit = |settings: &mut Settings| settings.forced_on.patterns = texts(&["/private"]);
        let maintenance = maintenance(|builder| builder.configure(edit)).await;
        let app = App::new()
            .default_service(web::to(async || "the app"))
            .wrap(NormalizePath::new(slashes))
            .wrap(maintenance.middleware());
        let app = TestApp::serving(maintenance, init_service(app).await);
        for path in [
            "//private/..",
            "//private/../",
            "//%70rivate/../",
            "///private//..//x",
            "//private/./..",
        ] {
            app.get(path).await.is_refused();
        }
        assert_eq!(app.get("/open").await.status, 200);
    }
}

#[actix_web::test]
async fn an_admin_scope_that_is_not_mounted_opens_nothing() {
    let any = |config: &mut ServiceConfig| {
        config.default_service(web::to(async || "the app"));
    };
    let app = offline(|_| {}, any).await;
    for path in [
        "/maintenance-mode",
        "/maintenance-mode/",
        "/maintenance-mode/on",
        "/maintenance-mode/x",
    ] {
        app.get(path).await.is_refused();
    }
    // Nor does a scope of the app that happens to be there.
    let app = offline(
        |_| {},
        |config: &mut ServiceConfig| {
            let scope = web::scope("/maintenance-mode");
            config.service(scope.route("/on", web::to(async || "the app")));
        },
    )
    .await;
    app.get("/maintenance-mode/on").await.is_refused();
}

#[actix_web::test]
async fn a_mounted_admin_scope_opens_what_it_serves() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .service(maintenance.admin())
        .service(Files::new("/", site()))
        .default_service(web::to(async || "the app"))
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, init_service(app).await);
    app.turn_on().await;
    assert_eq!(app.get("/maintenance-mode/livez").await.status, 200);
    for path in ["", "/", "/on", "/status/", "/modes/site", "/x"] {
        let answer = app.get(&format!("/maintenance-mode{path}")).await;
        assert!(!answer.is_marked, "{path}: {answer:?}");
    }
    assert_eq!(app.get("/maintenance-mode/x").await.status, 404);
    app.get("/maintenance-mode/../secret.html")
        .await
        .is_refused();
    app.get("/maintenance-mode/%2e%2e/secret.html")
        .await
        .is_refused();
}

#[actix_web::test]
async fn an_admin_scope_in_a_guarded_scope_opens_nothing_that_others_serve() {
    let log = Log::collect();
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .service(
            web::scope("")
                .guard(guard::Host("admin.example"))
                .service(maintenance.admin()),
        )
        .service(web::resource("/{tail:.*}").to(async || "the app"))
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, init_service(app).await);
    app.turn_on().await;
    let other = app.get("/maintenance-mode/x");
    other.header("Host", "shop.example").await.is_refused();
    let warnings = log.warnings();
    let told = |line: &&String| line.contains("Mount it by `App::service` before all others");
    assert_eq!(warnings.iter().filter(told).count(), 1, "{warnings:#?}");
}

/// What is asked for with a slash at its end may come without it, and the other way round.
#[actix_web::test]
async fn normalize_path_inside_does_not_lead_from_the_admin_scope_to_others() {
    for (slashes, taken, path) in [
        (TrailingSlash::Trim, "/{any}", "/maintenance-mode/"),
        (
            TrailingSlash::Trim,
            "/maintenance-mode/x",
            "/maintenance-mode/x/",
        ),
        (TrailingSlash::Always, "/{any}/", "/maintenance-mode"),
        (
            TrailingSlash::MergeOnly,
            "/maintenance-mode/x",
            "/maintenance-mode//x",
        ),
    ] {
        let maintenance = maintenance(|builder| builder).await;
        let app = App::new()
            .service(web::resource(taken).to(async || "the app"))
            .service(maintenance.admin())
            .wrap(NormalizePath::new(slashes))
            .wrap(maintenance.middleware());
        let app = TestApp::serving(maintenance, init_service(app).await);
        app.turn_on().await;
        app.get(path).await.is_refused();
        app.get("/maintenance-mode/livez").await.is_served();
    }
}

#[actix_web::test]
async fn an_admin_scope_in_a_scope_of_the_app_is_open_if_nothing_else_takes_its_paths() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .service(web::resource("/about").to(async || "about"))
        .service(web::scope("").service(maintenance.admin()))
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, init_service(app).await);
    app.turn_on().await;
    assert_eq!(app.get("/maintenance-mode/livez").await.status, 200);
    app.get("/about").await.is_refused();
}

#[actix_web::test]
async fn a_health_check_beside_files_is_open_by_its_method() {
    let routes = |config: &mut ServiceConfig| {
        config
            .service(web::resource("/health").name("health").to(async || "ok"))
            .service(Files::new("/", site()));
    };
    let entry = |entry: &'static str| {
        move |settings: &mut Settings| settings.exempt.routes = texts(&[entry])
    };
    let log = Log::collect();
    let app = offline(entry("health"), routes).await;
    app.get("/health").await.is_refused();
    let warnings = log.warnings();
    let told = |line: &&String| line.contains("such as \"GET health\"");
    assert_eq!(warnings.iter().filter(told).count(), 1, "{warnings:#?}");
    let app = offline(entry("GET health"), routes).await;
    assert_eq!(app.get("/health").await.text(), "ok");
    app.post("/health").await.is_refused();
    app.get("/secret.html").await.is_refused();
}

fn two_hosts(config: &mut ServiceConfig) {
    config
        .service(
            web::scope("")
                .guard(guard::Host("shop.example"))
                .route("/x", web::to(async || "the shop")),
        )
        .default_service(web::to(async || HttpResponse::Ok().body("the rest")));
}

#[actix_web::test]
async fn a_mode_applies_by_any_host_that_a_request_can_be_routed_by() {
    let edit = |settings: &mut Settings| {
        let mut shop = ModeSettings::new("shop");
        shop.applies_to.hosts = texts(&["shop.example"]);
        settings.modes = vec![shop];
        settings.client.trusted_proxies = texts(&["10.0.0.1"]);
    };
    let app = offline(edit, two_hosts).await;
    for host in [
        "shop.example",
        "a@shop.example",
        "a:b@shop.example:8080",
        "shop.example:81",
        "SHOP.example",
        "shop.example.",
        "http://shop.example/",
    ] {
        app.get("/x").header("Host", host).await.is_refused();
    }
    let other = "http://other.example/x";
    app.get(other)
        .header("Host", "shop.example")
        .await
        .is_refused();
    let target = "http://shop.example/x";
    app.get(target)
        .header("Host", "other.example")
        .await
        .is_refused();
    app.get("/x")
        .header("Host", "shop.example")
        .header("X-Forwarded-For", "192.0.2.1")
        .header("X-Forwarded-Host", "other.example")
        .from("10.0.0.1")
        .await
        .is_refused();
    app.get("/x")
        .header("Host", "other.example")
        .await
        .is_served();
    app.get("/x")
        .header("Host", "shop.example.org")
        .await
        .is_served();
}

#[actix_web::test]
async fn the_log_says_what_to_do_about_routes_once() {
    let log = Log::collect();
    let app = online(
        |settings| {
            settings.exempt.routes = texts(&["gate-lost", "list", "/gate/{lost}"]);
            settings.forced_on.routes = texts(&["gate-closed"]);
        },
        two_of_one_pattern,
        None,
    )
    .await;
    for _ in 0..3 {
        app.get("/alone").await.is_served();
    }
    let warnings = log.warnings();
    for told in [
        "`exempt.routes` has `gate-lost`, but the app has no route of that name",
        "`exempt.routes` has `/gate/{lost}`, but the app has no route",
        "`forced_on.routes` has `gate-closed`, but the app has no route",
        "such as \"GET list\"",
    ] {
        let times = warnings.iter().filter(|line| line.contains(told)).count();
        assert_eq!(times, 1, "{told}: {warnings:#?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    /// No request reaches a handler that the rules close.
    #[test]
    fn the_gate_agrees_with_the_router(bytes in prop::collection::vec(any::<u8>(), 60..200)) {
        model::check(&bytes);
    }
}

/// The property above would hold of a gate that lets nobody through, or of one that nobody meets.
#[test]
fn generated_requests_are_served_and_refused() {
    let mut sum = model::Sum::default();
    for seed in 0..40_u64 {
        let bytes: Vec<u8> = (0..160_u64)
            .map(|place| {
                let number = (seed * 1000 + place + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
                (number >> 33) as u8
            })
            .collect();
        sum += model::check(&bytes);
    }
    assert!(sum.reached > 20 && sum.refused > 100, "{sum:?}");
}
