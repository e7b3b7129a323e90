use jiff::civil::Date;

use super::*;
use crate::core::status::windows::PlannedWindow;
use crate::{settings::LanguageSettings, web::refusal::language::Languages};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn with_reader<T>(tag: &str, zone: &str, now: &str, test: impl FnOnce(&Reader<'_>) -> T) -> T {
    let languages = Languages::read(&LanguageSettings::default(), &[]).unwrap();
    test(&Reader {
        catalogue: languages.named(tag),
        zone: TimeZone::get(zone).unwrap(),
        now: at(now),
    })
}

#[test]
fn instants_are_shown_in_the_readers_zone_and_language() {
    let shown = with_reader("de", "Europe/Rome", "2026-11-25T02:00:00Z", |reader| {
        reader.instant(at("2026-11-25T04:31:00Z"))
    });
    assert_eq!(shown.text, "2026-11-25 05:31");
    assert_eq!(shown.relative, "in 2 Std. 31 Min.");
    assert_eq!(shown.iso, "2026-11-25T04:31:00Z");
    let shown = with_reader("ja", "Asia/Tokyo", "2026-11-25T02:00:00Z", |reader| {
        reader.instant(at("2026-11-25T01:59:10Z"))
    });
    assert_eq!(shown.text, "2026-11-25 10:59");
    assert_eq!(shown.relative, "50 秒前");
}

#[test]
fn durations_have_their_two_largest_units() {
    with_reader("en", "UTC", "2026-11-25T00:00:00Z", |reader| {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3570, "1 h"),
            (3600, "1 h"),
            (5400, "1 h 30 min"),
            (86_400, "1 d"),
            (90_000, "1 d 1 h"),
            (86_400 * 400, "400 d"),
        ] {
            assert_eq!(reader.duration(SignedDuration::from_secs(seconds)), text);
        }
    });
}

#[test]
fn a_day_is_as_long_as_another_on_the_line() {
    // The clocks of Rome leave out an hour on the 29th of March and repeat one on the 25th of
    // October.
    let zone = TimeZone::get("Europe/Rome").unwrap();
    for day in ["2026-03-29", "2026-10-25", "2026-11-25"] {
        let today: Date = day.parse().unwrap();
        let x = |hour: i8, ahead: i64| {
            let local = today.at(hour, 0, 0, 0);
            let local = local.checked_add(jiff::Span::new().days(ahead)).unwrap();
            let instant = local.to_zoned(zone.clone()).unwrap().timestamp();
            time_line::position(instant, today, &zone)
        };
        assert_eq!(
            (x(0, 0), x(12, 0), x(0, 1), x(18, 5)),
            (0.0, 50.0, 100.0, 575.0)
        );
        assert_eq!(x(12, -1), -50.0);
    }
}

fn window(id: &str, start: Option<&str>, end: Option<&str>) -> PlannedWindow {
    PlannedWindow {
        id: id.to_owned(),
        start: start.map(at),
        end: end.map(at),
        repeats: None,
        zone: None,
        title: None,
        message: None,
        reason: None,
        by: None,
    }
}

fn line(windows: Vec<PlannedWindow>) -> TimeLine {
    with_reader("en", "UTC", "2026-11-25T12:00:00Z", |reader| {
        TimeLine::new(&[&windows], reader)
    })
}

#[test]
fn the_line_reaches_the_last_window_and_no_farther() {
    for (start, days) in [
        ("2026-11-25T20:00:00Z", 7),
        ("2026-12-01T23:00:00Z", 7),
        ("2026-12-02T00:00:00Z", 14),
        ("2026-12-20T00:00:00Z", 28),
        ("2027-11-25T00:00:00Z", 7),
    ] {
        let line = line(vec![window("a", Some(start), None)]);
        assert_eq!(line.days.len(), days, "{start}");
        assert_eq!(line.now, 50.0);
        assert_eq!(line.days[0].weekday, "Wed");
        assert_eq!(
            (line.days[6].weekday.as_str(), line.days[6].day),
            ("Tue", 1)
        );
    }
}

#[test]
fn windows_are_bars_within_the_line() {
    let line = line(vec![
        window(
            "open",
            Some("2026-11-20T00:00:00Z"),
            Some("2026-11-25T18:00:00Z"),
        ),
        window(
            "short",
            Some("2026-11-26T00:00:00Z"),
            Some("2026-11-26T00:00:01Z"),
        ),
        window("endless", Some("2026-11-28T12:00:00Z"), None),
        window("far", Some("2027-11-28T12:00:00Z"), None),
    ]);
    let bars: Vec<_> = line
        .bars
        .iter()
        .map(|bar| (bar.x, bar.width, bar.is_open))
        .collect();
    assert_eq!(
        bars,
        [
            (0.0, 75.0, true),
            (100.0, 3.5, false),
            (350.0, 350.0, false)
        ]
    );
    assert_eq!(line.bars[0].title, "Maintenance window");
}

#[test]
fn seven_weekdays_have_names_in_every_language() {
    for tag in ["en", "de", "fr", "es", "it", "pt", "zh", "ja"] {
        with_reader(tag, "UTC", "2026-11-25T12:00:00Z", |reader| {
            assert_eq!(reader.text("weekdays").split(' ').count(), 7, "{tag}");
        });
    }
}
