//! What became of a change that the store was asked to make and did not confirm.

use std::time::Duration;

use tokio::time::timeout;

use super::{Changed, Driver, Known};
use crate::{
    core::{
        state::{Document, lineage::Kinship},
        status::state_id::StateId,
    },
    store::{Loaded, Version},
};

/// How long the last look may take, after a change has used up its time.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// What the store holds after a save that it did not confirm.
pub(super) enum Fate {
    /// What was to be saved, or something that was made of it.
    Done(Changed),
    /// What was there before.
    AsBefore,
    /// Something else, which somebody was faster to save.
    Overtaken(Option<Loaded>),
    /// It cannot be read.
    NotKnown,
}

impl Driver {
    /// Looks what became of a save.
    pub(super) async fn fate_of(
        &self,
        known: &mut Known,
        saved: &Document,
        expected: Option<&Version>,
    ) -> Fate {
        let Ok(loaded) = self.load().await else {
            return Fate::NotKnown;
        };
        let version = loaded.as_ref().map(|loaded| loaded.version.clone());
        let stored = loaded.as_ref().and_then(|loaded| {
            Document::decode(&loaded.document, self.plan.time_zone.as_ref()).ok()
        });
        match stored {
            // Each save has a name, so that nobody else's is taken for it.
            Some(stored) if stored.kinship(saved) == Kinship::Follows => {
                let content = loaded.as_ref().map(|loaded| &*loaded.document);
                self.adopt(known, stored, version, StateId::of(content));
                Fate::Done(Changed {
                    changed: true,
                    snapshot: self.shared.published.stored(),
                })
            }
            _ if version.as_ref() == expected => Fate::AsBefore,
            _ => Fate::Overtaken(loaded),
        }
    }

    /// Looks once more after a change has used up its time. `None`: it may still be made.
    pub(super) async fn last_look(&self, known: &mut Known) -> Option<Changed> {
        let saved = known.asked.clone()?;
        match timeout(LAST_LOOK, self.fate_of(known, &saved, None)).await {
            Ok(Fate::Done(changed)) => Some(changed),
            _ => None,
        }
    }
}
