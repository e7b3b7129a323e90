//! What a change of the document is told as.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{AuditEntry, Author, How, event};
use crate::core::state::{Document, Ended, GrantRecord, ModeState, Period, Switch, Window};

/// What has changed from one stored document to the next, mode by mode. `now` is when it was stored.
///
/// Whatever of a mode is another leads to one entry at least, unless it is only that what is over by
/// itself has left the document.
pub(crate) fn changes(
    before: &Document,
    after: &Document,
    author: &Author,
    now: Timestamp,
) -> Vec<AuditEntry> {
    let mut entries = Vec::new();
    let mut keys: Vec<&String> = before.modes.keys().chain(after.modes.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let change = Change {
            key,
            before: (before, before.mode(key)),
            after: (after, after.mode(key)),
            author,
            now,
        };
        change.tell(&mut entries);
    }
    grants(before, after, author, now, &mut entries);
    for entry in &mut entries {
        entry.generation = Some(after.generation);
    }
    entries
}

/// Who may look in from now on, and who not any more. What is over is forgotten without anybody.
fn grants(
    before: &Document,
    after: &Document,
    author: &Author,
    now: Timestamp,
    entries: &mut Vec<AuditEntry>,
) {
    let mut names: Vec<&String> = before.grants.keys().chain(after.grants.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let (old, new) = (before.grants.get(name), after.grants.get(name));
        let event = match (old, new) {
            (_, Some(grant)) if old != Some(grant) => event::GRANTED,
            (Some(grant), None) if !grant.is_over(now) => event::REVOKED,
            _ => continue,
        };
        let mode = match new.or(old).map(|grant| grant.modes.as_slice()) {
            Some([mode]) => Some(mode.as_str()),
            _ => None,
        };
        entries.push(AuditEntry {
            before: old.map(|grant| told_grant(name, grant)),
            after: new.map(|grant| told_grant(name, grant)),
            ..AuditEntry::new(event, author, now).of_mode(mode)
        });
    }
}

/// What is told of a grant: not what it is known by.
fn told_grant(name: &str, grant: &GrantRecord) -> Value {
    json!({
        "name": name,
        "kind": grant.kind.as_str(),
        "address": grant.address,
        "modes": grant.modes,
        "prefixes": grant.prefixes,
        "until": grant.until,
    })
}

/// What becomes of one mode.
struct Change<'a> {
    key: &'a str,
    before: (&'a Document, Option<&'a ModeState>),
    after: (&'a Document, Option<&'a ModeState>),
    author: &'a Author,
    now: Timestamp,
}

impl Change<'_> {
    fn tell(&self, entries: &mut Vec<AuditEntry>) {
        let told = entries.len();
        self.windows(entries);
        self.holders(entries);
        self.switch(entries);
        let (old, new) = (self.before.1, self.after.1);
        if new.is_none() && old.is_some() {
            entries.push(self.entry(event::FORGOTTEN));
        } else if entries.len() == told && is_switched(old) != is_switched(new) {
            // Such as that one of several who hold it has let go.
            entries.push(self.entry(event::CHANGED));
        }
    }

    fn entry(&self, event: &'static str) -> AuditEntry {
        AuditEntry {
            before: self.before.1.map(|mode| told(mode, self.now)),
            after: self.after.1.map(|mode| told(mode, self.now)),
            ..AuditEntry::new(event, self.author, self.now).of_mode(Some(self.key))
        }
    }

    fn open_period<'d>(&self, document: &'d Document) -> Option<&'d Period> {
        let is_open = |period: &&Period| period.mode == self.key && period.ended_at.is_none();
        document.history.iter().find(is_open)
    }

    /// The periods that have ended, and were not known to have.
    fn ended(&self) -> impl Iterator<Item = &Period> {
        let known = &self.before.0.history;
        let is_known = |period: &Period| {
            let same = |it: &Period| it.mode == period.mode && it.ended_at == period.ended_at;
            known.iter().any(same)
        };
        let history = self.after.0.history.iter();
        history.filter(move |it| it.mode == self.key && it.ended_at.is_some() && !is_known(it))
    }

    fn switch(&self, entries: &mut Vec<AuditEntry>) {
        let was_open = self.open_period(self.before.0).is_none();
        let is_open = self.open_period(self.after.0).is_none();
        for (place, period) in self.ended().enumerate() {
            // It began and ended before anybody has stored that it began.
            if was_open || place > 0 {
                let mut began = self.entry(event::ON);
                began.by.clone_from(&period.by);
                began.how = How::Schedule;
                began.at = period.started_at;
                entries.push(began);
            }
            let mut ended = self.entry(event::OFF);
            ended.why = period.ended.map(|how| how.as_str().to_owned());
            let by_itself = matches!(
                period.ended,
                Some(Ended::TimeOut | Ended::WindowEnd | Ended::HolderLost)
            );
            if self.author.how == How::Schedule && period.ended_by.is_some() {
                // Somebody has had it open share by share.
                ended.by.clone_from(&period.ended_by);
                ended.at = period.ended_at.unwrap_or(self.now);
            }
            if by_itself && period.ended_by.is_none() {
                ended.by = None;
                ended.how = How::Schedule;
                ended.address = None;
                ended.at = period.ended_at.unwrap_or(self.now);
            }
            entries.push(ended);
        }
        let began_anew = was_open || self.ended().next().is_some();
        if !is_open && began_anew {
            entries.push(self.entry(event::ON));
            return;
        }
        let record = |mode: Option<&ModeState>| mode.map(|mode| told(mode, self.now));
        let is_closed = !was_open && !is_open;
        if is_closed && record(self.before.1) != record(self.after.1) {
            entries.push(self.entry(event::CHANGED));
        }
    }

    fn windows(&self, entries: &mut Vec<AuditEntry>) {
        let of = |mode: Option<&ModeState>| mode.map(|mode| mode.windows.clone());
        let old = of(self.before.1).unwrap_or_default();
        let new = of(self.after.1).unwrap_or_default();
        let find = |windows: &[Window], id: &str| windows.iter().find(|it| it.id == id).cloned();
        let entry =
            |event, window: &Window, before: Option<&Window>, after: Option<&Window>| AuditEntry {
                window: Some(window.id.clone()),
                before: before.map(told_window),
                after: after.map(told_window),
                ..AuditEntry::new(event, self.author, self.now).of_mode(Some(self.key))
            };
        let is_cancelled = |window: &Window| {
            let is_it = |it: &&crate::core::state::Cancelled| it.window.id == window.id;
            let count = |document: &Document| document.cancelled.iter().filter(is_it).count();
            count(self.before.0) < count(self.after.0)
        };
        for window in &new {
            match find(&old, &window.id) {
                None => entries.push(entry(event::PLANNED, window, None, Some(window))),
                Some(known) if told_window(&known) != told_window(window) => {
                    entries.push(entry(
                        event::WINDOW_CHANGED,
                        window,
                        Some(&known),
                        Some(window),
                    ));
                }
                Some(_) if is_cancelled(window) => {
                    entries.push(entry(event::CANCELLED, window, Some(window), Some(window)));
                }
                Some(_) => {}
            }
        }
        for window in &old {
            let was_to_come = window.next_after(self.now).is_some();
            if find(&new, &window.id).is_none() && (was_to_come || is_cancelled(window)) {
                entries.push(entry(event::CANCELLED, window, Some(window), None));
            }
        }
    }

    fn holders(&self, entries: &mut Vec<AuditEntry>) {
        let (Some(old), Some(new)) = (self.before.1, self.after.1) else {
            return;
        };
        for (token, holder) in old.holders().filter(|(_, holder)| !holder.is_lost()) {
            if new.lost(token).is_some() {
                let mut entry = self.entry(event::HOLDER_LOST);
                entry.why = Some(format!("the job {} has died", holder.name));
                entries.push(entry);
            }
        }
    }
}

