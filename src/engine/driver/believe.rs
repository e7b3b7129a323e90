//! What a process believes, given what is stored and what it remembers: a store may have forgotten,
//! and a hand may have written a plain word.

use jiff::Timestamp;

use super::{Driver, Known, Operation};
use crate::{
    core::state::{
        Document,
        decode::{ByHand, DecodeError},
        lineage::Kinship,
        reconcile::reconciled,
    },
    store::Loaded,
};

/// What counts, and what the store lacks of it.
pub(super) struct Believed {
    pub(super) document: Document,
    pub(super) lacks: Option<RepairReason>,
}

impl From<Document> for Believed {
    /// What is stored as it is.
    fn from(document: Document) -> Self {
        Self {
            document,
            lacks: None,
        }
    }
}

/// Why something is to be stored although nobody asked for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RepairReason {
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
        let remembered = known.memory();
        let by_hand = loaded.and_then(|loaded| ByHand::read(&loaded.document, zone));
        if let (Some(by_hand), Some(loaded)) = (by_hand, loaded) {
            return Ok(self.believe_hand(known, by_hand, loaded, now));
        }
        let stored = match loaded {
            None => None,
            Some(loaded) => Some(Document::decode(&loaded.document, zone)?),
        };
        // A whole document that a hand wrote has no generation, and counts as it is.
        let is_by_hand = stored.as_ref().is_some_and(|stored| stored.generation == 0);
        // What an earlier process knew may be long ago, and somebody may have begun anew since. It
        // helps where a store may have lost it.
        let is_recalled = known.at.is_none() && !self.store.may_lose_state();
        let is_counted = !(is_by_hand || is_recalled || (known.is_unnumbered && stored.is_some()));
        let memory = remembered.filter(|_| self.plan.forced.is_none() && is_counted);
        let instead = memory.and_then(|memory| {
            let kinship = stored.as_ref().map(|stored| stored.kinship(memory));
            // Where nothing gets lost, what is gone or has become an old copy is what somebody wanted,
            // unless only this process has put it together so far.
            let is_wanted = match kinship {
                None => true,
                Some(Kinship::Precedes) => !known.is_owed,
                Some(Kinship::Follows | Kinship::Apart) => false,
            };
            if is_wanted && !self.store.may_lose_state() {
                return None;
            }
            reconciled(stored.as_ref(), memory, now, random_name)
        });
        Ok(match instead {
            Some(document) => Believed {
                document,
                lacks: Some(RepairReason::Lost),
            },
            None => Believed {
                document: stored.unwrap_or_default(),
                lacks: None,
            },
        })
    }

    /// What a word that a hand has written makes of what is remembered.
    fn believe_hand(
        &self,
        known: &Known,
        by_hand: ByHand,
        loaded: &Loaded,
        now: Timestamp,
    ) -> Believed {
        let memory = known.memory().filter(|memory| {
            // What has no number is nothing but what a hand wrote before.
            memory.generation > 0 && memory.has_more_than_a_switch()
        });
        let mode = self.shared.default_mode.as_str();
        let Some(memory) = memory else {
            return Believed {
                document: by_hand.alone(mode),
                lacks: None,
            };
        };
        let lacks = Some(RepairReason::Rest);
        if let (Some(document), true, Some(version)) =
            (&known.document, known.before_hand.is_some(), &known.version)
            && *version == loaded.version
        {
            // The same word as before: it counts since it was seen first.
            return Believed {
                document: document.clone(),
                lacks,
            };
        }
        let mut document = by_hand.added_to(memory, mode, now);
        let newest = known.document.as_ref().unwrap_or(memory).generation;
        // Also where it says what is remembered: others may remember something newer, which the word
        // was written after.
        document.generation = newest.max(memory.generation).saturating_add(1);
        document = document.signed(memory, Some(mode), now, random_name);
        Believed { document, lacks }
    }

    /// Puts back what the store lacks. Every node that knows it tries; one of them is the first, and
    /// the others adopt what it has put.
    pub(super) async fn put_back(&self, known: &mut Known, lacks: RepairReason) {
        known.rest_at = None;
        match lacks {
            RepairReason::Lost if !known.loss_told => {
                known.loss_told = true;
                tracing::warn!(
                    store = %self.store.url(),
                    "the maintenance store has lost the state, by a flush, an eviction, a fail-over \
                     or a restart without a saved copy; what was written since counts, and what is \
                     missing is put back"
                );
            }
            RepairReason::Lost => {}
            RepairReason::Rest => tracing::info!(
                store = %self.store.url(),
                "somebody has switched maintenance by hand; windows, history and the other modes \
                 are put back"
            ),
        }
        let nothing: Operation = Box::new(|_, _| None);
        if let Err(error) = self.try_quietly(known, &nothing).await {
            self.fail(known, error);
        }
    }
}
