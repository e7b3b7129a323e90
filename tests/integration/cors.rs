//! Refusals that scripts of other origins may read, and preflights.

use actix_cors::Cors;
use actix_maintenance_mode::{ResponseFormat, settings::CorsSetting};
use actix_web::{HttpResponse, http::Method, test};

use crate::test_app::{Answer, TestApp, app, maintenance, sessions};

const SHOP: &str = "https://shop.example";
const PHONE: &str = "capacitor://localhost";
const STRANGER: &str = "https://stranger.example";

fn named() -> CorsSetting {
    CorsSetting::Named(vec![SHOP.to_owned(), PHONE.to_owned()])
}

async fn closed(cors: CorsSetting) -> TestApp {
    let app = TestApp::with_settings(|settings| settings.response.cors = cors).await;
    app.turn_on().await;
    app
}

#[track_caller]
fn words(answer: &Answer, header: &str) -> Vec<String> {
    answer
        .headers
        .get_all(header)
        .flat_map(|line| line.to_str().unwrap().split(", ").map(str::to_lowercase))
        .collect()
}

/// No header of the protocol is there.
#[track_caller]
fn says_nothing(answer: &Answer) {
    let said = answer
        .headers
        .keys()
        .find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(said, None, "{answer:?}");
}

#[track_caller]
fn can_be_read_by(answer: &Answer, origin: &str) {
    assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    let credentials = (origin != "*").then_some("true");
    assert_eq!(
        answer.header("access-control-allow-credentials"),
        credentials
    );
}

#[actix_web::test]
async fn scripts_of_named_origins_read_refusals_of_each_form() {
    let app = closed(named()).await;
    for origin in [SHOP, PHONE] {
        for accept in [
            "text/html",
            "application/json",
            "application/problem+json",
            "text/plain",
        ] {
            let answer = app.get("/").header("Origin", origin).accept(accept).await;
            answer.is_refused();
            can_be_read_by(&answer, origin);
            let exposed = words(&answer, "access-control-expose-headers");
            assert_eq!(exposed, ["retry-after", "x-maintenance-mode"]);
            // What is kept ready for the next one is not theirs.
            says_nothing(&app.get("/").accept(accept).await);
        }
    }
}

#[actix_web::test]
async fn caches_are_told_that_it_depends_on_the_origin() {
    let app = closed(named()).await;
    for (name, origin) in [("Origin", SHOP), ("Origin", STRANGER), ("X-None", "")] {
        let answer = app.get("/").header(name, origin).await;
        let varies = answer.header("vary").unwrap();
        assert_eq!(varies, "Accept, Accept-Language, Origin", "{origin}");
    }
    for cors in [CorsSetting::default(), CorsSetting::Any] {
        let app = closed(cors).await;
        let answer = app.get("/").header("Origin", SHOP).await;
        assert_eq!(answer.header("vary"), Some("Accept, Accept-Language"));
    }
}

#[actix_web::test]
async fn origins_that_are_not_named_learn_nothing() {
    for cors in [CorsSetting::default(), named()] {
        let app = closed(cors).await;
        for origin in [
            STRANGER,
            "null",
            "https://shop.example:8443",
            "http://shop.example",
            "https://shop.example.stranger.example",
            "https://SHOP.example",
            "",
        ] {
            let answer = app.get("/").header("Origin", origin).await;
            answer.is_refused();
            says_nothing(&answer);
            let preflight = app.preflight("/", origin).await;
            preflight.is_refused();
            says_nothing(&preflight);
        }
    }
    // Who says two things is believed neither.
    let app = closed(named()).await;
    let two = app.get("/").header("Origin", SHOP).header("Origin", PHONE);
    says_nothing(&two.await);
}

#[actix_web::test]
async fn a_star_is_for_every_origin_and_without_cookies() {
    let app = closed(CorsSetting::Any).await;
    for origin in [SHOP, STRANGER, "null"] {
        let answer = app.get("/").header("Origin", origin).await;
        answer.is_refused();
        can_be_read_by(&answer, "*");
        let preflight = app.preflight("/", origin).await;
        assert_eq!(preflight.status, 204);
        can_be_read_by(&preflight, "*");
    }
    says_nothing(&app.get("/").await);
}

