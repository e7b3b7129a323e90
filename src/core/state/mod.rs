//! What a store holds: one small document, and the operations that change it.
//!
//! Pure: no I/O and no clock. Every function that needs the time takes `now`.

pub(crate) mod amend;
pub(crate) mod applied;
mod cancelled;
mod change_window;
pub(crate) mod decode;
mod grant;
mod holder;
pub(crate) mod horizon;
pub(crate) mod lineage;
mod mode_state;
// What is stored of notices survives in a program that sends none.
#[cfg_attr(not(feature = "notices"), allow(dead_code, unused_imports))]
pub(crate) mod notice;
mod opening;
mod operations;
mod period;
pub(crate) mod reconcile;
mod said;
mod saves;
pub(crate) mod settle;
mod switch;
mod switch_on;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use self::lineage::Lineage;

use self::notice::Notices;
pub(crate) use self::{
    cancelled::Cancelled,
    grant::{GrantHash, GrantRecord, GrantRecords, name_with_switch},
    holder::{Hold, Holder},
    mode_state::ModeState,
    operations::HISTORY_LENGTH,
    period::Period,
    switch::{Draining, Switch, SwitchedOn},
    switch_on::{DrainWish, End, SwitchOn},
};
pub use self::{grant::GrantKind, holder::IfLost, period::Ended, said::Said, switch::OnTimeout};
pub(crate) use crate::core::schedule::Window;

/// The key of the mode that exists when the settings name none.
pub(crate) const DEFAULT_MODE: &str = "site";

/// The newest format that this version reads, and the one that it writes.
pub(crate) const FORMAT: u32 = 1;

/// The stored document.
///
/// Fields that this version does not know are kept in `unknown` and written back, so that a newer
/// version of the same format loses nothing when an older one changes the document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) format: u32,
    pub(crate) generation: u64,
    /// Where it comes from; none of what a hand or an older version wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) lineage: Option<Lineage>,
    #[serde(default)]
    pub(crate) modes: BTreeMap<String, ModeState>,
    /// Who may look in although a mode is closed, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) grants: GrantRecords,
    #[serde(default)]
    pub(crate) history: Vec<Period>,
    /// What was planned and is not any more, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cancelled: Vec<Cancelled>,
    /// What others are told; `None`: nobody wants to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) notices: Option<Notices>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl Default for Document {
    fn default() -> Self {
        Self {
            format: FORMAT,
            generation: 0,
            lineage: None,
            modes: BTreeMap::new(),
            grants: GrantRecords::new(),
            history: Vec::new(),
            cancelled: Vec::new(),
            notices: None,
            unknown: Map::new(),
        }
    }
}

impl Document {
    /// Writes the document so that a person can read and edit it.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Maps with text keys, numbers and text always have a JSON form, so the fallback is never
        // taken; it is an empty document because that is what a reader takes for "off".
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// What is stored of a mode; a mode without a record is off.
    pub(crate) fn mode(&self, key: &str) -> Option<&ModeState> {
        self.modes.get(key)
    }
}

#[cfg(test)]
#[path = "state_tests.rs"]
mod tests;
