use std::sync::Arc;

use proptest::prelude::*;

use super::*;

fn event(title: Option<&str>) -> PlannedEvent {
    PlannedEvent {
        uid: "w@maintenance".to_owned(),
        mode: Arc::from("site"),
        label: Arc::from("Whole site, all of it"),
        title: title.map(str::to_owned),
        start: Some("2026-03-27T12:00Z".parse().unwrap()),
        end: Some("2026-03-27T13:30Z".parse().unwrap()),
        changed_at: Some("2026-03-01T08:00Z".parse().unwrap()),
        sequence: 2,
        is_cancelled: false,
    }
}

#[test]
fn a_calendar_is_written_as_rfc_5545_has_it() {
    let written = calendar(&[event(Some("New; database"))], "Planned maintenance", "en");
    let lines: Vec<&str> = written.split("\r\n").collect();
    assert_eq!(
        lines,
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//actix-maintenance-mode//plan//EN",
            "METHOD:PUBLISH",
            "NAME:Planned maintenance",
            "X-WR-CALNAME:Planned maintenance",
            "REFRESH-INTERVAL;VALUE=DURATION:PT1H",
            "X-PUBLISHED-TTL:PT1H",
            "BEGIN:VEVENT",
            "UID:w@maintenance",
            "DTSTAMP:20260301T080000Z",
            "LAST-MODIFIED:20260301T080000Z",
            "SEQUENCE:2",
            "DTSTART:20260327T120000Z",
            "DTEND:20260327T133000Z",
            r"SUMMARY:New\; database",
            r"CATEGORIES:Whole site\, all of it",
            "STATUS:CONFIRMED",
            "TRANSP:TRANSPARENT",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    );
}

#[test]
fn what_is_not_known_is_left_out() {
    let cancelled = PlannedEvent {
        end: None,
        changed_at: None,
        is_cancelled: true,
        ..event(None)
    };
    let written = calendar(&[cancelled], "Geplante Wartung", "de");
    for part in [
        "\r\nSUMMARY;LANGUAGE=de:Geplante Wartung\r\n",
        "\r\nSTATUS:CANCELLED\r\n",
        // Not another one at each look.
        "\r\nDTSTAMP:20260327T120000Z\r\n",
    ] {
        assert!(written.contains(part), "{part}: {written}");
    }
    assert!(!written.contains("DTEND"), "{written}");
    let always = PlannedEvent {
        start: None,
        ..event(None)
    };
    assert!(!calendar(&[always], "Plan", "en").contains("VEVENT"));
}

proptest! {
    #[test]
    fn lines_are_short_and_say_the_whole(title in "\\PC{0,300}", ends in "[\\PC\r\n\t\u{0}]{0,30}") {
        let title = format!("{title}{ends}");
        let written = calendar(&[event(Some(&title))], "Plan", "en");
        prop_assert!(written.ends_with("\r\n"));
        for line in written.split("\r\n") {
            prop_assert!(line.len() <= LONGEST_LINE, "{line:?}");
            prop_assert!(!line.contains(['\r', '\n', '\u{0}']), "{line:?}");
        }
        let whole = written.replace("\r\n ", "");
        let summary = whole.lines().find_map(|line| line.strip_prefix("SUMMARY:"));
        let expected = text(&title);
        prop_assert_eq!(summary, Some(&*expected));
        let count = whole.lines().count();
        prop_assert_eq!(count, 21, "nothing else is in it: {}", whole);
    }
}
