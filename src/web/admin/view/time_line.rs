//! The time line of the planned windows.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::Serialize;

use super::{
    Reader,
    windows::{is_open, title_of},
};
use crate::core::status::windows::PlannedWindow;

/// How many days the time line may have; the least that reaches the last window, if any does.
pub(super) const SPANS: [i32; 3] = [7, 14, 28];

/// What one day of the time line measures.
pub(super) const DAY_WIDTH: f64 = 100.0;

/// The windows of the next days, as bars.
#[derive(Debug, Serialize)]
pub(super) struct TimeLine {
    /// The measures of the drawing.
    pub(super) width: f64,
    pub(super) height: usize,
    /// Where now is.
    pub(super) now: f64,
    pub(super) description: String,
    pub(super) days: Vec<DayShown>,
    pub(super) bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
pub(super) struct DayShown {
    pub(super) weekday: String,
    pub(super) day: i8,
    pub(super) x: f64,
}

#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Bar {
    pub(super) x: f64,
    pub(super) y: usize,
    pub(super) width: f64,
    pub(super) title: String,
    pub(super) is_open: bool,
}

impl TimeLine {
    const ROW: usize = 14;

    /// Each row has the windows of one mode.
    pub(super) fn new(rows: &[&[PlannedWindow]], reader: &Reader<'_>) -> Self {
        let today = reader.now.to_zoned(reader.zone.clone()).date();
        let axis = |instant: Timestamp| position(instant, today, &reader.zone);
        let windows = rows.iter().copied().flatten();
        let starts = windows.filter_map(|window| window.start).map(axis);
        let reach = |days: i32| f64::from(days) * DAY_WIDTH;
        let last = starts.filter(|x| *x < reach(28)).fold(0.0, f64::max);
        let days = SPANS.into_iter().find(|days| last < reach(*days));
        let days = days.unwrap_or(7);
        let width = reach(days);
        let rows = rows.iter().filter(|windows| !windows.is_empty());
        let mut bars = Vec::new();
        let mut height = 0;
        for (row, windows) in rows.enumerate() {
            height = (row + 1) * Self::ROW;
            for window in *windows {
                let start = window.start.map_or(0.0, axis).max(0.0);
                let end = window.end.map_or(width, axis).min(width);
                if start >= width {
                    continue;
                }
                bars.push(Bar {
                    x: start,
                    y: row * Self::ROW + 2,
                    // The shortest one can still be seen.
                    width: (end - start).max(width / 200.0),
                    title: title_of(window, reader),
                    is_open: is_open(window, reader.now),
                });
            }
        }
        let names: Vec<&str> = reader.text("weekdays").split(' ').collect();
        let days_shown = (0..days).filter_map(|ahead| {
            let date = today.checked_add(jiff::Span::new().days(ahead)).ok()?;
            let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0);
            Some(DayShown {
                weekday: names.get(weekday).copied().unwrap_or_default().to_owned(),
                day: date.day(),
                x: reach(ahead),
            })
        });
        Self {
            width,
            height,
            now: axis(reader.now),
            description: reader.filled("timeline", "days", &days.to_string()),
            days: days_shown.collect(),
            bars,
        }
    }
}

/// Where an instant is on a line on which every day is as long, whatever the clocks do.
pub(super) fn position(instant: Timestamp, today: Date, zone: &TimeZone) -> f64 {
    let local = instant.to_zoned(zone.clone());
    let days = today.until(local.date()).map_or(0, |days| days.get_days());
    let time = local.time().duration_since(Time::midnight()).as_secs();
    (f64::from(days) + time as f64 / 86_400.0) * DAY_WIDTH
}
