//! Scripts of other origins in a real browser: those that are named read a refusal.

use actix_maintenance_mode::{Maintenance, Settings, settings::CorsSetting};
use actix_web::{App, HttpResponse, web};
use serde_json::json;

use crate::{
    test_server::TestServer,
    webdriver::{Browser, Driver},
};

/// What a script of the page reads of the answer of the API, or that it may read nothing.
async fn read_by(browser: &Browser, api: &str) -> serde_json::Value {
    let script = format!(
        "const done = arguments[arguments.length - 1]; \
         fetch('http://{api}/basket', {{ method: 'PUT', credentials: 'include', \
           headers: {{ Accept: 'application/json', 'X-Basket': '7' }} }}) \
         .then(async answer => [answer.status, answer.headers.get('retry-after'), \
           answer.headers.get('x-maintenance-mode'), (await answer.json()).message]) \
         .then(done, error => done(error.name))"
    );
    browser
        .client
        .execute_async(&script, Vec::new())
        .await
        .unwrap()
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn a_script_of_a_named_origin_reads_the_refusal_of_what_needs_a_preflight() {
    let page = TestServer::start(|| {
        App::new().default_service(web::to(|| async {
            HttpResponse::Ok()
                .content_type("text/html")
                .body("<title>Shop</title>the shop")
        }))
    });
    let mut settings = Settings::default();
    settings.store = "memory:".to_owned();
    settings.response.retry_after = std::time::Duration::from_secs(120);
    settings.response.cors = CorsSetting::Named(vec![format!("http://{}", page.address)]);
    let maintenance = Maintenance::builder()
        .settings(settings)
        .build()
        .await
        .unwrap();
    let api = TestServer::start({
        let maintenance = maintenance.clone();
        move || {
            App::new()
                .wrap(maintenance.middleware())
                .default_service(web::to(|| async { "saved" }))
        }
    });
    let driver = Driver::start();
    let named = driver.browser(page.address).await;
    let stranger = format!("localhost:{}", page.address.port());
    let stranger = driver.browser(stranger).await;
    for browser in [&named, &stranger] {
        browser.open("/").await;
        browser.says("the shop").await;
    }
    let api_address = api.address.to_string();
    // While it is open the app answers, and this one lets nobody read.
    assert_eq!(read_by(&named, &api_address).await, json!("TypeError"));
    maintenance
        .turn_on()
        .message("Back at noon.")
        .await
        .unwrap();
    assert_eq!(
        read_by(&named, &api_address).await,
        json!([503, "120", "1", "Back at noon."])
    );
    assert_eq!(read_by(&stranger, &api_address).await, json!("TypeError"));
    for browser in [named, stranger] {
        browser.close().await;
    }
    for server in [page, api] {
        server.stop().await;
    }
}
