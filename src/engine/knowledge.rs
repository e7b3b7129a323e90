//! How old it is what is known of the store.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use crate::{clock::steady, core::snapshot::StoreStatus};

/// When the store was last read or written successfully. It moves on with every look, also with
/// those that find nothing new and publish nothing.
#[derive(Debug, Default)]
pub(crate) struct Knowledge(Mutex<Option<Sighting>>);

#[derive(Debug, Clone, Copy)]
struct Sighting {
    at: Timestamp,
    /// By the clock that nobody sets, from which the age is counted.
    steady: Duration,
}

impl Knowledge {
    pub(crate) fn is_confirmed(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Sighting {
            at: now,
            steady: steady::now(),
        });
    }

    /// The status of the store as it is at this moment.
    pub(crate) fn status(&self, url: String, error: Option<String>) -> StoreStatus {
        let sighting = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        StoreStatus {
            url,
            error,
            known_at: sighting.map(|sighting| sighting.at),
            age: sighting.map(|sighting| steady::now().saturating_sub(sighting.steady).as_secs()),
        }
    }
}
