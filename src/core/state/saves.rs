//! How the saves of a document are named, and by which of them a record was written.

use std::{collections::BTreeSet, fmt, str::FromStr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How many saves a document names. Of those before, the numbers tell.
const LENGTH: usize = 64;

/// The last saves that led to a document: the generation of each and its random name, the latest
/// first. Where two histories met there are the saves of both. In JSON one text, so that the document
/// stays easy to read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Saves(BTreeSet<(u64, String)>);

impl fmt::Display for Saves {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, (generation, name)) in self.0.iter().rev().enumerate() {
            let gap = if place == 0 { "" } else { " " };
            write!(formatter, "{gap}{generation}:{name}")?;
        }
        Ok(())
    }
}

impl Saves {
    pub(super) fn has(&self, generation: u64, name: &str) -> bool {
        self.0.contains(&(generation, name.to_owned()))
    }

    /// The save of this generation, which is the last one.
    pub(super) fn last(&self, generation: u64) -> Option<&str> {
        let (last, name) = self.0.last()?;
        (*last == generation).then_some(name)
    }

    /// Whether this is further back than what is named.
    pub(super) fn ends_after(&self, generation: u64) -> bool {
        self.0.first().is_none_or(|(first, _)| generation < *first)
    }

    /// One save alone.
    pub(super) fn of(generation: u64, name: String) -> Self {
        Self(BTreeSet::from([(generation, name)]))
    }

    pub(super) fn add(&mut self, saves: Self) {
        self.0.extend(saves.0);
        while self.0.len() > LENGTH {
            self.0.pop_first();
        }
    }
}

impl From<Saves> for String {
    fn from(saves: Saves) -> Self {
        saves.to_string()
    }
}

impl TryFrom<String> for Saves {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let save = |word: &str| {
            let (generation, name) = word.split_once(':')?;
            Some((generation.parse().ok()?, name.to_owned()))
        };
        text.split_whitespace()
            .map(save)
            .collect::<Option<_>>()
            .map(Self)
            .ok_or_else(|| "`saves` are no saves".to_owned())
    }
}

/// By which save a record was last written, in which lineage, and at what time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct Written {
    pub(super) generation: u64,
    pub(super) save: String,
    pub(super) lineage: String,
    pub(super) at: Timestamp,
    /// Whether the record came from what somebody remembered, and so tells nothing of when the document
    /// was written that has it.
    pub(super) put_back: bool,
}

/// What follows the time of a record that was put back.
const PUT_BACK: &str = " put-back";

impl Written {
    pub(super) fn never(lineage: &str) -> Self {
        Self {
            generation: 0,
            save: String::new(),
            lineage: lineage.to_owned(),
            at: Timestamp::MIN,
            put_back: false,
        }
    }
}

impl From<Written> for String {
    fn from(written: Written) -> Self {
        let Written {
            generation,
            save,
            lineage,
            at,
            put_back,
        } = written;
        let mark = if put_back { PUT_BACK } else { "" };
        format!("{generation}:{save}:{lineage} {at}{mark}")
    }
}

impl TryFrom<String> for Written {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let (text, put_back) = match text.strip_suffix(PUT_BACK) {
            Some(text) => (text, true),
            None => (text.as_str(), false),
        };
        let parts = || {
            let (by, at) = text.split_once(' ')?;
            let (generation, by) = by.split_once(':')?;
            let (save, lineage) = by.split_once(':')?;
            Some(Self {
                generation: generation.parse().ok()?,
                save: save.to_owned(),
                lineage: lineage.to_owned(),
                at: Timestamp::from_str(at).ok()?,
                put_back,
            })
        };
        parts().ok_or_else(|| "`written` is not when a record was written".to_owned())
    }
}
