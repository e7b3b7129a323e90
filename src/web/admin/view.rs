//! What the dashboard shows, made of what is: texts in the reader's language, times in their zone.
//!
//! Pure: no I/O and no clock.

mod modes;
mod nodes;
mod reader;
mod time_line;

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use self::{
    modes::{ModeShown, WindowShown, lead_of_all, severity, windows},
    nodes::NodeShown,
    time_line::TimeLine,
};
use super::visible::Visible;
use crate::core::{
    phase::Phase,
    state::Ended,
    status::{period::PastPeriod, whole::Status},
};

pub(crate) use self::{
    modes::{is_open, title_of},
    reader::{Reader, Shown},
};

/// How many visitors and periods are listed. The rest is counted.
const LISTED: usize = 20;

/// All that the dashboard shows.
#[derive(Debug, Serialize)]
pub(super) struct Dashboard {
    phase: Phase,
    headline: String,
    lead: String,
    modes: Vec<ModeShown>,
    windows: Vec<WindowShown>,
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
    history: Vec<PeriodShown>,
    forced: Option<&'static str>,
    store: StoreShown,
    may_toggle: bool,
}

#[derive(Debug, Serialize)]
struct SessionShown {
    id: String,
    age: String,
}

#[derive(Debug, Serialize)]
struct TaskShown {
    name: String,
    by: String,
    since: Option<Shown>,
}

#[derive(Debug, Serialize)]
struct PeriodShown {
    mode: String,
    started: Shown,
    lasted: String,
    by: Option<String>,
    reason: Option<String>,
    ended: String,
    ended_by: Option<String>,
}

#[derive(Debug, Serialize)]
struct StoreShown {
    url: String,
    error: Option<String>,
    known: String,
}

/// What is besides the status.
pub(super) struct More<'a> {
    pub(super) history: &'a Visible<Vec<PastPeriod>>,
    /// Until when modes wait for those who are in, by their keys.
    pub(super) deadlines: HashMap<String, Timestamp>,
    /// The keys of the modes that the reader may switch.
    pub(super) switchable: &'a [String],
}

impl Dashboard {
    pub(super) fn new(status: &Visible<Status>, more: &More<'_>, reader: &Reader<'_>) -> Self {
        let worst = status.modes.iter().max_by_key(|mode| severity(mode.phase));
        let phase = worst.map_or(Phase::Online, |mode| mode.phase);
        let labels: HashMap<&str, &str> = status
            .modes
            .iter()
            .map(|mode| (mode.key.as_str(), mode.label.as_str()))
            .collect();
        let may_switch =
            |key: &str| status.forced.is_none() && more.switchable.iter().any(|known| known == key);
        let inside = status.visitors.len();
        Self {
            phase,
            headline: reader.text(&format!("headline_{phase}")).to_owned(),
            lead: match status.enforced {
                true => lead_of_all(&status.modes, reader),
                false => reader.text("lead_unenforced").to_owned(),
            },
            enforced: status.enforced,
            modes: status
                .modes
                .iter()
                .map(|mode| ModeShown::new(mode, more, may_switch(&mode.key), reader))
                .collect(),
            windows: windows(status, reader, may_switch),
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
            more_sessions: inside
                .checked_sub(LISTED)
                .filter(|more| *more > 0)
                .map(|more| reader.filled("and_more", "count", &more.to_string())),
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
            history: more
                .history
                .iter()
                .rev()
                .take(LISTED)
                .map(|period| PeriodShown::new(period, &labels, reader))
                .collect(),
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

impl PeriodShown {
    fn new(period: &PastPeriod, labels: &HashMap<&str, &str>, reader: &Reader<'_>) -> Self {
        let end = period.ended_at.unwrap_or(reader.now);
        let ended = match (period.ended_at, period.ended) {
            (None, _) => "goes_on",
            (Some(_), None) => "unknown",
            (Some(_), Some(Ended::Off)) => "ended_off",
            (Some(_), Some(Ended::TimeOut)) => "ended_time_out",
            (Some(_), Some(Ended::WindowEnd)) => "ended_window_end",
            (Some(_), Some(Ended::Cancelled)) => "ended_cancelled",
        };
        Self {
            mode: labels
                .get(period.mode.as_str())
                .map_or_else(|| period.mode.clone(), |label| (*label).to_owned()),
            started: reader.instant(period.started_at),
            lasted: reader.duration(
                end.duration_since(period.started_at)
                    .max(SignedDuration::ZERO),
            ),
            by: period.by.clone(),
            reason: period.reason.clone(),
            ended: reader.text(ended).to_owned(),
            ended_by: period.ended_by.clone(),
        }
    }
}

#[cfg(test)]
#[path = "view_tests.rs"]
mod tests;
