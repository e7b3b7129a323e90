//! What the dashboard shows, made of what is: texts in the reader's language, times in their zone.
//!
//! Pure: no I/O and no clock.

use std::collections::HashMap;

use jiff::{
    SignedDuration, Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::Serialize;

mod history;
mod long;

use self::history::HistoryShown;
pub(super) use self::{history::HistoryAsked, long::Long};
use super::visible::Visible;
use crate::{
    core::{
        phase::Phase,
        status::{
            NodeStatus, Remark, UnheardNode, modes::ModeStatus, period::PastPeriod, whole::Status,
            windows::PlannedWindow,
        },
    },
    settings::Access,
    web::refusal::language::Catalogue,
};

/// How many visitors and periods are listed. The rest is counted.
const LISTED: usize = 20;
/// How many windows are listed before the rest is folded.
const FIRST_WINDOWS: usize = 8;
/// How many days the time line may have; the least that reaches the last window, if any does.
const SPANS: [i32; 3] = [7, 14, 28];
/// What one day of the time line measures.
const DAY_WIDTH: f64 = 100.0;

/// Who reads a page, and when: how times and texts are shown.
pub(super) struct Reader<'a> {
    pub(super) catalogue: &'a Catalogue,
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
}

/// An instant as people read it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Shown {
    pub(super) iso: String,
    /// Date and time in the reader's zone.
    pub(super) text: String,
    /// How far it is from now.
    pub(super) relative: String,
}

impl Reader<'_> {
    pub(super) fn text(&self, key: &str) -> &str {
        self.catalogue.text("dashboard", key)
    }

    pub(super) fn filled(&self, key: &str, name: &str, value: &str) -> String {
        self.catalogue.filled("dashboard", key, &[(name, value)])
    }

    pub(super) fn instant(&self, instant: Timestamp) -> Shown {
        let zoned = instant.to_zoned(self.zone.clone());
        let distance = instant.duration_since(self.now);
        let key = if distance.is_negative() { "ago" } else { "in" };
        Shown {
            iso: instant.to_string(),
            text: zoned.strftime("%Y-%m-%d %H:%M").to_string(),
            relative: self.filled(key, "duration", &self.duration(distance.abs())),
        }
    }

    /// How long ago something was.
    fn ago(&self, seconds: u64) -> String {
        let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
        let duration = self.duration(SignedDuration::from_secs(seconds));
        self.filled("ago", "duration", &duration)
    }

    /// The two largest units that it has.
    pub(super) fn duration(&self, duration: SignedDuration) -> String {
        let seconds = duration.as_secs();
        let minutes = (seconds + 30) / 60;
        let parts = match () {
            () if seconds < 60 => [("seconds", seconds), ("seconds", 0)],
            () if minutes < 60 => [("minutes", minutes), ("minutes", 0)],
            () if minutes < 24 * 60 => [("hours", minutes / 60), ("minutes", minutes % 60)],
            () => [("days", minutes / (24 * 60)), ("hours", minutes / 60 % 24)],
        };
        let unit = |(key, count): (&str, i64)| self.filled(key, "count", &count.to_string());
        match parts {
            [first, (_, 0)] => unit(first),
            [first, second] => format!("{} {}", unit(first), unit(second)),
        }
    }

    pub(super) fn phase_name(&self, mode: &ModeStatus) -> &str {
        self.text(match mode.phase {
            Phase::Offline if mode.access == Access::ReadOnly => "phase_read_only",
            Phase::Online => "phase_online",
            Phase::Scheduled => "phase_scheduled",
            Phase::Pending => "phase_pending",
            Phase::Offline => "phase_offline",
        })
    }
}

/// All that the dashboard shows.
#[derive(Debug, Serialize)]
pub(super) struct Dashboard {
    phase: Phase,
    headline: String,
    lead: String,
    /// Those that are not open come first.
    modes: Vec<ModeShown>,
    has_compact: bool,
    windows: Vec<WindowShown>,
    /// Those after them, and how many they are.
    later_windows: Vec<WindowShown>,
    more_windows: Option<String>,
    time_line: TimeLine,
    /// Whether anybody acts on what is shown.
    enforced: bool,
    in_flight: Option<u64>,
    endless: Option<u64>,
    session_count: usize,
    sessions: Vec<SessionShown>,
    more_sessions: Option<String>,
    nodes: Vec<NodeShown>,
    tasks: Vec<TaskShown>,
    unknown_modes: Vec<String>,
    history: HistoryShown,
    forced: Option<&'static str>,
    store: StoreShown,
    may_toggle: bool,
}

