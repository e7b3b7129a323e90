use jiff::SignedDuration;
use proptest::prelude::*;

use super::*;
use crate::core::schedule::zones_for_tests::{
    ZONES, first_instant_past, instants_that_show, local, zone,
};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rome(text: &str) -> Result<PlannedTime, String> {
    parse_time(text, Some(&zone("Europe/Rome"))).map_err(|error| error.to_string())
}

fn without_zone(text: &str) -> Result<PlannedTime, String> {
    parse_time(text, None).map_err(|error| error.to_string())
}

#[test]
fn a_time_with_an_offset_is_exact_and_needs_no_zone() {
    for text in [
        "2026-03-29T10:00:00Z",
        "2026-03-29T10:00Z",
        "2026-03-29t10:00:00z",
        "2026-03-29 12:00+02:00",
        " 2026-03-29T12:00:00.0+02:00 ",
        "2026-03-29T10:00-00:00",
    ] {
        let planned = PlannedTime {
            instant: at("2026-03-29T10:00:00Z"),
            zone: None,
            note: None,
        };
        assert_eq!(without_zone(text), Ok(planned.clone()), "{text}");
        assert_eq!(rome(text), Ok(planned), "{text}");
    }
}

#[test]
fn a_zone_in_brackets_is_taken_before_the_setting() {
    let planned = PlannedTime {
        instant: at("2026-03-29T14:00:00Z"),
        zone: Some("America/New_York".to_owned()),
        note: None,
    };
    for text in [
        "2026-03-29T10:00[America/New_York]",
        "2026-03-29T10:00[america/new_york]",
        "2026-03-29 10:00:00-04:00[America/New_York]",
        "2026-03-29T14:00Z[America/New_York]",
    ] {
        assert_eq!(rome(text), Ok(planned.clone()), "{text}");
        assert_eq!(without_zone(text), Ok(planned.clone()), "{text}");
    }
}

#[test]
fn a_local_time_is_one_of_the_setting() {
    for text in [
        "2026-03-29T10:00",
        "2026-03-29 10:00",
        "2026-03-29T10:00:00",
        "2026-03-29 10:00:00",
    ] {
        let planned = rome(text).unwrap();
        assert_eq!(planned.instant, at("2026-03-29T08:00:00Z"), "{text}");
        assert_eq!(planned.zone.as_deref(), Some("Europe/Rome"));
        assert_eq!(planned.note, None);
    }
}

#[test]
fn a_local_time_without_the_setting_is_refused() {
    assert_eq!(
        without_zone("2026-03-29 10:00"),
        Err(
            "`2026-03-29 10:00` has no offset, and there is no time zone to take it in; write \
             2026-03-29T10:00:00Z or 2026-03-29T10:00:00+02:00, name a zone, or set `time_zone`"
                .to_owned()
        )
    );
}

#[test]
fn a_date_only_is_refused() {
    for text in ["2026-03-29", "2026-03-29[Europe/Rome]"] {
        assert_eq!(
            rome(text),
            Err(format!(
                "`{text}` has no time of day; write 2026-03-29T00:00 if midnight is meant"
            ))
        );
    }
}

#[test]
fn what_is_no_time_is_refused() {
    for text in [
        "",
        "tomorrow",
        "10:00",
        "2026-02-30T10:00Z",
        "2026-03-29T25:00Z",
        "2026-03-29T10:00+25:99",
        "2026-03-29T10:00Z and more",
        "29.03.2026 10:00",
        "1774778400",
    ] {
        let error = rome(text).unwrap_err();
        assert!(error.contains("is no time; write it as"), "{text}: {error}");
    }
    let error = rome("2026-03-29T10:00[Europe/Rom]").unwrap_err();
    assert!(error.contains("no time zone of the database"), "{error}");
}

#[test]
fn an_offset_that_is_not_the_zones_is_refused() {
    assert_eq!(
        rome("2026-03-29T10:00+01:00[Europe/Rome]"),
        Err(
            "`2026-03-29T10:00+01:00[Europe/Rome]` contradicts itself: in its zone, that instant \
             is 2026-03-29T11:00:00+02:00; leave the offset out, or correct it"
                .to_owned()
        )
    );
}

#[test]
fn a_local_time_that_does_not_exist_is_refused_with_its_neighbours() {
    assert_eq!(
        rome("2026-03-29T02:30"),
        Err(
            "`2026-03-29T02:30` does not exist: the clocks are put forward then, from \
             2026-03-29T01:59:59+01:00 to 2026-03-29T03:00:00+02:00; give a time up to the first \
             or from the second on"
                .to_owned()
        )
    );
    assert!(rome("2026-03-29T01:59:59").is_ok());
    assert!(rome("2026-03-29T02:00").is_err());
    assert!(rome("2026-03-29T02:59:59.999999999").is_err());
    assert!(rome("2026-03-29T03:00").is_ok());
}

#[test]
fn a_whole_day_that_does_not_exist_is_refused_with_its_neighbours() {
    let Err(TimeError::Gap { before, after, .. }) =
        parse_time("2011-12-30T12:00[Pacific/Apia]", None)
    else {
        panic!("Apia had no such day");
    };
    assert_eq!(with_offset(&before), "2011-12-29T23:59:59-10:00");
    assert_eq!(with_offset(&after), "2011-12-31T00:00:00+14:00");
}

