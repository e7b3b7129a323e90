//! What is planned, for everybody: as data, and as a calendar to subscribe to.

use std::time::Duration;

use actix_maintenance_mode::{
    Settings,
    settings::{ModeSettings, TokenSettings},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::Value;

use crate::test_app::{Answer, TestApp};

const JSON: &str = "/maintenance-mode/plan.json";
const CALENDAR: &str = "/maintenance-mode/plan.ics";

async fn app_with(edit: impl FnOnce(&mut Settings) + Send + 'static) -> TestApp {
    TestApp::with_settings(|settings| {
        settings.public.plan = true;
        edit(settings);
    })
    .await
}

async fn app() -> TestApp {
    app_with(|_| {}).await
}

/// In whole seconds, which is what a calendar has.
fn hours(hours: i64) -> Timestamp {
    let now = Timestamp::now().as_second();
    Timestamp::from_second(now).unwrap() + SignedDuration::from_hours(hours)
}

fn in_calendar(instant: Timestamp) -> String {
    let instant = instant.to_zoned(TimeZone::UTC);
    instant.strftime("%Y%m%dT%H%M%SZ").to_string()
}

async fn plan(app: &TestApp, title: &str, start: i64, end: i64) -> String {
    let plan = app
        .maintenance
        .plan_window()
        .title(title)
        .start(hours(start))
        .end(hours(end))
        .by("mallory")
        .reason("secret reason")
        .message("secret message");
    plan.await.unwrap().id
}

async fn windows(app: &TestApp) -> Vec<Value> {
    let answer = app.get(JSON).await;
    answer.is_served();
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()["windows"].as_array().unwrap().clone()
}

async fn calendar(app: &TestApp) -> Answer {
    let answer = app.get(CALENDAR).await;
    answer.is_served();
    let kind = answer.header("content-type");
    assert_eq!(kind, Some("text/calendar; charset=utf-8"));
    answer
}

/// The lines of the calendar, each whole.
fn lines(calendar: &Answer) -> Vec<String> {
    let whole = calendar.text().replace("\r\n ", "");
    whole.split("\r\n").map(str::to_owned).collect()
}

#[track_caller]
fn has(calendar: &Answer, line: &str) {
    let lines = lines(calendar);
    assert!(lines.iter().any(|it| it == line), "{line}: {lines:#?}");
}

#[actix_web::test]
async fn unless_it_is_set_there_is_no_plan() {
    let app = TestApp::start().await;
    plan(&app, "New database", 1, 2).await;
    let alice = app.log_in_superuser("alice").await;
    for path in [JSON, CALENDAR] {
        for answer in [app.get(path).await, app.get(path).by(&alice).await] {
            assert_eq!(answer.status, 404, "{path}");
            assert!(!answer.text().contains("database"), "{path}");
        }
    }
    app.turn_on().await;
    let page = app.get("/").accept("text/html").await;
    assert!(!page.text().contains("plan.ics"), "{}", page.text());
    assert_eq!(app.maintenance.flag().maintenance.plan, None);
}

#[actix_web::test]
async fn anybody_reads_what_is_planned_and_nothing_that_is_not_for_them() {
    let app = app().await;
    let id = plan(&app, "New database", 1, 2).await;
    let [window] = windows(&app).await.try_into().unwrap();
    assert_eq!(window["uid"], format!("{id}@maintenance"));
    assert_eq!(window["title"], "New database");
    assert_eq!(
        (&window["mode"], &window["label"]),
        (&"site".into(), &"Whole site".into())
    );
    assert_eq!(window["cancelled"], false);
    assert_eq!(window["sequence"], 0);
    let start: Timestamp = window["start"].as_str().unwrap().parse().unwrap();
    let end: Timestamp = window["end"].as_str().unwrap().parse().unwrap();
    assert_eq!(end.duration_since(start), SignedDuration::from_hours(1));

    let calendar = calendar(&app).await;
    for line in [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "METHOD:PUBLISH",
        &format!("UID:{id}@maintenance"),
        &format!("DTSTART:{}", in_calendar(start)),
        &format!("DTEND:{}", in_calendar(end)),
        "SUMMARY:New database",
        "CATEGORIES:Whole site",
        "STATUS:CONFIRMED",
        "SEQUENCE:0",
    ] {
        has(&calendar, line);
    }
    for answer in [app.get(JSON).await, calendar] {
        for secret in ["mallory", "secret"] {
            assert!(!answer.text().contains(secret), "{}", answer.text());
        }
    }
    // As everywhere in the scope.
    for path in [format!("{JSON}/"), format!("{CALENDAR}/")] {
        app.get(&path).await.is_served();
    }
    assert_eq!(app.post(CALENDAR).await.status, 405);
    let head = app.head(CALENDAR).await;
    assert_eq!(head.status, 200);
    assert!(head.header("etag").is_some());
}

#[actix_web::test]
async fn it_passes_while_everything_is_closed() {
    let app = app().await;
    plan(&app, "New database", 1, 2).await;
    app.turn_on().await;
    app.get("/").await.is_refused();
    assert_eq!(windows(&app).await.len(), 1);
    calendar(&app).await;
}

#[actix_web::test]
async fn who_has_it_already_is_not_sent_it_again() {
    let app = app().await;
    let id = plan(&app, "New database", 1, 2).await;
    for path in [JSON, CALENDAR] {
        let first = app.get(path).await;
        let tag = first.header("etag").unwrap();
        assert_eq!(first.header("cache-control"), Some("no-cache"));
        let again = app.get(path).await;
        assert_eq!(again.header("etag"), Some(tag), "it is the same");
        assert_eq!(again.body, first.body);
        for known in [tag, &format!("W/{tag}"), &format!("\"other\", {tag}"), "*"] {
            let known = app.get(path).header("If-None-Match", known).await;
            assert_eq!(known.status, 304, "{known:?}");
            assert!(known.body.is_empty());
            assert_eq!(known.header("etag"), Some(tag));
        }
        let other = app.get(path).header("If-None-Match", "\"other\"").await;
        assert_eq!(other.status, 200);
    }
    let before = app.get(CALENDAR).await;
    app.maintenance.cancel_window(&id).await.unwrap();
    let known = app.get(CALENDAR);
    let known = known.header("If-None-Match", before.header("etag").unwrap());
    assert_eq!(known.await.status, 200, "it is another one now");
}

#[actix_web::test]
async fn what_is_called_off_is_told_under_the_same_name() {
    let app = app().await;
    let id = plan(&app, "New database", 1, 2).await;
    let kept = plan(&app, "New shelf", 3, 4).await;
    app.maintenance.cancel_window(&id).by("bob").await.unwrap();
    let [cancelled, window] = windows(&app).await.try_into().unwrap();
    assert_eq!(cancelled["uid"], format!("{id}@maintenance"));
    assert_eq!(cancelled["cancelled"], true);
    assert_eq!(
        cancelled["sequence"], 1,
        "it is newer than what was told before"
    );
    assert_eq!(window["uid"], format!("{kept}@maintenance"));
    let calendar = calendar(&app).await;
    has(&calendar, "STATUS:CANCELLED");
    has(&calendar, "SEQUENCE:1");
    for secret in ["mallory", "bob", "secret"] {
        assert!(!calendar.text().contains(secret), "{}", calendar.text());
    }
}

#[actix_web::test]
async fn what_repeats_is_told_one_by_one_for_a_year() {
    let app = app().await;
    let plan = app
        .maintenance
        .plan_window()
        .repeats("0 3 * * *")
        .zone("Europe/Rome")
        .lasting(Duration::from_secs(3600))
        .title("Backup");
    let id = plan.await.unwrap().id;
    let told = windows(&app).await;
    assert!((365..=366).contains(&told.len()), "{}", told.len());
    let starts: Vec<Timestamp> = told
        .iter()
        .map(|it| it["start"].as_str().unwrap().parse().unwrap())
        .collect();
    for (window, start) in told.iter().zip(&starts) {
        let uid = format!("{id}-{}@maintenance", in_calendar(*start));
        assert_eq!(window["uid"], uid);
        // In the zone of the window, through summer and winter.
        let rome = start.in_tz("Europe/Rome").unwrap();
        assert_eq!((rome.hour(), rome.minute()), (3, 0), "{rome}");
    }
    assert!(starts.is_sorted());
    let of_calendar = lines(&calendar(&app).await);
    let events = of_calendar
        .iter()
        .filter(|it| *it == "BEGIN:VEVENT")
        .count();
    assert_eq!(events, told.len());

    // One night is called off; the others stay.
    let cancel = app.maintenance.cancel_window(&id).only_next();
    cancel.await.unwrap();
    let after = windows(&app).await;
    assert_eq!(after[0]["uid"], told[0]["uid"]);
    assert_eq!(
        (&after[0]["cancelled"], &after[0]["sequence"]),
        (&true.into(), &1.into())
    );
    assert_eq!(after[1], told[1]);
    // And then all.
    app.maintenance.cancel_window(&id).await.unwrap();
    let all = windows(&app).await;
    assert_eq!(all.len(), told.len());
    assert!(all.iter().all(|window| window["cancelled"] == true));
}

#[actix_web::test]
async fn modes_that_are_not_named_are_not_told() {
    let modes = |settings: &mut Settings| {
        let mut shop = ModeSettings::new("shop");
        shop.label = Some("The shop".to_owned());
        settings.modes = vec![shop, ModeSettings::new("vault")];
    };
    let both = async |app: &TestApp| {
        for mode in ["shop", "vault"] {
            let plan = app.maintenance.plan_window().mode(mode);
            let plan = plan.start(hours(1)).end(hours(2)).title(mode);
            plan.await.unwrap();
        }
    };
    let app = app_with(modes).await;
    both(&app).await;
    assert_eq!(windows(&app).await.len(), 2, "unless it is said, all are");
    let app = app_with(move |settings| {
        modes(settings);
        settings.public.modes = vec!["shop".to_owned()];
        let (token, _) = TokenSettings::generate("all").unwrap();
        settings.admin.tokens = vec![token];
    })
    .await;
    both(&app).await;
    let [window] = windows(&app).await.try_into().unwrap();
    assert_eq!(window["label"], "The shop");
    assert!(!calendar(&app).await.text().contains("vault"));
    let fault = Settings::from_toml("[public]\nplan = true\nmodes = [\"shop\"]");
    let fault = fault.unwrap_err().to_string();
    assert!(
        fault.contains("public.modes") && fault.contains("no mode has this key"),
        "{fault}"
    );
}

#[actix_web::test]
async fn what_has_no_title_is_called_by_the_readers_language() {
    let app = app().await;
    let plan = app.maintenance.plan_window().start(hours(1));
    plan.await.unwrap();
    let german = app.get(CALENDAR).header("Accept-Language", "de").await;
    has(&german, "X-WR-CALNAME:Geplante Wartung");
    has(&german, "SUMMARY;LANGUAGE=de:Geplante Wartung");
    assert_eq!(german.header("vary"), Some("Accept-Language"));
    let english = calendar(&app).await;
    has(&english, "SUMMARY;LANGUAGE=en:Planned maintenance");
    assert_ne!(german.header("etag"), english.header("etag"));
    // It has no end, so none is told.
    assert!(!english.text().contains("DTEND"));
}

#[actix_web::test]
async fn pages_link_to_it() {
    let app = app_with(|settings| settings.public_path = Some("/shop".to_owned())).await;
    let link = "/shop/maintenance-mode/plan.ics";
    let flag = app.get("/flag").await.json();
    assert_eq!(flag["maintenance"]["plan"], link);
    assert_eq!(
        app.maintenance.flag().maintenance.plan.as_deref(),
        Some(link)
    );
    let alice = app.log_in_superuser("alice").await;
    let preview = app.get("/maintenance-mode/preview").accept("text/html");
    let preview = preview.by(&alice).await;
    app.turn_on().await;
    let page = app.get("/").accept("text/html").await;
    page.is_refused();
    for page in [page, preview] {
        let link = format!("<a class=\"more\" href=\"{link}\">Planned maintenance</a>");
        assert!(page.text().contains(&link), "{}", page.text());
    }
}
