//! The status in words.

use console::Style;
use jiff::SignedDuration;

use super::{
    context::Context,
    window::span,
    wording::{self, count, line},
};
use crate::{
    core::{
        phase::Phase,
        skew,
        state::IfLost,
        status::{
            NodeStatus,
            modes::{HeldStatus, ModeStatus, OpeningStatus},
            whole::Status,
        },
    },
    settings::Access,
};

/// The whole status, for people.
pub(super) fn text(context: &Context<'_>, status: &Status) -> String {
    let mut lines = Vec::new();
    if let Some(forced) = status.forced {
        lines.push(format!(
            "Forced {} by the settings, whatever is stored.",
            forced.as_str()
        ));
    }
    for mode in &status.modes {
        lines.push(headline(context, mode));
        lines.extend(details(context, mode));
    }
    lines.extend(nodes(context, status));
    for task in &status.tasks {
        let since = task
            .since
            .map(|since| wording::from_now(since, context.now()));
        let since = since.map_or_else(String::new, |since| format!(", began {since}"));
        lines.push(row(
            "task",
            &format!("{}: {}{since}", line(&task.name), line(&task.by)),
        ));
    }
    for mode in &status.unknown_modes {
        let words = format!("{}: stored, but not in the settings", line(&mode.key));
        lines.push(row("mode", &words));
    }
    lines.push(row("store", &line(&status.store.url)));
    let ahead = status.store.clock_ahead_ms.map(SignedDuration::from_millis);
    if let Some(ahead) = ahead.filter(|ahead| skew::is_told(*ahead)) {
        let whose = context.site.whose_clock();
        let words = format!("{whose} is {} the store's", skew::in_words(ahead));
        let yellow = Style::new().yellow();
        lines.push(row("clock", &context.output.colours.paint(&yellow, &words)));
    }
    if let Some(error) = status.web_server.as_ref().and_then(|it| it.error.as_ref()) {
        lines.push(row("files", &line(error)));
    }
    for target in &status.notices {
        if let Some(error) = &target.error {
            let waiting = wording::count(target.waiting, "notice waits", "notices wait");
            let words = format!("{}: {}; {waiting}", line(&target.name), line(error));
            lines.push(row("notices", &words));
        }
    }
    if let Some(error) = status.audit.as_ref().and_then(|it| it.error.as_ref()) {
        lines.push(row("audit", &line(error)));
    }
    if let Some(error) = &status.store.error {
        let red = Style::new().red().bold();
        let error = context.output.colours.paint(&red, &line(error));
        lines.push(row("", &error));
        if let Some(known) = status.store.known_at {
            let known = wording::from_now(known, context.now());
            lines.push(row("", &format!("what is shown was read {known}")));
        }
    }
    lines.join("\n")
}

fn headline(context: &Context<'_>, mode: &ModeStatus) -> String {
    let style = match mode.phase {
        Phase::Online => Style::new().green(),
        Phase::Scheduled => Style::new().cyan(),
        Phase::Pending | Phase::Opening => Style::new().yellow(),
        Phase::Offline => Style::new().red(),
    };
    let phase = context
        .output
        .colours
        .paint(&style.bold(), mode.phase.as_str());
    let access = match mode.access {
        Access::ReadOnly if mode.phase.is_maintenance() => ", reading works",
        _ => "",
    };
    if mode.label == mode.key {
        format!("{}: {phase}{access}", mode.key)
    } else {
        format!("{} ({}): {phase}{access}", mode.key, line(&mode.label))
    }
}

fn details(context: &Context<'_>, mode: &ModeStatus) -> Vec<String> {
    let (zone, now) = (&context.zone, context.now());
    let time = |time| wording::time_from_now(time, now, zone);
    let mut rows = Vec::new();
    let mut add = |name, value: Option<String>| {
        if let Some(value) = value {
            rows.push(row(name, &value));
        }
    };
    add("starts", mode.start.map(time));
    add("since", mode.since.map(time));
    add("until", mode.until.map(time));
    add("opening", mode.opening.as_ref().map(share_line));
    add("parks", mode.park.map(park_line));
    add("by", mode.by.as_deref().map(line));
    add("reason", mode.reason.as_deref().map(line));
    add("message", mode.message.as_deref().map(line));
    if let Some(held) = &mode.held {
        add_held(context, mode, held, &mut add);
    }
    add(
        "locked",
        mode.locked_by.as_ref().map(|holder| line(&holder.by)),
    );
    for window in &mode.windows {
        let title = window.title.as_deref().map(line).unwrap_or_default();
        let title = if title.is_empty() {
            String::new()
        } else {
            format!(", {title}")
        };
        let shown = format!("{} {}{title}", window.id, span(window, context));
        add("window", Some(shown));
    }
    rows
}

/// How many are in of a mode that is opening.
fn share_line(opening: &OpeningStatus) -> String {
    let share = wording::percent(opening.share);
    match opening.until {
        Some(_) => format!("{share} of the visitors are in"),
        None => format!("{share} of the visitors are in, paused"),
    }
}

/// How long requests wait for a mode to open.
fn park_line(seconds: u64) -> String {
    let patience = wording::duration(std::time::Duration::from_secs(seconds));
    format!("requests wait up to {patience} for it to open")
}