#[test]
fn of_a_local_time_that_happens_twice_the_earlier_is_taken_and_said() {
    let planned = rome("2026-10-25T02:30").unwrap();
    assert_eq!(planned.instant, at("2026-10-25T00:30:00Z"));
    assert_eq!(
        planned.note.as_deref(),
        Some("02:30 happens twice that day; the first one, 02:30+02:00, is taken")
    );
    let planned = rome("2026-10-25T02:30:05").unwrap();
    assert_eq!(
        planned.note.as_deref(),
        Some("02:30:05 happens twice that day; the first one, 02:30:05+02:00, is taken")
    );
    assert_eq!(rome("2026-10-25T01:59").unwrap().note, None);
    assert_eq!(rome("2026-10-25T03:00").unwrap().note, None);
}

#[test]
fn an_offset_says_which_of_two_times_is_meant() {
    let planned = rome("2026-10-25T02:30+01:00[Europe/Rome]").unwrap();
    assert_eq!(planned.instant, at("2026-10-25T01:30:00Z"));
    assert_eq!(planned.note, None);
}

#[test]
fn the_ends_of_all_time_are_read_or_refused() {
    for text in [
        "9999-12-31T23:59:59",
        "-009999-01-01T00:00",
        "9999-12-31T23:59:59-23:00",
        "-009999-01-01T00:00+23:00",
    ] {
        for name in ZONES {
            let _ = parse_time(text, Some(&zone(name)));
            let _ = parse_time(&format!("{text}[{name}]"), None);
        }
    }
}

/// Compares with what the clocks of the zone show.
fn judge(time: DateTime, zone: &TimeZone) {
    let result = parse_time(&time.to_string(), Some(zone));
    let shown = instants_that_show(time, zone);
    let Some(earliest) = shown.first() else {
        let Err(TimeError::Gap { before, after, .. }) = result else {
            panic!("{time} does not exist, and yet: {result:?}");
        };
        let second = SignedDuration::from_secs(1);
        assert_eq!(before.timestamp() + second, after.timestamp(), "{time}");
        assert!(
            before.datetime() < time && time < after.datetime(),
            "{time}"
        );
        assert_eq!(after.timestamp(), first_instant_past(time, zone), "{time}");
        return;
    };
    let planned = result.unwrap();
    assert_eq!(planned.instant, *earliest, "{time}");
    assert_eq!(planned.note.is_some(), shown.len() == 2, "{time}");
    assert_eq!(planned.zone.as_deref(), zone.iana_name());
}

#[test]
fn each_minute_around_each_change_of_the_clocks_in_ten_years_is_judged_as_the_zone_does() {
    let mut changes = 0;
    for name in ZONES {
        let zone = zone(name);
        for (from, to) in [
            ("2010-01-01T00:00Z", "2020-01-01T00:00Z"),
            ("2026-01-01T00:00Z", "2031-01-01T00:00Z"),
        ] {
            let (from, to) = (at(from), at(to));
            for change in zone
                .following(from)
                .take_while(|transition| transition.timestamp() < to)
            {
                changes += 1;
                let hours = if name == "Pacific/Apia" { 30 } else { 3 };
                let first = (change.timestamp() - SignedDuration::from_hours(3))
                    .to_zoned(zone.clone())
                    .datetime();
                for minute in 0..(3 + hours) * 60 {
                    judge(first + SignedDuration::from_mins(minute), &zone);
                }
            }
        }
    }
    assert!(changes > 150, "{changes}");
}

#[test]
fn a_gap_of_half_an_hour_and_one_at_midnight_are_found() {
    let lord_howe = zone("Australia/Lord_Howe");
    assert!(instants_that_show(local("2026-10-04T02:15"), &lord_howe).is_empty());
    judge(local("2026-10-04T02:15"), &lord_howe);
    let sao_paulo = zone("America/Sao_Paulo");
    assert!(instants_that_show(local("2018-11-04T00:15"), &sao_paulo).is_empty());
    judge(local("2018-11-04T00:15"), &sao_paulo);
}

proptest! {
    #[test]
    fn any_minute_of_ten_years_is_judged_as_the_zone_does(
        name in prop::sample::select(&ZONES[..]),
        minute in 0_i64..(10 * 366 * 24 * 60),
    ) {
        judge(local("2010-01-01T00:00") + SignedDuration::from_mins(minute), &zone(name));
        judge(local("2026-01-01T00:00") + SignedDuration::from_mins(minute), &zone(name));
    }

    #[test]
    fn any_text_is_read_or_refused(
        text in "(\\PC*|[0-9]{4}-[01][0-9]-[0-3][0-9][T ]?[0-9:.,]{0,12}[Z+-]?[0-9:]{0,6}(\\[!?[A-Za-z/_+0-9-]{0,20}\\]?)?)"
    ) {
        let _ = parse_time(&text, None);
        let _ = parse_time(&text, Some(&zone("Europe/Rome")));
    }

    #[test]
    fn what_jiff_writes_is_read_back(
        name in prop::sample::select(&ZONES[..]),
        second in 0_i64..4_000_000_000,
    ) {
        let instant = Timestamp::from_second(second).unwrap();
        prop_assert_eq!(parse_time(&instant.to_string(), None).unwrap().instant, instant);
        let planned = parse_time(&instant.to_zoned(zone(name)).to_string(), None).unwrap();
        prop_assert_eq!((planned.instant, planned.zone.as_deref()), (instant, Some(name)));
    }
}

#[test]
fn an_offset_that_no_clock_has_is_refused() {
    for text in [
        "2026-03-29T10:00+25:00",
        "2026-03-29T10:00+14:01",
        "2026-03-29T10:00-12:01",
        "2026-03-29T10:00[+25:00]",
    ] {
        let error = rome(text).unwrap_err();
        let expected = "has an offset that no clock has: it is at most 12 hours behind UTC and 14 \
                        ahead of it";
        assert!(error.contains(expected), "{text}: {error}");
    }
    assert!(rome("2026-03-29T10:00+14:00").is_ok());
    assert!(rome("2026-03-29T10:00-12:00").is_ok());
}
