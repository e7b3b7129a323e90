//! Windows in time zones and windows that repeat, as code plans them and as the status shows them.

use std::time::Duration;

use actix_maintenance_mode::{ChangeError, Ended, Maintenance, Settings};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::test_app::TestApp;

async fn maintenance(time_zone: Option<&'static str>) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .store("memory:")
        .configure(move |settings| settings.time_zone = time_zone.map(str::to_owned))
        .build()
        .await
        .unwrap()
}

fn refusal<T: std::fmt::Debug>(planned: Result<T, ChangeError>) -> String {
    match planned {
        Err(ChangeError::Plan(text)) => text,
        other => panic!("it is not refused: {other:?}"),
    }
}

const HOUR: Duration = Duration::from_secs(3600);

#[actix_web::test]
async fn a_local_time_is_one_of_the_windows_zone_or_of_the_settings() {
    let maintenance = maintenance(Some("Asia/Tokyo")).await;
    let planned = maintenance
        .plan_window()
        .zone("Europe/Rome")
        .start_local("2999-01-10T02:30")
        .end_local("2999-01-10T03:30")
        .await
        .unwrap();
    let window = planned.window().unwrap();
    assert_eq!(window.start.unwrap().to_string(), "2999-01-10T01:30:00Z");
    assert_eq!(window.zone.as_deref(), Some("Europe/Rome"));
    let planned = maintenance
        .plan_window()
        .start_local("2999-01-10T02:30")
        .lasting(HOUR)
        .await
        .unwrap();
    let window = planned.window().unwrap();
    assert_eq!(window.start.unwrap().to_string(), "2999-01-09T17:30:00Z");
    assert_eq!(window.end.unwrap().to_string(), "2999-01-09T18:30:00Z");
    assert_eq!(window.zone.as_deref(), Some("Asia/Tokyo"));
    let planned = maintenance
        .plan_window()
        .start_local("2999-01-10T02:30+01:00")
        .await
        .unwrap();
    let window = planned.window().unwrap();
    assert_eq!(window.start.unwrap().to_string(), "2999-01-10T01:30:00Z");
}

#[actix_web::test]
async fn a_time_that_does_not_exist_is_refused_and_one_that_happens_twice_is_warned_of() {
    let maintenance = maintenance(None).await;
    // The last Sundays of March and of October, by rules that hold until they are changed.
    let plan = |start: &str| maintenance.plan_window().start_local(start).lasting(HOUR);
    let text = refusal(plan("2037-03-29T02:30").zone("Europe/Rome").await);
    assert!(text.contains("2037-03-29T01:59:59+01:00"), "{text}");
    assert!(text.contains("2037-03-29T03:00:00+02:00"), "{text}");
    let planned = plan("2037-10-25T02:30").zone("Europe/Rome").await.unwrap();
    let window = planned.window().unwrap();
    assert_eq!(window.start.unwrap().to_string(), "2037-10-25T00:30:00Z");
    let warnings = planned.warnings.join("; ");
    assert!(warnings.contains("happens twice"), "{warnings}");
    assert!(refusal(plan("2037-10-25T02:30").await).contains("no offset"));
    assert!(refusal(plan("soon").zone("UTC").await).contains("is no time"));
    let text = refusal(plan("2037-10-25T02:30").zone("Europe/Rom").await);
    assert!(text.contains("`Europe/Rom` is no time zone"), "{text}");
}

#[actix_web::test]
async fn the_status_shows_a_window_that_repeats_with_its_next_occurrence() {
    let app = TestApp::with_settings(|settings| {
        settings.time_zone = Some("Europe/Rome".to_owned());
    })
    .await;
    let admin = app.log_in_superuser("root").await;
    let planned = app
        .maintenance
        .plan_window()
        .repeats("30 4 1 1 *")
        .lasting(2 * HOUR)
        .title("inventory")
        .by("alice")
        .end_local("2999-06-01T00:00")
        .await
        .unwrap();
    assert_eq!(planned.warnings, [""; 0]);
    let answer = app.get("/maintenance-mode/status").by(&admin).await;
    let status = answer.json();
    let window = &status["modes"][0]["windows"][0];
    let start: Timestamp = window["start"].as_str().unwrap().parse().unwrap();
    let start = start.in_tz("Europe/Rome").unwrap();
    assert_eq!(start.strftime("%m-%d %H:%M").to_string(), "01-01 04:30");
    let end: Timestamp = window["end"].as_str().unwrap().parse().unwrap();
    assert_eq!(end.duration_since(start.timestamp()).as_secs(), 2 * 3600);
    assert_eq!(
        window["repeats"],
        json!({
            "cron": "30 4 1 1 *",
            "words": "on the 1st of January at 04:30",
            "zone": "Europe/Rome",
            "duration": "PT2H",
            "until": "2999-05-31T22:00:00Z",
        })
    );
    assert_eq!(window["id"], planned.id.as_str());
    assert_eq!(window["zone"], "Europe/Rome");
    assert_eq!(window["title"], "inventory");
    assert_eq!(window["by"], "alice");
    assert_eq!(status["modes"][0]["phase"], "online");
}

