use proptest::prelude::*;

use super::*;

fn seconds(text: &str) -> Option<u64> {
    parse_duration(text).ok().map(|duration| duration.as_secs())
}

#[test]
fn words_iso_8601_and_plain_seconds_are_durations() {
    for (text, expected) in [
        ("90s", 90),
        ("90", 90),
        (" 2h 30m ", 9000),
        ("2h30m", 9000),
        ("1d", 86_400),
        ("1w", 604_800),
        ("PT2H", 7200),
        ("P1D", 86_400),
        ("1 hour, 5 minutes", 3900),
    ] {
        assert_eq!(seconds(text), Some(expected), "{text}");
    }
}

#[test]
fn what_is_no_length_of_time_is_refused() {
    for text in [
        "", "soon", "-1h", "1h ago", "-5", "1.5s", "1 month", "1y", "h",
    ] {
        let error = parse_duration(text).unwrap_err();
        assert!(matches!(error, DurationError::NoDuration(_)), "{text}");
        assert!(error.to_string().contains("2h 30m"), "{error}");
    }
}

#[test]
fn no_time_at_all_is_refused_with_a_text_of_its_own() {
    for text in ["0", "0s", "PT0S", "0h 0m"] {
        assert_eq!(
            parse_duration(text).unwrap_err().to_string(),
            format!("`{text}` is no time at all; give a duration of at least one second")
        );
    }
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC*|[0-9PTHMSDhmsd .+-]{0,24})") {
        let _ = parse_duration(&text);
    }

    #[test]
    fn hours_minutes_and_seconds_add_up(hours in 0_u64..10_000, minutes in 0_u64..60, rest in 1_u64..60) {
        let expected = hours * 3600 + minutes * 60 + rest;
        prop_assert_eq!(seconds(&format!("{hours}h {minutes}m {rest}s")), Some(expected));
        prop_assert_eq!(seconds(&expected.to_string()), Some(expected));
    }
}

#[test]
fn durations_are_told_in_their_two_largest_units() {
    for (milliseconds, told) in [
        (0, "0 s"),
        (40, "0 s"),
        (60, "0.1 s"),
        (999, "1 s"),
        (1500, "1.5 s"),
        (9960, "10 s"),
        (10_400, "10 s"),
        (59_600, "1 min"),
        (61_000, "1 min 1 s"),
        (7_199_600, "2 h"),
        (7_500_000, "2 h 5 min"),
        (7_501_000, "2 h 5 min"),
        (86_400_000, "1 d"),
        (86_460_000, "1 d"),
        (90_000_000, "1 d 1 h"),
    ] {
        assert_eq!(duration_in_words(Duration::from_millis(milliseconds)), told);
    }
}

proptest::proptest! {
    #[test]
    fn what_is_told_is_read_as_the_same(seconds in 1_u64..10_000_000) {
        let told = duration_in_words(Duration::from_secs(seconds));
        let read = whole_seconds(&told).unwrap();
        // Smaller units than the second are left out.
        let left_out = match seconds {
            ..3600 => 0,
            3600..86_400 => 59,
            _ => 3599,
        };
        proptest::prop_assert!(read <= seconds && seconds - read <= left_out, "{told}");
    }
}
