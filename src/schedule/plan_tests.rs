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
