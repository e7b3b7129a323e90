//! How often grants were used on this node. The others hear of it with the node's next report, so that
//! no request writes into the store.

use std::collections::BTreeMap;

use jiff::Timestamp;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

/// How often a grant was used, and when last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Uses {
    pub(crate) uses: u64,
    #[serde(default)]
    pub(crate) last: Option<Timestamp>,
}

/// The uses of this node's grants, by their names.
#[derive(Debug, Default)]
pub(crate) struct GrantUses(Mutex<BTreeMap<String, Uses>>);

impl GrantUses {
    pub(crate) fn note(&self, grant: &str, now: Timestamp) {
        let mut grants = self.0.lock();
        // Seldom for the first time: a name is copied once.
        if let Some(known) = grants.get_mut(grant) {
            known.uses += 1;
            known.last = known.last.max(Some(now));
            return;
        }
        let first = Uses {
            uses: 1,
            last: Some(now),
        };
        grants.insert(grant.to_owned(), first);
    }

    /// Those of the grants that there still are.
    pub(crate) fn of(&self, is_there: impl Fn(&str) -> bool) -> BTreeMap<String, Uses> {
        let mut grants = self.0.lock();
        grants.retain(|grant, _| is_there(grant));
        grants.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uses_are_counted_by_grant_and_forgotten_with_it() {
        let uses = GrantUses::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        uses.note("auditor", at(7));
        uses.note("auditor", at(5));
        uses.note("probe", at(6));
        let told = uses.of(|grant| grant == "auditor");
        let expected = Uses {
            uses: 2,
            last: Some(at(7)),
        };
        assert_eq!(told, BTreeMap::from([("auditor".to_owned(), expected)]));
        assert_eq!(uses.of(|_| true).len(), 1);
    }
}
