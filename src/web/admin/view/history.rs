//! The history: page by page, of one mode or of all, with what each month comes to.

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date};
use serde::Serialize;

use super::{Reader, Shown, long::Long};
use crate::core::{
    state::{Ended, HISTORY_LENGTH},
    status::period::PastPeriod,
};

/// How many periods a page has.
const PAGE: usize = 20;
/// At most so many months are told of, so that a period of centuries is still shown.
const MOST_MONTHS: usize = 240;

/// Which part of the history somebody asks for.
#[derive(Debug, Default)]
pub(crate) struct HistoryAsked<'a> {
    /// The key of a mode; without one, of all.
    pub(crate) mode: Option<&'a str>,
    /// From 1 on.
    pub(crate) page: usize,
    /// How many periods are stored at all, also those that the reader may not see.
    pub(crate) stored: usize,
    /// Where the dashboard is.
    pub(crate) base: &'a str,
}

#[derive(Debug, Serialize)]
pub(super) struct HistoryShown {
    filters: Vec<Filter>,
    months: Vec<Month>,
    /// Which page it is, if there are several.
    page: Option<String>,
    newer: Option<String>,
    older: Option<String>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Filter {
    text: String,
    address: String,
    is_chosen: bool,
}

#[derive(Debug, Serialize)]
struct Month {
    /// Such as `2026-11`.
    name: String,
    /// For how long something was closed in it.
    total: String,
    periods: Vec<PeriodShown>,
}

#[derive(Debug, Serialize)]
struct PeriodShown {
    /// Tells it from others on the page.
    id: String,
    mode: String,
    started: Shown,
    lasted: String,
    by: Option<String>,
    reason: Option<Long>,
    ended: String,
    ended_by: Option<String>,
}

impl HistoryShown {
    /// `labels` has the modes that the reader may see: key and label.
    pub(super) fn new(
        history: &[PastPeriod],
        asked: &HistoryAsked<'_>,
        labels: &[(&str, &str)],
        reader: &Reader<'_>,
    ) -> Self {
        let chosen = asked
            .mode
            .filter(|key| labels.iter().any(|(known, _)| known == key));
        let mut periods: Vec<&PastPeriod> = history
            .iter()
            .filter(|period| chosen.is_none_or(|key| period.mode == key))
            .collect();
        // The newest first. Those that came from elsewhere may lie between others.
        periods.sort_by_key(|period| std::cmp::Reverse(period.started_at));
        let pages = periods.len().div_ceil(PAGE).max(1);
        let page = asked.page.clamp(1, pages);
        let first = (page - 1) * PAGE;
        let rows = &periods[first..periods.len().min(first + PAGE)];
        let address = |mode: Option<&str>, page: usize| {
            let mut query = String::new();
            if let Some(mode) = mode {
                query.push_str(&format!("history={mode}&"));
            }
            if page > 1 {
                query.push_str(&format!("page={page}"));
            }
            let query = query.trim_end_matches('&');
            let mark = if query.is_empty() { "" } else { "?" };
            format!("{}/{mark}{query}#history-title", asked.base)
        };
        let months = Months {
            reader,
            // What has left the history is missing in its oldest month.
            is_cut: asked.stored >= HISTORY_LENGTH,
        };
        Self {
            filters: if labels.len() < 2 {
                Vec::new()
            } else {
                let all = Filter {
                    text: reader.text("all_modes").to_owned(),
                    address: address(None, 1),
                    is_chosen: chosen.is_none(),
                };
                let each = labels.iter().map(|(key, label)| Filter {
                    text: (*label).to_owned(),
                    address: address(Some(key), 1),
                    is_chosen: chosen == Some(*key),
                });
                std::iter::once(all).chain(each).collect()
            },
            months: months.of_page(&periods, rows, page == 1, labels),
            page: (pages > 1).then(|| {
                let (page, pages) = (page.to_string(), pages.to_string());
                let values = [("page", page.as_str()), ("pages", pages.as_str())];
                reader.filled_all("page_of", &values)
            }),
            newer: (page > 1).then(|| address(chosen, page - 1)),
            older: (page < pages).then(|| address(chosen, page + 1)),
        }
    }
}

/// Makes months of periods.
struct Months<'a> {
    reader: &'a Reader<'a>,
    is_cut: bool,
}

