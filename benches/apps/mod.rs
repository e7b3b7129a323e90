//! The apps that are measured: one route, and what it answers with and without maintenance.

use std::{collections::BTreeSet, fs, path::Path};

use actix_maintenance_mode::{Maintenance, Settings};
use actix_web::{
    App, HttpResponse,
    body::MessageBody,
    dev::ServiceResponse,
    http::header::{self, HeaderName, HeaderValue},
    test, web,
};

/// The one route.
pub(crate) const PATH: &str = "/shop/products";

/// What it answers: 13 bytes.
pub(crate) const GREETING: &str = "Hello, world!";

/// What a browser accepts.
pub(crate) const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

pub(crate) async fn greeting() -> &'static str {
    GREETING
}

/// What somebody writes who refuses in a handler.
pub(crate) fn refusal(page: &'static str) -> HttpResponse {
    HttpResponse::ServiceUnavailable()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Accept, Accept-Language"))
        .insert_header((header::CONTENT_LANGUAGE, "en"))
        .insert_header(("X-Maintenance-Mode", "1"))
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::RETRY_AFTER, "3600"))
        .body(page)
}

/// The same with as little work as actix allows: nothing is read or copied.
pub(crate) fn frugal_refusal(page: &'static str) -> HttpResponse {
    const X_MAINTENANCE_MODE: HeaderName = HeaderName::from_static("x-maintenance-mode");
    HttpResponse::ServiceUnavailable()
        .insert_header((header::CACHE_CONTROL, HeaderValue::from_static("no-store")))
        .insert_header((
            header::VARY,
            HeaderValue::from_static("Accept, Accept-Language"),
        ))
        .insert_header((header::CONTENT_LANGUAGE, HeaderValue::from_static("en")))
        .insert_header((X_MAINTENANCE_MODE, HeaderValue::from_static("1")))
        .insert_header((
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ))
        .insert_header((header::RETRY_AFTER, HeaderValue::from_static("3600")))
        .body(page)
}

/// Maintenance over a state file that holds this text.
pub(crate) async fn maintenance(settings: Settings, file: &Path, stored: &str) -> Maintenance {
    fs::write(file, stored).expect("the state file can be written");
    Maintenance::builder()
        .settings(settings)
        .store(format!("file:{}", file.display()))
        .build()
        .await
        .expect("the settings have no fault")
}

/// Status, headers and body.
pub(crate) type Answer = (u16, BTreeSet<(String, String)>, web::Bytes);

pub(crate) async fn answer<B: MessageBody>(response: ServiceResponse<B>) -> Answer {
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| value.to_str().expect("headers are text").to_owned();
    let headers = response
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)))
        .collect();
    (status, headers, test::read_body(response).await)
}

/// The page of a refusal, once it is sure that the handlers answer with it as the middleware does:
/// else the comparison would not be fair.
pub(crate) async fn page_of_refusals(folder: &Path) -> &'static str {
    let request = || {
        test::TestRequest::with_uri(PATH)
            .insert_header((header::ACCEPT, BROWSER))
            .to_request()
    };
    let maintenance = maintenance(Settings::default(), &folder.join("page"), "on").await;
    let app = test::init_service(App::new().wrap(maintenance.middleware())).await;
    let refused = answer(test::call_service(&app, request()).await).await;

    let page: &'static str = String::from_utf8(refused.2.to_vec())
        .expect("the page is text")
        .leak();
    for handler in [refusal, frugal_refusal] {
        let app = App::new().route(PATH, web::get().to(move || async move { handler(page) }));
        let app = test::init_service(app).await;
        let answered = answer(test::call_service(&app, request()).await).await;
        assert_eq!(
            answered, refused,
            "a handler does not answer as the middleware does"
        );
    }
    page
}
