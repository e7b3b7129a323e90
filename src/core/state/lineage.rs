//! Documents of which one does not follow from the other: the store forgot, or an old copy of what it
//! held was put back, and somebody wrote before anybody who knew more could.
//!
//! Each document carries its lineage: a random identity, the names of its last saves, and of each of
//! its records when it was written last. From two documents this tells
//!
//! - whether one follows from the other ([`Kinship`]);
//! - if neither does, what each holds that the other never knew of ([`reconciled`]). What was written
//!   after the loss wins, what the other never knew of is added, and what the other knew of and does
//!   not have any more was removed and stays so.
//!
//! A record is what is stored of a mode without its windows, one window, or one field that this
//! version does not know. The history is no record: no stretch of it is ever taken back.
//!
//! Pure: random names come from outside.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Document, Ended, HISTORY_LENGTH, ModeState, Period, Switch, Window,
    saves::{Saves, Written},
};

/// Where a document comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lineage {
    id: String,
    #[serde(default)]
    saves: Saves,
    /// By record, when it was last written. What is not there was there before anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    written: BTreeMap<String, Written>,
    /// Of other lineages, up to which generation what they held has been taken in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    before: BTreeMap<String, u64>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// What two documents are to each other, seen from the one that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kinship {
    /// It is the other one, or follows from it.
    Follows,
    /// The other one follows from it: it is an old copy.
    Precedes,
    /// Neither follows from the other.
    Apart,
}

/// How a document is told from all others: its lineage, and the last of its saves.
struct Head<'a> {
    lineage: &'a str,
    generation: u64,
    save: Option<&'a str>,
}

fn record_of_mode(key: &str) -> String {
    format!("mode/{key}")
}

fn record_of_window(key: &str, id: &str) -> String {
    format!("window/{key}/{id}")
}

fn record_of_field(name: &str) -> String {
    format!("field/{name}")
}

/// What is stored of a mode without its windows.
fn without_windows(mode: &ModeState) -> ModeState {
    ModeState {
        windows: Vec::new(),
        ..mode.clone()
    }
}