#[derive(Debug, Serialize)]
struct ModeShown {
    key: String,
    label: String,
    phase: Phase,
    phase_name: String,
    is_read_only: bool,
    since: Option<Shown>,
    start: Option<Shown>,
    until: Option<Shown>,
    deadline: Option<Shown>,
    by: Option<String>,
    reason: Option<Long>,
    message: Option<Long>,
    help: Option<String>,
    locked: Option<String>,
    may_toggle: bool,
    /// It is open, one of several, and needs no more than a row.
    is_compact: bool,
}

#[derive(Debug, Serialize)]
struct WindowShown {
    id: String,
    mode: String,
    title: String,
    start: Option<Shown>,
    end: Option<Shown>,
    is_open: bool,
    repeats: Option<String>,
    /// Which months it leaves out.
    left_out: Option<String>,
    by: Option<String>,
    reason: Option<String>,
    message: Option<String>,
    may_toggle: bool,
}

#[derive(Debug, Serialize)]
struct SessionShown {
    id: String,
    age: String,
}

#[derive(Debug, Serialize)]
struct NodeShown {
    name: String,
    version: String,
    own: bool,
    state: String,
    in_flight: Option<u64>,
    endless: Option<u64>,
    sessions: Option<u64>,
    age: String,
}

#[derive(Debug, Serialize)]
struct TaskShown {
    name: String,
    by: String,
    since: Option<Shown>,
}

#[derive(Debug, Serialize)]
struct StoreShown {
    url: String,
    error: Option<String>,
    known: String,
}

/// The windows of the next days, as bars.
#[derive(Debug, Serialize)]
struct TimeLine {
    /// The measures of the drawing.
    width: f64,
    height: usize,
    /// Where now is.
    now: f64,
    description: String,
    days: Vec<DayShown>,
    bars: Vec<Bar>,
}

#[derive(Debug, Serialize)]
struct DayShown {
    weekday: String,
    day: i8,
    x: f64,
}

#[derive(Debug, PartialEq, Serialize)]
struct Bar {
    x: f64,
    y: usize,
    width: f64,
    title: String,
    is_open: bool,
}

/// What is besides the status.
pub(super) struct More<'a> {
    pub(super) history: &'a Visible<Vec<PastPeriod>>,
    pub(super) asked: HistoryAsked<'a>,
    /// The keys of the modes that close everything there is.
    pub(super) whole: &'a [String],
    /// Until when modes wait for those who are in, by their keys.
    pub(super) deadlines: HashMap<String, Timestamp>,
    /// The keys of the modes that the reader may switch.
    pub(super) switchable: &'a [String],
}

