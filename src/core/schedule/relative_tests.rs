use proptest::prelude::*;

use super::*;
use crate::core::schedule::zones_for_tests::zone;

/// A Sunday evening, 19:00 in Rome.
const NOW: &str = "2026-03-01T18:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn rome(text: &str, now: &str, from: &str) -> Result<String, String> {
    match read_time(text, Some(&zone("Europe/Rome")), at(now), at(from)) {
        Ok(read) => Ok(read.instant.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn what_is_told_from_now_is_an_instant() {
    for (text, expected) in [
        ("now", NOW),
        ("+2h", "2026-03-01T20:00:00Z"),
        ("+90", "2026-03-01T18:01:30Z"),
        ("+ 1d 2h", "2026-03-02T20:00:00Z"),
        ("22:00", "2026-03-01T21:00:00Z"),
        (" 22:00:30 ", "2026-03-01T21:00:30Z"),
        // Over for today, also at this very minute.
        ("19:00", "2026-03-02T18:00:00Z"),
        ("9:00", "2026-03-02T08:00:00Z"),
        ("22:00Z", "2026-03-01T22:00:00Z"),
        ("22:00-05:00", "2026-03-02T03:00:00Z"),
        ("22:00[Asia/Tokyo]", "2026-03-02T13:00:00Z"),
        ("today 22:00", "2026-03-01T21:00:00Z"),
        ("today 10:00", "2026-03-01T09:00:00Z"),
        ("tomorrow 22:00", "2026-03-02T21:00:00Z"),
        ("Tomorrow  9:00", "2026-03-02T08:00:00Z"),
        ("2026-03-29T10:00", "2026-03-29T08:00:00Z"),
    ] {
        assert_eq!(rome(text, NOW, NOW), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn an_end_is_told_from_its_start() {
    // The start, tomorrow at 22:00 in Rome.
    let start = "2026-03-02T21:00:00Z";
    for (text, expected) in [
        ("23:30", "2026-03-02T22:30:00Z"),
        ("02:00", "2026-03-03T01:00:00Z"),
        ("+2h", "2026-03-02T23:00:00Z"),
        ("tomorrow 23:00", "2026-03-02T22:00:00Z"),
    ] {
        assert_eq!(rome(text, NOW, start), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn a_time_of_day_needs_a_zone_and_a_day_a_time() {
    let told = |text: &str| read_time(text, None, at(NOW), at(NOW)).map_err(|it| it.to_string());
    assert_eq!(
        told("22:00"),
        Err(
            "`22:00` is in no time zone; write an offset behind it, as in 22:00+02:00, name a \
             zone, or set `time_zone`"
                .to_owned()
        )
    );
    assert_eq!(told("+2h").unwrap().instant, at("2026-03-01T20:00:00Z"));
    assert!(
        rome("tomorrow", NOW, NOW)
            .unwrap_err()
            .contains("2026-03-02T00:00")
    );
    for text in [
        "25:00",
        "22:60",
        "2:0",
        "tomorrow noon",
        "+2 moons",
        "::",
        "yesterday 10:00",
    ] {
        let error = rome(text, NOW, NOW).unwrap_err();
        assert!(error.contains("is no time; write it as"), "{text}: {error}");
    }
}

#[test]
fn a_time_that_the_clocks_leave_out_is_refused_until_it_is_over() {
    // The clocks of Rome are put forward from 02:00 to 03:00 on the 29th of March.
    let before = "2026-03-29T00:30:00Z";
    let error = rome("02:30", before, before).unwrap_err();
    assert!(error.contains("does not exist"), "{error}");
    let after = "2026-03-29T10:00:00Z";
    assert_eq!(
        rome("02:30", after, after),
        Ok("2026-03-30T00:30:00Z".to_owned())
    );
}

proptest! {
    #[test]
    fn the_next_time_of_day_is_within_two_days(
        seconds in 1_700_000_000_i64..2_000_000_000,
        hour in 0..24_u8,
        minute in 0..60_u8,
    ) {
        let now = Timestamp::from_second(seconds).unwrap();
        let rome = zone("Europe/Rome");
        match read_time(&format!("{hour}:{minute:02}"), Some(&rome), now, now) {
            Ok(read) => {
                let distance = read.instant.duration_since(now).as_secs();
                prop_assert!(distance > 0 && distance <= 49 * 3600, "{distance}");
                let shown = rome.to_datetime(read.instant).time();
                prop_assert_eq!((shown.hour(), shown.minute()), (hour as i8, minute as i8));
            }
            Err(TimeError::Gap { after, .. }) => prop_assert!(after.timestamp() > now),
            Err(error) => prop_assert!(false, "{error}"),
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(today |tomorrow |\\+)?[0-9:Zhmd +\\[\\]a-z/-]{0,12}") {
        let read = read_time(&text, None, at(NOW), at(NOW));
        prop_assert!(read.is_ok() || !read.unwrap_err().to_string().is_empty());
    }
}
