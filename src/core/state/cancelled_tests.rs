use serde_json::json;

use super::*;
use crate::core::state::SwitchOn;

fn noon() -> Timestamp {
    "2026-03-27T12:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

fn once(id: &str, start: i64, length: i64) -> Window {
    serde_json::from_value(json!({
        "id": id, "start": after(start), "end": after(start + length), "title": "New database",
        "by": "alice", "reason": "secret", "message": "Back soon.", "sequence": 2, "rest": 1,
    }))
    .unwrap()
}

fn nightly() -> Window {
    serde_json::from_value(json!({
        "id": "nightly",
        "repeats": {"cron": "0 3 * * *", "zone": "UTC", "duration": "PT2H", "after": after(-1)},
    }))
    .unwrap()
}

fn planned(windows: &[Window]) -> Document {
    let plan = |document: Document, window| document.plan("site", window, noon()).unwrap();
    windows.iter().fold(Document::default(), plan)
}

#[test]
fn what_was_called_off_is_remembered_without_who_and_why() {
    let document = planned(&[once("a", 60, 60)]);
    let document = document.cancel("a", false, Some("bob"), after(5)).unwrap();
    let [cancelled] = &*document.cancelled else {
        panic!("{:?}", document.cancelled);
    };
    assert_eq!((&*cancelled.mode, cancelled.at), ("site", after(5)));
    let window = &cancelled.window;
    assert_eq!((&*window.id, window.sequence), ("a", 2));
    assert_eq!(window.title.as_deref(), Some("New database"));
    assert_eq!(
        (&window.by, &window.reason, &window.message),
        (&None, &None, &None)
    );
    assert!(window.unknown.is_empty());
    // And it is the same after it was stored.
    assert_eq!(Document::decode(&document.encode(), None), Ok(document));
}

#[test]
fn what_has_begun_was_not_called_off() {
    let document = planned(&[once("a", -30, 60), nightly()]);
    let ended = document.cancel("a", false, None, noon()).unwrap();
    assert_eq!(ended.cancelled, []);
    // 03:30 of the next night: what is open is ended, and the nights to come are not.
    let night = after(15 * 60 + 30);
    let ended = document.cancel("nightly", true, None, night).unwrap();
    assert_eq!(ended.cancelled, []);
    let off = document.turn_off("site", None, night).unwrap();
    assert_eq!(off.cancelled, []);
    // Nor is anything called off by a switch.
    let on = document
        .turn_on("site", &SwitchOn::default(), noon())
        .unwrap();
    assert_eq!(on.cancelled, []);
}

#[test]
fn one_night_is_called_off_or_all_that_follow() {
    let document = planned(&[nightly()]);
    let one = document.cancel("nightly", true, None, noon()).unwrap();
    let [cancelled] = &*one.cancelled else {
        panic!("{:?}", one.cancelled);
    };
    assert!(cancelled.is_occurrence && !cancelled.window.repeats());
    assert_eq!(cancelled.window.start, Some(after(15 * 60)));
    assert_eq!(cancelled.window.end, Some(after(17 * 60)));
    let all = document.cancel("nightly", false, None, noon()).unwrap();
    assert!(all.cancelled[0].window.repeats() && !all.cancelled[0].is_occurrence);
}

#[test]
fn a_mode_that_is_forgotten_takes_its_windows_along() {
    let document = planned(&[once("a", 60, 60), once("b", -30, 60), nightly()]);
    let document = document.forget("site", None, noon()).unwrap();
    let ids: Vec<&str> = document.cancelled.iter().map(|it| &*it.window.id).collect();
    assert_eq!(ids, ["nightly", "a"]);
}

#[test]
fn it_is_told_for_a_while_and_is_bounded() {
    let document = planned(&[once("a", 90 * 24 * 60, 60)]);
    let document = document.cancel("a", false, None, noon()).unwrap();
    let month = 30 * 24 * 60;
    assert!(document.cancelled[0].is_told(after(month - 1)));
    assert!(!document.cancelled[0].is_told(after(month)));

    let many = (0..MOST_KEPT as i64 + 5).fold(document, |document, place| {
        let id = place.to_string();
        let document = document.plan("site", &once(&id, 60, 60), noon()).unwrap();
        document.cancel(&id, false, None, after(1)).unwrap()
    });
    assert_eq!(many.cancelled.len(), MOST_KEPT);
    assert_eq!(many.cancelled[0].window.id, "5", "the oldest leave first");
    // What everybody has heard of leaves with the next one.
    let late = many
        .plan("site", &once("z", month + 60, 60), noon())
        .unwrap();
    let late = late.cancel("z", false, None, after(month + 2)).unwrap();
    assert_eq!(late.cancelled.len(), 1);
}

#[test]
fn nothing_of_it_is_lost_with_the_store() {
    let called_off = |id: &str, at: i64| {
        let document = planned(&[once(id, 60, 60)]);
        document.cancel(id, false, None, after(at)).unwrap()
    };
    let (mut one, other) = (called_off("a", 7), called_off("b", 5));
    one.take_cancelled(&other.cancelled, noon());
    one.take_cancelled(&other.cancelled, noon());
    let ids: Vec<&str> = one.cancelled.iter().map(|it| &*it.window.id).collect();
    assert_eq!(ids, ["b", "a"]);
}
