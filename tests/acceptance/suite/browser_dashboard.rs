//! The dashboard in a real browser: that it is not connected is seen, nothing that was written is
//! lost, and it can be read with little and with much in it, in any width.

use std::{fmt::Write as _, fs, time::Duration};

use fantoccini::Locator;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    demo::Demo,
    webdriver::{Browser, Driver, Scheme},
};

const DASHBOARD: &str = "/maintenance-mode/";
const LOG_IN: &str = "/login/superuser?next=/maintenance-mode/";
/// Sessions outlive a restart of the demo by it.
const KEY: &str = "a key of sixty-four bytes, as cookies need it, for tests and no other";

struct Shop {
    demo: Demo,
    driver: Driver,
    folder: TempDir,
}

impl Shop {
    fn open(variables: &[(&str, &str)]) -> Self {
        Self::in_folder(TempDir::new().unwrap(), variables)
    }

    fn in_folder(folder: TempDir, variables: &[(&str, &str)]) -> Self {
        Self {
            demo: Demo::start_with(folder.path(), variables),
            driver: Driver::start(),
            folder,
        }
    }

    async fn superuser(&self) -> Browser {
        let browser = self.driver.browser(self.demo.address).await;
        browser.open(LOG_IN).await;
        browser.find("#headline").await;
        browser
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("maintenance.state")
    }
}

/// Whether a script says so by now; waits for it.
async fn comes_true(browser: &Browser, script: &str) {
    let script = format!("return Boolean({script})");
    for _ in 0..600 {
        if browser.run(&script).await == json!(true) {
            return;
        }
        actix_web::rt::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come true: {script}: {}", browser.text().await);
}

/// Presses and releases the mouse there.
async fn click_at(browser: &Browser, x: f64, y: f64) {
    for kind in ["mousePressed", "mouseReleased"] {
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1 });
        browser.tell("Input.dispatchMouseEvent", event).await;
    }
}

async fn press(browser: &Browser, key: &str) {
    for kind in ["keyDown", "keyUp"] {
        let event = json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": 27 });
        browser.tell("Input.dispatchKeyEvent", event).await;
    }
}

/// Goes on in the frame of the preview, where the page is as visitors get it.
async fn enter_preview(browser: &Browser) {
    let frame = browser.find("dialog iframe").await;
    frame.enter_frame().await.unwrap();
}

