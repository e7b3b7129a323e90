//! What two documents make together of which neither follows from the other. See [`lineage`](super::lineage).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Map;

use super::{
    Document, Ended, GrantRecords, HISTORY_LENGTH, ModeState, Period, Switch, Window,
    lineage::{Kinship, Lineage, Record, record_of_mode, record_of_window, without_windows},
    saves::Written,
};

/// What is to be stored instead of what is, given what is remembered from before. `None`: what is
/// stored has all of it.
///
/// `stored` is `None` where there is nothing.
pub(crate) fn reconciled(
    stored: Option<&Document>,
    remembered: &Document,
    now: Timestamp,
    mut random: impl FnMut() -> String,
) -> Option<Document> {
    if remembered.is_blank() {
        return None;
    }
    let Some(stored) = stored else {
        return Some(remembered.put_back(&mut random));
    };
    match stored.kinship(remembered) {
        Kinship::Follows => None,
        Kinship::Precedes => Some(remembered.put_back(&mut random)),
        Kinship::Apart => Some(merged(stored, remembered, now, &mut random)),
    }
}

/// The stored document with what it never knew of.
fn merged(
    stored: &Document,
    remembered: &Document,
    now: Timestamp,
    random: &mut impl FnMut() -> String,
) -> Document {
    let (here, there) = (stored.records(), remembered.records());
    let empty = |mode: &ModeState| without_windows(mode) == ModeState::default();
    let mut next = Document {
        modes: stored
            .modes
            .iter()
            .filter(|(_, mode)| empty(mode))
            .map(|(key, _)| (key.clone(), ModeState::default()))
            .collect(),
        grants: GrantRecords::new(),
        unknown: Map::new(),
        ..stored.clone()
    };
    let mut written = BTreeMap::new();
    let mut carried = BTreeSet::new();
    let names: BTreeSet<&String> = here.keys().chain(there.keys()).collect();
    let mut windows: Vec<(String, Window)> = Vec::new();
    for name in names {
        let (of_stored, of_remembered) = (stored.written(name), remembered.written(name));
        let stored_knew = stored.knew_of(&of_remembered);
        let remembered_knew = remembered.knew_of(&of_stored);
        // Where neither knew of the other: what was written after the loss, whatever the clocks say,
        // or else what was written last.
        let is_stored_later =
            stored.is_of_now(&of_stored, remembered) || of_stored.at >= of_remembered.at;
        let stored_wins = stored_knew || (!remembered_knew && is_stored_later);
        let (record, when, is_carried) = match (here.get(name), there.get(name)) {
            (Some(record), Some(_)) if stored_wins => (record, of_stored, false),
            (Some(_), Some(record)) => (record, of_remembered, true),
            // Removed since it was known.
            (Some(_), None) if remembered_knew => continue,
            (None, Some(_)) if stored_knew => continue,
            (Some(record), None) => (record, of_stored, false),
            (None, Some(record)) => (record, of_remembered, true),
            (None, None) => continue,
        };
        if is_carried {
            carried.insert(name.clone());
        }
        if when.generation > 0 {
            let put_back = when.put_back || is_carried;
            written.insert(name.clone(), Written { put_back, ..when });
        }
        match record.clone() {
            Record::Mode(key, mode) => {
                next.modes.insert(key, *mode);
            }
            Record::Grant(name, grant) => {
                next.grants.insert(name, *grant);
            }
            Record::Window(key, window) => windows.push((key, *window)),
            Record::Field(field, value) => {
                next.unknown.insert(field, value);
            }
        }
    }
    for (key, mut window) in windows {
        let of_mode = record_of_mode(&key);
        let is_off = next
            .modes
            .get(&key)
            .is_some_and(|mode| mode.switch == Switch::Off);
        let is_new = carried.contains(&record_of_window(&key, &window.id));
        // Whoever switched it off after the loss meant the windows that were open, too.
        let stays = match written.get(&of_mode) {
            Some(off) if is_new && is_off && !carried.contains(&of_mode) => {
                window.end_occurrence(off.at)
            }
            _ => true,
        };
        if stays {
            next.modes.entry(key).or_default().windows.push(window);
        }
    }
    for mode in next.modes.values_mut() {
        mode.windows.sort_by_key(|window| window.start);
    }
    next.history = united(&stored.history, &remembered.history);
    next.take_cancelled(&remembered.cancelled, now);
    // What was told counts further for whoever has told more; the rest follows from what is.
    let place = |of: &Document| of.notices.as_ref().map_or(0, |notices| notices.next);
    if place(stored) < place(remembered) {
        next.notices.clone_from(&remembered.notices);
    }
    mend_history(&mut next, &written, now);
    // Also where nothing was missing: that all of it is known has to be stored, so that nobody who knew
    // less brings back what was removed.
    next.lineage = Some(joined(stored, remembered, written, random));
    next.generation = stored
        .generation
        .max(remembered.generation)
        .saturating_add(1);
    // It is one by itself until it is stored: another may be merged from the same two.
    next.clone().signed(&next, None, now, random)
}

