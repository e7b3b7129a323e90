use jiff::tz::TimeZone;

use super::*;
use crate::{settings::LanguageSettings, web::refusal::language::Languages};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn period(mode: &str, start: &str, end: Option<&str>) -> PastPeriod {
    PastPeriod {
        mode: mode.to_owned(),
        started_at: at(start),
        ended_at: end.map(at),
        by: None,
        reason: None,
        ended: None,
        ended_by: None,
        said: Vec::new(),
    }
}

fn shown(history: &[PastPeriod], asked: &HistoryAsked<'_>) -> HistoryShown {
    let languages = Languages::read(&LanguageSettings::default(), &[]).unwrap();
    let reader = Reader {
        catalogue: languages.named("en"),
        zone: TimeZone::get("Europe/Rome").unwrap(),
        now: at("2026-11-25T12:00:00Z"),
    };
    let labels = [("site", "Whole site"), ("shop", "The shop")];
    HistoryShown::new(history, asked, &labels, &reader)
}

fn asked(mode: Option<&str>, page: usize) -> HistoryAsked<'_> {
    HistoryAsked {
        mode,
        page,
        stored: 0,
        base: "/m",
    }
}

fn months(shown: &HistoryShown) -> Vec<(&str, &str, usize)> {
    shown
        .months
        .iter()
        .map(|month| {
            (
                month.name.as_str(),
                month.total.as_str(),
                month.periods.len(),
            )
        })
        .collect()
}

#[test]
fn a_month_has_what_lies_in_it_where_the_reader_is() {
    let history = [
        // An hour before and an hour after midnight in Rome.
        period("site", "2026-10-31T22:00:00Z", Some("2026-11-01T00:00:00Z")),
        period("site", "2026-11-03T10:00:00Z", Some("2026-11-03T10:30:00Z")),
        period("site", "2026-11-25T11:45:00Z", None),
    ];
    assert_eq!(
        months(&shown(&history, &asked(None, 1))),
        [
            ("2026-11", "1 h 45 min in all", 2),
            ("2026-10", "1 h in all", 1)
        ]
    );
}

#[test]
fn what_overlaps_counts_once_and_each_mode_for_itself() {
    let history = [
        period("site", "2026-11-03T10:00:00Z", Some("2026-11-03T12:00:00Z")),
        period("shop", "2026-11-03T11:00:00Z", Some("2026-11-03T13:00:00Z")),
        period("shop", "2026-11-03T11:30:00Z", Some("2026-11-03T11:40:00Z")),
    ];
    let all = shown(&history, &asked(None, 1));
    assert_eq!(months(&all), [("2026-11", "3 h in all", 3)]);
    let shop = shown(&history, &asked(Some("shop"), 1));
    assert_eq!(months(&shop), [("2026-11", "2 h in all", 2)]);
    let chosen: Vec<_> = shop
        .filters
        .iter()
        .map(|filter| {
            (
                filter.text.as_str(),
                filter.address.as_str(),
                filter.is_chosen,
            )
        })
        .collect();
    assert_eq!(
        chosen,
        [
            ("All", "/m/#history-title", false),
            ("Whole site", "/m/?history=site#history-title", false),
            ("The shop", "/m/?history=shop#history-title", true),
        ]
    );
    let unknown = shown(&history, &asked(Some("\"><script>"), 1));
    assert_eq!(months(&unknown), [("2026-11", "3 h in all", 3)]);
}

#[test]
fn a_month_in_which_nothing_starts_has_its_total_all_the_same() {
    let history = [period(
        "site",
        "2026-09-29T22:00:00Z",
        Some("2026-11-01T01:00:00Z"),
    )];
    assert_eq!(
        months(&shown(&history, &asked(None, 1))),
        [
            ("2026-11", "2 h in all", 0),
            ("2026-10", "31 d 1 h in all", 0),
            ("2026-09", "1 d in all", 1),
        ]
    );
}

#[test]
fn the_oldest_month_of_a_full_history_may_have_had_more() {
    let history = [
        period("site", "2026-10-03T10:00:00Z", Some("2026-10-03T11:00:00Z")),
        period("site", "2026-11-03T10:00:00Z", Some("2026-11-03T11:00:00Z")),
    ];
    let full = HistoryAsked {
        stored: HISTORY_LENGTH,
        ..asked(None, 1)
    };
    assert_eq!(
        months(&shown(&history, &full)),
        [
            ("2026-11", "1 h in all", 1),
            ("2026-10", "at least 1 h in all", 1)
        ]
    );
}

#[test]
fn all_periods_are_on_some_page_and_none_on_two() {
    let history: Vec<PastPeriod> = (0..45)
        .map(|hour| {
            let start = at("2026-10-31T00:00:00Z") + hour.hours();
            period(
                "site",
                &start.to_string(),
                Some(&(start + 10.minutes()).to_string()),
            )
        })
        .collect();
    let mut seen = Vec::new();
    for page in 1..=3 {
        let shown = shown(&history, &asked(Some("site"), page));
        assert_eq!(
            shown.page.as_deref(),
            Some(format!("Page {page} of 3").as_str())
        );
        let of_page = shown.months.iter().flat_map(|month| &month.periods);
        seen.extend(of_page.map(|period| period.started.iso.clone()));
        let to = |page: &str| Some(format!("/m/?history=site{page}#history-title"));
        let (newer, older) = match page {
            1 => (None, to("&page=2")),
            2 => (to(""), to("&page=3")),
            _ => (to("&page=2"), None),
        };
        assert_eq!((shown.newer, shown.older), (newer, older));
        // The total of a month is that of all pages.
        let november = shown.months.iter().find(|month| month.name == "2026-11");
        if let Some(november) = november {
            assert_eq!(november.total, "3 h 40 min in all");
        }
    }
    let mut wanted: Vec<String> = history
        .iter()
        .map(|period| period.started_at.to_string())
        .collect();
    wanted.reverse();
    assert_eq!(seen, wanted);
    let beyond = shown(&history, &asked(None, 99));
    assert_eq!(beyond.page.as_deref(), Some("Page 3 of 3"));
    let before = shown(&history, &asked(None, 0));
    assert_eq!(before.page.as_deref(), Some("Page 1 of 3"));
}

#[test]
fn nothing_has_no_pages() {
    let shown = shown(&[], &asked(None, 3));
    assert!(shown.months.is_empty());
    assert_eq!((shown.page, shown.newer, shown.older), (None, None, None));
}
