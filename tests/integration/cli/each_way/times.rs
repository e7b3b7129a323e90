//! Times as operators give them.

use jiff::{SignedDuration, Timestamp, ToSpan as _, Zoned, tz::TimeZone};

use super::Operator;

fn shop() -> Operator {
    Operator::with_settings("time_zone = \"Europe/Rome\"")
}

/// What the status says of the first mode.
fn instant(operator: &Operator, key: &str) -> Timestamp {
    let status = operator.status();
    let text = status["modes"][0][key].as_str().unwrap().to_owned();
    text.parse().unwrap()
}

/// Now, in the zone of the shop; and ten minutes away from midnight, so that days are what they seem.
fn local_now() -> Zoned {
    Timestamp::now().to_zoned(TimeZone::get("Europe/Rome").unwrap())
}

#[test]
fn an_end_is_told_from_now_and_echoed_with_date_and_offset() {
    let operator = shop();
    let ran = operator.done(&["on", "--end", "+2h"]);
    let until = instant(&operator, "until");
    let shown = until.to_zoned(local_now().time_zone().clone());
    let shown = shown.strftime("until %Y-%m-%d %H:%M:%S %:z").to_string();
    assert!(ran.out.contains(&shown), "{shown}: {ran:?}");
    // It was read a moment before.
    let lasts = until.duration_since(instant(&operator, "since"));
    let hours = SignedDuration::from_hours(2);
    assert!(lasts <= hours && lasts > hours - SignedDuration::from_mins(1));
}

#[test]
fn a_time_of_day_is_the_next_one() {
    let operator = shop();
    // An hour ago, so that it is tomorrow's.
    let time = local_now().checked_sub(1.hour()).unwrap();
    let time = time.strftime("%H:%M").to_string();
    operator.done(&["on", "--end", &time]);
    let until = instant(&operator, "until").to_zoned(local_now().time_zone().clone());
    assert_eq!(until.strftime("%H:%M").to_string(), time);
    let distance = until.timestamp().duration_since(Timestamp::now());
    assert!(distance > SignedDuration::ZERO && distance <= SignedDuration::from_hours(25));
}

#[test]
fn an_end_of_a_window_is_told_from_its_start() {
    let operator = shop();
    operator.done(&["on", "--start", "tomorrow 22:00", "--end", "02:00"]);
    let status = operator.status();
    let window = &status["modes"][0]["windows"][0];
    let time = |key: &str| {
        let instant: Timestamp = window[key].as_str().unwrap().parse().unwrap();
        let local = instant.to_zoned(local_now().time_zone().clone());
        (local.date(), local.strftime("%H:%M").to_string())
    };
    let (start, end) = (time("start"), time("end"));
    assert_eq!((start.1.as_str(), end.1.as_str()), ("22:00", "02:00"));
    assert_eq!(end.0, start.0.tomorrow().unwrap());
}

#[test]
fn a_time_that_is_none_says_what_would_be() {
    let operator = Operator::new();
    let ran = operator.fails(2, &["on", "--end", "22:00"]);
    assert!(ran.err.contains("`time_zone`"), "{ran:?}");
    let ran = operator.fails(2, &["on", "--end", "10 o'clock"]);
    assert!(ran.err.contains("22:00, tomorrow 22:00 or +2h"), "{ran:?}");
    let ran = operator.fails(2, &["on", "--end", "2099-03-29T10:00+25:00"]);
    assert!(ran.err.contains("an offset that no clock has"), "{ran:?}");
    assert_eq!(operator.phase(), "online");
}

#[test]
fn a_window_that_repeats_is_told_in_words_and_with_what_it_leaves_out() {
    let operator = shop();
    let ran = operator.done(&["window", "add", "--repeats", "0 3 * * SAT", "--for", "2h"]);
    let words = "repeats every Saturday at 03:00 in Europe/Rome (0 3 * * SAT)";
    assert!(ran.out.contains(words), "{ran:?}");
    let ran = operator.done(&["window", "list"]);
    assert!(ran.out.contains("every Saturday at 03:00"), "{ran:?}");
    let listed = operator.done(&["--json", "window", "list"]).json();
    let repeats = &listed["windows"][0]["repeats"];
    assert_eq!(repeats["words"], "every Saturday at 03:00");

    let ran = operator.done(&["window", "add", "--repeats", "0 3 31 * *", "--for", "2h"]);
    assert!(
        ran.err.contains("months without a 31st are left out"),
        "{ran:?}"
    );
    let arguments = ["window", "add", "--repeats", "0 3 * * *", "--for", "2h"];
    let ran = operator.done(&[&arguments[..], &["--end", "2097-03-29T04:00"]].concat());
    assert!(
        ran.err.contains("in the middle of the time that starts at"),
        "{ran:?}"
    );
}

#[test]
fn times_are_echoed_in_the_zone_of_the_settings() {
    // The machine is in Rome.
    let operator = Operator::with_settings("time_zone = \"Asia/Tokyo\"");
    let ran = operator.done(&["on", "--end", "2099-07-01T22:00"]);
    let end = "2099-07-01 22:00:00 +09:00";
    assert!(ran.out.contains(end), "{ran:?}");
    assert!(operator.done(&["status"]).out.contains(end));
    operator.done(&[
        "window",
        "add",
        "--start",
        "2099-08-01T22:00",
        "--for",
        "2h",
    ]);
    let listed = operator.done(&["window", "list"]).out;
    assert!(listed.contains("2099-08-01 22:00:00 +09:00"), "{listed}");
    operator.done(&["off"]);
    let history = operator.done(&["history"]).out;
    assert!(history.contains("+09:00"), "{history}");
    assert!(
        !history.contains("+01:00") && !history.contains("+02:00"),
        "{history}"
    );
    // Where they have none, it is the machine's.
    let operator = Operator::new();
    let ran = operator.done(&["on", "--end", "2099-07-01T22:00+09:00"]);
    assert!(ran.out.contains("2099-07-01 15:00:00 +02:00"), "{ran:?}");
}
