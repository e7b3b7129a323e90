//! The refusal page in a real browser: what it does by itself, and what it never does.

use std::{fs, time::Duration};

use actix_maintenance_mode::web_server::WebServer;
use actix_web::rt::time::sleep;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    browser_intent::Wire,
    demo::{Demo, Visitor},
    eventually::eventually,
    web_servers::{Front, RealServer},
    webdriver::Driver,
};

const NOT_SAVED: &str = "What you sent was not saved. Go back and send it again.";

/// Switches by the demo's own superuser, without a browser.
fn switch(alice: &mut Visitor, path: &str) {
    let answer = alice.press(&format!("/maintenance-mode/{path}"), "");
    assert_eq!(answer.status, 303, "{answer:?}");
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn what_was_sent_once_is_never_sent_again_by_itself() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start(folder.path());
    let wire = Wire::to(demo.address);
    let driver = Driver::start();
    let mut alice = demo.superuser();
    let visitor = driver.browser(wire.address).await;
    visitor.open("/").await;
    visitor.write("#name", "Sofa").await;
    switch(&mut alice, "on?mode=read-only");
    visitor.click("form[action='/api/items'] button").await;
    visitor.says(NOT_SAVED).await;
    assert_eq!(wire.count("POST /api/items "), 1);

    // Reading works all the while, so a look at this address finds it open. Each news has the page
    // look, and each is told to this one.
    let told = "window.told = 0; document.addEventListener('maintenance', () => window.told++)";
    visitor.run(told).await;
    for news in 1..=3 {
        switch(&mut alice, &format!("on?mode=read-only&for={}h", news + 1));
        visitor
            .until(&format!("return window.told >= {news}"))
            .await;
    }
    sleep(Duration::from_secs(4)).await;
    assert_eq!(wire.count("POST /api/items "), 1, "it was sent again");
    visitor.says(NOT_SAVED).await;

    // When it is over, the page goes by GET, and what was said is said once more.
    switch(&mut alice, "off?mode=read-only");
    let browser = &wire;
    eventually("it goes by GET", || browser.count("GET /api/items ") > 0).await;
    assert_eq!(wire.count("POST /api/items "), 1, "it was sent again");
    let items = alice.get("/api/items");
    assert!(!items.body.contains("Sofa"), "{items:?}");
    visitor.open("/about").await;
    visitor.says(NOT_SAVED).await;
    visitor.open("/").await;
    visitor.says("Welcome").await;
    let text = visitor.text().await;
    assert!(!text.contains(NOT_SAVED), "it is said once: {text}");
    visitor.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn times_are_the_visitors_and_messages_as_they_were_written() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start(folder.path());
    let driver = Driver::start();
    let mut alice = demo.superuser();
    let message = "message=%D7%A9%D7%9C%D7%95%D7%9D%0D%0A%D7%A2%D7%95%D7%9C%D7%9D";
    let answer = alice.press("/maintenance-mode/on", &format!("{message}&for=40m"));
    assert_eq!(answer.status, 303, "{answer:?}");

    let visitor = driver.browser(demo.address).await;
    let tokyo = json!({ "timezoneId": "Asia/Tokyo" });
    visitor.tell("Emulation.setTimezoneOverride", tokyo).await;
    visitor.open("/about").await;
    visitor.says("(in about ").await;
    let time = visitor.find("time").await;
    let shown = time.text().await.unwrap();
    let until = time.attr("datetime").await.unwrap().unwrap();
    let until: jiff::Timestamp = until.parse().unwrap();
    let tokyo = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    let there = until
        .to_zoned(tokyo)
        .strftime("%b %-d, %Y, %-I:%M")
        .to_string();
    assert!(shown.starts_with(&there), "{shown} is not {there}");
    let minutes = ["in about 40 minutes", "in about 39 minutes"];
    assert!(minutes.iter().any(|words| shown.contains(words)), "{shown}");
    let style = visitor
        .run(
            "const message = document.querySelector('.message'); \
             const style = getComputedStyle(message); \
             return [style.whiteSpace, style.direction, message.getClientRects().length, \
               message.offsetHeight > 1.9 * parseFloat(style.lineHeight)]",
        )
        .await;
    assert_eq!(style, json!(["pre-line", "rtl", 1, true]));

    let patient = driver.browser_without_scripts(demo.address).await;
    patient.open("/about").await;
    patient.says(" UTC").await;
    for browser in [visitor, patient] {
        browser.close().await;
    }
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn the_page_comes_back_where_its_script_does_not_run() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start(folder.path());
    let driver = Driver::start();
    let mut alice = demo.superuser();
    let visitor = driver.browser(demo.address).await;
    visitor.tell("Network.enable", json!({})).await;
    let script = json!({ "urls": ["*maintenance.js*"] });
    visitor.tell("Network.setBlockedURLs", script).await;
    let answer = alice.press("/maintenance-mode/on", "for=4s");
    assert_eq!(answer.status, 303, "{answer:?}");
    visitor.open("/about").await;
    visitor.says("Down for maintenance").await;
    visitor.says("A small shop that opens and closes.").await;
    visitor.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn the_script_stops_the_refresh_that_is_for_when_it_does_not_run() {
    let folder = TempDir::new().unwrap();
    let page = "<!doctype html><title>closed</title><meta http-equiv=\"refresh\" content=\"6\">\
        <p>Closed.</p><script src=\"{{ maintenance.script }}\" defer data-refused></script>";
    fs::write(folder.path().join("503.html"), page).unwrap();
    let templates = folder.path().display().to_string();
    let demo = Demo::start_with(
        folder.path(),
        &[("MAINTENANCE_RESPONSE__TEMPLATES_DIR", &templates)],
    );
    let wire = Wire::to(demo.address);
    let driver = Driver::start();
    switch(&mut demo.superuser(), "on");
    let visitor = driver.browser(wire.address).await;
    visitor.open("/about").await;
    visitor.says("Closed.").await;
    eventually("the script runs", || {
        wire.count("GET /maintenance-mode/live ") > 0
    })
    .await;
    sleep(Duration::from_secs(9)).await;
    assert_eq!(wire.count("GET /about "), 1);
    visitor.close().await;
}

/// nginx strips `/shop`: what a browser loads and where it is sent is below that all the same.
#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn behind_a_proxy_that_strips_a_prefix_everything_works() {
    let mut front = Front::new();
    front.settings.web_server.flag = None;
    front.settings.public_path = Some("/shop".to_owned());
    for by_header in [false, true] {
        let folder = TempDir::new().unwrap();
        let told = if by_header {
            // The demo is not told by its settings, but by the proxy.
            fs::write(
                folder.path().join("settings.toml"),
                "[client]\ntrusted_proxies = [\"127.0.0.1\"]\n[exempt]\nprefixes = [\"/login\"]\n",
            )
            .unwrap();
            ("MAINTENANCE_SETTINGS", "settings.toml")
        } else {
            ("MAINTENANCE_PUBLIC_PATH", "/shop")
        };
        let demo = Demo::start_with(folder.path(), &[told]);
        let more = if by_header {
            &[(
                "proxy_set_header Upgrade",
                "proxy_set_header X-Forwarded-Prefix /shop; proxy_set_header Upgrade",
            )][..]
        } else {
            &[]
        };
        let nginx = RealServer::start_with(&front, WebServer::Nginx, demo.address, more).await;
        let driver = Driver::start();
        let visitor = driver.browser(nginx.address).await;
        let alice = driver.browser(nginx.address).await;
        alice
            .open("/shop/login/superuser?next=/shop/maintenance-mode/")
            .await;
        alice.says("Everything is open").await;
        alice.click("#close-site").await;
        alice.click("dialog button").await;
        alice.says("In maintenance").await;
        visitor.open("/shop/about").await;
        visitor.says("Down for maintenance").await;
        // Told by the script, at once and without a look from time to time.
        visitor
            .until(
                "return performance.getEntriesByType('resource').some(({ name, responseStatus }) => \
                   name.includes('/shop/maintenance-mode/static/maintenance.js') && responseStatus < 400)",
            )
            .await;
        alice.click("#open-site").await;
        alice.click("dialog button").await;
        alice.says("Everything is open").await;
        visitor.says("A small shop that opens and closes.").await;
        let cookies = alice.run("return document.cookie").await;
        assert!(
            !cookies.as_str().unwrap().contains("/maintenance-mode"),
            "{cookies}"
        );
        let complaints = alice.complaints(&[]).await;
        let of_scope: Vec<_> = complaints
            .iter()
            .filter(|it| it.contains("maintenance-mode"))
            .collect();
        assert!(of_scope.is_empty(), "{of_scope:#?}");
        alice.close().await;
        visitor.close().await;
    }
}
