use std::time::Duration;

use serde_json::json;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn interval(start: &str, end: &str) -> Interval {
    Interval::from((at(start), at(end)))
}

/// Two hours from three o'clock each Sunday, planned on Wednesday, 2026-03-04.
fn sundays(until: Option<&str>) -> Window {
    let two_hours = Duration::from_secs(2 * 3600);
    let recurrence = Recurrence::new("0 3 * * SUN", "UTC", two_hours).unwrap();
    Window {
        id: "sundays".to_owned(),
        repeats: Some(recurrence.within(at("2026-03-04T12:00Z"), until.map(at))),
        ..Window::default()
    }
}

#[test]
fn what_repeats_is_open_at_each_occurrence_and_at_no_other_time() {
    let window = sundays(None);
    let first = interval("2026-03-08T03:00Z", "2026-03-08T05:00Z");
    let second = interval("2026-03-15T03:00Z", "2026-03-15T05:00Z");
    assert_eq!(window.occurrence_at(at("2026-03-08T02:59:59Z")), None);
    assert_eq!(window.occurrence_at(at("2026-03-08T03:00Z")), Some(first));
    assert_eq!(window.occurrence_at(at("2026-03-08T05:00Z")), None);
    assert_eq!(window.next_after(at("2026-03-04T12:00Z")), Some(first));
    assert_eq!(window.next_after(at("2026-03-08T04:00Z")), Some(second));
    assert_eq!(window.now_or_next(at("2026-03-08T04:00Z")), Some(first));
    assert!(!window.is_past(at("2036-03-08T04:00Z")));
}

#[test]
fn what_was_before_it_was_planned_does_not_count() {
    let window = sundays(None);
    assert_eq!(window.occurrence_at(at("2026-03-01T04:00Z")), None);
    assert_eq!(window.started(at("2026-03-07T00:00Z"), 9), []);
    let first = interval("2026-03-08T03:00Z", "2026-03-08T05:00Z");
    assert_eq!(window.next_after(at("2026-01-01T00:00Z")), Some(first));
}

#[test]
fn nothing_starts_at_its_end_or_later() {
    let window = sundays(Some("2026-03-15T03:00Z"));
    assert_eq!(window.next_after(at("2026-03-08T03:00Z")), None);
    assert!(!window.is_past(at("2026-03-08T04:59:59Z")));
    assert!(window.is_past(at("2026-03-08T05:00Z")));
    // What has started by then lasts as long as it always does.
    let window = sundays(Some("2026-03-15T04:00Z"));
    let second = interval("2026-03-15T03:00Z", "2026-03-15T05:00Z");
    assert_eq!(window.occurrence_at(at("2026-03-15T04:30Z")), Some(second));
    assert!(window.is_past(at("2026-03-15T05:00Z")));
}

#[test]
fn an_occurrence_that_is_ended_leaves_the_next_one() {
    let mut window = sundays(None);
    let now = at("2026-03-08T04:00Z");
    assert!(window.end_occurrence(now));
    assert!(!window.contains(now));
    assert!(!window.contains(at("2026-03-08T04:59:59Z")));
    assert!(window.contains(at("2026-03-15T03:00Z")));
    // Nothing is open any more, so nothing ends.
    let before = window.clone();
    assert!(window.end_occurrence(now));
    assert_eq!(window, before);
    // The last one leaves nothing.
    let mut window = sundays(Some("2026-03-09T00:00Z"));
    assert!(!window.end_occurrence(now));
}

#[test]
fn the_whole_of_occurrences_without_a_break_is_ended() {
    let half_an_hour = Duration::from_secs(30 * 60);
    let office = Recurrence::new("*/30 9-17 * * *", "UTC", half_an_hour).unwrap();
    let mut window = Window {
        repeats: Some(office),
        ..Window::default()
    };
    assert!(window.end_occurrence(at("2026-03-08T10:10Z")));
    let tomorrow = interval("2026-03-09T09:00Z", "2026-03-09T18:00Z");
    assert_eq!(
        window.now_or_next(at("2026-03-08T10:10Z")),
        Some(tomorrow),
        "and not again at half past ten"
    );
}

#[test]
fn one_occurrence_can_be_left_out_ahead() {
    let mut window = sundays(None);
    let now = at("2026-03-06T00:00Z");
    assert!(window.leave_out_next(now));
    let second = interval("2026-03-15T03:00Z", "2026-03-15T05:00Z");
    assert_eq!(window.now_or_next(now), Some(second));
    assert!(window.leave_out_next(now));
    let third = interval("2026-03-22T03:00Z", "2026-03-22T05:00Z");
    assert_eq!(window.now_or_next(now), Some(third));
    // A window that does not repeat is left out as a whole.
    assert!(!window.at(third).leave_out_next(now));
}

#[test]
fn what_is_over_is_forgotten_and_what_is_open_is_not() {
    let mut window = sundays(None);
    let now = at("2026-03-22T04:00Z");
    assert_eq!(window.started(now, 9).len(), 3);
    assert_eq!(
        window.started(now, 2)[1],
        interval("2026-03-22T03:00Z", "2026-03-22T05:00Z")
    );
    assert!(window.forget_past(now));
    assert_eq!(window.started(now, 9).len(), 1);
    assert!(window.contains(now));
    assert!(window.forget_past(at("2026-03-22T05:00Z")));
    assert_eq!(window.started(at("2026-03-22T05:00Z"), 9), []);
    assert!(!sundays(Some("2026-03-09T00:00Z")).forget_past(now));
}

#[test]
fn json_has_the_rule_with_its_bounds_and_reads_it_back() {
    let mut window = sundays(Some("2027-01-01T00:00Z"));
    window.zone = Some("UTC".to_owned());
    let json = serde_json::to_value(&window).unwrap();
    assert_eq!(
        json,
        json!({
            "id": "sundays",
            "start": null,
            "end": null,
            "zone": "UTC",
            "repeats": {
                "cron": "0 3 * * SUN",
                "zone": "UTC",
                "duration": "PT2H",
                "after": "2026-03-04T12:00:00Z",
                "until": "2027-01-01T00:00:00Z",
            },
        })
    );
    assert_eq!(serde_json::from_value::<Window>(json).unwrap(), window);
}
