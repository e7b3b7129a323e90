use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::core::schedule::{
    Interval,
    stretches_for_tests::stretch_around,
    zones_for_tests::{ZONES, first_instant_past, instants_that_show, local, zone},
};

const HOUR: Duration = Duration::from_secs(3600);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn recurrence(cron: &str, zone: &str, duration: Duration) -> Recurrence {
    Recurrence::new(cron, zone, duration).unwrap()
}

fn refusal(cron: &str, zone: &str, duration: Duration) -> String {
    Recurrence::new(cron, zone, duration)
        .unwrap_err()
        .to_string()
}

/// The starts in `[from, to)` as local times with offsets.
fn starts(recurrence: &Recurrence, from: &str, to: &str) -> Vec<String> {
    recurrence
        .between(at(from), at(to))
        .map(|(start, _)| {
            start
                .to_zoned(recurrence.zone.clone())
                .strftime("%m-%d %H:%M%:z")
                .to_string()
        })
        .collect()
}

#[test]
fn an_occurrence_starts_at_its_local_time_and_lasts_for_elapsed_time() {
    let sundays = recurrence("0 2 * * SUN", "Europe/Rome", 2 * HOUR);
    let occurrence = (at("2026-03-01T01:00:00Z"), at("2026-03-01T03:00:00Z"));
    assert_eq!(
        sundays.next_after(at("2026-02-24T00:00:00Z")),
        Some(occurrence)
    );
    assert_eq!(sundays.occurrence_at(at("2026-03-01T00:59:59Z")), None);
    assert_eq!(sundays.occurrence_at(occurrence.0), Some(occurrence));
    assert_eq!(
        sundays.occurrence_at(at("2026-03-01T02:59:59.999Z")),
        Some(occurrence)
    );
    assert_eq!(sundays.occurrence_at(occurrence.1), None);
    let next = at("2026-03-08T01:00:00Z");
    assert_eq!(sundays.next_after(occurrence.0).unwrap().0, next);
    // In summer time, two hours earlier than UTC.
    assert_eq!(
        sundays.next_after(at("2026-06-01T12:00:00Z")).unwrap().0,
        at("2026-06-07T00:00:00Z")
    );
}

#[test]
fn a_start_that_the_clocks_leave_out_is_at_the_first_instant_after_them() {
    let nightly = recurrence("30 2 * * *", "Europe/Rome", HOUR);
    assert_eq!(
        starts(&nightly, "2026-03-28T00:00Z", "2026-03-31T00:00Z"),
        [
            "03-28 02:30+01:00",
            "03-29 03:00+02:00",
            "03-30 02:30+02:00"
        ]
    );
    let (start, end) = nightly.occurrence_at(at("2026-03-29T01:59:59Z")).unwrap();
    assert_eq!(start, at("2026-03-29T01:00:00Z"));
    assert_eq!(end, at("2026-03-29T02:00:00Z"));
}

#[test]
fn several_starts_in_one_gap_are_one() {
    let nightly = recurrence("*/10 2 * * *", "Europe/Rome", HOUR);
    assert_eq!(
        starts(&nightly, "2026-03-29T00:00Z", "2026-03-29T23:00Z"),
        ["03-29 03:00+02:00"]
    );
}

#[test]
fn a_start_that_happens_twice_is_the_first_one_only() {
    let nightly = recurrence("30 2 * * *", "Europe/Rome", HOUR / 2);
    assert_eq!(
        starts(&nightly, "2026-10-24T00:00Z", "2026-10-26T23:00Z"),
        [
            "10-24 02:30+02:00",
            "10-25 02:30+02:00",
            "10-26 02:30+01:00"
        ]
    );
    // While the clocks show the hour again.
    let again = at("2026-10-25T01:15:00Z");
    assert_eq!(nightly.occurrence_at(again), None);
    assert_eq!(
        nightly.next_after(again).unwrap().0,
        at("2026-10-26T01:30:00Z")
    );
    let longer = recurrence("30 2 * * *", "Europe/Rome", 2 * HOUR);
    assert_eq!(
        longer.occurrence_at(again),
        Some((at("2026-10-25T00:30:00Z"), at("2026-10-25T02:30:00Z")))
    );
}

#[test]
fn a_day_that_never_was_has_no_occurrence() {
    let nightly = recurrence("0 2 * * *", "Pacific/Apia", HOUR);
    assert_eq!(
        starts(&nightly, "2011-12-29T00:00Z", "2012-01-01T00:00Z"),
        [
            "12-29 02:00-10:00",
            "12-31 02:00+14:00",
            "01-01 02:00+14:00"
        ]
    );
    let on_fridays = recurrence("0 2 * * FRI", "Pacific/Apia", HOUR);
    assert_eq!(
        starts(&on_fridays, "2011-12-23T00:00Z", "2012-01-07T00:00Z"),
        ["12-23 02:00-10:00", "01-06 02:00+14:00"]
    );
}