impl Document {
    fn head(&self) -> Head<'_> {
        let lineage = self.lineage.as_ref();
        Head {
            lineage: self.lineage_id(),
            generation: self.generation,
            save: lineage.and_then(|it| it.saves.last(self.generation)),
        }
    }

    /// Empty for a document of an older version, and for what a hand wrote.
    fn lineage_id(&self) -> &str {
        self.lineage.as_ref().map_or("", |lineage| &lineage.id)
    }

    /// Names the save that is about to be made, and notes which records it writes. `said` is the mode
    /// that somebody has thrown the switch of, also if that changes nothing. The generation has been
    /// set.
    pub(crate) fn signed(
        mut self,
        before: &Self,
        said: Option<&str>,
        now: Timestamp,
        mut random: impl FnMut() -> String,
    ) -> Self {
        let mut lineage = before.lineage.clone().unwrap_or_else(|| Lineage {
            id: random(),
            before: match before.generation {
                0 => BTreeMap::new(),
                generation => BTreeMap::from([(String::new(), generation)]),
            },
            ..Lineage::default()
        });
        let written = Written {
            generation: self.generation,
            save: random(),
            lineage: lineage.id.clone(),
            at: now,
        };
        let records = self.records();
        let former = before.records();
        lineage
            .written
            .retain(|record, _| records.contains_key(record));
        let changed = records
            .iter()
            .filter(|(record, content)| former.get(*record) != Some(content))
            .map(|(record, _)| record.clone());
        for record in changed.chain(said.map(record_of_mode)) {
            lineage.written.insert(record, written.clone());
        }
        lineage.saves.add(Saves::of(self.generation, written.save));
        self.lineage = Some(lineage);
        self
    }

    /// Whether it is nobody's memory of anything.
    fn is_blank(&self) -> bool {
        self.generation == 0 && self.modes.is_empty() && self.history.is_empty()
    }

    fn records(&self) -> BTreeMap<String, Record> {
        // Whoever gives the document a field decides here what becomes of it after a loss.
        let Self {
            format: _,
            generation: _,
            lineage: _,
            modes,
            history: _,
            unknown,
        } = self;
        let mut records = BTreeMap::new();
        for (key, mode) in modes {
            let (name, switch) = (record_of_mode(key), without_windows(mode));
            let written = self.lineage.as_ref().map(|lineage| &lineage.written);
            let is_written = written.is_some_and(|written| written.contains_key(&name));
            // Made for the sake of a window, it says nothing of the switch.
            if is_written || switch != ModeState::default() {
                records.insert(name, Record::Mode(key.clone(), switch));
            }
            for window in &mode.windows {
                records.insert(
                    record_of_window(key, &window.id),
                    Record::Window(key.clone(), window.clone()),
                );
            }
        }
        for (name, value) in unknown {
            records.insert(
                record_of_field(name),
                Record::Field(name.clone(), value.clone()),
            );
        }
        records
    }

    fn written(&self, record: &str) -> Written {
        let lineage = self.lineage.as_ref();
        lineage
            .and_then(|lineage| lineage.written.get(record).cloned())
            .unwrap_or_else(|| Written::never(self.lineage_id()))
    }

    /// The same as the beginning of a new lineage: what is written in it is written after the loss.
    fn put_back(&self, random: &mut impl FnMut() -> String) -> Self {
        let mut lineage = self.lineage.clone().unwrap_or_default();
        let former = std::mem::replace(&mut lineage.id, random());
        lineage.before.insert(former, self.generation);
        Self {
            lineage: Some(lineage),
            ..self.clone()
        }
    }

    /// Whether this was written after the store had forgotten, and not put back into it.
    fn is_of_now(&self, written: &Written) -> bool {
        let lineage = self.lineage.as_ref();
        lineage.is_some_and(|lineage| written.generation > 0 && written.lineage == lineage.id)
    }

    /// Whether this document was made in the knowledge of a save. Where the save is older than those
    /// that it names, the numbers tell.
    fn knew(&self, generation: u64, save: Option<&str>, lineage: &str) -> bool {
        let by_number = || {
            let known = match lineage == self.lineage_id() {
                true => Some(self.generation),
                false => self
                    .lineage
                    .as_ref()
                    .and_then(|mine| mine.before.get(lineage).copied()),
            };
            known.is_some_and(|known| generation <= known)
        };
        let saves = self.lineage.as_ref().map(|lineage| &lineage.saves);
        match (saves, save) {
            (Some(saves), Some(save)) => {
                saves.has(generation, save) || (saves.ends_after(generation) && by_number())
            }
            // An older version made the one or the other, and named no save.
            _ => by_number(),
        }
    }

    fn knew_of(&self, written: &Written) -> bool {
        let save = (!written.save.is_empty()).then_some(written.save.as_str());
        self.knew(written.generation, save, &written.lineage)
    }

    fn follows(&self, other: &Self) -> bool {
        let head = other.head();
        self.knew(head.generation, head.save, head.lineage)
    }

    /// What this document, which is stored, is to one that is remembered.
    pub(crate) fn kinship(&self, remembered: &Self) -> Kinship {
        if self.follows(remembered) {
            Kinship::Follows
        } else if remembered.follows(self) {
            Kinship::Precedes
        } else {
            Kinship::Apart
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Record {
    /// With the mode's key.
    Mode(String, ModeState),
    Window(String, Window),
    /// With its name.
    Field(String, Value),
}

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
        let is_stored_later = stored.is_of_now(&of_stored) || of_stored.at >= of_remembered.at;
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
            written.insert(name.clone(), when);
        }
        match record.clone() {
            Record::Mode(key, mode) => {
                next.modes.insert(key, mode);
            }
            Record::Window(key, window) => windows.push((key, window)),
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
