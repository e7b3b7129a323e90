use super::*;

fn words(cron: &str) -> String {
    in_words(&read_cron(cron).unwrap())
}

#[test]
fn what_operators_plan_is_said_as_they_say_it() {
    for (cron, expected) in [
        ("0 3 * * SAT", "every Saturday at 03:00"),
        ("0 3 * * 7", "every Sunday at 03:00"),
        ("@daily", "every day at 00:00"),
        ("@weekly", "every Sunday at 00:00"),
        ("@monthly", "on the 1st of every month at 00:00"),
        ("30 2 * * *", "every day at 02:30"),
        ("0 3,15 * * *", "every day at 03:00 and 15:00"),
        ("0 3 * * 1-5", "every day from Monday to Friday at 03:00"),
        ("0 3 * * SAT,SUN", "every Saturday and Sunday at 03:00"),
        (
            "0 3 * * FRI,SAT,SUN",
            "every day from Friday to Sunday at 03:00",
        ),
        (
            "0 3 * * MON,WED,FRI",
            "every Monday, Wednesday and Friday at 03:00",
        ),
        ("0 3 * * 0-6", "every day at 03:00"),
        (
            "0 4 1,15 * *",
            "on the 1st and 15th of every month at 04:00",
        ),
        ("0 4 22 * *", "on the 22nd of every month at 04:00"),
        ("0 4 11 * *", "on the 11th of every month at 04:00"),
        (
            "0 4 31 * *",
            "on the 31st of every month that has one at 04:00",
        ),
        ("0 4 1 1,7 *", "on the 1st of January and July at 04:00"),
        ("0 4 * 8 SUN", "every Sunday in August at 04:00"),
        (
            "0 0 13 * FRI",
            "on the 13th of every month and every Friday at 00:00",
        ),
        ("*/15 * * * *", "every 15 minutes"),
        ("* * * * *", "every minute"),
        ("0 * * * *", "every hour on the hour"),
        ("5 * * * *", "every hour at minute 5"),
        ("0 * * * SUN", "every Sunday, every hour on the hour"),
    ] {
        assert_eq!(words(cron), expected, "{cron}");
    }
}

#[test]
fn what_is_rarer_is_said_as_the_library_says_it() {
    for (cron, expected) in [
        ("0 3 * * FRI#L", "at 03:00, on the last Friday of the month"),
        ("0 3 * * TUE#2", "at 03:00, on the 2nd Tuesday of the month"),
        ("0 3 L * *", "at 03:00, on the last day of the month"),
        // Not evenly: the hour ends after ten minutes.
        ("*/25 * * * *", "at every 25 minutes"),
    ] {
        assert_eq!(words(cron), expected, "{cron}");
    }
}

#[test]
fn months_that_are_too_short_are_told_of() {
    let told = |cron: &str| left_out(&read_cron(cron).unwrap()).map(|left| left.to_string());
    let of = |day: &str| Some(format!("months without a {day} are left out"));
    for (cron, expected) in [
        ("0 3 31 * *", of("31st")),
        ("0 3 30,31 * *", of("30th")),
        ("0 3 29 * *", of("29th")),
        ("0 3 28 * *", None),
        // A month that is short is not meant, or another day stands in for it.
        ("0 3 31 1,3 *", None),
        ("0 3 30 4 *", None),
        ("0 3 1,31 * *", None),
        ("0 3 L * *", None),
        ("0 3 31 * SUN", None),
        ("0 3 * * *", None),
    ] {
        assert_eq!(told(cron), expected, "{cron}");
    }
}