#[test]
fn the_last_day_of_each_month_is_found() {
    let monthly = recurrence("0 0 L * *", "UTC", HOUR);
    let found = starts(&monthly, "2027-11-15T00:00Z", "2028-03-01T00:00Z");
    assert_eq!(
        found,
        [
            "11-30 00:00+00:00",
            "12-31 00:00+00:00",
            "01-31 00:00+00:00",
            "02-29 00:00+00:00"
        ]
    );
}

#[test]
fn a_day_of_the_month_and_one_of_the_week_are_either_or() {
    let both = recurrence("0 0 1 * MON", "UTC", HOUR);
    assert_eq!(
        starts(&both, "2026-10-28T00:00Z", "2026-11-10T00:00Z"),
        [
            "11-01 00:00+00:00",
            "11-02 00:00+00:00",
            "11-09 00:00+00:00"
        ]
    );
}

#[test]
fn occurrences_that_overlap_or_touch_are_one() {
    let office = recurrence("*/30 9-17 * * MON-FRI", "UTC", HOUR / 2);
    let day = (at("2026-03-02T09:00:00Z"), at("2026-03-02T18:00:00Z"));
    for now in ["2026-03-02T09:00:00Z", "2026-03-02T13:10:00Z"] {
        assert_eq!(office.occurrence_at(at(now)), Some(day), "{now}");
    }
    assert_eq!(office.next_after(at("2026-03-01T00:00:00Z")), Some(day));
    let nights = recurrence("0 22 * * FRI,SAT", "UTC", 26 * HOUR);
    assert_eq!(
        nights.occurrence_at(at("2026-03-07T12:00:00Z")),
        Some((at("2026-03-06T22:00:00Z"), at("2026-03-09T00:00:00Z")))
    );
}

#[test]
fn the_occurrences_between_two_instants_are_those_that_overlap_them() {
    let daily = recurrence("@daily", "UTC", HOUR);
    let found = |from, to| starts(&daily, from, to);
    assert_eq!(
        found("2026-03-01T00:30Z", "2026-03-02T00:00Z"),
        ["03-01 00:00+00:00"]
    );
    assert_eq!(found("2026-03-01T01:00Z", "2026-03-02T00:00Z"), [""; 0]);
    assert_eq!(found("2026-03-02T00:30Z", "2026-03-01T00:30Z"), [""; 0]);
    assert_eq!(
        daily
            .between(at("2026-03-01T00:00Z"), Timestamp::MAX)
            .take(3)
            .count(),
        3
    );
}

#[test]
fn what_is_no_cron_expression_is_refused() {
    for cron in ["", "0 2 * *", "0 0 2 * * SUN", "daily"] {
        let text = refusal(cron, "UTC", HOUR);
        assert!(text.contains("minute, hour, day of month"), "{text}");
    }
    for cron in [
        "60 2 * * *",
        "0 24 * * *",
        "0 2 * * XYZ",
        "a b c d e",
        "@reboot",
        "0 2 0 * *",
    ] {
        let text = refusal(cron, "UTC", HOUR);
        assert!(
            text.starts_with(&format!("`{cron}` is no cron expression (")),
            "{text}"
        );
    }
}

#[test]
fn a_day_that_never_comes_is_refused() {
    assert_eq!(
        refusal("0 0 30 2 *", "UTC", HOUR),
        "`0 0 30 2 *` never comes true; is there such a day?"
    );
    recurrence("0 0 29 2 *", "UTC", HOUR);
}

#[test]
fn an_unknown_zone_is_refused() {
    for name in ["Europe/Rom", "", "CEST+2", "Etc/Unknown", "+02:00"] {
        assert_eq!(
            refusal("0 2 * * *", name, HOUR),
            format!(
                "`{name}` is no time zone of the database; give an IANA name such as \
                 `Europe/Rome`"
            )
        );
    }
    assert_eq!(
        recurrence("0 2 * * *", "europe/rome", HOUR).zone(),
        "Europe/Rome"
    );
}

#[test]
fn a_duration_of_nothing_of_a_fraction_or_longer_than_a_year_is_refused() {
    let refused = |duration| refusal("0 0 1 1 *", "UTC", duration);
    assert!(refused(Duration::ZERO).contains("zero"));
    assert!(refused(Duration::from_millis(1500)).contains("whole seconds"));
    assert!(refused(367 * 24 * HOUR).contains("longer than a year"));
    assert!(refused(Duration::MAX).contains("longer than a year"));
}

