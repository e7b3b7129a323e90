use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{ModeView, Snapshot};
use crate::core::{
    mode::Mode,
    phase::Phase,
    rules::compiled::Rules,
    state::Document,
    status::{modes::ModeStatus, store::StoreStatus},
};

fn noon() -> Timestamp {
    "2026-03-27T12:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

/// The mode as a snapshot that was made at an instant has it.
fn seen_from(at: Timestamp, windows: &[Value], switch: &Value) -> ModeView {
    let mode = Arc::new(Mode {
        announce: SignedDuration::from_hours(6),
        ..Mode::named("site")
    });
    let document: Document = serde_json::from_value(json!({
        "format": 1, "generation": 1,
        "modes": {"site": {"switch": switch, "windows": windows}},
    }))
    .unwrap();
    ModeView::new(&mode, &document, None, at)
}

fn nightly(cron: &str, duration: &str) -> Value {
    json!({
        "id": cron, "title": cron,
        "repeats": {"cron": cron, "zone": "Europe/Rome", "duration": duration, "after": after(-9000)},
    })
}

fn once(start: i64, length: i64) -> Value {
    json!({"id": start.to_string(), "start": after(start), "end": after(start + length)})
}

#[test]
fn the_end_is_that_of_all_windows_that_follow_one_another() {
    // From two to three in Rome, which is from one to two in UTC, and then another for an hour.
    let windows = [nightly("0 2 * * *", "PT1H"), once(14 * 60, 60)];
    let mode = seen_from(noon(), &windows, &json!("off"));
    let standing = mode.standing(after(13 * 60 + 30));
    assert_eq!(standing.phase, Phase::Offline);
    assert_eq!(standing.until, Some(after(15 * 60)));
    // Five hours before, it is announced; seven hours before, it is not.
    assert_eq!(mode.phase(after(8 * 60)), Phase::Scheduled);
    assert_eq!(mode.standing(after(8 * 60)).start, Some(after(13 * 60)));
    assert_eq!(mode.phase(after(6 * 60)), Phase::Online);
}

#[test]
fn windows_that_take_turns_for_ever_have_no_known_end() {
    let windows = [
        nightly("0 0 * * *", "PT14H"),
        nightly("0 12 * * *", "PT14H"),
    ];
    let mode = seen_from(noon(), &windows, &json!("off"));
    for days in [0, 3, 30, 300] {
        let standing = mode.standing(after(days * 24 * 60));
        assert_eq!(standing.phase, Phase::Offline, "in {days} days");
        assert_eq!(standing.until, None, "in {days} days");
    }
}

fn any_windows() -> impl Strategy<Value = Vec<Value>> {
    let rule = (
        prop::sample::select(vec![
            "0 3 * * *",
            "30 2 * * *",
            "0 */6 * * *",
            "15 1 * * SUN",
        ]),
        prop::sample::select(vec!["PT20M", "PT3H", "PT5H59M"]),
    )
        .prop_map(|(cron, duration)| nightly(cron, duration));
    let single = (-3_000_i64..9_000, 1_i64..900).prop_map(|(start, length)| once(start, length));
    prop::collection::vec(prop_oneof![rule, single], 1..4)
}

fn any_switch() -> impl Strategy<Value = Value> {
    let on = |until: Option<i64>| json!({"on": {"since": after(-99), "until": until.map(after)}});
    prop_oneof![
        2 => Just(json!("off")),
        1 => prop::option::of(0_i64..9_000).prop_map(on),
        1 => (0_i64..9_000).prop_map(|deadline| {
            json!({"pending": {"since": after(-99), "deadline": after(deadline)}})
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whenever a snapshot was made, and whatever the clock has done since.
    #[test]
    fn what_is_follows_from_the_state_and_the_instant_alone(
        windows in any_windows(),
        switch in any_switch(),
        made in prop::collection::vec(-9_000_i64..30_000, 3),
        minutes in prop::collection::vec(-9_000_i64..30_000, 4),
    ) {
        let views: Vec<ModeView> = made
            .iter()
            .map(|minute| seen_from(after(*minute), &windows, &switch))
            .collect();
        for now in minutes.into_iter().map(after) {
            let expected = views[0].standing(now);
            for view in &views {
                prop_assert_eq!(view.phase(now), expected.phase);
                prop_assert_eq!(&view.standing(now), &expected);
            }
        }
    }
}

/// A snapshot of the one mode, made at an instant.
fn snapshot_of(mode: ModeView, at: Timestamp) -> Snapshot {
    let store = StoreStatus::unread("memory:");
    let rules = Arc::new(Rules::default());
    Snapshot::new(1, rules, vec![mode], None, &Document::default(), store, at)
}

#[test]
fn requests_pass_unseen_up_to_the_edge_that_comes_next() {
    let off = json!("off");
    let stretch = |windows: &[Value], switch: &Value| {
        snapshot_of(seen_from(noon(), windows, switch), noon()).open_stretch()
    };
    // It is announced six hours before it starts, which a page may show.
    assert_eq!(stretch(&[once(600, 60)], &off), Some(noon()..after(240)));
    assert_eq!(stretch(&[once(60, 60)], &off), Some(noon()..after(60)));
    assert_eq!(
        stretch(&[once(-60, 30)], &off),
        Some(noon()..Timestamp::MAX)
    );
    assert_eq!(stretch(&[once(-30, 60)], &off), None, "it is closed");
    assert_eq!(stretch(&[once(60, 60)], &json!({"on": {}})), None);
    let nightly = stretch(&[nightly("0 2 * * *", "PT1H")], &off).unwrap();
    assert_eq!(nightly, noon()..after(7 * 60), "announced at 19 UTC");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Whatever is planned: nothing is closed at any instant at which nobody looks.
    #[test]
    fn nothing_is_closed_while_requests_pass_unseen(
        windows in any_windows(),
        switch in any_switch(),
        made in -9_000_i64..30_000,
        places in prop::collection::vec(0.0_f64..1.0, 8),
    ) {
        let at = after(made);
        let snapshot = snapshot_of(seen_from(at, &windows, &switch), at);
        let Some(stretch) = snapshot.open_stretch() else {
            prop_assert!(snapshot.closed_mode(at).is_some());
            return Ok(());
        };
        prop_assert!(at < stretch.end);
        let end = stretch.end.min(at + SignedDuration::from_hours(24 * 60));
        let length = end.duration_since(at).as_secs_f64();
        let last = end - SignedDuration::from_nanos(1);
        let within = places.iter().map(|place| at + SignedDuration::from_secs_f64(length * place));
        for now in within.filter(|now| *now < stretch.end).chain([at, last]) {
            prop_assert_eq!(snapshot.closed_mode(now), None, "at {}", now);
        }
    }
}

#[test]
fn the_status_has_the_deadline_of_a_drain_while_it_goes_on() {
    let switch =
        json!({"pending": {"since": noon(), "deadline": after(10), "on_timeout": "offline"}});
    let mode = seen_from(noon(), &[], &switch);
    let deadline = |at| ModeStatus::new(&mode, at).drain_deadline;
    assert_eq!(deadline(after(9)), Some(after(10)));
    assert_eq!(deadline(after(10)), None, "it is offline");
    let on = seen_from(noon(), &[], &json!({"on": {"since": noon()}}));
    assert_eq!(ModeStatus::new(&on, noon()).drain_deadline, None);
}
