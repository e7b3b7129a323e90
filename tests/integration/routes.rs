//! Routes that are always served or always refused, and ways that do not lead around that.

use actix_maintenance_mode::Settings;
use actix_web::{
    App,
    http::Method,
    middleware::{NormalizePath, TrailingSlash},
    test, web,
};

use crate::test_app::{self, TestApp, maintenance};

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

/// Every way to force `/closed` on.
fn ways_to_force_on() -> [fn(&mut Settings); 3] {
    [
        |settings| settings.forced_on.routes = list(&["closed"]),
        |settings| settings.forced_on.routes = list(&["/closed"]),
        |settings| settings.forced_on.patterns = list(&["/closed$"]),
    ]
}

#[actix_web::test]
async fn forced_on_by_name_resource_pattern_or_path_pattern() {
    for force_on in ways_to_force_on() {
        let app = TestApp::with_settings(force_on).await;
        app.get("/closed").await.is_refused();
        app.get("/").await.is_served();
        app.turn_on().await;
        app.get("/closed").await.is_refused();
        app.turn_off().await;
        app.get("/closed").await.is_refused();
    }
}

#[actix_web::test]
async fn forced_on_holds_for_every_method_and_head_as_get() {
    for force_on in ways_to_force_on() {
        let app = TestApp::with_settings(force_on).await;
        for method in [
            Method::GET,
            Method::HEAD,
            Method::POST,
            Method::OPTIONS,
            Method::DELETE,
        ] {
            app.request(method, "/closed").await.is_refused();
        }
    }
}

#[actix_web::test]
async fn an_encoded_path_does_not_get_around_forced_on() {
    for force_on in ways_to_force_on() {
        let app = TestApp::with_settings(force_on).await;
        for path in [
            "/%63losed",
            "/%63%6C%6f%73%65%64",
            "/close%64?x=1",
            "/closed?",
            "/closed#x",
        ] {
            app.get(path).await.is_refused();
        }
    }
}

#[actix_web::test]
async fn an_encoded_path_is_forced_off_like_the_plain_one() {
    for route in ["health", "/health"] {
        let app =
            TestApp::with_settings(move |settings| settings.exempt.routes = list(&[route])).await;
        app.turn_on().await;
        app.get("/health").await.is_served();
        app.get("/%68ealth").await.is_served();
        app.get("/%68ealthy").await.is_refused();
    }
}

#[actix_web::test]
async fn what_the_app_does_not_route_there_is_another_path() {
    for force_on in ways_to_force_on() {
        let app = TestApp::with_settings(force_on).await;
        for path in ["/Closed", "/%2563losed", "/x/closed", "/close"] {
            let answer = app.get(path).await;
            answer.is_served();
            assert_ne!(answer.text(), "closed", "{path} leads around");
        }
    }
}

/// A `NormalizePath` inside would lead these to the route, and nobody sees from outside whether
/// there is one.
#[actix_web::test]
async fn spare_slashes_do_not_get_around_forced_on() {
    for force_on in ways_to_force_on() {
        let app = TestApp::with_settings(force_on).await;
        for path in ["/closed/", "//closed", "//closed//"] {
            app.get(path).await.is_refused();
        }
    }
}

#[actix_web::test]
async fn under_an_outer_normalize_path_spare_slashes_do_not_get_around_forced_on() {
    for force_on in ways_to_force_on() {
        let maintenance = maintenance(|builder| builder.configure(force_on)).await;
        let app = App::new()
            .configure(test_app::routes)
            .wrap(maintenance.middleware())
            .wrap(NormalizePath::new(TrailingSlash::Trim));
        let app = TestApp::serving(maintenance, test::init_service(app).await);
        for path in [
            "/closed",
            "/closed/",
            "//closed",
            "//closed//",
            "/%63losed/",
        ] {
            app.get(path).await.is_refused();
        }
        app.get("/shop/1/").await.is_served();
    }
}