impl Months<'_> {
    /// The months of a page: those in which one of its rows starts, and those between them in which
    /// something was closed. The first page also has those after its first row.
    fn of_page(
        &self,
        periods: &[&PastPeriod],
        rows: &[&PastPeriod],
        is_first: bool,
        labels: &[(&str, &str)],
    ) -> Vec<Month> {
        let (Some(newest), Some(oldest)) = (rows.first(), rows.last()) else {
            return Vec::new();
        };
        let newest = self.month(newest.started_at);
        let last = periods.iter().map(|period| self.end(period)).max();
        let from = match last {
            // What ends with a month is not in the next one.
            Some(last) if is_first => {
                let within = last.checked_sub(1.nanosecond()).unwrap_or(last);
                self.month(within).max(newest)
            }
            _ => newest,
        };
        let oldest = self.month(oldest.started_at);
        let oldest_of_all = periods.last().map(|period| self.month(period.started_at));
        let mut months = Vec::new();
        let mut month = from;
        while month >= oldest && months.len() < MOST_MONTHS {
            let shown: Vec<PeriodShown> = rows
                .iter()
                .filter(|period| self.month(period.started_at) == month)
                .map(|period| PeriodShown::new(period, labels, self.reader))
                .collect();
            let total = self.total(periods, month);
            if !shown.is_empty() || total > SignedDuration::ZERO {
                let is_least = self.is_cut && oldest_of_all == Some(month);
                let key = if is_least { "in_all_least" } else { "in_all" };
                months.push(Month {
                    name: month.strftime("%Y-%m").to_string(),
                    total: self
                        .reader
                        .filled(key, "duration", &self.reader.duration(total)),
                    periods: shown,
                });
            }
            let Ok(before) = month.checked_sub(1.month()) else {
                break;
            };
            month = before;
        }
        months
    }

    /// The first day of the month of an instant, where the reader is.
    fn month(&self, instant: Timestamp) -> Date {
        let zoned = instant.to_zoned(self.reader.zone.clone());
        zoned.date().first_of_month()
    }

    fn end(&self, period: &PastPeriod) -> Timestamp {
        period.ended_at.unwrap_or(self.reader.now)
    }

    /// For how long at least one of these was closed in a month. What overlaps counts once.
    fn total(&self, periods: &[&PastPeriod], month: Date) -> SignedDuration {
        let start_of = |date: Date| {
            let zoned = date.to_zoned(self.reader.zone.clone());
            zoned.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
        };
        let start = start_of(month);
        let end = month
            .checked_add(1.month())
            .map_or(Timestamp::MAX, start_of);
        let mut stretches: Vec<(Timestamp, Timestamp)> = periods
            .iter()
            .map(|period| (period.started_at.max(start), self.end(period).min(end)))
            .filter(|(from, to)| from < to)
            .collect();
        stretches.sort_unstable();
        let mut total = SignedDuration::ZERO;
        let mut counted = start;
        for (from, to) in stretches {
            let from = from.max(counted);
            if from < to {
                total = total.saturating_add(to.duration_since(from));
                counted = to;
            }
        }
        total
    }
}

impl PeriodShown {
    fn new(period: &PastPeriod, labels: &[(&str, &str)], reader: &Reader<'_>) -> Self {
        let end = period.ended_at.unwrap_or(reader.now);
        let ended = match (period.ended_at, period.ended) {
            (None, _) => "goes_on",
            (Some(_), None) => "unknown",
            (Some(_), Some(Ended::Off)) => "ended_off",
            (Some(_), Some(Ended::TimeOut)) => "ended_time_out",
            (Some(_), Some(Ended::WindowEnd)) => "ended_window_end",
            (Some(_), Some(Ended::Cancelled)) => "ended_cancelled",
            (Some(_), Some(Ended::HolderLost)) => "ended_holder_lost",
        };
        let label = labels.iter().find(|(key, _)| *key == period.mode);
        Self {
            id: format!("{}-{}", period.mode, period.started_at.as_millisecond()),
            mode: label.map_or_else(|| period.mode.clone(), |(_, label)| (*label).to_owned()),
            started: reader.instant(period.started_at),
            lasted: reader.duration(
                end.duration_since(period.started_at)
                    .max(SignedDuration::ZERO),
            ),
            by: period.by.clone(),
            reason: period.reason.as_deref().map(Long::new),
            ended: reader.text(ended).to_owned(),
            ended_by: period.ended_by.clone(),
        }
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
