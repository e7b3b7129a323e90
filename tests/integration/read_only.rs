//! Read-only access: reading works, changes are refused, and everybody is told so.

use actix_maintenance_mode::{
    Phase,
    settings::{Access, ModeSettings, Settings},
};
use actix_web::http::Method;
use serde_json::json;

use crate::test_app::TestApp;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn read_only(settings: &mut Settings) {
    let mut site = ModeSettings::new("site");
    site.access = Access::ReadOnly;
    settings.modes = vec![site];
}

/// An app that is read-only now.
async fn app(edit: impl FnOnce(&mut Settings) + Send + 'static) -> TestApp {
    let app = TestApp::with_settings(|settings| {
        read_only(settings);
        edit(settings);
    })
    .await;
    app.turn_on().await;
    app
}

#[actix_web::test]
async fn methods_that_only_read_pass_and_all_others_are_refused() {
    let app = app(|_| {}).await;
    for method in [Method::GET, Method::HEAD, Method::OPTIONS, Method::TRACE] {
        app.request(method, "/").await.is_served();
    }
    let others = [
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::CONNECT,
        Method::from_bytes(b"PROPFIND").unwrap(),
    ];
    for method in others {
        app.request(method, "/").await.is_refused();
    }
    app.turn_off().await;
    app.post("/").await.is_served();
}

#[actix_web::test]
async fn every_form_says_that_reading_works() {
    for message in [None, Some("We move house.")] {
        let app = app(move |settings| {
            settings.response.message = message.map(str::to_owned);
        })
        .await;
        for accept in ["text/html", "text/plain", "application/problem+json"] {
            let answer = app.post("/").accept(accept).await;
            answer.is_refused();
            let text = answer.text().to_lowercase();
            assert!(
                text.contains("reading works") || text.contains("can read everything"),
                "{accept}: {text}"
            );
        }
        for accept in ["application/json", "application/problem+json"] {
            let answer = app.post("/").accept(accept).await;
            assert_eq!(answer.json()["access"], "read-only");
        }
    }
}

#[actix_web::test]
async fn a_mode_without_access_says_nothing_of_it() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let answer = app.post("/").accept("application/json").await;
    assert_eq!(answer.json().get("access"), None);
    assert!(!app.post("/").await.text().contains("Reading works"));
}

#[actix_web::test]
async fn what_only_reads_is_allowed_and_what_writes_is_denied_by_path() {
    let app = app(|settings| {
        let read_only = &mut settings.modes[0].read_only;
        read_only.allow.paths = texts(&["/search"]);
        read_only.allow.prefixes = texts(&["/reports"]);
        read_only.allow.patterns = texts(&[r"/item/\d+/preview$"]);
        read_only.deny.paths = texts(&["/unsubscribe"]);
        read_only.deny.prefixes = texts(&["/reports/send"]);
        read_only.deny.patterns = texts(&[r"/item/\d+/buy$"]);
    })
    .await;
    for path in ["/search", "/reports", "/reports/1", "/item/7/preview"] {
        app.post(path).await.is_served();
    }
    for path in [
        "/searching",
        "/search/1",
        "/x/search",
        "/item/7",
        "/reports/send",
    ] {
        app.post(path).await.is_refused();
    }
    for path in ["/unsubscribe", "/reports/send/1", "/item/7/buy"] {
        app.get(path).await.is_refused();
        app.head(path).await.is_refused();
    }
    app.get("/unsubscribed").await.is_served();
}

#[actix_web::test]
async fn templates_learn_that_forms_are_of_no_use() {
    let app = app(|_| {}).await;
    let flag = app.get("/flag").await.json();
    assert_eq!(flag["maintenance_mode"], true);
    assert_eq!(flag["maintenance"]["read_only"], true);
    assert_eq!(flag["maintenance"]["access"], "read-only");
    let mut tera = tera::Tera::default();
    tera.add_raw_template(
        "page",
        "{% if not maintenance.read_only %}<form>{% endif %}",
    )
    .unwrap();
    let page = |app: &TestApp| {
        let context = app.maintenance.flag().tera_context();
        tera.render("page", &context).unwrap()
    };
    assert_eq!(page(&app), "");
    app.turn_off().await;
    assert_eq!(page(&app), "<form>");
    let flag = app.get("/flag").await.json();
    assert_eq!(flag["maintenance"]["read_only"], false);
}

#[actix_web::test]
async fn a_second_mode_may_close_what_the_first_one_leaves_readable() {
    let app = app(|settings| {
        let mut shop = ModeSettings::new("shop");
        shop.applies_to.prefixes = texts(&["/shop"]);
        settings.modes.push(shop);
    })
    .await;
    app.maintenance.turn_on().mode("shop").await.unwrap();
    app.get("/shop/1").await.is_refused();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn what_is_forced_on_cannot_be_read_either_and_does_not_claim_it() {
    let app = app(|settings| settings.forced_on.routes = texts(&["closed"])).await;
    // In whichever order they are made, each refusal is its own.
    for _ in 0..2 {
        let writes = app.post("/").accept("application/json").await;
        assert_eq!(writes.json()["access"], "read-only");
        let forced = app.post("/closed").accept("application/json").await;
        assert_eq!(forced.json().get("access"), None);
        app.get("/closed").await.is_refused();
    }
}

#[actix_web::test]
async fn whoever_is_exempt_may_write() {
    let app = TestApp::with_settings(|settings| {
        read_only(settings);
        settings.exempt.staff = true;
    })
    .await;
    let staff = app.log_in_staff("sam").await;
    app.turn_on().await;
    app.post("/").by(&staff).await.is_served();
    app.post("/").await.is_refused();
}

#[actix_web::test]
async fn writers_who_are_in_may_finish_while_it_is_closing() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(read_only)
            .already_in_if(|request| request.headers().contains_key("x-in"))
    })
    .await;
    let user = app.log_in_user("uma").await;
    app.get("/").by(&user).await.is_served();
    app.maintenance.turn_on().drain().await.unwrap();
    assert_eq!(app.maintenance.phase(), Phase::Pending);
    app.post("/").by(&user).await.is_served();
    app.post("/").header("X-In", "1").await.is_served();
    app.get("/").await.is_served();
    let answer = app.post("/").accept("application/json").await;
    answer.is_refused();
    assert_eq!(answer.json()["phase"], "pending");
    assert_eq!(answer.json()["access"], "read-only");
}

#[actix_web::test]
async fn the_status_tells_the_access() {
    let app = app(|_| {}).await;
    let status = serde_json::to_value(app.maintenance.status()).unwrap();
    assert_eq!(status["modes"][0]["access"], json!("read-only"));
}