async fn value(browser: &Browser, selector: &str) -> Value {
    browser.find(selector).await;
    let selector = json!(selector);
    browser
        .run(&format!("return document.querySelector({selector}).value"))
        .await
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn a_page_that_is_not_connected_says_so_and_since_when() {
    let shop = Shop::open(&[]);
    let alice = shop.superuser().await;
    alice.says("This page follows changes by itself.").await;
    let before = Timestamp::now();
    // The server is there and does not answer: only that nothing comes can tell.
    shop.demo.signal("STOP");
    alice.says("Not connected since").await;
    let shown = alice.find("#unreached time").await;
    let since = shown.attr("datetime").await.unwrap().unwrap();
    let since: Timestamp = since.parse().unwrap();
    // When the server answered last, which it may have done just before it was stopped.
    assert!(since <= Timestamp::now(), "{since}");
    assert!(before - SignedDuration::from_secs(30) < since, "{since}");
    let text = alice.text().await;
    assert!(!text.contains("follows changes by itself"), "{text}");
    let filter = "getComputedStyle(document.getElementById('state')).filter";
    assert_eq!(alice.run(&format!("return {filter}")).await, "grayscale(1)");
    let barriers = alice.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    // The page stays when somebody wants to do something.
    alice.click("#close-site").await;
    comes_true(&alice, "!document.getElementById('unreached').hidden").await;
    alice.says("Everything is open").await;

    shop.demo.signal("CONT");
    alice.says("This page follows changes by itself.").await;
    comes_true(&alice, "document.getElementById('unreached').hidden").await;
    assert_eq!(alice.run(&format!("return {filter}")).await, "none");
    shop.demo
        .superuser()
        .press("/maintenance-mode/on", "mode=site");
    alice.says("In maintenance").await;
    alice.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn a_store_that_fails_and_is_back_is_seen_without_a_reload() {
    let shop = Shop::open(&[]);
    let alice = shop.superuser().await;
    shop.demo
        .superuser()
        .press("/maintenance-mode/on", "mode=site");
    alice.says("In maintenance").await;
    let kept = fs::read(shop.state()).unwrap();
    fs::remove_file(shop.state()).unwrap();
    fs::create_dir(shop.state()).unwrap();
    alice.says("The state cannot be read").await;

    // What is written then is not lost, and is sent when the store is back.
    alice.click("#change-site").await;
    alice.write("dialog #message", "It takes longer.").await;
    alice.click("dialog #do").await;
    alice.says("This was not done").await;
    assert_eq!(value(&alice, "dialog #message").await, "It takes longer.");
    let barriers = alice.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    fs::remove_dir(shop.state()).unwrap();
    fs::write(shop.state(), kept).unwrap();
    comes_true(&alice, "!document.getElementById('store-down')").await;
    alice.click("dialog #do").await;
    comes_true(&alice, "!document.querySelector('dialog')").await;
    alice.says("It takes longer.").await;
    alice.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn a_dialog_keeps_what_is_written_in_it() {
    let shop = Shop::open(&[]);
    let alice = shop.superuser().await;
    alice.click("#close-site").await;
    alice.write("dialog #message", "A long text.").await;
    alice.write("dialog #reason", "why").await;
    // Beside the dialog, and on its padding.
    click_at(&alice, 3.0, 3.0).await;
    let corner = alice
        .run("const it = document.querySelector('dialog').getBoundingClientRect(); return [it.x, it.y]")
        .await;
    let at = |axis: usize| corner[axis].as_f64().unwrap() + 4.0;
    click_at(&alice, at(0), at(1)).await;
    assert_eq!(value(&alice, "dialog[open] #message").await, "A long text.");
    // A key closes it, and what was written comes again.
    press(&alice, "Escape").await;
    comes_true(&alice, "!document.querySelector('dialog')").await;
    let focus = alice.run("return document.activeElement.id").await;
    assert_eq!(focus, "close-site");
    alice.click("#close-site").await;
    assert_eq!(value(&alice, "dialog #message").await, "A long text.");
    assert_eq!(value(&alice, "dialog #reason").await, "why");
    // Whoever leaves it as it is means it.
    alice.click("dialog [data-close]").await;
    comes_true(&alice, "!document.querySelector('dialog')").await;
    alice.click("#close-site").await;
    assert_eq!(value(&alice, "dialog #message").await, "");
    alice.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn a_form_that_was_not_answered_can_be_sent_again() {
    let folder = TempDir::new().unwrap();
    let mut shop = Shop::in_folder(folder, &[("DEMO_KEY", KEY)]);
    let alice = shop.superuser().await;
    alice.click("#close-site").await;
    alice.write("dialog #message", "Back at noon.").await;
    let address = shop.demo.address.to_string();
    shop.demo.signal("KILL");
    comes_true(&alice, "!document.getElementById('unreached').hidden").await;
    alice.click("dialog #do").await;
    alice.says("No answer came.").await;
    assert_eq!(value(&alice, "dialog #message").await, "Back at noon.");
    let variables = [("DEMO_KEY", KEY), ("DEMO_ADDR", address.as_str())];
    shop.demo = Demo::start_with(shop.folder.path(), &variables);
    comes_true(&alice, "document.getElementById('unreached').hidden").await;
    alice.click("dialog #do").await;
    alice.says("In maintenance").await;
    alice.says("Back at noon.").await;
    alice.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn whoever_was_logged_out_logs_in_elsewhere_and_sends_the_form_again() {
    let shop = Shop::open(&[("MAINTENANCE_LOGIN_URL", "/login/superuser")]);
    let alice = shop.superuser().await;
    alice.click("#close-site").await;
    alice.write("dialog #message", "Back at noon.").await;
    alice.client.delete_all_cookies().await.unwrap();
    alice.click("dialog #do").await;
    alice.says("You are not logged in any more").await;
    assert_eq!(value(&alice, "dialog #message").await, "Back at noon.");
    let own = alice.client.window().await.unwrap();
    alice.click("dialog #fault a").await;
    let other = loop {
        let windows = alice.client.windows().await.unwrap();
        if let Some(other) = windows.into_iter().find(|it| *it != own) {
            break other;
        }
    };
    alice.client.switch_to_window(other).await.unwrap();
    alice.says("You are superuser").await;
    alice.client.close_window().await.unwrap();
    alice.client.switch_to_window(own).await.unwrap();
    alice.click("dialog #do").await;
    alice.says("In maintenance").await;
    alice.says("Back at noon.").await;
    alice.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn running_late_is_said_on_the_dashboard_and_nobody_is_overwritten() {
    let shop = Shop::open(&[]);
    let alice = shop.superuser().await;
    let visitor = shop.driver.browser(shop.demo.address).await;
    let form = "mode=site&for=30m&message=Back+soon.";
    shop.demo.superuser().press("/maintenance-mode/on", form);
    alice.says("Back soon.").await;
    visitor.open("/about").await;
    visitor.says("Back soon.").await;

    alice.click("#change-site").await;
    assert_eq!(value(&alice, "dialog #message").await, "Back soon.");
    let hidden = "document.getElementById('until-time').hidden";
    comes_true(&alice, hidden).await;
    alice.click("dialog #end option[value='at']").await;
    comes_true(&alice, &format!("!{hidden}")).await;
    alice.click("dialog #end option[value='later-60m']").await;
    alice.write("dialog #message", " An hour more.").await;
    let barriers = alice.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    alice.click("dialog #do").await;
    alice.says("Back soon. An hour more.").await;
    alice.says("in 1 h").await;
    visitor.open("/about").await;
    visitor.says("An hour more.").await;

    // Two have the form open.
    alice.click("#change-site").await;
    alice.write("dialog #reason", "hers").await;
    let bob = shop.superuser().await;
    bob.click("#change-site").await;
    bob.write("dialog #reason", "his").await;
    bob.click("dialog #do").await;
    comes_true(&bob, "!document.querySelector('dialog')").await;
    bob.says("his").await;
    alice.click("dialog #do").await;
    alice
        .says("Somebody has switched or changed “Whole site”")
        .await;
    assert_eq!(value(&alice, "dialog #reason").await, "hers");
    let told = alice.find("dialog #fault").await.text().await.unwrap();
    assert!(told.contains("his"), "{told}");
    bob.says("his").await;
    alice.click("dialog #do").await;
    bob.says("hers").await;
    for browser in [alice, bob, visitor] {
        browser.close().await;
    }
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn a_window_is_planned_in_the_zone_of_the_site_with_the_readers_beside_it() {
    let shop = Shop::open(&[("MAINTENANCE_TIME_ZONE", "Europe/Rome")]);
    let alice = shop.driver.browser(shop.demo.address).await;
    let tokyo = json!({ "timezoneId": "Asia/Tokyo" });
    alice.tell("Emulation.setTimezoneOverride", tokyo).await;
    alice.open(LOG_IN).await;
    alice.says("Times are in Asia/Tokyo.").await;
    alice.click("#plan").await;
    assert_eq!(value(&alice, "dialog #zone").await, "Europe/Rome");
    let set = async |field: &str, to: &str| {
        alice.set(field, to).await;
        let event = "new Event('input', { bubbles: true })";
        let script = format!("document.querySelector('{field}').dispatchEvent({event})");
        alice.run(&script).await;
    };
    set("dialog #start", "2099-03-31T22:00").await;
    set("dialog #end", "2099-03-31T23:30").await;
    // Rome is two hours ahead of UTC then, and Tokyo nine.
    alice
        .says("Start: That is 2099-04-01 05:00 in Asia/Tokyo, where you are.")
        .await;
    alice
        .says("End: That is 2099-04-01 06:30 in Asia/Tokyo, where you are.")
        .await;
    let hint = "document.getElementById('repeat-hint')";
    comes_true(&alice, &format!("{hint}.hidden")).await;
    alice.click("dialog #repeat option[value='monthly']").await;
    alice.says("Months without a day 31 are left out.").await;
    let barriers = alice.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    alice.click("dialog #do").await;
    comes_true(&alice, "!document.querySelector('dialog')").await;
    alice
        .says("on the 31st of every month that has one at 22:00")
        .await;
    let start = alice.find(".windows time").await;
    let start = start.attr("datetime").await.unwrap().unwrap();
    assert_eq!(start, "2099-03-31T20:00:00Z");

    // In their own zone there is nothing beside it.
    alice.click("#plan").await;
    alice.click("dialog #zone option[value='Asia/Tokyo']").await;
    set("dialog #start", "2099-03-31T22:00").await;
    comes_true(&alice, "document.querySelector('[data-own=start]').hidden").await;
    let complaints = alice.complaints(&[]).await;
    assert!(complaints.is_empty(), "{complaints:#?}");
    alice.close().await;
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn the_page_is_seen_before_it_is_shown() {
    let shop = Shop::open(&[]);
    let alice = shop.superuser().await;
    alice.click("#close-site").await;
    alice.write("dialog #message", "Only a preview.").await;
    alice.click("dialog #preview summary").await;
    alice.click("dialog #show-preview").await;
    enter_preview(&alice).await;
    alice.says("Only a preview.").await;
    alice.client.enter_parent_frame().await.unwrap();
    // In dark and in light, whatever the device prefers, and in another language and form.
    for scheme in ["dark", "light"] {
        let choice = format!("dialog #scheme option[value={scheme}]");
        alice.click(&choice).await;
        enter_preview(&alice).await;
        let prefers = format!("return matchMedia('(prefers-color-scheme: {scheme})').matches");
        alice.until(&prefers).await;
        alice.client.enter_parent_frame().await.unwrap();
    }
    for (choice, words) in [
        ("language option[value=de]", "Wartungsarbeiten"),
        (
            "format option[value=json]",
            "\"message\":\"Only a preview.\"",
        ),
        (
            "format option[value=problem]",
            "\"detail\":\"Only a preview.\"",
        ),
        ("format option[value=text]", "Only a preview."),
    ] {
        alice.click(&format!("dialog #{choice}")).await;
        enter_preview(&alice).await;
        alice.says(words).await;
        alice.client.enter_parent_frame().await.unwrap();
    }
    assert_eq!(value(&alice, "dialog #message").await, "Only a preview.");
    alice.click("dialog [data-close]").await;
    alice.says("Everything is open").await;
    let complaints = alice.complaints(&[]).await;
    assert!(complaints.is_empty(), "{complaints:#?}");

    // By itself it follows what the device prefers.
    let mut colours = Vec::new();
    for scheme in [Scheme::Light, Scheme::Dark] {
        alice.prefer(scheme).await;
        alice.open("/maintenance-mode/preview?format=html").await;
        alice.says("Down for maintenance").await;
        colours.push(
            alice
                .run("return getComputedStyle(document.body).backgroundColor")
                .await,
        );
    }
    assert_eq!(colours, ["rgb(244, 245, 247)", "rgb(18, 22, 28)"]);

    // Without scripts just so.
    let bob = shop.driver.browser_without_scripts(shop.demo.address).await;
    bob.open(LOG_IN).await;
    bob.click("#close-site").await;
    bob.write("#message", "Only a preview.").await;
    bob.click("#preview summary").await;
    bob.click("#show-preview").await;
    bob.find("iframe").await.enter_frame().await.unwrap();
    bob.says("Only a preview.").await;
    bob.client.enter_parent_frame().await.unwrap();
    bob.click("#do").await;
    bob.says("In maintenance").await;
    for browser in [alice, bob] {
        browser.close().await;
    }
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn those_who_may_see_the_dashboard_find_it_from_the_refusal() {
    let folder = TempDir::new().unwrap();
    let settings = "[exempt]\nprefixes = [\"/login\"]\n";
    fs::write(folder.path().join("maintenance.toml"), settings).unwrap();
    let shop = Shop::in_folder(folder, &[]);
    let alice = shop.superuser().await;
    let visitor = shop.driver.browser(shop.demo.address).await;
    shop.demo
        .superuser()
        .press("/maintenance-mode/on", "mode=site");
    alice.open("/about").await;
    alice.says("To the maintenance dashboard").await;
    let barriers = alice.barriers().await;
    assert!(barriers.is_empty(), "{barriers:#?}");
    visitor.open("/about").await;
    visitor.says("Down for maintenance").await;
    // It is told of the change as the other is, and shows no more.
    comes_true(
        &visitor,
        "performance.getEntriesByName(document.scripts[0].src).length",
    )
    .await;
    alice.click("#maintenance-dashboard").await;
    alice.says("In maintenance").await;
    let text = visitor.text().await;
    assert!(!text.contains("dashboard"), "{text}");
    for browser in [alice, visitor] {
        browser.close().await;
    }
}

/// A site with so many modes and windows, and something closed in it.
fn with_much(modes: usize, windows: usize) -> Shop {
    let folder = TempDir::new().unwrap();
    let mut settings = "[exempt]\nprefixes = [\"/login\"]\n".to_owned();
    for number in 0..modes {
        let part = match number {
            0 => String::new(),
            _ => format!("applies_to = {{ prefixes = [\"/part-{number}\"] }}\n"),
        };
        write!(
            settings,
            "[[mode]]\nkey = \"mode-{number}\"\nlabel = \"Mode number {number}\"\n\
             help = \"What it is for, in a sentence or so.\"\n{part}"
        )
        .unwrap();
    }
    fs::write(folder.path().join("maintenance.toml"), settings).unwrap();
    let shop = Shop::in_folder(folder, &[]);
    let mut operator = shop.demo.superuser();
    for number in 0..windows {
        let start = Timestamp::now() + SignedDuration::from_hours(7 * (number as i64 + 1));
        let end = start + SignedDuration::from_hours(2);
        let form = format!(
            "mode=mode-{}&title=Window+{number}&start={}&end={}&zone=UTC&reason=Maintenance+of+the+{number}th+kind",
            number % modes,
            start.strftime("%Y-%m-%dT%H:%M"),
            end.strftime("%Y-%m-%dT%H:%M"),
        );
        let done = operator.press("/maintenance-mode/plan", &form);
        assert_eq!(done.status, 303, "{}", done.body);
    }
    let long = "A+message+that+is+somewhat+longer+than+others.+".repeat(8);
    let form = format!(
        "mode=mode-0&message={long}&reason={}",
        "Überlänge".repeat(30)
    );
    let done = operator.press("/maintenance-mode/on", &form);
    assert_eq!(done.status, 303, "{}", done.body);
    shop
}

#[actix_web::test]
#[ignore = "needs chromium-driver"]
async fn little_and_much_can_be_read_in_every_width() {
    for (modes, windows) in [(1, 0), (3, 60), (12, 60)] {
        let shop = with_much(modes, windows);
        let alice = shop.superuser().await;
        for scheme in [Scheme::Light, Scheme::Dark] {
            alice.prefer(scheme).await;
            for width in [320, 768, 1440] {
                let what = format!("{modes} modes, {windows} windows, {width} px, {scheme:?}");
                alice.be_wide(Some(width)).await;
                alice.open(DASHBOARD).await;
                alice.says("In maintenance").await;
                let all = "for (const it of document.querySelectorAll('details')) it.open = true";
                alice.run(all).await;
                let is_too_wide = alice
                    .run(
                        "const page = document.documentElement; \
                         return page.scrollWidth > page.clientWidth",
                    )
                    .await;
                assert_eq!(is_too_wide, json!(false), "{what}");
                let barriers = alice.barriers().await;
                assert!(barriers.is_empty(), "{what}: {barriers:#?}");
            }
        }
        alice.be_wide(None).await;
        let cards = alice.client.find_all(Locator::Css("article.mode")).await;
        assert_eq!(cards.unwrap().len(), 1);
        let rows = alice.client.find_all(Locator::Css(".rows li")).await;
        assert_eq!(rows.unwrap().len(), modes - 1);
        let listed = alice.client.find_all(Locator::Css(".windows li")).await;
        assert_eq!(listed.unwrap().len(), windows);
        let complaints = alice.complaints(&[]).await;
        assert!(complaints.is_empty(), "{complaints:#?}");
        alice.close().await;
    }
}