#[actix_web::test]
async fn a_route_with_parameters_is_forced_by_name_and_by_its_pattern() {
    for route in ["item", "/shop/{item}"] {
        let app =
            TestApp::with_settings(move |settings| settings.forced_on.routes = list(&[route]))
                .await;
        app.get("/shop/1").await.is_refused();
        app.get("/shop/%31").await.is_refused();
        app.get("/shop/1/2").await.is_served();
        app.get("/shop").await.is_served();

        let app =
            TestApp::with_settings(move |settings| settings.exempt.routes = list(&[route])).await;
        app.turn_on().await;
        app.get("/shop/1").await.is_served();
        app.get("/shop/1/2").await.is_refused();
    }
}

#[actix_web::test]
async fn a_route_in_nested_scopes_is_forced_by_name_and_by_its_whole_pattern() {
    for route in ["order", "/shop/orders/{id}"] {
        let maintenance = maintenance(|builder| {
            builder.configure(move |settings| settings.forced_on.routes = list(&[route]))
        })
        .await;
        let app = App::new()
            .service(
                web::scope("/shop").service(
                    web::scope("/orders")
                        .service(web::resource("/{id}").name("order").to(async || "order")),
                ),
            )
            .configure(test_app::routes)
            .wrap(maintenance.middleware());
        let app = TestApp::serving(maintenance, test::init_service(app).await);
        app.get("/shop/orders/1").await.is_refused();
        app.get("/%73hop/orders/1").await.is_refused();
        app.get("/shop/1").await.is_served();
    }
}

#[actix_web::test]
async fn a_middleware_on_a_scope_knows_the_routes_in_it() {
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| {
            settings.forced_on.routes = list(&["order"]);
            settings.exempt.routes = list(&["/shop/health"]);
        })
    })
    .await;
    let app = App::new().service(
        web::scope("/shop")
            .service(web::resource("/health").to(async || "ok"))
            .service(
                web::resource("/orders/{id}")
                    .name("order")
                    .to(async || "order"),
            )
            .default_service(web::to(async || "shop"))
            .wrap(maintenance.middleware()),
    );
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.get("/shop/orders/1").await.is_refused();
    app.get("/shop/%6Frders/1").await.is_refused();
    app.get("/shop/other").await.is_served();
    app.turn_on().await;
    app.get("/shop/health").await.is_served();
    app.get("/shop/%68ealth").await.is_served();
    app.get("/shop/other").await.is_refused();
}

#[actix_web::test]
async fn a_wrapped_resource_or_scope_is_always_refused() {
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| settings.exempt.paths = list(&["/attic"]))
    })
    .await;
    let app = App::new()
        .service(
            web::resource("/attic")
                .wrap(maintenance.forced_on())
                .to(async || -> &str { panic!("nobody gets here") }),
        )
        .service(
            web::scope("/cellar")
                .wrap(maintenance.forced_on())
                .default_service(web::to(async || -> &str { panic!("nobody gets here") })),
        )
        .configure(test_app::routes)
        .wrap(maintenance.middleware());
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    for _ in ["online", "offline"] {
        app.get("/attic").await.is_refused();
        app.head("/attic").await.is_refused();
        app.post("/cellar/x").await.is_refused();
        app.turn_on().await;
    }
    app.turn_off().await;
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn a_wrapped_resource_needs_no_other_middleware() {
    let maintenance = maintenance(|builder| builder).await;
    let app = App::new()
        .service(
            web::resource("/attic")
                .wrap(maintenance.forced_on())
                .to(async || "attic"),
        )
        .configure(test_app::routes);
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    let answer = app.get("/attic").accept("application/json").await;
    answer.is_refused();
    assert_eq!(answer.json()["phase"], "offline");
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn head_is_judged_as_get() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.routes = list(&["health"]);
        settings.exempt.paths = list(&["/about"]);
    })
    .await;
    app.turn_on().await;
    for (path, served) in [
        ("/health", true),
        ("/about", true),
        ("/robots.txt", true),
        ("/", false),
    ] {
        for answer in [app.get(path).await, app.head(path).await] {
            if served {
                answer.is_served();
            } else {
                answer.is_refused();
            }
        }
    }
}
