//! What the dashboard shows, made of what is: texts in the reader's language, times in their zone.
//!
//! Pure: no I/O and no clock.

pub(super) mod audit;
mod grants;
mod history;
mod long;
mod modes;
mod nodes;
mod time_line;
mod windows;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::Serialize;

pub(super) use self::windows::{closed_text, is_open, title_of};
use self::{
    audit::AuditShown,
    grants::GrantShown,
    history::HistoryShown,
    modes::{ModeShown, headline, lead_of_all, modes, severity},
    nodes::{NodeShown, SessionShown, TaskShown},
    time_line::TimeLine,
    windows::{WindowShown, windows},
};
pub(super) use self::{history::HistoryAsked, long::Long};
use super::visible::Visible;
use crate::{
    core::{
        audit::AuditEntry,
        overlap::Closed,
        phase::Phase,
        schedule::{Unit, largest_units},
        skew::is_told,
        status::{
            NoticeTargetStatus, grants::GrantStatus, modes::ModeStatus, period::PastPeriod,
            whole::Status,
        },
    },
    settings::Access,
    web::refusal::language::Catalogue,
};

/// How many visitors and periods are listed. The rest is counted.
const LISTED: usize = 20;

/// How many windows are listed before the rest is folded.
const FIRST_WINDOWS: usize = 8;

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
        self.filled_all(key, &[(name, value)])
    }

    pub(super) fn filled_all(&self, key: &str, values: &[(&str, &str)]) -> String {
        self.catalogue.filled("dashboard", key, values)
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
        let seconds = u64::try_from(duration.as_secs()).unwrap_or_default();
        let whole = match seconds {
            ..60 => seconds,
            // People plan by minutes.
            60.. => (seconds + 30) / 60 * 60,
        };
        let parts: Vec<String> = largest_units(whole)
            .map(|(unit, count)| {
                let key = match unit {
                    Unit::Days => "days",
                    Unit::Hours => "hours",
                    Unit::Minutes => "minutes",
                    Unit::Seconds => "seconds",
                };
                self.filled(key, "count", &count.to_string())
            })
            .collect();
        parts.join(" ")
    }

    pub(super) fn phase_name(&self, mode: &ModeStatus) -> &str {
        self.text(match mode.phase {
            Phase::Offline if mode.access == Access::ReadOnly => "phase_read_only",
            Phase::Online => "phase_online",
            Phase::Scheduled => "phase_scheduled",
            Phase::Pending => "phase_pending",
            Phase::Offline => "phase_offline",
            Phase::Opening => "phase_opening",
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
    /// How many wait outside.
    parked: Option<u64>,
    session_count: usize,
    sessions: Vec<SessionShown>,
    more_sessions: Option<String>,
    nodes: Vec<NodeShown>,
    tasks: Vec<TaskShown>,
    unknown_modes: Vec<String>,
    grants: Vec<GrantShown>,
    history: HistoryShown,
    /// The newest first; `None`: nothing is written down.
    audit: Option<Vec<AuditShown>>,
    /// Whom changes are told.
    notices: Vec<NoticeTargetStatus>,
    forced: Option<&'static str>,
    store: StoreShown,
    may_toggle: bool,
}

#[derive(Debug, Serialize)]
struct StoreShown {
    url: String,
    error: Option<String>,
    known: String,
    /// That this node's clock is wrong.
    clock: Option<String>,
}

/// What is besides the status.
pub(super) struct More<'a> {
    pub(super) history: &'a Visible<Vec<PastPeriod>>,
    pub(super) asked: HistoryAsked<'a>,
    /// Who did what; `None`: nothing is written down.
    pub(super) audit: Option<&'a Visible<Vec<AuditEntry>>>,
    /// The keys of the modes that close everything there is.
    pub(super) whole: &'a [String],
    /// Until when modes wait for those who are in, by their keys.
    pub(super) deadlines: HashMap<String, Timestamp>,
    /// The keys of the modes that the reader may switch.
    pub(super) switchable: &'a [String],
    /// The grants that the reader may have to do with.
    pub(super) grants: &'a [GrantStatus],
    /// By what a mode is closed all the same at the time of a window, by the ids of windows.
    pub(super) besides: HashMap<String, Closed>,
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
        let mut windows = windows(status, &more.besides, reader, may_switch);
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
            parked: status.parked,
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
            grants: {
                let grants = more.grants.iter();
                grants
                    .map(|grant| GrantShown::new(grant, &labels, reader))
                    .collect()
            },
            history: HistoryShown::new(more.history, &more.asked, &labels, reader),
            audit: more.audit.map(|entries| {
                let newest = entries.iter().rev();
                newest
                    .map(|entry| AuditShown::new(entry, &labels, reader))
                    .collect()
            }),
            notices: status.notices.clone(),
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
                clock: clock(status.store.clock_ahead_ms, reader),
            },
            may_toggle: status.modes.iter().any(|mode| may_switch(&mode.key)),
        }
    }
}

/// How far this node's clock is from the store's, if that is worth telling.
fn clock(ahead_ms: Option<i64>, reader: &Reader<'_>) -> Option<String> {
    let ahead = SignedDuration::from_millis(ahead_ms?);
    let key = match ahead.is_negative() {
        true => "clock_behind",
        false => "clock_ahead",
    };
    let by = reader.duration(ahead.abs());
    is_told(ahead).then(|| reader.filled(key, "duration", &by))
}

/// How many of so many are not listed, in words.
fn more_than(listed: usize, all: usize, reader: &Reader<'_>) -> Option<String> {
    let more = all.checked_sub(listed).filter(|more| *more > 0)?;
    Some(reader.filled("and_more", "count", &more.to_string()))
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
