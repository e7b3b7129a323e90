use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use serde_json::json;

use super::settled;
use crate::core::{
    schedule::Recurrence,
    state::{Document, End, Ended, Period, SwitchOn, Window},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn window(start: impl Into<Option<i64>>, end: impl Into<Option<i64>>) -> Window {
    let (start, end) = (start.into(), end.into());
    Window {
        id: format!("{start:?}-{end:?}"),
        start: start.map(at),
        end: end.map(at),
        title: Some("works".to_owned()),
        by: Some("alice".to_owned()),
        ..Window::default()
    }
}

fn planned(windows: &[Window]) -> Document {
    windows
        .iter()
        .fold(Document::default(), |document, window| {
            document.plan("site", window, at(0)).unwrap_or(document)
        })
}

/// Settles at each of these instants, as a process that runs all the time does.
fn settled_at(document: Document, instants: &[i64]) -> Document {
    instants.iter().fold(document, |document, now| {
        settled(&document, at(*now)).unwrap_or(document)
    })
}

fn periods(document: &Document) -> Vec<(i64, Option<i64>, Option<Ended>)> {
    let second = |instant: Timestamp| instant.as_second() - 1_800_000_000;
    document
        .history
        .iter()
        .map(|period: &Period| {
            (
                second(period.started_at),
                period.ended_at.map(second),
                period.ended,
            )
        })
        .collect()
}

#[test]
fn a_window_that_is_over_becomes_history_and_leaves_the_document() {
    let document = settled_at(planned(&[window(10, 20)]), &[20]);
    assert!(document.mode("site").unwrap().windows.is_empty());
    assert_eq!(periods(&document), [(10, Some(20), Some(Ended::WindowEnd))]);
    assert_eq!(document.history[0].by.as_deref(), Some("alice"));
    assert_eq!(document.history[0].reason.as_deref(), Some("works"));
}

#[test]
fn a_window_that_starts_opens_a_period_once() {
    let document = planned(&[window(10, 20)]);
    assert_eq!(settled(&document, at(9)), None);
    let started = settled(&document, at(10)).unwrap();
    assert_eq!(periods(&started), [(10, None, None)]);
    assert_eq!(settled(&started, at(15)), None, "settling is idempotent");
    let over = settled(&started, at(25)).unwrap();
    assert_eq!(periods(&over), [(10, Some(20), Some(Ended::WindowEnd))]);
    assert_eq!(settled(&over, at(30)), None);
}

#[test]
fn windows_that_touch_or_overlap_are_one_period() {
    let windows = [
        window(10, 20),
        window(20, 30),
        window(25, 40),
        window(50, 60),
    ];
    let expected = [
        (10, Some(40), Some(Ended::WindowEnd)),
        (50, Some(60), Some(Ended::WindowEnd)),
    ];
    assert_eq!(periods(&settled_at(planned(&windows), &[100])), expected);
    let often: Vec<i64> = (0..100).collect();
    assert_eq!(periods(&settled_at(planned(&windows), &often)), expected);
}

#[test]
fn a_window_without_an_end_stays_open() {
    let document = settled_at(planned(&[window(10, None)]), &[10, 1_000_000]);
    assert_eq!(periods(&document), [(10, None, None)]);
    assert_eq!(document.mode("site").unwrap().windows.len(), 1);
}

#[test]
fn a_switch_whose_time_is_up_is_off_and_history_says_why() {
    let wanted = SwitchOn {
        end: Some(End::After(SignedDuration::from_secs(30))),
        ..SwitchOn::default()
    };
    let on = Document::default().turn_on("site", &wanted, at(5)).unwrap();
    assert_eq!(settled(&on, at(34)), None);
    let over = settled(&on, at(35)).unwrap();
    assert_eq!(periods(&over), [(5, Some(35), Some(Ended::TimeOut))]);
    assert!(!over.mode("site").unwrap().phase(at(35)).is_maintenance());
}

#[test]
fn a_switch_that_goes_on_after_a_window_keeps_the_period_open() {
    let document = planned(&[window(10, 20)]);
    let document = settled_at(document, &[10]);
    let document = document
        .turn_on("site", &SwitchOn::default(), at(15))
        .unwrap();
    let document = settled_at(document, &[20, 25]);
    assert_eq!(periods(&document), [(10, None, None)]);
    let off = document.turn_off("site", Some("bob"), at(30)).unwrap();
    assert_eq!(periods(&off), [(10, Some(30), Some(Ended::Off))]);
    assert_eq!(off.history[0].ended_by.as_deref(), Some("bob"));
}

#[test]
fn switching_off_ends_the_window_that_is_open_and_keeps_those_ahead() {
    let document = settled_at(planned(&[window(10, 20), window(100, 200)]), &[10]);
    let off = document.turn_off("site", None, at(15)).unwrap();
    assert!(!off.mode("site").unwrap().phase(at(15)).is_maintenance());
    assert_eq!(off.mode("site").unwrap().windows.len(), 1);
    assert_eq!(periods(&off), [(10, Some(15), Some(Ended::Off))]);
}

#[test]
fn a_plain_on_is_not_written_over() {
    let document = Document::decode(b"on\n", None).unwrap();
    assert_eq!(settled(&document, at(0)), None);
}

#[test]
fn history_is_bounded_and_the_oldest_leave_first() {
    let windows: Vec<Window> = (1..=150).map(|n| window(n * 10, n * 10 + 5)).collect();
    let document = settled_at(planned(&windows), &[1_000, 5_000]);
    assert_eq!(document.history.len(), 100);
    assert_eq!(document.history[0].started_at, at(510));
    assert_eq!(document.history[99].started_at, at(1500));
}

proptest! {
    /// Whoever settles, and however often: every instant of maintenance is in exactly one period.
    #[test]
    fn history_has_neither_gaps_nor_duplicates(
        spans in prop::collection::vec((1_i64..200, 1_i64..60), 1..12),
        mut looks in prop::collection::vec(0_i64..300, 0..12),
    ) {
        let windows: Vec<Window> = spans
            .iter()
            .enumerate()
            .map(|(n, (start, length))| Window {
                id: n.to_string(),
                ..window(*start, start + length)
            })
            .collect();
        looks.sort_unstable();
        looks.push(300);
        let document = settled_at(planned(&windows), &looks);
        for second in 0..300 {
            let closed = windows.iter().any(|window| window.contains(at(second)));
            let recorded = document
                .history
                .iter()
                .filter(|period| {
                    period.started_at <= at(second)
                        && period.ended_at.is_some_and(|end| at(second) < end)
                })
                .count();
            prop_assert_eq!(recorded, usize::from(closed), "at second {}", second);
        }
        let stretches = periods(&document);
        for pair in stretches.windows(2) {
            prop_assert!(pair[0].1.unwrap() < pair[1].0, "periods neither touch nor overlap");
        }
    }
}

/// Ten minutes from each full hour on, planned at the first instant.
fn hourly(until: Option<i64>) -> Window {
    let recurrence: Recurrence = serde_json::from_value(json!({
        "cron": "0 * * * *", "zone": "UTC", "duration": "PT10M", "after": at(0),
        "until": until.map(at),
    }))
    .unwrap();
    Window {
        repeats: Some(recurrence),
        ..window(None, None)
    }
}

/// When the occurrence of this number starts.
fn hour(number: i64) -> i64 {
    let first = (1_800_000_000_i64 / 3600 + 1) * 3600 - 1_800_000_000;
    first + (number - 1) * 3600
}

#[test]
fn each_occurrence_of_what_repeats_becomes_a_period_once() {
    let document = planned(&[hourly(None)]);
    assert_eq!(settled(&document, at(hour(1) - 1)), None);
    let document = settled(&document, at(hour(1))).unwrap();
    assert_eq!(periods(&document), [(hour(1), None, None)]);
    assert_eq!(settled(&document, at(hour(1) + 599)), None);
    let document = settled(&document, at(hour(1) + 600)).unwrap();
    let first = (hour(1), Some(hour(1) + 600), Some(Ended::WindowEnd));
    assert_eq!(periods(&document), [first]);
    assert_eq!(document.history[0].reason.as_deref(), Some("works"));
    assert_eq!(settled(&document, at(hour(2) - 1)), None);
    // Nobody looked for two hours, and then in the middle of one.
    let document = settled(&document, at(hour(4) + 60)).unwrap();
    let expected = [
        first,
        (hour(2), Some(hour(2) + 600), Some(Ended::WindowEnd)),
        (hour(3), Some(hour(3) + 600), Some(Ended::WindowEnd)),
    ];
    assert_eq!(periods(&document)[..3], expected);
    let document = settled_at(document, &[hour(4) + 90, hour(4) + 600]);
    let last = (hour(4), Some(hour(4) + 600), Some(Ended::WindowEnd));
    assert_eq!(periods(&document)[3..], [last]);
    assert_eq!(document.mode("site").unwrap().windows.len(), 1);
}

#[test]
fn a_rule_that_a_hand_wrote_begins_when_it_is_seen() {
    let by_hand = |duration: &str| {
        let windows = json!([{"id": "x", "repeats": {
            "cron": "0 * * * *", "zone": "UTC", "duration": duration,
        }}]);
        let document = json!({
            "format": 1, "generation": 1, "modes": {"site": {"windows": windows}},
        });
        Document::decode(document.to_string().as_bytes(), None).unwrap()
    };
    // Nobody knows of the years before, and what is open is told from its start.
    let open = settled(&by_hand("PT10M"), at(hour(7) + 60)).unwrap();
    assert_eq!(periods(&open), [(hour(7), None, None)]);
    assert_eq!(settled(&open, at(hour(7) + 61)), None);
    let over = settled(&open, at(hour(7) + 600)).unwrap();
    let seventh = (hour(7), Some(hour(7) + 600), Some(Ended::WindowEnd));
    assert_eq!(periods(&over), [seventh]);
    let ahead = settled(&by_hand("PT1M"), at(hour(7) + 60)).unwrap();
    assert_eq!(periods(&ahead), []);
    assert_eq!(settled(&ahead, at(hour(7) + 61)), None);
    let next = settled(&ahead, at(hour(8) + 90)).unwrap();
    let eighth = (hour(8), Some(hour(8) + 60), Some(Ended::WindowEnd));
    assert_eq!(periods(&next), [eighth]);
}

#[test]
fn what_repeated_until_its_end_leaves_the_document() {
    let document = planned(&[hourly(Some(hour(3)))]);
    let document = settled_at(document, &[hour(2) + 599]);
    assert_eq!(document.mode("site").unwrap().windows.len(), 1);
    let document = settled_at(document, &[hour(2) + 600]);
    assert!(document.mode("site").unwrap().windows.is_empty());
    assert_eq!(document.history.len(), 2);
}

#[test]
fn after_years_without_a_look_the_history_has_the_latest_occurrences() {
    let year = 365 * 24;
    let document = settled_at(planned(&[hourly(None)]), &[hour(3 * year) + 3000]);
    assert_eq!(document.history.len(), 100);
    assert_eq!(document.history[99].started_at, at(hour(3 * year)));
    assert_eq!(document.history[0].started_at, at(hour(3 * year - 99)));
    assert_eq!(settled(&document, at(hour(3 * year) + 3001)), None);
}

#[test]
fn switching_off_ends_the_occurrence_only() {
    let document = settled_at(planned(&[hourly(None)]), &[hour(1)]);
    let off = document.turn_off("site", Some("bob"), at(hour(1) + 60));
    let off = off.unwrap();
    let period = (hour(1), Some(hour(1) + 60), Some(Ended::Off));
    assert_eq!(periods(&off), [period]);
    let phase = |now| off.mode("site").unwrap().phase(at(now)).is_maintenance();
    assert!(!phase(hour(1) + 60) && !phase(hour(1) + 599));
    assert!(phase(hour(2)), "the next one comes when it is due");
    assert_eq!(settled(&off, at(hour(1) + 700)), None);
    let next = settled(&off, at(hour(2))).unwrap();
    assert_eq!(periods(&next), [period, (hour(2), None, None)]);
}

#[test]
fn cancelling_what_repeats_ends_it_for_good_or_once() {
    let document = settled_at(planned(&[hourly(None)]), &[hour(1)]);
    let id = hourly(None).id;
    let now = at(hour(1) + 60);
    let period = (hour(1), Some(hour(1) + 60), Some(Ended::Cancelled));
    let gone = document.cancel(&id, false, Some("bob"), now).unwrap();
    assert!(gone.mode("site").unwrap().windows.is_empty());
    assert_eq!(periods(&gone), [period]);
    let once = document.cancel(&id, true, Some("bob"), now).unwrap();
    assert_eq!(periods(&once), [period]);
    assert!(
        once.mode("site")
            .unwrap()
            .phase(at(hour(2)))
            .is_maintenance()
    );
    // Ahead, nothing has begun, so nothing becomes history.
    let ahead = planned(&[hourly(None)])
        .cancel(&id, true, None, at(1))
        .unwrap();
    assert_eq!(periods(&settled_at(ahead, &[hour(1) + 60])), []);
    assert_eq!(document.cancel("another", true, None, now), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whoever settles, and however often: each occurrence is in exactly one period.
    #[test]
    fn occurrences_leave_neither_gaps_nor_duplicates(
        spans in prop::collection::vec((1_i64..500, 1_i64..60), 0..4),
        mut looks in prop::collection::vec(0_i64..600, 0..12),
    ) {
        let mut windows: Vec<Window> = spans
            .iter()
            .enumerate()
            .map(|(n, (start, length))| Window {
                id: n.to_string(),
                ..window(start * 60, (start + length) * 60)
            })
            .collect();
        windows.push(hourly(None));
        looks.sort_unstable();
        let instants: Vec<i64> = looks.iter().map(|minute| minute * 60).chain([590 * 60]).collect();
        let document = settled_at(planned(&windows), &instants);
        for minute in 0..590 {
            let now = at(minute * 60);
            let closed = windows.iter().any(|window| window.contains(now));
            let recorded = document
                .history
                .iter()
                .filter(|period| {
                    period.started_at <= now && period.ended_at.is_none_or(|end| now < end)
                })
                .count();
            prop_assert_eq!(recorded, usize::from(closed), "at minute {}", minute);
        }
        let last = instants.len() - 1;
        let once = settled_at(planned(&windows), &instants[last..]);
        prop_assert_eq!(periods(&document), periods(&once), "however often");
    }
}
