//! The pages in a real browser: everybody can use them, with and without scripts, and they follow
//! what is.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    demo::Demo,
    webdriver::{Browser, Driver, Scheme},
};

const DASHBOARD: &str = "/maintenance-mode/";
const LOG_IN: &str = "/login/superuser?next=/maintenance-mode/";

struct Shop {
    demo: Demo,
    driver: Driver,
    _folder: TempDir,
}

impl Shop {
    fn open(variables: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        Self {
            demo: Demo::start_with(folder.path(), variables),
            driver: Driver::start(),
            _folder: folder,
        }
    }

    async fn visitor(&self) -> Browser {
        self.driver.browser(self.demo.address).await
    }

    async fn superuser(&self) -> Browser {
        let browser = self.visitor().await;
        browser.open(LOG_IN).await;
        browser.says("Everything is open").await;
        browser
    }
}

/// Nobody is kept out, in light and in dark and in a narrow window, and the browser is content.
async fn is_for_everybody(browser: &Browser, path: &str, refused: &[&str]) {
    for scheme in [Scheme::Light, Scheme::Dark] {
        browser.prefer(scheme).await;
        browser.open(path).await;
        let barriers = browser.barriers().await;
        assert!(barriers.is_empty(), "{path}, {scheme:?}: {barriers:#?}");
    }
    browser.be_wide(Some(320)).await;
    let is_too_wide = browser
        .run(
            "const page = document.documentElement; \
             return page.scrollWidth > page.clientWidth",
        )
        .await;
    assert_eq!(is_too_wide, json!(false), "{path} is wider than its window");
    let barriers = browser.barriers().await;
    assert!(barriers.is_empty(), "{path}, narrow: {barriers:#?}");
    browser.be_wide(None).await;
    let complaints = browser.complaints(refused).await;
    assert!(complaints.is_empty(), "{path}: {complaints:#?}");
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn every_page_can_be_used_by_everybody() {
    let shop = Shop::open(&[]);
    let visitor = shop.visitor().await;
    is_for_everybody(&visitor, "/", &[]).await;
    is_for_everybody(&visitor, DASHBOARD, &[DASHBOARD]).await;

    let alice = shop.superuser().await;
    is_for_everybody(&alice, DASHBOARD, &[]).await;
    is_for_everybody(&alice, "/maintenance-mode/switch?mode=site&to=on", &[]).await;
    is_for_everybody(&alice, "/maintenance-mode/plan", &[]).await;

    plan(
        &alice,
        "New database",
        "2099-11-25T22:00",
        "2099-11-26T01:00",
    )
    .await;
    alice.says("New database").await;
    // One in four weeks, which makes the time line long.
    let weeks = Timestamp::now() + jiff::SignedDuration::from_hours(24 * 24);
    let weeks = |hours: i64| {
        let then = weeks + jiff::SignedDuration::from_hours(hours);
        then.strftime("%Y-%m-%dT%H:%M").to_string()
    };
    plan(&alice, "Far", &weeks(0), &weeks(1)).await;
    alice.says("Far").await;
    is_for_everybody(&alice, DASHBOARD, &[]).await;
    let cancel = alice.find(".windows a.button").await;
    let cancel = cancel.attr("href").await.unwrap().unwrap();
    is_for_everybody(&alice, &cancel, &[]).await;

    // Somebody for whom the drain below waits.
    let inside = shop.visitor().await;
    inside.open("/login/user").await;
    inside.says("You are user").await;
    alice.open(DASHBOARD).await;
    alice.click("#close-site").await;
    alice
        .write("dialog #message", &"Überlänge".repeat(40))
        .await;
    let barriers = alice.barriers().await;
    assert!(barriers.is_empty(), "the dialog: {barriers:#?}");
    alice.click("dialog #drain").await;
    alice.click("dialog button").await;
    alice.says("Closing for maintenance").await;
    is_for_everybody(&alice, DASHBOARD, &[]).await;
    is_for_everybody(&visitor, "/about", &["/about"]).await;

    alice.open("/maintenance-mode/switch?mode=site&to=on").await;
    alice.click("main button").await;
    alice.says("In maintenance").await;
    is_for_everybody(&alice, DASHBOARD, &[]).await;
    is_for_everybody(&alice, "/maintenance-mode/switch?mode=site&to=off", &[]).await;
    is_for_everybody(&visitor, "/about", &["/about"]).await;
    for browser in [visitor, inside, alice] {
        browser.close().await;
    }
}

async fn plan(browser: &Browser, title: &str, start: &str, end: &str) {
    browser.open(DASHBOARD).await;
    browser.click("#plan").await;
    browser.write("#ask #title", title).await;
    browser.set("#ask #start", start).await;
    browser.set("#ask #end", end).await;
    browser.click("#ask button").await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn a_superuser_switches_with_a_dialog_and_others_see_it_at_once() {
    let shop = Shop::open(&[]);
    let alice = shop.superuser().await;
    let visitor = shop.visitor().await;
    visitor.open("/").await;
    visitor.says("Welcome").await;
    let other = shop.superuser().await;

    let mut fastest = Duration::MAX;
    for _ in 0..3 {
        alice.click("#close-site").await;
        alice.says("Take “Whole site” out of service?").await;
        alice.write("dialog #message", "Back at noon.").await;
        alice.write("dialog #reason", "release").await;
        let clicked = Instant::now();
        alice.click("dialog button").await;
        visitor.says("The site has closed for maintenance.").await;
        other.says("Back at noon.").await;
        fastest = fastest.min(clicked.elapsed());
        alice.says("Whole site: Closed").await;

        // Leaving it as it is leaves it as it is, and the focus where it was.
        alice.click("#open-site").await;
        alice.says("Bring “Whole site” back?").await;
        alice.click("dialog [data-close]").await;
        let focus = alice.run("return document.activeElement.id").await;
        assert_eq!(focus, "open-site");

        alice.click("#open-site").await;
        alice.click("dialog button").await;
        alice.says("Everything is open").await;
        other.says("Everything is open").await;
        let is_hidden = async || {
            let script = "return document.getElementById('maintenance-banner').hidden";
            visitor.run(script).await == json!(true)
        };
        while !is_hidden().await {
            actix_web::rt::time::sleep(Duration::from_millis(20)).await;
        }
    }
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
    for browser in [alice, visitor, other] {
        let complaints = browser.complaints(&[]).await;
        assert!(complaints.is_empty(), "{complaints:#?}");
        browser.close().await;
    }
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn a_superuser_switches_and_plans_without_scripts() {
    let shop = Shop::open(&[]);
    let alice = shop.driver.browser_without_scripts(shop.demo.address).await;
    alice.open(LOG_IN).await;
    alice.says("Everything is open").await;
    alice.says("Times are in UTC.").await;
    let text = alice.text().await;
    assert!(
        text.contains("Reload") && !text.contains("by itself"),
        "{text}"
    );

    alice.click("#close-site").await;
    alice.says("Take “Whole site” out of service?").await;
    alice.write("#message", "Back at noon.").await;
    alice.click("main button").await;
    alice.says("In maintenance").await;
    alice.says("Back at noon.").await;
    let visitor = shop.driver.browser_without_scripts(shop.demo.address).await;
    visitor.open("/").await;
    visitor.says("Back at noon.").await;

    alice.click("#open-site").await;
    alice
        .says("Visitors get in again: all at once, or share by share.")
        .await;
    alice.click("main button").await;
    alice.says("Everything is open").await;

    alice.click("#plan").await;
    alice.write("#title", "Move").await;
    // Keys, as a script cannot set it: month, day and year, hour, minute and half of the day.
    alice.write("#start", "11252099\u{e004}1000PM").await;
    alice.click("main button").await;
    alice.says("2099-11-25 22:00").await;
    alice.click(".windows a.button").await;
    alice.says("Cancel “Move”?").await;
    alice.click("main button").await;
    alice.says("Nothing is planned.").await;
    alice.close().await;
    visitor.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn times_are_those_of_the_browsers_zone() {
    let shop = Shop::open(&[]);
    let alice = shop.visitor().await;
    let tokyo = json!({ "timezoneId": "Asia/Tokyo" });
    alice.tell("Emulation.setTimezoneOverride", tokyo).await;
    alice.open(LOG_IN).await;
    alice.says("Times are in Asia/Tokyo.").await;
    plan(&alice, "Move", "2099-11-25T22:00", "2099-11-26T01:00").await;
    alice.says("2099-11-25 22:00 – 2099-11-26 01:00").await;
    let start = alice.find(".windows time").await;
    let start = start.attr("datetime").await.unwrap().unwrap();
    assert_eq!(start, "2099-11-25T13:00:00Z");
    let complaints = alice.complaints(&[]).await;
    assert!(complaints.is_empty(), "{complaints:#?}");
    alice.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn the_refusal_goes_away_by_itself() {
    let shop = Shop::open(&[]);
    let alice = shop.superuser().await;
    let visitor = shop.visitor().await;
    let patient = shop.driver.browser_without_scripts(shop.demo.address).await;
    alice.open("/maintenance-mode/on").await;
    visitor.open("/about").await;
    visitor.says("Down for maintenance").await;
    alice.open("/maintenance-mode/off").await;
    visitor.says("A small shop that opens and closes.").await;

    // Without scripts by its own refresh, which knows when it is over.
    alice.open(DASHBOARD).await;
    let body = "new URLSearchParams({ for: '3s' })";
    alice
        .run(&format!(
            "fetch('/maintenance-mode/on', {{ method: 'POST', body: {body} }})"
        ))
        .await;
    alice.says("In maintenance").await;
    patient.open("/about").await;
    patient.says("Down for maintenance").await;
    patient.says("A small shop that opens and closes.").await;
    for browser in [alice, visitor, patient] {
        browser.close().await;
    }
}