impl Dashboard {
    pub(super) fn new(status: &Visible<Status>, more: &More<'_>, reader: &Reader<'_>) -> Self {
        let may_switch =
            |key: &str| status.forced.is_none() && more.switchable.iter().any(|known| known == key);
        let worst = status.modes.iter().max_by_key(|mode| severity(mode.phase));
        let phase = worst.map_or(Phase::Online, |mode| mode.phase);
        let labels: Vec<(&str, &str)> = status
            .modes
            .iter()
            .map(|mode| (mode.key.as_str(), mode.label.as_str()))
            .collect();
        let mut windows = windows(status, reader, may_switch);
        let more_windows = more_than(FIRST_WINDOWS, windows.len(), reader);
        let later_windows = windows.split_off(windows.len().min(FIRST_WINDOWS));
        let modes = modes(status, more, may_switch, reader);
        let inside = status.visitors.len();
        Self {
            phase,
            headline: reader.text(headline(status, more.whole, phase)).to_owned(),
            lead: match status.enforced {
                true => lead_of_all(&status.modes, reader),
                false => reader.text("lead_unenforced").to_owned(),
            },
            enforced: status.enforced,
            has_compact: modes.iter().any(|mode| mode.is_compact),
            modes,
            windows,
            later_windows,
            more_windows,
            time_line: {
                let modes = status.modes.iter();
                let rows: Vec<_> = modes.map(|mode| mode.windows.as_slice()).collect();
                TimeLine::new(&rows, reader)
            },
            in_flight: status.in_flight,
            endless: status.endless,
            session_count: inside,
            sessions: status
                .visitors
                .iter()
                .take(LISTED)
                .map(|session| SessionShown {
                    id: session.id.clone(),
                    age: reader.ago(session.age),
                })
                .collect(),
            more_sessions: more_than(LISTED, inside, reader),
            nodes: {
                let nodes = status.nodes.iter();
                let nodes = nodes.map(|node| NodeShown::new(node, reader));
                let unheard = status.unheard.iter();
                nodes
                    .chain(unheard.map(|node| NodeShown::unheard(node, reader)))
                    .collect()
            },
            tasks: status
                .tasks
                .iter()
                .map(|task| TaskShown {
                    name: task.name.clone(),
                    by: task.by.clone(),
                    since: task.since.map(|since| reader.instant(since)),
                })
                .collect(),
            unknown_modes: status
                .unknown_modes
                .iter()
                .map(|mode| mode.key.clone())
                .collect(),
            history: HistoryShown::new(more.history, &more.asked, &labels, reader),
            forced: status.forced.map(crate::settings::Forced::as_str),
            store: StoreShown {
                url: status.store.url.clone(),
                error: status.store.error.clone(),
                known: match status.store.known_at {
                    Some(at) => {
                        let at = reader.instant(at);
                        let text = format!("{} ({})", at.text, at.relative);
                        reader.filled("store_known", "time", &text)
                    }
                    None => reader.text("store_unknown").to_owned(),
                },
            },
            may_toggle: status.modes.iter().any(|mode| may_switch(&mode.key)),
        }
    }
}

impl NodeShown {
    fn new(node: &NodeStatus, reader: &Reader<'_>) -> Self {
        let applied = if node.up_to_date {
            "up_to_date"
        } else {
            "behind"
        };
        let mut state = reader.text(applied).to_owned();
        for remark in &node.remarks {
            state.push_str(", ");
            state.push_str(reader.text(match remark {
                Remark::ServesAlthoughOffline => "serves_although_offline",
                Remark::OtherVersion => "other_version",
                Remark::OtherSettings => "other_settings",
                Remark::ClockDiffers => "other_time",
            }));
        }
        Self {
            name: format!("{} ({})", node.host, node.pid),
            version: node.version.clone(),
            own: node.own,
            state,
            in_flight: Some(node.in_flight),
            endless: Some(node.endless),
            sessions: Some(node.sessions),
            age: reader.ago(node.age),
        }
    }
}

impl NodeShown {
    /// One of which nobody knows more than that it was there.
    fn unheard(node: &UnheardNode, reader: &Reader<'_>) -> Self {
        Self {
            name: node.id.clone(),
            version: String::new(),
            own: false,
            state: reader.text("unheard").to_owned(),
            in_flight: None,
            endless: None,
            sessions: None,
            age: reader.ago(node.age),
        }
    }
}

/// How many of so many are not listed, in words.
fn more_than(listed: usize, all: usize, reader: &Reader<'_>) -> Option<String> {
    let more = all.checked_sub(listed).filter(|more| *more > 0)?;
    Some(reader.filled("and_more", "count", &more.to_string()))
}

/// The key of what it all comes to. Nothing is said to be closed that is not.
fn headline(status: &Status, whole: &[String], worst: Phase) -> &'static str {
    let closed = status.modes.iter().filter(|mode| whole.contains(&mode.key));
    let closed = closed
        .map(|mode| mode.phase)
        .max_by_key(|phase| severity(*phase));
    match (closed.filter(|phase| phase.is_maintenance()), worst) {
        (_, Phase::Online) => "headline_online",
        (_, Phase::Scheduled) => "headline_scheduled",
        _ if !status.enforced => "headline_unenforced",
        (Some(Phase::Pending), _) => "headline_pending",
        (Some(_), _) => "headline_offline",
        (None, Phase::Pending) => "headline_partly_pending",
        (None, Phase::Offline) => "headline_partly",
    }
}

