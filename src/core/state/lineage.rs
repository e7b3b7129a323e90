//! Documents of which one does not follow from the other: the store forgot, or an old copy of what it
//! held was put back, and somebody wrote before anybody who knew more could.
//!
//! Each document carries its lineage: a random identity, the names of its last saves, and of each of
//! its records when it was written last. From two documents this tells
//!
//! - whether one follows from the other ([`Kinship`]);
//! - if neither does, what each holds that the other never knew of ([`reconciled`](super::reconcile::reconciled)). What was written
//!   after the loss wins, what the other never knew of is added, and what the other knew of and does
//!   not have any more was removed and stays so.
//!
//! A record is what is stored of a mode without its windows, one window, one grant, or one field that this
//! version does not know. The history is no record: no stretch of it is ever taken back.
//!
//! Pure: random names come from outside.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Document, GrantRecord, ModeState, Window,
    saves::{Saves, Written},
};

/// Where a document comes from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Lineage {
    pub(super) id: String,
    #[serde(default)]
    pub(super) saves: Saves,
    /// By record, when it was last written. What is not there was there before anything.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) written: BTreeMap<String, Written>,
    /// Of other lineages, up to which generation what they held has been taken in.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) before: BTreeMap<String, u64>,
    #[serde(flatten)]
    pub(super) unknown: Map<String, Value>,
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

pub(super) fn record_of_mode(key: &str) -> String {
    format!("mode/{key}")
}

pub(super) fn record_of_window(key: &str, id: &str) -> String {
    format!("window/{key}/{id}")
}

fn record_of_grant(name: &str) -> String {
    format!("grant/{name}")
}

fn record_of_field(name: &str) -> String {
    format!("field/{name}")
}

/// What is stored of a mode without its windows.
pub(super) fn without_windows(mode: &ModeState) -> ModeState {
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
            put_back: false,
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
    pub(super) fn is_blank(&self) -> bool {
        self.generation == 0 && self.modes.is_empty() && self.history.is_empty()
    }

    pub(super) fn records(&self) -> BTreeMap<String, Record> {
        // Whoever gives the document a field decides here what becomes of it after a loss.
        let Self {
            format: _,
            generation: _,
            lineage: _,
            modes,
            grants,
            history: _,
            cancelled: _,
            notices: _,
            unknown,
        } = self;
        let mut records = BTreeMap::new();
        for (key, mode) in modes {
            let (name, switch) = (record_of_mode(key), without_windows(mode));
            let written = self.lineage.as_ref().map(|lineage| &lineage.written);
            let is_written = written.is_some_and(|written| written.contains_key(&name));
            // Made for the sake of a window, it says nothing of the switch.
            if is_written || switch != ModeState::default() {
                records.insert(name, Record::Mode(key.clone(), Box::new(switch)));
            }
            for window in &mode.windows {
                records.insert(
                    record_of_window(key, &window.id),
                    Record::Window(key.clone(), Box::new(window.clone())),
                );
            }
        }
        for (name, grant) in grants {
            records.insert(
                record_of_grant(name),
                Record::Grant(name.clone(), Box::new(grant.clone())),
            );
        }
        for (name, value) in unknown {
            records.insert(
                record_of_field(name),
                Record::Field(name.clone(), value.clone()),
            );
        }
        records
    }

    pub(super) fn written(&self, record: &str) -> Written {
        let lineage = self.lineage.as_ref();
        lineage
            .and_then(|lineage| lineage.written.get(record).cloned())
            .unwrap_or_else(|| Written::never(self.lineage_id()))
    }

    /// The same as the beginning of a new lineage: what is written in it is written after the loss.
    pub(super) fn put_back(&self, random: &mut impl FnMut() -> String) -> Self {
        let mut lineage = self.lineage.clone().unwrap_or_default();
        let former = std::mem::replace(&mut lineage.id, random());
        lineage.before.insert(former, self.generation);
        Self {
            lineage: Some(lineage),
            ..self.clone()
        }
    }

    /// Whether this was written after the store had forgotten what the other one is, and not put back
    /// into it. Not so where the other one is of a lineage that began later: then an old copy is back.
    pub(super) fn is_of_now(&self, written: &Written, other: &Self) -> bool {
        let began_later = other
            .lineage
            .as_ref()
            .is_some_and(|theirs| theirs.before.contains_key(self.lineage_id()));
        let is_of_this = self
            .lineage
            .as_ref()
            .is_some_and(|mine| written.generation > 0 && written.lineage == mine.id);
        is_of_this && !written.put_back && !began_later
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

    pub(super) fn knew_of(&self, written: &Written) -> bool {
        let save = (!written.save.is_empty()).then_some(written.save.as_str());
        self.knew(written.generation, save, &written.lineage)
    }

    pub(super) fn follows(&self, other: &Self) -> bool {
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
pub(super) enum Record {
    /// With the mode's key.
    Mode(String, Box<ModeState>),
    Window(String, Box<Window>),
    /// With its name.
    Grant(String, Box<GrantRecord>),
    /// With its name.
    Field(String, Value),
}
