use serde_json::{Value, json};

use super::*;
use crate::core::{
    mode::Mode, mode_view::ModeView, rules::compiled::Rules, state::Document,
    status::store::StoreStatus,
};

fn noon() -> Timestamp {
    "2026-03-27T12:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

fn snapshot(modes: Value, cancelled: Value, at: Timestamp) -> Snapshot {
    let document: Document = serde_json::from_value(json!({
        "format": 1, "generation": 1, "modes": modes, "cancelled": cancelled,
    }))
    .unwrap();
    let views = ["site", "shop"].map(|key| {
        let mode = Arc::new(Mode {
            label: format!("The {key}"),
            ..Mode::named(key)
        });
        ModeView::new(&mode, &document, None, at)
    });
    let store = StoreStatus::unread("memory:");
    let rules = Arc::new(Rules::default());
    Snapshot::new(1, rules, views.into(), None, &document, store, at)
}

fn site(windows: &[Value]) -> Value {
    json!({"site": {"windows": windows}})
}

fn repeating(cron: &str, duration: &str) -> Value {
    json!({
        "id": "rule",
        "repeats": {"cron": cron, "zone": "Europe/Rome", "duration": duration, "after": after(-1)},
    })
}

fn events(snapshot: &Snapshot, now: Timestamp) -> Vec<PlannedEvent> {
    snapshot.public_plan(now, |_| true).events
}

#[test]
fn a_window_has_one_name_whenever_it_is() {
    let of = |start: i64| {
        let window = json!({
            "id": "w", "start": after(start), "end": after(start + 60), "title": "New database",
            "sequence": 3, "changed_at": after(-7), "reason": "secret", "by": "alice",
        });
        let snapshot = snapshot(site(&[window]), json!([]), noon());
        let [event] = events(&snapshot, noon()).try_into().unwrap();
        event
    };
    let (event, moved) = (of(60), of(90));
    assert_eq!(event.uid, "w@maintenance");
    assert_eq!(event.uid, moved.uid);
    assert_eq!((&*event.mode, &*event.label), ("site", "The site"));
    assert_eq!(event.title.as_deref(), Some("New database"));
    assert_eq!(
        (event.start, event.end),
        (Some(after(60)), Some(after(120)))
    );
    assert_eq!((event.sequence, event.changed_at), (3, Some(after(-7))));
    assert!(!event.is_cancelled);
}

#[test]
fn what_is_open_is_told_and_what_is_over_is_not() {
    let window = json!({"id": "w", "start": after(-60), "end": after(60)});
    let snapshot = snapshot(site(&[window]), json!([]), noon());
    assert_eq!(events(&snapshot, noon()).len(), 1);
    assert_eq!(events(&snapshot, after(60)).len(), 0);
    // It says the same until then, or until midnight.
    let plan = snapshot.public_plan(noon(), |_| true);
    assert_eq!((plan.from, plan.to), (noon(), after(60)));
    let midnight = "2026-03-28T00:00Z".parse().unwrap();
    assert_eq!(snapshot.public_plan(after(60), |_| true).to, midnight);
}

#[test]
fn windows_that_repeat_are_told_one_by_one_for_a_year() {
    let snapshot = snapshot(site(&[repeating("0 3 * * *", "PT2H")]), json!([]), noon());
    let told = events(&snapshot, noon());
    // Up to 366 days after midnight.
    assert_eq!(told.len(), 365);
    assert_eq!(told[0].uid, "rule-20260328T020000Z@maintenance");
    // The night in which the clocks are put forward.
    assert_eq!(told[1].uid, "rule-20260329T010000Z@maintenance");
    let lengths = told
        .iter()
        .map(|it| it.end.unwrap().duration_since(it.start.unwrap()));
    assert!(
        lengths
            .into_iter()
            .all(|it| it == SignedDuration::from_hours(2))
    );
    let uids: std::collections::BTreeSet<&str> = told.iter().map(|it| &*it.uid).collect();
    assert_eq!(uids.len(), told.len());
    // Each is the same one a week later.
    let later = events(&snapshot, after(7 * 24 * 60));
    assert_eq!(later[0], told[7]);
    assert_eq!(later.len(), 365);
}

#[test]
fn what_opens_each_minute_is_bounded() {
    let snapshot = snapshot(site(&[repeating("*/2 * * * *", "PT1M")]), json!([]), noon());
    assert_eq!(events(&snapshot, noon()).len(), MOST_OCCURRENCES);
}

#[test]
fn what_was_called_off_keeps_its_name() {
    let cancelled = |window: Value, more: Value| {
        let mut cancelled = json!({"mode": "site", "at": after(-5), "window": window});
        cancelled
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        cancelled
    };
    let once = json!({"id": "w", "start": after(60), "end": after(120), "sequence": 4});
    let night = json!({
        "id": "rule", "start": "2026-03-28T02:00Z", "end": "2026-03-28T04:00Z",
    });
    let weekly = repeating("0 3 * * SUN", "PT2H");
    let list = json!([
        cancelled(once.clone(), json!({})),
        cancelled(night, json!({"is_occurrence": true})),
        cancelled(weekly, json!({})),
        {"mode": "gone", "at": after(-5), "window": once},
    ]);
    let snapshot = snapshot(json!({}), list, noon());
    let told = events(&snapshot, noon());
    assert!(told.iter().all(|event| event.is_cancelled));
    assert_eq!(told[0].uid, "w@maintenance");
    assert_eq!((told[0].sequence, told[0].changed_at), (5, Some(after(-5))));
    assert_eq!(told[1].uid, "rule-20260328T020000Z@maintenance");
    assert_eq!(told.len(), 2 + 52);
    // A month later nobody is told any more.
    let month = 30 * 24 * 60 + 12 * 60;
    assert_eq!(events(&snapshot, after(month)).len(), 0);
}

#[test]
fn what_is_planned_again_is_not_called_off() {
    let window = json!({"id": "w", "start": after(60), "end": after(120)});
    let cancelled = json!([{"mode": "site", "at": after(-5), "window": window}]);
    let snapshot = snapshot(site(&[window]), cancelled, noon());
    let [event] = events(&snapshot, noon()).try_into().unwrap();
    assert!(!event.is_cancelled);
}

#[test]
fn of_other_modes_nothing_is_told() {
    let window = |id: &str| json!({"id": id, "start": after(60), "end": after(120)});
    let modes = json!({"site": {"windows": [window("a")]}, "shop": {"windows": [window("b")]}});
    let cancelled = json!([{"mode": "shop", "at": after(-5), "window": window("c")}]);
    let snapshot = snapshot(modes, cancelled, noon());
    assert_eq!(events(&snapshot, noon()).len(), 3);
    let told = snapshot.public_plan(noon(), |mode| mode == "site").events;
    let [event] = told.try_into().unwrap();
    assert_eq!(event.uid, "a@maintenance");
}
