//! Modes and their windows on the dashboard.

use jiff::Timestamp;
use serde::Serialize;

use super::{
    More,
    reader::{Reader, Shown},
};
use crate::{
    core::{
        phase::Phase,
        status::{modes::ModeStatus, whole::Status, windows::PlannedWindow},
    },
    settings::Access,
};

#[derive(Debug, Serialize)]
pub(super) struct ModeShown {
    pub(super) key: String,
    pub(super) label: String,
    pub(super) phase: Phase,
    pub(super) phase_name: String,
    pub(super) is_read_only: bool,
    pub(super) since: Option<Shown>,
    pub(super) start: Option<Shown>,
    pub(super) until: Option<Shown>,
    pub(super) deadline: Option<Shown>,
    pub(super) by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) help: Option<String>,
    pub(super) locked: Option<String>,
    pub(super) may_toggle: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct WindowShown {
    pub(super) id: String,
    pub(super) mode: String,
    pub(super) title: String,
    pub(super) start: Option<Shown>,
    pub(super) end: Option<Shown>,
    pub(super) is_open: bool,
    pub(super) repeats: Option<String>,
    pub(super) by: Option<String>,
    pub(super) reason: Option<String>,
    pub(super) message: Option<String>,
    pub(super) may_toggle: bool,
}

/// How much a phase matters to whoever looks.
pub(super) fn severity(phase: Phase) -> u8 {
    match phase {
        Phase::Online => 0,
        Phase::Scheduled => 1,
        Phase::Pending => 2,
        Phase::Offline => 3,
    }
}

/// What it all means: of several modes, which are not online.
pub(super) fn lead_of_all(modes: &[ModeStatus], reader: &Reader<'_>) -> String {
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

pub(super) fn lead(mode: &ModeStatus, reader: &Reader<'_>) -> String {
    let is_read_only = mode.phase == Phase::Offline && mode.access == Access::ReadOnly;
    let phase = if is_read_only {
        "read_only"
    } else {
        mode.phase.as_str()
    };
    reader.text(&format!("lead_{phase}")).to_owned()
}

impl ModeShown {
    pub(super) fn new(
        mode: &ModeStatus,
        more: &More<'_>,
        may_toggle: bool,
        reader: &Reader<'_>,
    ) -> Self {
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
            reason: mode.reason.clone(),
            message: mode.message.clone(),
            help: mode.help.clone(),
            locked: mode
                .locked_by
                .as_ref()
                .map(|holder| reader.filled("held", "holder", &holder.by)),
            may_toggle,
        }
    }
}

/// Whether a window, or an occurrence of it, is open.
pub(crate) fn is_open(window: &PlannedWindow, now: Timestamp) -> bool {
    window.start.is_none_or(|start| start <= now) && window.end.is_none_or(|end| now < end)
}

/// What a window is called.
pub(crate) fn title_of(window: &PlannedWindow, reader: &Reader<'_>) -> String {
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
            repeats: window.repeats.as_ref().map(|repeats| {
                format!(
                    "{} ({}), {}",
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
