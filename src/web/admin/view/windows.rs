//! The planned windows, as rows.

use std::collections::HashMap;

use jiff::{Timestamp, tz::AmbiguousOffset};
use serde::Serialize;

use super::{Reader, Shown};
use crate::core::{
    overlap::Closed,
    schedule::find_zone,
    status::{
        modes::ModeStatus,
        whole::Status,
        windows::{PlannedWindow, Repeats},
    },
};

#[derive(Debug, Serialize)]
pub(super) struct WindowShown {
    pub(super) id: String,
    pub(super) mode: String,
    pub(super) title: String,
    pub(super) start: Option<Shown>,
    pub(super) end: Option<Shown>,
    pub(super) is_open: bool,
    pub(super) repeats: Option<String>,
    /// What may not have been meant so.
    pub(super) notes: Vec<String>,
    pub(super) by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) may_toggle: bool,
}

/// Whether a window, or an occurrence of it, is open.
pub(in crate::web::admin) fn is_open(window: &PlannedWindow, now: Timestamp) -> bool {
    window.start.is_none_or(|start| start <= now) && window.end.is_none_or(|end| now < end)
}

/// What a window is called.
pub(in crate::web::admin) fn title_of(window: &PlannedWindow, reader: &Reader<'_>) -> String {
    let title = window.title.clone();
    title.unwrap_or_else(|| reader.text("untitled").to_owned())
}

pub(super) fn windows(
    status: &Status,
    besides: &HashMap<String, Closed>,
    reader: &Reader<'_>,
    may_switch: impl Fn(&str) -> bool,
) -> Vec<WindowShown> {
    let mut windows: Vec<(&ModeStatus, &PlannedWindow)> = status
        .modes
        .iter()
        .flat_map(|mode| mode.windows.iter().map(move |window| (mode, window)))
        .collect();
    windows.sort_by_key(|(_, window)| window.start);
    windows
        .into_iter()
        .map(|(mode, window)| WindowShown {
            id: window.id.clone(),
            mode: mode.label.clone(),
            title: title_of(window, reader),
            start: window.start.map(|start| reader.instant(start)),
            end: window.end.map(|end| reader.instant(end)),
            is_open: is_open(window, reader.now),
            notes: notes(mode, window, besides.get(&window.id), reader),
            repeats: repeats(window, reader),
            by: window.by.clone(),
            reason: window.reason.clone(),
            message: window.message.clone(),
            may_toggle: may_switch(&mode.key),
        })
        .collect()
}

/// When and for how long a window opens again and again: in words, where there are any in the reader's
/// language, with the expression, or by that alone.
fn repeats(window: &PlannedWindow, reader: &Reader<'_>) -> Option<String> {
    let repeats = window.repeats.as_ref()?;
    let (cron, zone) = (&repeats.cron, &repeats.zone);
    let lasts = reader.duration(repeats.duration);
    // The words that come with a window are English.
    let words = match reader.catalogue.tag.split('-').next() {
        Some("en") => Some(repeats.words.clone()),
        _ => rhythm(cron, reader),
    };
    Some(match words {
        Some(words) => format!("{words} ({cron}, {zone}), {lasts}"),
        None => format!("{cron} ({zone}), {lasts}"),
    })
}

/// A rhythm of the form's own in the reader's language.
fn rhythm(cron: &str, reader: &Reader<'_>) -> Option<String> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day, "*", weekday] = fields[..] else {
        return None;
    };
    let (minute, hour): (u8, u8) = (minute.parse().ok()?, hour.parse().ok()?);
    let at = format!("{hour:02}:{minute:02}");
    match (day, weekday) {
        ("*", "*") => Some(format!("{}, {at}", reader.text("repeat_daily"))),
        ("*", weekday) => {
            let weekday: usize = weekday.parse().ok()?;
            // The names begin with Monday, the numbers with Sunday.
            let name = reader.text("weekdays").split(' ').nth((weekday + 6) % 7)?;
            Some(format!("{}: {name}, {at}", reader.text("repeat_weekly")))
        }
        (day, "*") => {
            let day: u8 = day.parse().ok()?;
            Some(format!("{}: {day}., {at}", reader.text("repeat_monthly")))
        }
        _ => None,
    }
}

