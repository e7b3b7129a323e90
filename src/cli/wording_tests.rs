use jiff::SignedDuration;

use super::*;

#[test]
fn durations_have_their_two_largest_units() {
    let cases = [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (303, "5 min 3 s"),
        (7500, "2 h 5 min"),
        (7203, "2 h"),
        (86_400 * 3 + 7200 + 60, "3 d 2 h"),
    ];
    for (seconds, expected) in cases {
        assert_eq!(duration(Duration::from_secs(seconds)), expected);
    }
}

#[test]
fn times_have_the_offset_of_their_zone() {
    let instant: Timestamp = "2026-03-29T00:59:59Z".parse().unwrap();
    let rome = TimeZone::get("Europe/Rome").unwrap();
    assert_eq!(time(instant, &rome), "2026-03-29 01:59:59 +01:00");
    let second = SignedDuration::from_secs(1);
    assert_eq!(time(instant + second, &rome), "2026-03-29 03:00:00 +02:00");
    assert_eq!(from_now(instant, instant + second * 90), "1 min 30 s ago");
    assert_eq!(from_now(instant, instant - second * 7200), "in 2 h");
    assert_eq!(from_now(instant, instant), "now");
}

#[test]
fn somebody_elses_text_stays_on_its_line_and_commands_no_terminal() {
    assert_eq!(line("a\n  b\u{1b}[2Jc"), "a b\\u{1b}[2Jc");
}