#[test]
fn occurrences_without_a_break_are_refused() {
    for (cron, duration) in [
        ("* * * * *", Duration::from_secs(60)),
        ("* * * * *", HOUR),
        ("0 * * * *", HOUR),
        ("@daily", 24 * HOUR),
        ("0 2 * * SUN", 8 * 24 * HOUR),
        ("0 0 1 1 *", 366 * 24 * HOUR),
    ] {
        let text = refusal(cron, "Europe/Rome", duration);
        assert!(text.contains("without a break"), "{cron}: {text}");
    }
    recurrence("* * * * *", "UTC", Duration::from_secs(59));
    recurrence("@daily", "Europe/Rome", 24 * HOUR - Duration::from_secs(1));
}

#[test]
fn json_is_read_and_written_with_what_is_unknown() {
    let json = json!({
        "cron": "0 2 * * SUN", "zone": "Europe/Rome", "duration": "PT2H", "colour": ["blue"]
    });
    let read: Recurrence = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(read.cron(), "0 2 * * SUN");
    assert_eq!(read.zone(), "Europe/Rome");
    assert_eq!(read.duration(), SignedDuration::from_hours(2));
    assert_eq!(serde_json::to_value(&read).unwrap(), json);
    let made = recurrence("0 2 * * SUN", "Europe/Rome", 36 * HOUR);
    let written = serde_json::to_value(&made).unwrap();
    assert_eq!(
        written,
        json!({"cron": "0 2 * * SUN", "zone": "Europe/Rome", "duration": "PT36H"})
    );
    assert_eq!(serde_json::from_value::<Recurrence>(written).unwrap(), made);
}

