//! Times that count down, in a real browser: on pages of the app, by the script alone.

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    demo::{Demo, Visitor},
    webdriver::{Browser, Driver},
};

const BANNER: &str = "document.getElementById('maintenance-banner')";

fn press(alice: &mut Visitor, path: &str, fields: &str) {
    let answer = alice.press(&format!("/maintenance-mode/{path}"), fields);
    assert_eq!(answer.status, 303, "{answer:?}");
}

fn plan(alice: &mut Visitor, start: Timestamp, lasting: SignedDuration) {
    let local = |instant: Timestamp| {
        let rome = TimeZone::get("Europe/Rome").unwrap();
        let local = instant.to_zoned(rome).strftime("%Y-%m-%dT%H:%M:%S");
        local.to_string().replace(':', "%3A")
    };
    let (start, end) = (local(start), local(start + lasting));
    let fields = format!("mode=site&title=Works&zone=Europe%2FRome&start={start}&end={end}");
    press(alice, "plan", &fields);
}

/// How many seconds the countdown of the banner says that are left.
async fn seconds(browser: &Browser) -> u64 {
    let left =
        format!("return Number(/\\(in (\\d+) seconds?\\)/.exec({BANNER}.textContent)?.[1] ?? -1)");
    browser.run(&left).await.as_f64().unwrap() as u64
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn the_banner_counts_down_through_all_phases_in_the_visitors_zone_and_language() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start(folder.path());
    let driver = Driver::start();
    let mut alice = demo.superuser();
    let visitor = driver.browser(demo.address).await;
    let tokyo = json!({ "timezoneId": "Asia/Tokyo" });
    visitor.tell("Emulation.setTimezoneOverride", tokyo).await;
    // Nothing is announced: there is no banner, and the page is not loaded again below.
    visitor.open("/about").await;
    visitor.run("window.here = true").await;
    visitor
        .until(&format!(
            "return {BANNER} === null && performance.getEntriesByType('resource').length > 0"
        ))
        .await;

    let start = Timestamp::now() + SignedDuration::from_secs(25);
    plan(&mut alice, start, SignedDuration::from_mins(40));
    visitor.says("The site closes for maintenance at ").await;
    let there = start.to_zoned(TimeZone::get("Asia/Tokyo").unwrap());
    let there = there.strftime("%b %-d, %Y, %-I:%M").to_string();
    visitor.says(&there).await;
    let first = seconds(&visitor).await;
    assert!((1..=25).contains(&first), "{first}");
    visitor
        .until(&format!(
            "return Number(/in (\\d+) second/.exec({BANNER}.textContent)?.[1] ?? 0) < {first}"
        ))
        .await;
    // In the language of the page.
    visitor.run("document.documentElement.lang = 'de'").await;
    visitor.says(" Sekunden)").await;
    visitor.run("document.documentElement.lang = 'en'").await;
    // Nobody is read a new one each second.
    let role = format!("return {BANNER}.querySelector('time').getAttribute('role')");
    assert_eq!(visitor.run(&role).await, json!("timer"));
    let link = format!("return {BANNER}.querySelector('a').getAttribute('href')");
    let link = visitor.run(&link).await.as_str().unwrap().to_owned();
    assert!(link.ends_with("/maintenance-mode/plan.ics"), "{link}");
    let barriers = visitor.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");

    // It starts, with a known end.
    visitor
        .says("The site has closed for maintenance. It is over at ")
        .await;
    visitor
        .until(&format!(
            "return /in (40|39) minutes/.test({BANNER}.textContent)"
        ))
        .await;
    // It takes longer than was said: the banner follows.
    press(&mut alice, "change", "mode=site&end=later-120m");
    visitor
        .until(&format!("return /in 3 hours/.test({BANNER}.textContent)"))
        .await;
    press(&mut alice, "off", "mode=site");
    visitor.until(&format!("return {BANNER}.hidden")).await;
    assert_eq!(visitor.run("return window.here").await, json!(true));
    visitor.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn whoever_is_in_sees_until_when_they_may_finish() {
    let folder = TempDir::new().unwrap();
    let demo = Demo::start_with(folder.path(), &[("MAINTENANCE_DRAIN__TIMEOUT", "100s")]);
    let driver = Driver::start();
    let mut alice = demo.superuser();
    let bob = driver.browser(demo.address).await;
    bob.open("/login/user").await;
    bob.says("You are user").await;
    press(&mut alice, "on", "mode=site&drain=true&for=3h");
    bob.says("The site is about to close, at ").await;
    let first = seconds(&bob).await;
    assert!((60..=100).contains(&first), "{first}");
    // The same as the server writes it on the next page.
    bob.open("/").await;
    bob.says("Please finish what you are doing, until ").await;
    bob.until(&format!(
        "return /\\(in \\d+ seconds\\) at the latest/.test({BANNER}.textContent)"
    ))
    .await;
    bob.close().await;
}
