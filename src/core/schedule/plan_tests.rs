use jiff::ToSpan;

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-03-01T12:00:00Z")
}

fn check(start: Option<&str>, end: Option<&str>) -> Result<Vec<Warning>, String> {
    check_plan(start.map(at), end.map(at), now()).map_err(|error| error.to_string())
}

#[test]
fn a_window_ahead_is_no_surprise() {
    assert_eq!(
        check(Some("2026-03-02T02:00:00Z"), Some("2026-03-02T04:00:00Z")),
        Ok(vec![])
    );
    assert_eq!(check(None, Some("2026-03-01T13:00:00Z")), Ok(vec![]));
    // The same day of next year, and a start at this very instant.
    assert_eq!(
        check(Some("2026-03-01T12:00:00Z"), Some("2027-03-01T12:00:00Z")),
        Ok(vec![])
    );
}

#[test]
fn an_end_in_the_past_is_refused() {
    assert_eq!(
        check(None, Some("2026-03-01T11:59:59Z")),
        Err("the end, 2026-03-01T11:59:59Z, is in the past".to_owned())
    );
    // A window ends before its end, so that one that ends now is over.
    assert!(check(Some("2026-03-01T10:00:00Z"), Some("2026-03-01T12:00:00Z")).is_err());
}

#[test]
fn an_end_that_is_not_after_the_start_is_refused() {
    assert_eq!(
        check(Some("2026-03-02T04:00:00Z"), Some("2026-03-02T02:00:00Z")),
        Err(
            "the end, 2026-03-02T02:00:00Z, is not after the start, 2026-03-02T04:00:00Z"
                .to_owned()
        )
    );
    assert!(check(Some("2026-03-02T02:00:00Z"), Some("2026-03-02T02:00:00Z")).is_err());
}

#[test]
fn a_start_in_the_past_starts_now() {
    let start = at("2026-03-01T11:00:00Z");
    let warnings = check_plan(Some(start), Some(now() + 1.hour()), now()).unwrap();
    assert_eq!(warnings, [Warning::StartsNow { start }]);
    assert_eq!(
        warnings[0].to_string(),
        "the start, 2026-03-01T11:00:00Z, is in the past: it starts now"
    );
}

#[test]
fn a_window_without_an_end_stays_until_somebody_ends_it() {
    assert_eq!(
        check(Some("2026-03-02T00:00:00Z"), None),
        Ok(vec![Warning::NoEnd])
    );
    assert_eq!(check(None, None), Ok(vec![Warning::NoEnd]));
    assert_eq!(
        Warning::NoEnd.to_string(),
        "it has no end: it stays until somebody ends it"
    );
}

#[test]
fn what_is_more_than_a_year_ahead_is_pointed_out_once() {
    let far = "2062-03-02T02:00:00Z";
    assert_eq!(
        check(Some("2026-03-02T02:00:00Z"), Some(far)),
        Ok(vec![Warning::FarEnd { end: at(far) }])
    );
    assert_eq!(
        check(Some(far), Some("2062-03-02T04:00:00Z")),
        Ok(vec![Warning::FarStart { start: at(far) }])
    );
    assert_eq!(
        check(Some(far), None),
        Ok(vec![Warning::FarStart { start: at(far) }, Warning::NoEnd])
    );
}

#[test]
fn the_ends_of_all_time_are_no_trouble() {
    for (start, end, now) in [
        (Timestamp::MIN, Timestamp::MAX, Timestamp::UNIX_EPOCH),
        (Timestamp::MIN, Timestamp::MAX, Timestamp::MIN),
        (Timestamp::MIN, Timestamp::MAX, Timestamp::MAX),
    ] {
        let _ = check_plan(Some(start), Some(end), now);
        let _ = check_plan(Some(end), Some(start), now);
    }
}

fn rome() -> TimeZone {
    find_zone("Europe/Rome").unwrap()
}

fn text(text: &str) -> Option<When> {
    Some(When::Text(text.to_owned()))
}

const TWO_HOURS: Option<Duration> = Some(Duration::from_secs(2 * 3600));