#[actix_web::test]
async fn one_occurrence_is_left_out_and_then_the_rule_is_cancelled() {
    let maintenance = maintenance(Some("UTC")).await;
    let plan = maintenance.plan_window().repeats("@yearly").lasting(HOUR);
    let planned = plan.await.unwrap();
    let start = |change: &actix_maintenance_mode::Change| {
        let windows = &change.status.modes[0].windows;
        windows.first().and_then(|window| window.start)
    };
    let first = start(&planned.change).unwrap();
    let left_out = maintenance.cancel_window(&planned.id).only_next().await;
    let second = start(&left_out.unwrap()).unwrap();
    let days = second.duration_since(first).as_hours() / 24;
    assert!((365..=366).contains(&days), "{first}, then {second}");
    let cancelled = maintenance.cancel_window(&planned.id).await.unwrap();
    assert_eq!(start(&cancelled), None);
    let again = maintenance.cancel_window(&planned.id).only_next().await;
    assert!(matches!(again, Err(ChangeError::UnknownWindow(_))));
    assert_eq!(maintenance.history(), []);
}

#[actix_web::test]
async fn what_cannot_repeat_is_refused() {
    let maintenance = maintenance(Some("UTC")).await;
    let plan = |cron: &str| maintenance.plan_window().repeats(cron);
    assert!(refusal(plan("0 3 * * SUN").await).contains("needs a duration"));
    for (cron, lasting, expected) in [
        ("0 3 * *", HOUR, "five fields"),
        ("0 25 * * *", HOUR, "no cron expression"),
        ("0 0 30 2 *", HOUR, "never comes true"),
        ("0 * * * *", HOUR, "without a break"),
    ] {
        let text = refusal(plan(cron).lasting(lasting).await);
        assert!(text.contains(expected), "{cron}: {text}");
    }
    assert_eq!(maintenance.status().generation, 0);
}

#[actix_web::test]
async fn a_rule_survives_a_restart_and_is_in_the_document() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let start = async || crate::processes::maintenance_of(&file).await;
    let planned = start()
        .await
        .plan_window()
        .repeats("0 3 * * SUN")
        .zone("Europe/Rome")
        .lasting(HOUR)
        .await
        .unwrap();
    let stored: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let rule = &stored["modes"]["site"]["windows"][0]["repeats"];
    assert_eq!(rule["cron"], "0 3 * * SUN");
    assert_eq!(rule["duration"], "PT1H");
    let again = start().await;
    let windows = &again.status().modes[0].windows;
    assert_eq!(Some(&windows[0]), planned.window());
}

/// The clock of the machine reaches a full minute at least once in a minute, which is longer than
/// a test may take; so the occurrence is one that a hand wrote into the document.
#[actix_web::test]
async fn visitors_meet_an_occurrence_and_switching_off_ends_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let now = Timestamp::now();
    let opened = now - jiff::SignedDuration::from_mins(2);
    let minute = opened
        .to_zoned(jiff::tz::TimeZone::UTC)
        .strftime("%-M %-H")
        .to_string();
    let document = json!({
        "format": 1, "generation": 5,
        "modes": {"site": {"switch": "off", "windows": [{
            "id": "daily", "title": "daily works",
            "repeats": {"cron": format!("{minute} * * *"), "zone": "UTC", "duration": "PT1H"},
        }]}},
    });
    std::fs::write(&file, document.to_string()).unwrap();
    let maintenance = crate::processes::maintenance_of(&file).await;
    assert!(maintenance.is_on());
    let before = maintenance.status().modes[0].windows[0].clone();
    let off = maintenance.turn_off().by("bob").await.unwrap();
    assert!(!off.status.maintenance_mode);
    let after = &off.status.modes[0].windows[0];
    let day = after.start.unwrap().duration_since(before.start.unwrap());
    assert_eq!(day.as_hours(), 24, "the next one comes when it is due");
    let history = maintenance.history();
    assert_eq!(history.len(), 1, "nothing is made up: {history:?}");
    assert_eq!(history[0].started_at, before.start.unwrap());
    assert_eq!(history[0].ended, Some(Ended::Off));
}

#[actix_web::test]
async fn a_rule_that_a_hand_got_wrong_is_told_and_the_last_good_state_counts() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state");
    let maintenance = crate::processes::maintenance_of(&file).await;
    maintenance.turn_on().await.unwrap();
    for (rule, expected) in [
        (
            json!({"cron": "0 25 * * *", "zone": "UTC", "duration": "PT1H"}),
            "`0 25 * * *`",
        ),
        (
            json!({"cron": "@daily", "zone": "Rome", "duration": "PT1H"}),
            "`Rome` is no time zone",
        ),
    ] {
        let windows = json!([{"id": "daily", "repeats": rule}]);
        let modes = json!({"site": {"switch": "off", "windows": windows}});
        let document = json!({"format": 1, "generation": 9, "modes": modes});
        std::fs::write(&file, document.to_string()).unwrap();
        let is_told = || {
            let error = maintenance.status().store.error;
            error.is_some_and(|error| error.contains(expected))
        };
        crate::eventually::eventually(expected, is_told).await;
        assert!(maintenance.is_on());
    }
}
