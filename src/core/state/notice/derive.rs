//! What follows from a document: the notices of what is another than what was told last.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::{MOST_WAITING, Notice, NoticeKind, Notices, ToldMode, ToldWindow};
use crate::core::state::Document;

/// By how much a clock may be ahead that has told last. What it has taken for over stays over.
const MOST_AHEAD: SignedDuration = SignedDuration::from_mins(5);
/// After how long nobody wants to hear of it any more.
const TOLD_FOR: SignedDuration = SignedDuration::from_hours(24);

/// What is told of something: which kind, and of which window.
type What = (NoticeKind, Option<(String, ToldWindow)>);

impl Document {
    /// The document with what is to be told of it by a clock that shows `now`, where notices are
    /// wanted at all; else as it is.
    pub(crate) fn with_notices(mut self, now: Timestamp, random: impl FnMut() -> String) -> Self {
        if let Some(notices) = self.noticed(now, random) {
            self.notices = Some(notices);
        }
        self
    }

    /// What is to be told now and has not been noted. `None`: nothing.
    pub(crate) fn noticed(
        &self,
        now: Timestamp,
        mut random: impl FnMut() -> String,
    ) -> Option<Notices> {
        let former = self.notices.as_ref()?;
        let at = match former.told_at.duration_since(now) {
            // Another clock was ahead: what was told must not be taken back by this one.
            ahead if ahead.is_positive() && ahead <= MOST_AHEAD => former.told_at,
            _ => now,
        };
        let told: BTreeMap<String, ToldMode> = self
            .modes
            .iter()
            .map(|(key, mode)| (key.clone(), ToldMode::new(self, mode, at)))
            .filter(|(_, told)| *told != ToldMode::default())
            .collect();
        if told == former.told {
            return None;
        }
        let mut next = former.clone();
        let nothing = ToldMode::default();
        let keys = former.told.keys().chain(told.keys());
        let keys: std::collections::BTreeSet<&String> = keys.collect();
        for key in keys {
            let old = former.told.get(key).unwrap_or(&nothing);
            let new = told.get(key).unwrap_or(&nothing);
            for (kind, window) in differences(old, new, at) {
                next.outbox.push(Notice {
                    sequence: next.next,
                    id: format!("msg_{}_{}", next.next, random()),
                    kind,
                    mode: key.clone(),
                    at,
                    is: new.without_windows(),
                    window,
                });
                next.next += 1;
            }
        }
        next.told = told;
        next.told_at = at;
        next.bound(at);
        Some(next)
    }
}

impl Notices {
    fn bound(&mut self, now: Timestamp) {
        self.outbox
            .retain(|notice| now.duration_since(notice.at) < TOLD_FOR);
        let surplus = self.outbox.len().saturating_sub(MOST_WAITING);
        self.outbox.drain(..surplus);
    }
}

fn differences(old: &ToldMode, new: &ToldMode, now: Timestamp) -> Vec<What> {
    let mut found = of_windows(old, new, now);
    if old.lost.is_none() && new.lost.is_some() {
        found.push((NoticeKind::HolderLost, None));
    }
    found.extend(of_phase(old, new).map(|kind| (kind, None)));
    found
}

fn of_phase(old: &ToldMode, new: &ToldMode) -> Option<NoticeKind> {
    let (was, is) = (old.phase, new.phase);
    if was != is {
        return kind_of(was.as_str(), is.as_str());
    }
    if !is.is_maintenance() {
        return None;
    }
    let is_later = match (old.until, new.until) {
        (Some(_), None) => true,
        (Some(old), Some(new)) => old < new,
        (None, _) => false,
    };
    if is_later {
        return Some(NoticeKind::Extended);
    }
    let said = |it: &ToldMode| (it.until, it.message.clone());
    (said(old) != said(new)).then_some(NoticeKind::Changed)
}

/// What it is called that one phase has become another. What opens soon is open, for those who are told
/// of windows anyway.
fn kind_of(was: &str, is: &str) -> Option<NoticeKind> {
    let is_open = |phase: &str| matches!(phase, "online" | "scheduled");
    match is {
        "pending" => Some(NoticeKind::Closing),
        "offline" => Some(NoticeKind::Closed),
        "opening" => Some(NoticeKind::Opening),
        _ if is_open(was) => None,
        _ => Some(NoticeKind::Open),
    }
}

fn of_windows(old: &ToldMode, new: &ToldMode, now: Timestamp) -> Vec<What> {
    let is_ahead = |window: &ToldWindow| window.start.is_some_and(|start| now < start);
    let mut found = Vec::new();
    for (id, window) in &new.windows {
        let this = |kind| (kind, Some((id.clone(), window.clone())));
        match old.windows.get(id) {
            None if is_ahead(window) => found.push(this(NoticeKind::Planned)),
            // One that is open already is told by its mode.
            None => {}
            Some(former) if window.left_out > former.left_out => {
                let time = ToldWindow {
                    start: window.left_out,
                    end: None,
                    ..window.clone()
                };
                found.push((NoticeKind::Cancelled, Some((id.clone(), time))));
            }
            Some(former) if window.is_other_than(former) && is_ahead(window) => {
                found.push(this(NoticeKind::Changed));
            }
            Some(_) => {}
        }
    }
    for (id, window) in &old.windows {
        if !new.windows.contains_key(id) && is_ahead(window) {
            found.push((NoticeKind::Cancelled, Some((id.clone(), window.clone()))));
        }
    }
    found
}
