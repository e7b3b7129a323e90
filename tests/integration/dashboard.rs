//! The dashboard: what is, and the forms to change it, without JavaScript.

use std::time::Duration;

use actix_maintenance_mode::{
    Permission, Phase,
    settings::{Access, ModeSettings, OnTimeout},
};
use jiff::{Timestamp, ToSpan as _};

use crate::eventually::eventually;
use crate::test_app::{Answer, LoggedIn, TestApp};

const BASE: &str = "/maintenance-mode";

async fn app() -> (TestApp, LoggedIn) {
    let app =
        TestApp::with_settings(|settings| settings.time_zone = Some("Europe/Rome".into())).await;
    let alice = app.log_in_superuser("alice").await;
    (app, alice)
}

async fn dashboard(app: &TestApp, who: &LoggedIn) -> Answer {
    let answer = app.get(BASE).by(who).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// What a person reads: without the tags, and with one space between words.
fn read(page: &str) -> String {
    let mut text = String::new();
    for part in page.split('<') {
        let (_, after) = part.split_once('>').unwrap_or(("", part));
        text.push(' ');
        text.push_str(after);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ")
}

#[actix_web::test]
async fn only_those_who_may_see_it_see_it() {
    let (app, alice) = app().await;
    let user = app.log_in_user("bob").await;
    for path in ["", "/", "/switch?mode=site", "/plan", "/cancel?id=x"] {
        let path = format!("{BASE}{path}");
        assert_eq!(app.get(&path).await.status, 403, "{path}");
        assert_eq!(app.get(&path).by(&user).await.status, 403, "{path}");
    }
    let page = dashboard(&app, &alice).await;
    assert!(page.text().contains("<h1 id=\"headline\">"));
    assert!(read(page.text()).contains("Everything is open Everybody gets in."));
    // During maintenance too.
    app.turn_on().await;
    let page = dashboard(&app, &alice).await;
    assert!(read(page.text()).contains("In maintenance"));
    assert_eq!(app.head(BASE).by(&alice).await.status, 200);
}

#[actix_web::test]
async fn pages_hold_to_a_strict_policy() {
    let (app, alice) = app().await;
    let planned = app
        .maintenance
        .plan_window()
        .start(Timestamp::now() + 2.hours())
        .await
        .unwrap();
    app.turn_on().await;
    for path in [
        "/".to_owned(),
        "/switch?mode=site&to=on".to_owned(),
        "/switch?mode=site&to=off".to_owned(),
        "/change?mode=site".to_owned(),
        "/plan".to_owned(),
        format!("/cancel?id={}", planned.id),
    ] {
        let answer = app.get(&format!("{BASE}{path}")).by(&alice).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(
            answer.header("content-security-policy"),
            Some(
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                 connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
                 frame-ancestors 'none'"
            )
        );
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        let page = answer.text();
        assert!(
            page.starts_with("<!doctype html>\n<html lang=\"en\" dir=\"ltr\">"),
            "{page}"
        );
        assert_eq!(page.matches("<h1").count(), 1, "{path}");
        assert_eq!(page.matches("<main").count(), 1, "{path}");
        for inline in [
            " style=",
            "<style",
            " onclick",
            "<script>",
            "javascript:",
            "http://",
            "https://",
        ] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
        for text in [
            "Option",
            "None",
            "null",
            "{{",
            "{mode}",
            "{duration}",
            "{time}",
        ] {
            assert!(!page.contains(text), "{path}: {text}: {page}");
        }
    }
}

#[actix_web::test]
async fn the_page_tells_what_is_since_when_by_whom_why_and_until_when() {
    let (app, alice) = app().await;
    app.maintenance
        .turn_on()
        .by("deploy <b>")
        .reason("release 4.2")
        .message("Back soon & well.")
        .lasting(Duration::from_secs(1800))
        .await
        .unwrap();
    let page = dashboard(&app, &alice).await;
    let text = read(page.text());
    for part in [
        "Whole site Closed Since 2",
        "in 30 min",
        "By deploy &lt;b&gt;",
        "Reason release 4.2",
        "Visitors are told Back soon &amp; well.",
        "Bring back",
        "Times are in Europe/Rome.",
        "State: memory:",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Take out of service"));
    assert!(page.text().contains("/switch?mode=site&amp;to=off"));
}

#[actix_web::test]
async fn the_switch_is_asked_about_and_thrown_by_a_form() {
    let (app, alice) = app().await;
    let page = dashboard(&app, &alice).await;
    assert!(
        page.text()
            .contains("href=\"/maintenance-mode/switch?mode=site&amp;to=on\"")
    );

    let asked = app
        .get(&format!("{BASE}/switch?mode=site&to=on"))
        .by(&alice)
        .await;
    let text = read(asked.text());
    assert!(text.contains("Take “Whole site” out of service?"), "{text}");
    assert!(
        text.contains("From that moment visitors are refused"),
        "{text}"
    );
    assert!(!app.maintenance.is_on(), "asking changes nothing");

    let form = "mode=site&next=/maintenance-mode/&message=Soon+back.&reason=r&for=30m&drain=";
    let done = app.post(&format!("{BASE}/on")).by(&alice).form(form).await;
    assert_eq!(done.status, 303);
    assert_eq!(done.header("location"), Some("/maintenance-mode/"));
    let status = app.maintenance.status();
    let site = status.mode("site").unwrap();
    assert_eq!(site.phase, Phase::Offline);
    assert_eq!(site.message.as_deref(), Some("Soon back."));
    let lasts = site.until.unwrap().duration_since(site.since.unwrap());
    assert_eq!(lasts.as_mins(), 30);

    let asked = app
        .get(&format!("{BASE}/switch?mode=site&to=off"))
        .by(&alice)
        .await;
    let text = read(asked.text());
    assert!(text.contains("Bring “Whole site” back?"), "{text}");
    assert!(
        text.contains("Visitors get in again: all at once, or share by share."),
        "{text}"
    );
    let form = "mode=site&next=/maintenance-mode/";
    let done = app.post(&format!("{BASE}/off")).by(&alice).form(form).await;
    assert_eq!(done.status, 303);
    assert!(!app.maintenance.is_on());
    let text = read(dashboard(&app, &alice).await.text());
    assert!(text.contains("switched off (alice)"), "the history: {text}");
}

#[actix_web::test]
async fn a_switch_for_a_while_must_say_for_how_long() {
    let (app, alice) = app().await;
    let answer = app
        .post(&format!("{BASE}/on"))
        .by(&alice)
        .form("for=soon")
        .await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("`for`"), "{}", answer.text());
    assert!(!app.maintenance.is_on());
}

#[actix_web::test]
async fn a_drain_is_started_watched_and_cut_short() {
    let (app, alice) = app().await;
    let inside = app.log_in_user("bob").await;
    app.get("/").by(&inside).await.is_served();
    let done = app
        .post(&format!("{BASE}/on"))
        .by(&alice)
        .form("drain=true&reason=move")
        .await;
    assert_eq!(done.status, 303);
    assert_eq!(app.maintenance.phase(), Phase::Pending);
    let text = read(dashboard(&app, &alice).await.text());
    for part in [
        "Closing for maintenance Those who are in may finish. Nobody new gets in.",
        "Waits until 2",
        "Visitors 1",
        "Bring back Close now",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let asked = app
        .get(&format!("{BASE}/switch?mode=site&to=on"))
        .by(&alice)
        .await;
    let text = read(asked.text());
    assert!(text.contains("It does not wait any longer"), "{text}");
    let done = app
        .post(&format!("{BASE}/on"))
        .by(&alice)
        .form("mode=site")
        .await;
    assert_eq!(done.status, 303);
    assert_eq!(app.maintenance.phase(), Phase::Offline);
    let site = app.maintenance.status();
    assert_eq!(site.mode("site").unwrap().reason.as_deref(), Some("move"));
}

#[actix_web::test]
async fn a_drain_does_not_wait_for_whoever_has_started_it() {
    let (app, alice) = app().await;
    app.get("/").by(&alice).await.is_served();
    assert_eq!(app.maintenance.status().visitors.len(), 1);
    let done = app
        .post(&format!("{BASE}/on"))
        .by(&alice)
        .form("drain=true")
        .await;
    assert_eq!(done.status, 303);
    eventually("nobody else is inside", || {
        app.maintenance.phase() == Phase::Offline
    })
    .await;
}

#[actix_web::test]
async fn the_hint_tells_how_a_drain_ends() {
    for (on_timeout, hint) in [
        (
            OnTimeout::Offline,
            "It closes when all have left, after 15 min at the latest.",
        ),
        (
            OnTimeout::Cancel,
            "if they have not after 15 min, it opens again.",
        ),
    ] {
        let app =
            TestApp::with_settings(move |settings| settings.drain.on_timeout = on_timeout).await;
        let alice = app.log_in_superuser("alice").await;
        let asked = app
            .get(&format!("{BASE}/switch?mode=site&to=on"))
            .by(&alice)
            .await;
        assert!(read(asked.text()).contains(hint), "{}", asked.text());
    }
}

#[actix_web::test]
async fn a_window_is_planned_seen_and_cancelled() {
    let (app, alice) = app().await;
    let form = "title=New+database&start=2099-11-25T22:00&end=2099-11-26T01:00&reason=r&message=m&zone=Asia/Tokyo";
    let done = app
        .post(&format!("{BASE}/plan"))
        .by(&alice)
        .form(form)
        .await;
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(done.header("location"), Some("/maintenance-mode/"));
    let status = app.maintenance.status();
    let window = status.mode("site").unwrap().windows[0].clone();
    assert_eq!(window.start.unwrap().to_string(), "2099-11-25T13:00:00Z");
    assert_eq!(window.end.unwrap().to_string(), "2099-11-25T16:00:00Z");
    assert_eq!(window.by.as_deref(), Some("alice"));

    let text = read(dashboard(&app, &alice).await.text());
    assert!(
        text.contains("2099-11-25 14:00 – 2099-11-25 17:00 in "),
        "{text}"
    );
    assert!(text.contains("New database Whole site Cancel"), "{text}");
    // Whoever's browser says where it is sees it in their zone.
    let answer = app
        .get(BASE)
        .by(&alice)
        .cookie("maintenance_zone", "Asia/Tokyo")
        .await;
    assert!(read(answer.text()).contains("2099-11-25 22:00 – 2099-11-26 01:00"));
    assert!(answer.text().contains("data-zone=\"Asia/Tokyo\""));

    let address = format!("{BASE}/cancel?id={}", window.id);
    let asked = read(app.get(&address).by(&alice).await.text());
    assert!(asked.contains("Cancel “New database”?"), "{asked}");
    assert!(
        asked.contains("The site stays open at that time."),
        "{asked}"
    );
    assert_eq!(app.maintenance.status().modes[0].windows.len(), 1);
    let form = format!("id={}", window.id);
    let done = app
        .post(&format!("{BASE}/cancel"))
        .by(&alice)
        .form(&form)
        .await;
    assert_eq!(done.status, 303);
    assert!(app.maintenance.status().modes[0].windows.is_empty());
    assert_eq!(app.get(&address).by(&alice).await.status, 404);
}

#[actix_web::test]
async fn a_window_repeats_like_its_first_time() {
    let (app, alice) = app().await;
    let next = async |repeat: &str| {
        let form = format!("start=2099-11-25T03:30&end=2099-11-25T05:00&repeat={repeat}");
        let done = app
            .post(&format!("{BASE}/plan"))
            .by(&alice)
            .form(&form)
            .await;
        assert_eq!(done.status, 303, "{}", done.text());
        let status = app.maintenance.status();
        let window = status.modes[0].windows[0].clone();
        app.maintenance.cancel_window(&window.id).await.unwrap();
        let repeats = window.repeats.unwrap();
        assert_eq!(repeats.duration.as_mins(), 90);
        assert_eq!(repeats.zone, "Europe/Rome");
        assert_eq!(window.start.unwrap().to_string(), "2099-11-25T02:30:00Z");
        repeats.cron
    };
    assert_eq!(next("daily").await, "30 3 * * *");
    // A Wednesday.
    assert_eq!(next("weekly").await, "30 3 * * 3");
    assert_eq!(next("monthly").await, "30 3 25 * *");
}

#[actix_web::test]
async fn a_window_that_makes_no_sense_comes_back_with_what_was_written() {
    let (app, alice) = app().await;
    for (form, fault) in [
        (
            "title=Move&start=2099-01-02T10:00&end=2099-01-02T09:00",
            "is not after the start",
        ),
        (
            "title=Move&start=2099-01-02T10:00&repeat=daily",
            "Give start and end",
        ),
        (
            "title=Move&start=2099-01-02T10:00&end=2099-01-02T09:00&repeat=daily",
            "Give start and end",
        ),
        ("title=Move&start=tomorrow", "the start"),
        (
            "title=Move&start=2099-03-29T02:30&zone=Nowhere/Land",
            "Nowhere/Land",
        ),
    ] {
        let answer = app
            .post(&format!("{BASE}/plan"))
            .by(&alice)
            .form(form)
            .await;
        assert_eq!(answer.status, 422, "{form}: {}", answer.text());
        assert!(
            read(answer.text()).contains(fault),
            "{form}: {}",
            answer.text()
        );
        assert!(answer.text().contains("role=\"alert\""));
        assert!(
            answer.text().contains("value=\"Move\""),
            "{}",
            answer.text()
        );
    }
    assert!(app.maintenance.status().modes[0].windows.is_empty());
}

#[actix_web::test]
async fn forms_of_other_sites_change_nothing() {
    let (app, alice) = app().await;
    let planned = app
        .maintenance
        .plan_window()
        .start(Timestamp::now() + 2.hours())
        .await
        .unwrap();
    for (path, form) in [
        ("/plan", "start=2099-01-02T10:00".to_owned()),
        ("/cancel", format!("id={}", planned.id)),
    ] {
        for (name, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Origin", "https://evil.example"),
        ] {
            let answer = app
                .post(&format!("{BASE}{path}"))
                .by(&alice)
                .header(name, value)
                .form(&form)
                .await;
            assert_eq!(answer.status, 403, "{path} {name}");
        }
        let user = app.log_in_user("bob").await;
        let answer = app
            .post(&format!("{BASE}{path}"))
            .by(&user)
            .form(&form)
            .await;
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(app.maintenance.status().modes[0].windows.len(), 1);
}

#[actix_web::test]
async fn whoever_may_only_see_gets_no_switches() {
    let app = TestApp::with_builder(|builder| {
        builder.permission(Permission::See, |visitor, _| visitor.authenticated)
    })
    .await;
    let bob = app.log_in_user("bob").await;
    app.maintenance
        .plan_window()
        .start(Timestamp::now() + 2.hours())
        .await
        .unwrap();
    for _ in 0..2 {
        let page = app.get(BASE).by(&bob).await;
        let text = read(page.text());
        assert!(text.contains("You may look, but not switch."), "{text}");
        for switch in ["/switch?", "/plan", "/cancel?"] {
            assert!(!page.text().contains(switch), "{switch}");
        }
        app.turn_on().await;
    }
    let asked = app.get(&format!("{BASE}/switch?mode=site")).by(&bob).await;
    assert_eq!(asked.status, 404);
    let asked = app.get(&format!("{BASE}/plan")).by(&bob).await;
    assert_eq!(asked.status, 404);
}

#[actix_web::test]
async fn each_mode_has_its_own_switch_and_consequence() {
    let app = TestApp::with_settings(|settings| {
        let mut read_only = ModeSettings::new("writes");
        read_only.label = Some("Read-only".to_owned());
        read_only.help = Some("Copying works best so.".to_owned());
        read_only.access = Access::ReadOnly;
        settings.modes = vec![ModeSettings::new("site"), read_only];
    })
    .await;
    let alice = app.log_in_superuser("alice").await;
    let page = dashboard(&app, &alice).await;
    for part in ["mode=site&amp;to=on", "mode=writes&amp;to=on"] {
        assert!(page.text().contains(part), "{part}: {}", page.text());
    }
    assert!(read(page.text()).contains("Read-only Copying works best so. Open Switch on"));
    let asked = app
        .get(&format!("{BASE}/switch?mode=writes&to=on"))
        .by(&alice)
        .await;
    let text = read(asked.text());
    assert!(text.contains("Switch “Read-only” on?"), "{text}");
    assert!(text.contains("every change is refused"), "{text}");

    let done = app
        .post(&format!("{BASE}/on"))
        .by(&alice)
        .form("mode=writes")
        .await;
    assert_eq!(done.status, 303);
    let text = read(dashboard(&app, &alice).await.text());
    assert!(
        text.contains("In maintenance Read-only: Read-only"),
        "{text}"
    );
    let answer = app
        .get(&format!("{BASE}/switch?mode=nothing"))
        .by(&alice)
        .await;
    assert_eq!(answer.status, 404);
}

#[actix_web::test]
async fn whoever_holds_a_mode_and_what_runs_are_told() {
    let (app, alice) = app().await;
    let task = app.maintenance.task("import").run(async {
        let guard = app
            .maintenance
            .while_on()
            .by("nightly job")
            .exclusive()
            .enter()
            .await
            .unwrap();
        let text = read(dashboard(&app, &alice).await.text());
        assert!(text.contains("Locked by nightly job"), "{text}");
        assert!(text.contains("Running tasks import"), "{text}");
        guard.release().await.unwrap();
    });
    task.await.unwrap();
}

#[actix_web::test]
async fn a_store_that_fails_is_told_with_how_old_the_knowledge_is() {
    let folder = tempfile::TempDir::new().unwrap();
    let state = folder.path().join("maintenance.state");
    let url = format!("file:{}", state.display());
    let app = TestApp::with_settings(move |settings| settings.store = url).await;
    let alice = app.log_in_superuser("alice").await;
    app.turn_on().await;
    std::fs::remove_file(&state).unwrap();
    std::fs::create_dir(&state).unwrap();
    eventually("the failure is seen", || {
        app.maintenance.status().store.error.is_some()
    })
    .await;
    let text = read(dashboard(&app, &alice).await.text());
    assert!(
        text.contains("The state cannot be read What you see was read 2"),
        "{text}"
    );
    assert!(text.contains("ago). It may be old."), "{text}");
    assert!(text.contains("it is a folder"), "{text}");
    assert!(
        text.contains("In maintenance"),
        "the last that is known: {text}"
    );
    let done = app.post(&format!("{BASE}/off")).by(&alice).form("").await;
    assert_eq!(done.status, 503);
}

#[actix_web::test]
async fn a_state_that_is_forced_is_told_and_has_no_switches() {
    let app = TestApp::with_settings(|settings| {
        settings.forced = Some(actix_maintenance_mode::settings::Forced::Off);
    })
    .await;
    let alice = app.log_in_superuser("alice").await;
    let page = app.get(BASE).by(&alice).await;
    let text = read(page.text());
    assert!(
        text.contains("The settings force maintenance off."),
        "{text}"
    );
    assert!(!page.text().contains("/switch?"), "{}", page.text());
}

#[actix_web::test]
async fn the_dashboard_is_in_the_readers_language() {
    let (app, alice) = app().await;
    for (tag, headline) in [
        ("de", "Alles ist offen"),
        ("fr", "Tout est ouvert"),
        ("es", "Todo está abierto"),
        ("it", "Tutto è aperto"),
        ("pt", "Tudo está aberto"),
        ("zh", "一切正常开放"),
        ("ja", "すべて公開中です"),
    ] {
        let page = app
            .get(BASE)
            .by(&alice)
            .header("Accept-Language", tag)
            .await;
        assert_eq!(page.header("content-language"), Some(tag));
        assert!(page.text().contains(&format!("<html lang=\"{tag}\"")));
        assert!(read(page.text()).contains(headline), "{}", page.text());
    }
}

#[actix_web::test]
async fn the_files_of_the_pages_are_served_to_anybody_and_revalidated() {
    let app = TestApp::start().await;
    app.turn_on().await;
    for (name, kind) in [
        ("dashboard.css", "text/css; charset=utf-8"),
        ("dashboard.js", "text/javascript; charset=utf-8"),
        ("maintenance.js", "text/javascript; charset=utf-8"),
    ] {
        let path = format!("{BASE}/static/{name}");
        let answer = app.get(&path).await;
        answer.is_served();
        assert_eq!(answer.header("content-type"), Some(kind));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let tag = answer.header("etag").unwrap().to_owned();
        let again = app.get(&path).header("If-None-Match", &tag).await;
        assert_eq!(again.status, 304);
        assert!(again.body.is_empty());
    }
    for name in ["nothing.js", "dashboard.css%00"] {
        let answer = app.get(&format!("{BASE}/static/{name}")).await;
        assert_eq!(answer.status, 404, "{name}");
    }
    // A path with dots opens nothing while the site is closed, and is no file while it is open.
    let dots = format!("{BASE}/static/..%2f..%2fCargo.toml");
    assert_eq!(app.get(&dots).await.status, 503);
    app.turn_off().await;
    assert_eq!(app.get(&dots).await.status, 404);
}