/// Who holds a mode, and what is wrong with that.
fn add_held(
    context: &Context<'_>,
    mode: &ModeStatus,
    held: &HeldStatus,
    add: &mut impl FnMut(&'static str, Option<String>),
) {
    let (zone, now) = (&context.zone, context.now());
    let time = |time| wording::time_from_now(time, now, zone);
    let by = held.by.as_deref().map(line);
    let by = by.map_or_else(String::new, |by| format!(" ({by})"));
    let name = line(&held.name);
    add(
        "held",
        Some(format!("by {name}{by}, since {}", time(held.since))),
    );
    if let Some(since) = held.overdue_since {
        let overdue = context
            .output
            .colours
            .paint(&Style::new().yellow(), "overdue");
        add("", Some(format!("{overdue} since {}", time(since))));
    }
    if !held.is_lost() {
        return;
    }
    let lost = context
        .output
        .colours
        .paint(&Style::new().red().bold(), "lost");
    let when = held
        .lost_at
        .map_or_else(String::new, |lost| format!(" {}", time(lost)));
    let key = &mode.key;
    let what = match (mode.phase.is_maintenance(), held.if_lost) {
        (false, _) => "and what was before is back; look whether its work is done".to_owned(),
        (true, IfLost::Reopen) => "and reopens as soon as a node has seen it".to_owned(),
        (true, _) => format!(
            "look whether its work is done, then run it again, or `maintenance --mode {key} off`"
        ),
    };
    add("", Some(format!("{lost}: {name} has died{when}; {what}")));
}

fn row(name: &str, value: &str) -> String {
    format!("  {name:<8} {value}")
}

/// The nodes, stragglers first.
fn nodes(context: &Context<'_>, status: &Status) -> Vec<String> {
    if status.nodes.is_empty() && status.unheard.is_empty() {
        return vec![row("nodes", "none: no app runs")];
    }
    let mut lines = vec![row("inside", &inside(status))];
    if let Some(parked @ 1..) = status.parked {
        let waits = count(parked, "request waits", "requests wait");
        lines.push(row("outside", &format!("{waits} to be let in")));
    }
    for node in &status.nodes {
        let mut words = format!(
            "{}: {}",
            line(&node.id),
            figures(node.sessions, node.in_flight, node.endless)
        );
        if node.parked > 0 {
            words.push_str(&format!(", {} parked", node.parked));
        }
        if !node.up_to_date {
            let behind = Style::new().yellow();
            let behind = context
                .output
                .colours
                .paint(&behind, "has not followed yet");
            words.push_str(&format!(", {behind}"));
        }
        for remark in &node.remarks {
            let yellow = Style::new().yellow();
            let remark = context.output.colours.paint(&yellow, remark.as_str());
            words.push_str(&format!(", {remark}"));
        }
        lines.push(row("node", &words));
    }
    for node in &status.unheard {
        let age = wording::duration(std::time::Duration::from_secs(node.age));
        let words = format!("{}: not heard of for {age}", line(&node.id));
        lines.push(row("node", &words));
    }
    lines
}

/// Who and what is inside, on all nodes together.
pub(super) fn inside(status: &Status) -> String {
    let figures = match (status.sessions, status.in_flight, status.endless) {
        (Some(sessions), Some(in_flight), Some(endless)) => figures(sessions, in_flight, endless),
        // What those tell that tell anything.
        _ if !status.nodes.is_empty() => {
            let sum = |figure: fn(&NodeStatus) -> u64| status.nodes.iter().map(figure).sum();
            let known = figures(
                sum(|node| node.sessions),
                sum(|node| node.in_flight),
                sum(|node| node.endless),
            );
            format!("{known} or more")
        }
        _ => "nobody tells who is".to_owned(),
    };
    match u64::try_from(status.tasks.len()) {
        Ok(tasks @ 1..) => format!("{figures}, {}", count(tasks, "task", "tasks")),
        _ => figures,
    }
}

fn figures(sessions: u64, in_flight: u64, endless: u64) -> String {
    let mut parts = vec![
        count(sessions, "session", "sessions"),
        count(in_flight, "request", "requests"),
    ];
    if endless > 0 {
        parts.push(format!("{endless} endless"));
    }
    parts.join(", ")
}

/// The status on one line, without anything that only grows older: two that are the same say the
/// same.
pub(super) fn change_line(status: &Status) -> String {
    let mode = |mode: &ModeStatus| {
        let mut words = format!("{}: {}", mode.key, mode.phase);
        if let Some(start) = mode.start {
            words.push_str(&format!(", starts {start}"));
        }
        if let Some(until) = mode.until {
            words.push_str(&format!(", until {until}"));
        }
        if let Some(by) = &mode.by {
            words.push_str(&format!(", by {}", line(by)));
        }
        match &mode.held {
            Some(held) if held.is_lost() => {
                words.push_str(&format!(", lost: {}", line(&held.name)))
            }
            Some(held) => words.push_str(&format!(", held by {}", line(&held.name))),
            None => {}
        }
        if mode
            .held
            .as_ref()
            .is_some_and(|held| held.overdue_since.is_some())
        {
            words.push_str(", overdue");
        }
        if let Some(reason) = &mode.reason {
            words.push_str(&format!(", {}", line(reason)));
        }
        if mode.phase == Phase::Pending {
            words.push_str(&format!(", {} inside", inside(status)));
        }
        words
    };
    let mut parts: Vec<String> = status.modes.iter().map(mode).collect();
    if let Some(error) = &status.store.error {
        parts.push(format!("the store fails: {}", line(error)));
    }
    parts.join("; ")
}