/// The modes: what is closed first, then what closes soon, then what is open.
fn modes(
    status: &Status,
    more: &More<'_>,
    may_switch: impl Fn(&str) -> bool,
    reader: &Reader<'_>,
) -> Vec<ModeShown> {
    let mut modes: Vec<&ModeStatus> = status.modes.iter().collect();
    // Stable: among themselves they stay in the order in which they answer.
    modes.sort_by_key(|mode| std::cmp::Reverse(severity(mode.phase)));
    let is_alone = modes.len() == 1;
    modes
        .into_iter()
        .map(|mode| ModeShown {
            is_compact: mode.phase == Phase::Online && !is_alone,
            ..ModeShown::new(mode, more, may_switch(&mode.key), reader)
        })
        .collect()
}

/// How much a phase matters to whoever looks.
fn severity(phase: Phase) -> u8 {
    match phase {
        Phase::Online => 0,
        Phase::Scheduled => 1,
        Phase::Pending => 2,
        Phase::Offline => 3,
    }
}

/// What it all means: of several modes, which are not online.
fn lead_of_all(modes: &[ModeStatus], reader: &Reader<'_>) -> String {
    if let [mode] = modes {
        return lead(mode, reader);
    }
    let others = modes.iter().filter(|mode| mode.phase != Phase::Online);
    let others: Vec<String> = others
        .map(|mode| format!("{}: {}", mode.label, reader.phase_name(mode)))
        .collect();
    if others.is_empty() {
        return reader.text("lead_online").to_owned();
    }
    others.join(" · ")
}

fn lead(mode: &ModeStatus, reader: &Reader<'_>) -> String {
    let is_read_only = mode.phase == Phase::Offline && mode.access == Access::ReadOnly;
    let phase = if is_read_only {
        "read_only"
    } else {
        mode.phase.as_str()
    };
    reader.text(&format!("lead_{phase}")).to_owned()
}

impl ModeShown {
    fn new(mode: &ModeStatus, more: &More<'_>, may_toggle: bool, reader: &Reader<'_>) -> Self {
        let shown = |instant: Option<Timestamp>| instant.map(|instant| reader.instant(instant));
        let deadline = more.deadlines.get(&mode.key).copied();
        Self {
            key: mode.key.clone(),
            label: mode.label.clone(),
            phase: mode.phase,
            phase_name: reader.phase_name(mode).to_owned(),
            is_read_only: mode.access == Access::ReadOnly,
            since: shown(mode.since),
            start: shown(mode.start),
            until: shown(mode.until),
            deadline: shown(deadline.filter(|_| mode.phase == Phase::Pending)),
            by: mode.by.clone(),
            reason: mode.reason.as_deref().map(Long::new),
            message: mode.message.as_deref().map(Long::new),
            help: mode.help.clone(),
            locked: mode
                .locked_by
                .as_ref()
                .map(|holder| reader.filled("held", "holder", &holder.by)),
            may_toggle,
            is_compact: false,
        }
    }
}

/// Whether a window, or an occurrence of it, is open.
pub(super) fn is_open(window: &PlannedWindow, now: Timestamp) -> bool {
    window.start.is_none_or(|start| start <= now) && window.end.is_none_or(|end| now < end)
}

/// What a window is called.
pub(super) fn title_of(window: &PlannedWindow, reader: &Reader<'_>) -> String {
    let title = window.title.clone();
    title.unwrap_or_else(|| reader.text("untitled").to_owned())
}

fn windows(
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
fn rhythm(cron: &str, reader: &Reader<'_>) -> Option<String> {
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
fn left_out(cron: &str) -> Option<u8> {
    let mut fields = cron.split_whitespace().skip(2);
    let day: u8 = fields.next()?.parse().ok()?;
    let is_every_month = fields.next() == Some("*") && fields.next() == Some("*");
    (is_every_month && (29..=31).contains(&day)).then_some(day)
}

impl TimeLine {
    const ROW: usize = 14;

    /// Each row has the windows of one mode.
    fn new(rows: &[&[PlannedWindow]], reader: &Reader<'_>) -> Self {
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
fn position(instant: Timestamp, today: Date, zone: &TimeZone) -> f64 {
    let local = instant.to_zoned(zone.clone());
    let days = today.until(local.date()).map_or(0, |days| days.get_days());
    let time = local.time().duration_since(Time::midnight()).as_secs();
    (f64::from(days) + time as f64 / 86_400.0) * DAY_WIDTH
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