/// The lineage of a document that has taken in another.
fn joined(
    stored: &Document,
    remembered: &Document,
    written: BTreeMap<String, Written>,
    random: &mut impl FnMut() -> String,
) -> Lineage {
    let mut lineage = stored.lineage.clone().unwrap_or_else(|| Lineage {
        id: random(),
        before: BTreeMap::from([(String::new(), stored.generation)]),
        ..Lineage::default()
    });
    let theirs = remembered.lineage.clone().unwrap_or_default();
    lineage.saves.add(theirs.saves);
    for (id, generation) in theirs
        .before
        .into_iter()
        .chain([(theirs.id, remembered.generation)])
        .filter(|(id, _)| *id != lineage.id)
    {
        let known = lineage.before.entry(id).or_default();
        *known = generation.max(*known);
    }
    lineage.written = written;
    lineage
}

/// All stretches of both, each once, in their order.
fn united(stored: &[Period], remembered: &[Period]) -> Vec<Period> {
    let mut history: Vec<Period> = stored.to_vec();
    for period in remembered {
        let same = history
            .iter_mut()
            .find(|known| known.mode == period.mode && known.started_at == period.started_at);
        match same {
            // Of one that has ended for one of them, the end is known.
            Some(known) if known.ended_at.is_none() => known.clone_from(period),
            Some(_) => {}
            None => history.push(period.clone()),
        }
    }
    history.sort_by_key(|period| period.started_at);
    history
}

/// Ends what has gone on until somebody said otherwise after the loss, and begins what goes on since
/// then: of each mode one period is open while it is closed, and none while it is online.
fn mend_history(document: &mut Document, written: &BTreeMap<String, Written>, now: Timestamp) {
    let Document { modes, history, .. } = document;
    let mut followed: BTreeMap<String, Timestamp> = BTreeMap::new();
    for period in history.iter_mut().rev() {
        let next = followed.insert(period.mode.clone(), period.started_at);
        if period.ended_at.is_some() {
            continue;
        }
        let is_closed = modes
            .get(&period.mode)
            .is_some_and(|mode| mode.phase(now).is_maintenance());
        match next {
            Some(next) => period.ended_at = Some(next),
            None if !is_closed => {
                let said = written.get(&record_of_mode(&period.mode));
                let at = said.map_or(now, |said| said.at);
                let at = if period.started_at <= at { at } else { now };
                period.end(at, Ended::Off, None);
            }
            None => {}
        }
    }
    for (key, mode) in modes.iter() {
        let is_closed = mode.phase(now).is_maintenance();
        let has_open = |period: &Period| period.mode == *key && period.ended_at.is_none();
        if !is_closed || history.iter().any(has_open) {
            continue;
        }
        // Who said so may not have known that it was over meanwhile, and has begun no period.
        let (since, by, reason) = match mode.switch.record() {
            Some(on) => (on.since, on.by.clone(), on.reason.clone()),
            None => (None, None, None),
        };
        let said = written.get(&record_of_mode(key)).map(|said| said.at);
        let since = since.max(said).filter(|since| *since <= now);
        history.push(Period {
            by,
            reason,
            ..Period::starting(key, since.unwrap_or(now))
        });
    }
    history.sort_by_key(|period| period.started_at);
    let surplus = history.len().saturating_sub(HISTORY_LENGTH);
    history.drain(..surplus);
}

#[cfg(test)]
#[path = "lineage_tests.rs"]
mod tests;