#[test]
fn json_that_makes_no_sense_is_refused() {
    for (json, expected) in [
        (
            json!({"cron": "x", "zone": "UTC", "duration": "PT2H"}),
            "five fields",
        ),
        (
            json!({"cron": "@daily", "zone": "X", "duration": "PT2H"}),
            "time zone",
        ),
        (
            json!({"cron": "@daily", "zone": "UTC", "duration": "soon"}),
            "no duration",
        ),
        (
            json!({"cron": "@daily", "zone": "UTC", "duration": "PT0S"}),
            "no time at all",
        ),
        (
            json!({"cron": "@daily", "zone": "UTC"}),
            "missing field `duration`",
        ),
    ] {
        let text = serde_json::from_value::<Recurrence>(json)
            .unwrap_err()
            .to_string();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn at_the_ends_of_all_time_there_is_no_occurrence() {
    let daily = recurrence("@daily", "America/New_York", 20 * HOUR);
    for now in [Timestamp::MIN, Timestamp::MAX] {
        let _ = daily.occurrence_at(now);
        let _ = daily.next_after(now);
        let _ = daily.between(now, Timestamp::MAX).take(2).count();
        assert_eq!(daily.between(Timestamp::MIN, now).take(2).count() % 2, 0);
    }
}

/// When an occurrence at a local time starts, found the slow way.
fn start_of(time: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    if let Some(first) = instants_that_show(time, zone).first() {
        return Some(*first);
    }
    let past = first_instant_past(time, zone);
    let day_exists = (0..24 * 4).any(|quarter| {
        let tried = time.date().to_datetime(jiff::civil::Time::midnight())
            + SignedDuration::from_mins(15 * quarter);
        !instants_that_show(tried, zone).is_empty()
    });
    // A gap can end as the next day begins, without having taken the whole day.
    day_exists.then_some(past)
}

#[test]
fn each_local_day_of_ten_years_has_its_occurrence_and_none_has_two() {
    for name in ZONES {
        let zone = zone(name);
        for (hour, minute) in [(0, 0), (2, 0), (2, 30), (23, 30)] {
            let nightly = recurrence(&format!("{minute} {hour} * * *"), name, HOUR);
            let first = local("2010-01-01T00:00").date();
            let expected: Vec<_> = first
                .series(jiff::Span::new().days(1))
                .take(3652)
                .filter_map(|day| start_of(day.at(hour, minute, 0, 0), &zone))
                .collect();
            let (from, to) = (expected[0], *expected.last().unwrap());
            let found: Vec<_> = nightly
                .between(from, to + SignedDuration::from_secs(1))
                .map(|(start, _)| start)
                .collect();
            assert_eq!(found, expected, "{name} {hour}:{minute}");
        }
    }
}

/// Expressions with few and many starts, in hours at which clocks change.
fn any_cron() -> impl Strategy<Value = String> {
    (
        prop::sample::select(vec!["0", "30", "*/15", "10,50", "45-59", "*"]),
        prop::sample::select(vec!["0", "2", "1-3", "*", "*/2", "23", "0,3,22-23"]),
        prop::sample::select(vec!["*", "*", "1-15", "L"]),
        prop::sample::select(vec!["*", "*", "SUN", "0,6", "MON-SAT"]),
    )
        .prop_map(|(minute, hour, day, weekday)| format!("{minute} {hour} {day} * {weekday}"))
}

/// Instants of ten years, most of them near a change of the zone's clocks.
fn any_instant(zone: &TimeZone, seed: i64, near: bool) -> Timestamp {
    let from = at("2010-01-01T00:00Z");
    let instant = from + SignedDuration::from_secs(seed);
    match zone.following(instant).next() {
        Some(change) if near => {
            change.timestamp() + SignedDuration::from_secs(seed % 14_400 - 7200)
        }
        _ => instant,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn starts_are_those_of_each_minute_that_matches(
        cron in any_cron(),
        name in prop::sample::select(&ZONES[..]),
        seed in 0_i64..(10 * 365 * 86_400),
        near in prop::bool::weighted(0.8),
    ) {
        let zone = zone(name);
        // A second never makes a chain.
        let repeating = recurrence(&cron, name, Duration::from_secs(1));
        let now = any_instant(&zone, seed, near);
        let day = SignedDuration::from_hours(24);
        let midnight = zone.to_datetime(now).date().to_datetime(jiff::civil::Time::midnight());
        let expected: BTreeSet<Timestamp> = (-2 * 1440..3 * 1440)
            .map(|minute| midnight + SignedDuration::from_mins(minute))
            .filter(|time| repeating.expression.is_time_matching(time).unwrap())
            .filter_map(|time| start_of(time, &zone))
            .filter(|start| (now - day..now + day).contains(start))
            .collect();
        let second = SignedDuration::from_secs(1);
        let found: Vec<Timestamp> = repeating
            .between(now - day, now + day)
            .map(|(start, _)| start)
            .filter(|start| *start >= now - day)
            .collect();
        prop_assert!(found.is_sorted());
        prop_assert_eq!(&found, &expected.iter().copied().collect::<Vec<_>>());
        // Backward, too.
        for start in &expected {
            prop_assert_eq!(repeating.last_start(*start), Some(*start));
            prop_assert_eq!(repeating.occurrence_at(*start), Some((*start, *start + second)));
        }
        if let Some(last) = expected.range(..=now).next_back() {
            prop_assert_eq!(repeating.last_start(now), Some(*last));
        }
        if let Some(next) = expected.range(now + SignedDuration::from_nanos(1)..).next() {
            prop_assert_eq!(repeating.next_after(now), Some((*next, *next + second)));
        }
    }

    #[test]
    fn the_occurrence_at_an_instant_is_the_stretch_of_all_around_it(
        cron in any_cron(),
        name in prop::sample::select(&ZONES[..]),
        seed in 0_i64..(10 * 365 * 86_400),
        near in prop::bool::weighted(0.8),
        minutes in prop_oneof![1_u64..20, 20_u64..180, 180_u64..3000],
    ) {
        let duration = Duration::from_secs(60 * minutes);
        let Ok(repeating) = Recurrence::new(&cron, name, duration) else {
            return Ok(());
        };
        let now = any_instant(&zone(name), seed, near);
        let around = SignedDuration::from_hours(24 * 40);
        let all = || repeating.between(now - around, now + around).map(|(start, end)| Interval {
            start: Some(start),
            end: Some(end),
        });
        let stretch = |instant| stretch_around(all(), instant)
            .and_then(|stretch| Some((stretch.start?, stretch.end?)));
        let found = repeating.occurrence_at(now);
        prop_assert_eq!(found, stretch(now));
        let (start, end) = repeating.next_after(now).unwrap();
        if start < now + SignedDuration::from_hours(24 * 8) {
            prop_assert!(start > now);
            prop_assert_eq!(Some(end), stretch(start).map(|(_, end)| end));
        }
    }

    #[test]
    fn any_text_makes_a_recurrence_or_is_refused(
        cron in "(\\PC{0,20}|([0-9*,/#LW?+A-Za-z-]{1,6} ){4}[0-9*,/#LW?+A-Za-z-]{1,6}|@[a-z]{0,9})",
        seconds in 1_u64..100_000,
    ) {
        if let Ok(repeating) = Recurrence::new(&cron, "Europe/Rome", Duration::from_secs(seconds)) {
            let now = at("2026-03-29T00:00Z");
            let _ = repeating.occurrence_at(now);
            prop_assert!(repeating.next_after(now).unwrap().0 > now);
        }
    }
}