#[actix_web::test]
async fn a_preflight_is_answered_and_what_follows_is_refused() {
    let app = closed(named()).await;
    let preflight = app
        .request(Method::OPTIONS, "/shop/1")
        .header("Origin", SHOP)
        .header("Access-Control-Request-Method", "PUT")
        .header("Access-Control-Request-Headers", "content-type,x-basket")
        .await;
    assert_eq!(preflight.status, 204, "{preflight:?}");
    assert!(preflight.is_marked && preflight.body.is_empty());
    can_be_read_by(&preflight, SHOP);
    assert_eq!(words(&preflight, "access-control-allow-methods"), ["put"]);
    let allowed = preflight.header("access-control-allow-headers");
    assert_eq!(allowed, Some("content-type,x-basket"));
    // Nobody keeps it: once it is open, the app answers.
    assert_eq!(preflight.header("access-control-max-age"), Some("0"));
    assert_eq!(preflight.header("cache-control"), Some("no-store"));
    assert_eq!(preflight.header("x-maintenance-mode"), Some("1"));
    assert_eq!(preflight.header("retry-after"), None);
    assert_eq!(
        words(&preflight, "vary"),
        [
            "origin",
            "access-control-request-method",
            "access-control-request-headers"
        ]
    );
    let put = app.request(Method::PUT, "/shop/1").header("Origin", SHOP);
    let put = put.header("X-Basket", "7").await;
    put.is_refused();
    can_be_read_by(&put, SHOP);
}

#[actix_web::test]
async fn only_a_preflight_is_one() {
    let app = closed(named()).await;
    let options = |name: &'static str, value: &'static str| {
        app.request(Method::OPTIONS, "/").header(name, value)
    };
    options("Origin", SHOP).await.is_refused();
    options("Access-Control-Request-Method", "PUT")
        .await
        .is_refused();
    let get = app.get("/").header("Origin", SHOP);
    get.header("Access-Control-Request-Method", "PUT")
        .await
        .is_refused();
}

#[actix_web::test]
async fn while_it_is_open_and_for_whoever_gets_through_the_app_answers() {
    let app = TestApp::with_settings(|settings| {
        settings.response.cors = named();
        settings.exempt.prefixes = vec!["/shop".to_owned()];
        settings.exempt.superusers = true;
    })
    .await;
    let root = app.log_in_superuser("root").await;
    for on in [false, true] {
        if on {
            app.turn_on().await;
        }
        let path = if on { "/shop/1" } else { "/" };
        for answer in [
            app.get(path).header("Origin", SHOP).await,
            app.preflight(path, SHOP).await,
            app.get("/").by(&root).header("Origin", SHOP).await,
        ] {
            answer.is_served();
            says_nothing(&answer);
        }
    }
}

#[actix_web::test]
async fn what_is_always_closed_can_be_read_too() {
    let app = TestApp::with_settings(|settings| {
        settings.response.cors = named();
        settings.forced_on.routes = vec!["closed".to_owned()];
    })
    .await;
    let answer = app.get("/closed").header("Origin", SHOP).await;
    answer.is_refused();
    can_be_read_by(&answer, SHOP);
    assert_eq!(app.preflight("/closed", SHOP).await.status, 204);
    says_nothing(&app.preflight("/", SHOP).await);
}

#[actix_web::test]
async fn redirects_and_the_apps_own_answers_can_be_read_too() {
    let app = TestApp::with_settings(|settings| {
        settings.response.cors = named();
        settings.response.redirect = Some("https://status.example/".to_owned());
    })
    .await;
    app.turn_on().await;
    let answer = app.get("/").header("Origin", SHOP).await;
    assert_eq!(answer.status, 302);
    can_be_read_by(&answer, SHOP);
    assert_eq!(answer.header("vary"), Some("Accept, Origin"));

    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.response.cors = named())
            .response_renderer(|request, _| {
                let mut answer = HttpResponse::ServiceUnavailable();
                if request.path() == "/own" {
                    answer.insert_header(("Access-Control-Allow-Origin", "https://own.example"));
                }
                answer.body("back soon")
            })
            .response_format(|_| Some(ResponseFormat::Text))
    })
    .await;
    app.turn_on().await;
    let answer = app.get("/").header("Origin", SHOP).await;
    answer.is_refused();
    can_be_read_by(&answer, SHOP);
    assert_eq!(words(&answer, "vary"), ["origin"]);
    let own = app.get("/own").header("Origin", SHOP).await;
    let allowed = own.header("access-control-allow-origin");
    assert_eq!(allowed, Some("https://own.example"));
}

#[actix_web::test]
async fn an_outer_cors_has_the_last_word() {
    let maintenance =
        maintenance(|builder| builder.configure(|settings| settings.response.cors = named())).await;
    let outer = Cors::default()
        .allowed_origin(SHOP)
        .allowed_methods(["GET"]);
    let app = app(&maintenance).wrap(sessions()).wrap(outer);
    let app = TestApp::serving(maintenance, test::init_service(app).await);
    app.turn_on().await;
    let answer = app.get("/").header("Origin", SHOP).await;
    answer.is_refused();
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!(allowed, Some(SHOP));
    assert!(words(&answer, "vary").contains(&"origin".to_owned()));
    assert_eq!(app.preflight("/", SHOP).await.status, 200);
}