fn resolved(plan: WindowPlan, zone: Option<&TimeZone>) -> Result<(Window, Vec<String>), String> {
    plan.resolve(zone, now()).map_err(|error| error.to_string())
}

#[test]
fn local_times_are_read_in_the_zone_of_the_window() {
    let plan = WindowPlan {
        start: text("2026-07-01T02:00"),
        end: text("2026-07-01T04:30"),
        ..WindowPlan::default()
    };
    let (window, notes) = resolved(
        WindowPlan {
            zone: Some("america/new_york".to_owned()),
            ..plan.clone()
        },
        Some(&rome()),
    )
    .unwrap();
    assert_eq!(window.start, Some(at("2026-07-01T06:00:00Z")));
    assert_eq!(window.zone.as_deref(), Some("America/New_York"));
    assert_eq!(notes, [""; 0]);
    let (window, _) = resolved(plan.clone(), Some(&rome())).unwrap();
    assert_eq!(window.start, Some(at("2026-07-01T00:00:00Z")));
    assert_eq!(window.end, Some(at("2026-07-01T02:30:00Z")));
    assert_eq!(window.zone.as_deref(), Some("Europe/Rome"));
    let refused = resolved(plan, None).unwrap_err();
    assert!(refused.starts_with("the start: "), "{refused}");
    assert!(refused.contains("`time_zone`"), "{refused}");
}

#[test]
fn an_offset_needs_no_zone_and_keeps_none() {
    let plan = WindowPlan {
        start: text("2026-07-01T02:00+02:00"),
        end: text("2026-07-01T04:30[Europe/Rome]"),
        ..WindowPlan::default()
    };
    let (window, _) = resolved(plan.clone(), None).unwrap();
    assert_eq!(window.zone.as_deref(), Some("Europe/Rome"));
    let plan = WindowPlan { end: None, ..plan };
    assert_eq!(resolved(plan, None).unwrap().0.zone, None);
}

#[test]
fn a_local_time_in_a_gap_is_refused_with_its_neighbours() {
    let plan = WindowPlan {
        start: text("2026-03-29T02:30"),
        lasting: TWO_HOURS,
        ..WindowPlan::default()
    };
    assert_eq!(
        resolved(plan, Some(&rome())).unwrap_err(),
        "the start: `2026-03-29T02:30` does not exist: the clocks are put forward then, from \
         2026-03-29T01:59:59+01:00 to 2026-03-29T03:00:00+02:00; give a time up to the first or \
         from the second on"
    );
}

#[test]
fn of_a_local_time_in_a_fold_the_earlier_is_taken_and_said() {
    let plan = WindowPlan {
        start: text("2026-10-25T01:00"),
        end: text("2026-10-25T02:30"),
        ..WindowPlan::default()
    };
    let (window, notes) = resolved(plan, Some(&rome())).unwrap();
    assert_eq!(window.end, Some(at("2026-10-25T00:30:00Z")));
    assert_eq!(
        notes,
        ["the end: 02:30 happens twice that day; the first one, 02:30+02:00, is taken"]
    );
}

#[test]
fn a_duration_counts_from_the_start_as_elapsed_time() {
    let plan = WindowPlan {
        // An hour before the clocks are put forward.
        start: text("2026-03-29T01:00"),
        lasting: TWO_HOURS,
        ..WindowPlan::default()
    };
    let (window, _) = resolved(plan.clone(), Some(&rome())).unwrap();
    assert_eq!(window.end, Some(at("2026-03-29T02:00:00Z")));
    let from_now = WindowPlan {
        start: None,
        ..plan.clone()
    };
    let (window, _) = resolved(from_now, None).unwrap();
    assert_eq!(window.start, Some(now()));
    assert_eq!(window.end, Some(now() + 2.hours()));
    let both = WindowPlan {
        end: text("2026-03-29T09:00"),
        ..plan.clone()
    };
    assert!(resolved(both, Some(&rome())).unwrap_err().contains("both"));
    let too_long = WindowPlan {
        lasting: Some(Duration::MAX),
        ..plan
    };
    assert!(
        resolved(too_long, Some(&rome()))
            .unwrap_err()
            .contains("shorter")
    );
}