/// What is another where somebody has thrown a switch or let go of it.
fn is_switched(mode: Option<&ModeState>) -> (Switch, Vec<bool>) {
    let Some(mode) = mode else {
        return (Switch::Off, Vec::new());
    };
    let guards = mode.guards.iter().map(|guard| guard.held.is_some());
    (mode.switch.clone(), guards.collect())
}

/// What is told of a mode: nothing by which somebody could let go of it in the place of its holder.
fn told(mode: &ModeState, now: Timestamp) -> Value {
    let mut told = Map::new();
    let phase = mode.phase(now);
    told.insert("phase".to_owned(), json!(phase.as_str()));
    if let Some(on) = mode.switch.record() {
        told.extend(given([
            ("since", json!(on.since)),
            ("until", json!(on.until)),
            ("by", json!(on.by)),
            ("reason", json!(on.reason)),
            ("message", json!(on.message)),
        ]));
    }
    if let Some(on) = mode.switch.record().filter(|on| !on.allow.is_empty()) {
        told.insert("allow".to_owned(), json!(on.allow));
    }
    if let Some(park) = mode.switch.record().and_then(|on| on.park) {
        told.insert("park".to_owned(), json!(park));
    }
    if let Some(opening) = mode.switch.opening() {
        let opening = json!({ "since": opening.since, "until": opening.until });
        told.insert("opening".to_owned(), opening);
    }
    let holders: Vec<&str> = mode.holders().map(|(_, it)| it.name.as_str()).collect();
    if !holders.is_empty() {
        told.insert("held".to_owned(), json!(holders));
    }
    Value::Object(told)
}

/// Of several members those that say something.
fn given<const N: usize>(members: [(&str, Value); N]) -> impl Iterator<Item = (String, Value)> {
    let members = members.into_iter().filter(|(_, value)| !value.is_null());
    members.map(|(name, value)| (name.to_owned(), value))
}

/// What is told of a window: what somebody has planned, and not which of its times are over.
fn told_window(window: &Window) -> Value {
    let mut told: Map<String, Value> = given([
        ("start", json!(window.start)),
        ("end", json!(window.end)),
        ("zone", json!(window.zone)),
        ("title", json!(window.title)),
        ("by", json!(window.by)),
        ("reason", json!(window.reason)),
        ("message", json!(window.message)),
    ])
    .collect();
    if let Some(recurrence) = &window.repeats {
        let repeats = json!({
            "cron": recurrence.cron(),
            "zone": recurrence.zone(),
            "duration": recurrence.duration(),
            "until": recurrence.until(),
        });
        told.insert("repeats".to_owned(), repeats);
    }
    Value::Object(told)
}

#[cfg(test)]
#[path = "derive_tests.rs"]
mod tests;
