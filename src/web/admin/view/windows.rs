//! The planned windows, as rows.

use jiff::Timestamp;
use serde::Serialize;

use super::{Reader, Shown};
use crate::core::status::{modes::ModeStatus, whole::Status, windows::PlannedWindow};

#[derive(Debug, Serialize)]
pub(super) struct WindowShown {
    pub(super) id: String,
    pub(super) mode: String,
    pub(super) title: String,
    pub(super) start: Option<Shown>,
    pub(super) end: Option<Shown>,
    pub(super) is_open: bool,
    pub(super) repeats: Option<String>,
    /// Which months it leaves out.
    pub(super) left_out: Option<String>,
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
            left_out: window
                .repeats
                .as_ref()
                .and_then(|repeats| left_out(&repeats.cron))
                .map(|day| reader.filled("months_left_out", "day", &day.to_string())),
            repeats: window.repeats.as_ref().map(|repeats| {
                let words = rhythm(&repeats.cron, reader);
                format!(
                    "{} ({}, {}), {}",
                    words.as_ref().unwrap_or(&repeats.words),
                    repeats.cron,
                    repeats.zone,
                    reader.duration(repeats.duration)
                )
            }),
            by: window.by.clone(),
            reason: window.reason.clone(),
            message: window.message.clone(),
            may_toggle: may_switch(&mode.key),
        })
        .collect()
}

/// A rhythm of the form's own in the reader's language. The words that come with a window are
/// English.
pub(super) fn rhythm(cron: &str, reader: &Reader<'_>) -> Option<String> {
    let fields: Vec<&str> = cron.split_whitespace().collect();
    let [minute, hour, day, "*", weekday] = fields[..] else {
        return None;
    };
    let (minute, hour): (u8, u8) = (minute.parse().ok()?, hour.parse().ok()?);
    let at = format!("{hour:02}:{minute:02}");
    if reader.catalogue.tag == "en" {
        return None;
    }
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

/// The day of the month that not every month has, if something repeats on such a one.
pub(super) fn left_out(cron: &str) -> Option<u8> {
    let mut fields = cron.split_whitespace().skip(2);
    let day: u8 = fields.next()?.parse().ok()?;
    let is_every_month = fields.next() == Some("*") && fields.next() == Some("*");
    (is_every_month && (29..=31).contains(&day)).then_some(day)
}
