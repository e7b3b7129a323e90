//! The modes, the closed ones first, and what is said of all of them.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{Long, More, Reader, Shown};
use crate::{
    core::{
        phase::Phase,
        status::{
            modes::{HeldStatus, ModeStatus, OpeningStatus},
            whole::Status,
        },
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
    pub(super) reason: Option<Long>,
    pub(super) message: Option<Long>,
    pub(super) help: Option<String>,
    pub(super) locked: Option<String>,
    /// The job that holds it.
    held: Option<HeldShown>,
    /// How many are in, while it is opening.
    opening: Option<OpeningShown>,
    /// That requests wait for it to open.
    park: Option<String>,
    pub(super) may_toggle: bool,
    /// It is open, one of several, and needs no more than a row.
    pub(super) is_compact: bool,
}

/// The key of what it all comes to. Nothing is said to be closed that is not.
pub(super) fn headline(status: &Status, whole: &[String], worst: Phase) -> &'static str {
    let closed = status.modes.iter().filter(|mode| whole.contains(&mode.key));
    let closed = closed
        .map(|mode| mode.phase)
        .max_by_key(|phase| severity(*phase));
    match (closed.filter(|phase| phase.is_maintenance()), worst) {
        (_, Phase::Online) => "headline_online",
        (_, Phase::Scheduled) => "headline_scheduled",
        _ if !status.enforced => "headline_unenforced",
        (Some(Phase::Pending), _) => "headline_pending",
        (Some(Phase::Opening), _) => "headline_opening",
        (Some(_), _) => "headline_offline",
        (None, Phase::Pending) => "headline_partly_pending",
        (None, Phase::Opening) => "headline_partly_opening",
        (None, Phase::Offline) => "headline_partly",
    }
}

/// The modes: what is closed first, then what closes soon, then what is open.
pub(super) fn modes(
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
            is_compact: mode.phase == Phase::Online && mode.held.is_none() && !is_alone,
            ..ModeShown::new(mode, more, may_switch(&mode.key), reader)
        })
        .collect()
}

/// How much a phase matters to whoever looks.
pub(super) fn severity(phase: Phase) -> u8 {
    match phase {
        Phase::Online => 0,
        Phase::Scheduled => 1,
        Phase::Opening => 2,
        Phase::Pending => 3,
        Phase::Offline => 4,
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
            reason: mode.reason.as_deref().map(Long::new),
            message: mode.message.as_deref().map(Long::new),
            help: mode.help.clone(),
            locked: mode
                .locked_by
                .as_ref()
                .map(|holder| reader.filled("held", "holder", &holder.by)),
            held: mode
                .held
                .as_ref()
                .map(|held| HeldShown::new(mode, held, reader)),
            opening: mode
                .opening
                .as_ref()
                .map(|opening| OpeningShown::new(opening, reader)),
            park: mode.park.map(|seconds| {
                let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
                let duration = reader.duration(SignedDuration::from_secs(seconds));
                reader.filled("park_note", "duration", &duration)
            }),
            may_toggle,
            is_compact: false,
        }
    }
}

/// How many are in of a mode that is opening, as the page shows it.
#[derive(Debug, Serialize)]
struct OpeningShown {
    permille: u64,
    text: String,
    is_paused: bool,
}

impl OpeningShown {
    fn new(opening: &OpeningStatus, reader: &Reader<'_>) -> Self {
        // A share is from 0 to 1; only all are 100 %.
        let permille = (opening.share * 1000.0).floor() as u64;
        let percent = format!("{}.{} %", permille / 10, permille % 10);
        let is_paused = opening.until.is_none();
        let key = match is_paused {
            true => "opening_paused",
            false => "opening_share",
        };
        Self {
            permille,
            text: reader.filled(key, "share", &percent),
            is_paused,
        }
    }
}

/// The job that holds a mode, as the page shows it.
#[derive(Debug, Serialize)]
struct HeldShown {
    by: String,
    overdue: Option<String>,
    /// What is to be done now that it has died.
    lost: Option<String>,
}

impl HeldShown {
    fn new(mode: &ModeStatus, held: &HeldStatus, reader: &Reader<'_>) -> Self {
        let holder = match &held.by {
            Some(by) => format!("{} ({by})", held.name),
            None => held.name.clone(),
        };
        let time = |instant| reader.instant(instant).text;
        let what = match (mode.phase.is_maintenance(), mode.until) {
            (false, _) => "lost_reopened",
            (true, None) => "lost",
            (true, Some(_)) => "lost_until",
        };
        let lost = held.is_lost().then(|| {
            let when = time(held.lost_at.unwrap_or(reader.now));
            reader.filled_all(what, &[("holder", &holder), ("lost", &when)])
        });
        Self {
            by: reader.filled_all(
                "held_by",
                &[("holder", &holder), ("since", &time(held.since))],
            ),
            overdue: held
                .overdue_since
                .map(|since| reader.filled("overdue", "since", &time(since))),
            lost,
        }
    }
}
