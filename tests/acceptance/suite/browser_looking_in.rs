//! A site that opens share by share, and somebody who looks in before it does, in a real browser.

use serde_json::json;
use tempfile::TempDir;

use crate::{
    demo::Demo,
    webdriver::{Browser, Driver},
};

const DASHBOARD: &str = "/maintenance-mode/";
const LOG_IN: &str = "/login/superuser?next=/maintenance-mode/";

/// The path of the link that stands on the page.
async fn link_on(browser: &Browser) -> String {
    let script = "return new URL(document.getElementById('shown').textContent).pathname";
    let path = browser.run(script).await;
    path.as_str().unwrap().to_owned()
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn somebody_looks_in_by_a_link_until_it_is_revoked() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start(folder.path());
    let driver = Driver::start();
    let alice = driver.browser(demo.address).await;
    alice.open(LOG_IN).await;
    alice.find("#grant").await;
    alice.open("/maintenance-mode/grant").await;
    alice
        .run("document.getElementById('name').value = 'auditor'; document.getElementById('do').click()")
        .await;
    alice
        .until("return document.getElementById('shown') !== null")
        .await;
    let link = link_on(&alice).await;
    let mut superuser = demo.superuser();
    let closed = superuser.press("/maintenance-mode/on", "mode=site");
    assert_eq!(closed.status, 303, "{closed:?}");

    let auditor = driver.browser(demo.address).await;
    auditor.open("/about").await;
    auditor
        .until("return document.title === 'Down for maintenance'")
        .await;
    auditor.open(&format!("{link}?next=/about")).await;
    auditor
        .until("return location.pathname === '/about' && document.title !== 'Down for maintenance'")
        .await;
    // No script of a page sees it.
    let cookies = auditor.run("return document.cookie").await;
    assert!(
        !cookies.to_string().contains("maintenance_grant"),
        "{cookies}"
    );

    alice.open(DASHBOARD).await;
    alice
        .until("return document.querySelector('#grants td code')?.textContent === 'auditor'")
        .await;
    alice
        .run("document.querySelector('#grants form button').click()")
        .await;
    alice
        .until("return document.readyState === 'complete' && document.querySelector('#grants td') === null && document.querySelector('#grants') !== null")
        .await;
    auditor.open("/about").await;
    auditor
        .until("return document.title === 'Down for maintenance'")
        .await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn the_bar_grows_is_paused_and_a_visitor_comes_back_when_it_is_their_turn() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start(folder.path());
    let driver = Driver::start();
    let mut superuser = demo.superuser();
    let visitor = driver.browser(demo.address).await;
    let press = |superuser: &mut crate::demo::Visitor, path: &str, fields: &str| {
        let answer = superuser.press(&format!("/maintenance-mode/{path}"), fields);
        assert_eq!(answer.status, 303, "{answer:?}");
    };
    press(&mut superuser, "on", "mode=site");
    visitor.open("/about").await;
    visitor
        .until("return document.title === 'Down for maintenance'")
        .await;
    press(&mut superuser, "off", "mode=site&over=12s");
    // Its own countdown, and then the page itself, without anybody.
    visitor
        .until("return document.title === 'Opening again' || document.title.includes('About')")
        .await;
    visitor
        .until("return !document.querySelector('script[data-refused]')")
        .await;

    press(&mut superuser, "on", "mode=site");
    let alice = driver.browser(demo.address).await;
    alice.open(LOG_IN).await;
    alice.find("#open-site").await;
    press(&mut superuser, "off", "mode=site&over=10m");
    // The dashboard follows.
    alice
        .until("return document.getElementById('share-site') !== null")
        .await;
    let value = "return document.getElementById('share-site').value";
    let before = alice.run(value).await.as_f64().unwrap();
    alice
        .until(&format!(
            "return document.getElementById('share-site').value > {before}"
        ))
        .await;
    alice
        .run("document.getElementById('pause-site').click()")
        .await;
    alice
        .until("return document.getElementById('share-site') !== null && document.getElementById('pause-site') === null")
        .await;
    let paused = alice.run(value).await;
    assert!(paused.as_f64().unwrap() < 1000.0, "{paused}");
    assert_ne!(paused, json!(0));
}
