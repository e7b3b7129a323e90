use std::time::Duration;

use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::core::schedule::{Interval, Recurrence, zones_for_tests::ZONES};

fn noon() -> Timestamp {
    "2026-03-27T12:00Z".parse().unwrap()
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

fn once(start: i64, length: i64) -> Window {
    let start = noon() + hours(start);
    Window {
        start: Some(start),
        end: Some(start + hours(length)),
        ..Window::default()
    }
}

fn repeating(cron: &str, zone: &str, minutes: u64) -> Option<Window> {
    let duration = Duration::from_secs(60 * minutes);
    let recurrence = Recurrence::new(cron, zone, duration).ok()?;
    Some(Window {
        repeats: Some(recurrence.within(noon() - hours(48), None)),
        ..Window::default()
    })
}

#[test]
fn windows_without_rules_need_no_outlook() {
    assert!(Outlook::new(&[once(0, 1)], noon()).is_none());
}

#[test]
fn it_reaches_some_occurrences_ahead_and_one_back() {
    let nightly = repeating("0 3 * * *", "UTC", 60).unwrap();
    let outlook = Outlook::new(&[nightly, once(5, 1)], noon()).unwrap();
    // Last night's, eight ahead, and the one that does not repeat.
    assert_eq!(outlook.windows.len(), 10);
    let at = |text: &str| text.parse().unwrap();
    assert!(!outlook.covers(at("2026-03-27T02:59:59Z")));
    assert!(outlook.covers(at("2026-03-27T03:00Z")));
    assert!(outlook.covers(at("2026-04-04T02:59:59Z")));
    assert!(!outlook.covers(at("2026-04-04T03:00Z")));
}

#[test]
fn a_rule_that_ends_soon_is_seen_to_its_end() {
    let mut window = repeating("0 3 * * *", "UTC", 60).unwrap();
    let until = Some(noon() + hours(48));
    window.repeats = window.repeats.map(|rule| rule.within(noon(), until));
    let outlook = Outlook::new(&[window], noon()).unwrap();
    assert_eq!(outlook.windows.len(), 2);
    assert!(outlook.covers(Timestamp::MIN) && outlook.covers(noon() + hours(1_000_000)));
}

fn any_windows() -> impl Strategy<Value = Vec<Window>> {
    let cron = prop::sample::select(vec![
        "0 3 * * *",
        "30 2 * * *",
        "0 */6 * * *",
        "15 1 * * SUN",
        "*/20 1-2 * * *",
    ]);
    let rule = (cron, prop::sample::select(&ZONES[..]), 1_u64..400)
        .prop_filter_map("no break", |(cron, zone, minutes)| {
            repeating(cron, zone, minutes)
        });
    let single = (-60_i64..200, 1_i64..30).prop_map(|(start, length)| once(start, length));
    prop::collection::vec(prop_oneof![rule, single], 1..4)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Where it reaches, it says what the rules say.
    #[test]
    fn it_says_the_same_as_the_rules(windows in any_windows(), minutes in 0_i64..14_400) {
        let Some(outlook) = Outlook::new(&windows, noon()) else { return Ok(()) };
        let now = noon() - hours(60) + SignedDuration::from_mins(minutes);
        if !outlook.covers(now) {
            return Ok(());
        }
        let by_start = |mut found: Vec<Interval>| {
            found.sort_by_key(|interval| (interval.start, interval.end));
            found
        };
        let open = |windows: &[Window]| {
            by_start(windows.iter().filter_map(|window| window.occurrence_at(now)).collect())
        };
        prop_assert_eq!(open(&outlook.windows), open(&windows));
        let next = |windows: &[Window]| {
            let next = windows.iter().filter_map(|window| window.next_after(now));
            next.filter_map(|interval| interval.start).min()
        };
        prop_assert_eq!(next(&outlook.windows), next(&windows));
    }
}