fn weekly() -> WindowPlan {
    WindowPlan {
        repeats: Some("0 3 * * SUN".to_owned()),
        lasting: TWO_HOURS,
        zone: Some("Europe/Rome".to_owned()),
        ..WindowPlan::default()
    }
}

#[test]
fn what_repeats_needs_a_duration_a_zone_and_a_rule_that_makes_sense() {
    let (window, warnings) = resolved(weekly(), None).unwrap();
    assert_eq!(warnings, [""; 0], "no end is no surprise here");
    assert_eq!((window.start, window.end), (None, None));
    assert_eq!(window.zone.as_deref(), Some("Europe/Rome"));
    // Noon is a Sunday's, so this week's is over.
    let next = window.next_after(now()).unwrap();
    assert_eq!(next.start, Some(at("2026-03-08T02:00:00Z")));

    let refused = |plan| resolved(plan, None).unwrap_err();
    let without_duration = WindowPlan {
        lasting: None,
        ..weekly()
    };
    assert!(refused(without_duration).contains("how long it lasts"));
    let without_zone = WindowPlan {
        zone: None,
        ..weekly()
    };
    assert!(refused(without_zone.clone()).contains("needs a time zone"));
    let (window, _) = resolved(without_zone, Some(&rome())).unwrap();
    assert_eq!(window.zone.as_deref(), Some("Europe/Rome"));
    let no_cron = WindowPlan {
        repeats: Some("every sunday".to_owned()),
        ..weekly()
    };
    assert!(refused(no_cron).contains("minute, hour"));
    let no_zone = WindowPlan {
        zone: Some("Rome".to_owned()),
        ..weekly()
    };
    assert!(refused(no_zone).contains("`Rome` is no time zone"));
}

#[test]
fn a_start_and_an_end_are_bounds_of_what_repeats() {
    let plan = WindowPlan {
        // The start of an occurrence counts, its end does not.
        start: text("2026-03-15T03:00"),
        end: text("2026-03-29T03:00"),
        ..weekly()
    };
    let (window, _) = resolved(plan.clone(), None).unwrap();
    let starts: Vec<_> = std::iter::successors(window.next_after(now()), |last| {
        window.next_after(last.start?)
    })
    .filter_map(|open| open.start)
    .collect();
    assert_eq!(starts, [at("2026-03-15T02:00Z"), at("2026-03-22T02:00Z")]);
    let between = WindowPlan {
        end: text("2026-03-15T03:00"),
        start: text("2026-03-09T03:00"),
        ..plan.clone()
    };
    assert!(resolved(between, None).unwrap_err().contains("never opens"));
    let swapped = WindowPlan {
        end: text("2026-03-09T03:00"),
        ..plan
    };
    assert!(resolved(swapped, None).unwrap_err().contains("not after"));
}

fn plan_of(repeats: &str, end: Option<&str>) -> Vec<String> {
    let plan = WindowPlan {
        repeats: Some(repeats.to_owned()),
        lasting: Some(Duration::from_secs(2 * 60 * 60)),
        zone: Some("UTC".to_owned()),
        end: end.map(|end| When::Text(end.to_owned())),
        ..WindowPlan::default()
    };
    plan.resolve(None, now()).unwrap().1
}

#[test]
fn an_end_in_the_middle_of_a_time_that_repeats_is_told() {
    assert_eq!(
        plan_of("0 3 * * SUN", Some("2026-03-15T04:00Z")),
        [
            "the end is in the middle of the time that starts at 2026-03-15T03:00:00Z: that one \
             lasts until 2026-03-15T05:00:00Z, and it is the last"
        ]
    );
    // Between two, and at the very end or start of one.
    for end in [
        "2026-03-16T04:00Z",
        "2026-03-15T05:00Z",
        "2026-03-15T03:00Z",
    ] {
        assert!(plan_of("0 3 * * SUN", Some(end)).is_empty(), "{end}");
    }
    assert!(plan_of("0 3 * * SUN", None).is_empty());
}

#[test]
fn months_that_a_window_leaves_out_are_told() {
    assert_eq!(
        plan_of("0 3 31 * *", None),
        ["months without a 31st are left out"]
    );
}
