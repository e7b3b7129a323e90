use std::sync::Arc;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::*;
use crate::core::{mode::Mode, state::Document, status::modes::ModeStatus};

fn noon() -> Timestamp {
    "2026-03-27T12:00Z".parse().unwrap()
}

fn after(minutes: i64) -> Timestamp {
    noon() + SignedDuration::from_mins(minutes)
}

fn once(id: &str, start: i64, end: i64) -> Value {
    json!({"id": id, "start": after(start), "end": after(end)})
}

fn hourly(id: &str, minute: u8, duration: &str) -> Value {
    let cron = format!("{minute} * * * *");
    json!({
        "id": id,
        "repeats": {"cron": cron, "zone": "UTC", "duration": duration, "after": after(-1)},
    })
}

fn site(windows: &[Value], switch: Value) -> ModeView {
    let document: Document = serde_json::from_value(json!({
        "format": 1, "generation": 1,
        "modes": {"site": {"switch": switch, "windows": windows}},
    }))
    .unwrap();
    ModeView::new(&Arc::new(Mode::named("site")), &document, None, noon())
}

fn closed(from: Option<i64>, until: Option<i64>, window: Option<&str>) -> Option<Closed> {
    Some(Closed {
        from: from.map(after),
        until: until.map(after),
        window: window.map(str::to_owned),
    })
}

/// What closes the site beside the window `a`; and the same, told from a status without that window.
fn besides_a(windows: &[Value], switch: &Value) -> Option<Closed> {
    let besides = closed_besides(&site(windows, switch.clone()), "a", noon());
    let others: Vec<_> = windows[1..].to_vec();
    let without = ModeStatus::without_details(&site(&others, switch.clone()), noon());
    let a = site(&windows[..1], json!("off"));
    let a = a.state.windows[0].now_or_next(noon()).unwrap();
    let told = closed_within(&without, a.start, a.end, noon());
    // A status knows no more of a window that is open than that the mode is closed, and until when.
    let until = |closed: &Option<Closed>| closed.as_ref().map(|closed| closed.until);
    assert_eq!(until(&besides), until(&told), "{windows:?} {switch}");
    besides
}

#[test]
fn another_window_closes_it_from_then_until_then() {
    let a = once("a", 60, 120);
    let cases = [
        (once("b", 90, 180), closed(Some(90), Some(180), Some("b"))),
        (once("b", 30, 61), closed(Some(30), Some(61), Some("b"))),
        (once("b", 120, 180), None),
        (once("b", 30, 60), None),
        // Its second and its third time.
        (
            hourly("b", 30, "PT5M"),
            closed(Some(90), Some(95), Some("b")),
        ),
        (
            hourly("b", 55, "PT10M"),
            closed(Some(55), Some(65), Some("b")),
        ),
        (
            hourly("b", 0, "PT5M"),
            closed(Some(60), Some(65), Some("b")),
        ),
    ];
    for (other, expected) in cases {
        let found = besides_a(&[a.clone(), other.clone()], &json!("off"));
        assert_eq!(found, expected, "{other}");
    }
}

#[test]
fn the_first_of_several_is_told() {
    let windows = [
        once("a", 60, 120),
        once("b", 100, 110),
        once("c", 70, 80),
        once("d", 500, 600),
    ];
    assert_eq!(
        besides_a(&windows, &json!("off")),
        closed(Some(70), Some(80), Some("c"))
    );
}

#[test]
fn a_switch_closes_it_until_it_ends() {
    let on = |until: Option<i64>| json!({"on": {"since": noon(), "until": until.map(after)}});
    let a = [once("a", 60, 120)];
    assert_eq!(besides_a(&a, &on(None)), closed(None, None, None));
    assert_eq!(besides_a(&a, &on(Some(90))), closed(None, Some(90), None));
    assert_eq!(besides_a(&a, &on(Some(60))), None);
}

#[test]
fn a_window_that_is_open_does_not_count_beside_itself() {
    let a = once("a", -10, 120);
    assert_eq!(besides_a(std::slice::from_ref(&a), &json!("off")), None);
    let found = besides_a(&[a, once("b", -5, 30)], &json!("off"));
    assert_eq!(found, closed(Some(-5), Some(30), Some("b")));
}