/// What whoever plans a window is warned of, as long as it is planned.
fn notes(
    mode: &ModeStatus,
    window: &PlannedWindow,
    besides: Option<&Closed>,
    reader: &Reader<'_>,
) -> Vec<String> {
    let left_out = window.repeats.as_ref().and_then(|it| left_out(&it.cron));
    let left_out = left_out.map(|day| reader.filled("months_left_out", "day", &day.to_string()));
    let is_bounded = |repeats: &Repeats| repeats.until.is_some();
    let bounded = window.repeats.as_ref().is_some_and(is_bounded);
    let recurrence = bounded.then(|| window.recurrence()).flatten();
    let cut = recurrence.and_then(|recurrence| recurrence.cut_by_end());
    let cut = cut.map(|(start, end)| {
        let (from, until) = (reader.instant(start).text, reader.instant(end).text);
        let values = [("from", from.as_str()), ("until", until.as_str())];
        reader.filled_all("cut_by_end", &values)
    });
    // What a switch closes is told at the mode, once.
    let other = besides.filter(|closed| closed.window.is_some());
    let other = other.map(|closed| closed_text(closed, mode, reader));
    let twice = [window.start, window.end].into_iter().flatten();
    let twice = twice.filter_map(|instant| shown_twice(instant, window, reader));
    left_out
        .into_iter()
        .chain(cut)
        .chain(other)
        .chain(twice)
        .collect()
}

/// Of a time of a window that the clocks show twice, where it was planned: which one it is.
fn shown_twice(instant: Timestamp, window: &PlannedWindow, reader: &Reader<'_>) -> Option<String> {
    let zone = find_zone(window.zone.as_deref()?).ok()?;
    let local = instant.to_zoned(zone.clone());
    let AmbiguousOffset::Fold { .. } = zone.to_ambiguous_zoned(local.datetime()).offset() else {
        return None;
    };
    let (time, offset) = (local.strftime("%H:%M").to_string(), local.strftime("%:z"));
    let offset = offset.to_string();
    let values = [("time", time.as_str()), ("offset", offset.as_str())];
    let text = reader.filled_all("clocks_twice", &values);
    Some(text)
}

/// That a mode is closed at some time all the same: by what, and until when.
pub(in crate::web::admin) fn closed_text(
    closed: &Closed,
    mode: &ModeStatus,
    reader: &Reader<'_>,
) -> String {
    let text = |instant: Timestamp| reader.instant(instant).text;
    let until = closed.until.map(text).unwrap_or_default();
    let from = closed.from.map(text).unwrap_or_default();
    let other = closed.window.as_ref();
    let other = other.and_then(|id| mode.windows.iter().find(|window| window.id == *id));
    let (title, key) = match (other.filter(|_| closed.from.is_some()), closed.until) {
        (Some(other), Some(_)) => (title_of(other, reader), "closed_then_by"),
        (Some(other), None) => (title_of(other, reader), "closed_then_by_no_end"),
        (None, Some(_)) => (String::new(), "closed_then"),
        (None, None) => (String::new(), "closed_then_no_end"),
    };
    let values = [
        ("title", title.as_str()),
        ("from", from.as_str()),
        ("until", until.as_str()),
    ];
    reader.filled_all(key, &values)
}

/// The day of the month that not every month has, if something repeats on such a one.
pub(super) fn left_out(cron: &str) -> Option<u8> {
    let mut fields = cron.split_whitespace().skip(2);
    let day: u8 = fields.next()?.parse().ok()?;
    let is_every_month = fields.next() == Some("*") && fields.next() == Some("*");
    (is_every_month && (29..=31).contains(&day)).then_some(day)
}
