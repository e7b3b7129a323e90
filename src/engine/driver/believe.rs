//! What a process believes, given what is stored and what it remembers: a store may have forgotten,
//! and a hand may have written a plain word.

use super::{Driver, Known};
use crate::{
    core::state::{
        DEFAULT_MODE, Document,
        decode::{ByHand, DecodeError},
        lineage::{Kinship, reconciled},
    },
    store::Loaded,
};

/// What counts, and what the store lacks of it.
pub(super) struct Believed {
    pub(super) document: Document,
    pub(super) lacks: Option<Lacks>,
}

/// Why something is to be stored although nobody asked for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacks {
    /// The store has lost something that is remembered.
    Lost,
    /// A hand has written a word, which says nothing of all the rest.
    Rest,
}

/// A name that no other save has, nor another lineage.
pub(super) fn random_name() -> String {
    format!("{:08x}", fastrand::u32(..))
}

impl Driver {
    /// Reads what is stored, and adds what is remembered and belongs to it.
    pub(super) fn believe(
        &self,
        known: &Known,
        loaded: Option<&Loaded>,
    ) -> Result<Believed, DecodeError> {
        let now = self.shared.clock.now();
        let zone = self.plan.time_zone.as_ref();
        let remembered = known.document.as_ref();
        let by_hand = loaded.and_then(|loaded| ByHand::read(&loaded.document, zone));
        if let Some(by_hand) = by_hand {
            let mode = self.shared.modes.first();
            let mode = mode.map_or(DEFAULT_MODE, |mode| &mode.key);
            let memory = remembered.filter(|memory| {
                // What has no number is nothing but what a hand wrote before.
                memory.generation > 0 && memory.has_more_than_a_switch()
            });
            return Ok(match memory {
                Some(memory) => {
                    let mut document = by_hand.added_to(memory, mode, now);
                    if document != *memory {
                        document.generation = memory.generation.saturating_add(1);
                        document = document.signed(memory, Some(mode), now, random_name);
                    }
                    Believed {
                        document,
                        lacks: Some(Lacks::Rest),
                    }
                }
                None => Believed {
                    document: by_hand.alone(mode),
                    lacks: None,
                },
            });
        }
        let stored = match loaded {
            None => None,
            Some(loaded) => Some(Document::decode(&loaded.document, zone)?),
        };
        // A whole document that a hand wrote has no generation, and counts as it is.
        let is_by_hand = stored.as_ref().is_some_and(|stored| stored.generation == 0);
        let memory = remembered.filter(|_| self.plan.forced.is_none() && !is_by_hand);
        let instead = memory.and_then(|memory| {
            // What is gone where nothing is lost, or has become an old copy, is what somebody wanted.
            let is_apart = stored
                .as_ref()
                .is_some_and(|stored| stored.kinship(memory) == Kinship::Apart);
            if !is_apart && !self.store.may_lose_state() {
                return None;
            }
            reconciled(stored.as_ref(), memory, now, random_name)
        });
        Ok(match instead {
            Some(document) => Believed {
                document,
                lacks: Some(Lacks::Lost),
            },
            None => Believed {
                document: stored.unwrap_or_default(),
                lacks: None,
            },
        })
    }
}
