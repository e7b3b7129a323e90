//! How old it is what is known of the store.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use parking_lot::Mutex;

use crate::{clock::steady, core::status::store::StoreStatus};

/// When the store was last read or written successfully. It moves on with every look, also with
/// those that find nothing new and publish nothing.
#[derive(Debug, Default)]
pub(crate) struct Freshness {
    last_look: Mutex<Option<LastLook>>,
    /// By how much this process's clock is ahead of the store's, if that has been found out.
    ahead: Mutex<Option<SignedDuration>>,
}

#[derive(Debug, Clone, Copy)]
struct LastLook {
    at: Timestamp,
    /// By the clock that nobody sets, from which the age is counted.
    steady: Duration,
    /// How old it was then, as what an earlier process knew is.
    age: Duration,
    is_remembered: bool,
}

impl Freshness {
    pub(crate) fn is_confirmed(&self, now: Timestamp) {
        *self.last_look.lock() = Some(LastLook {
            at: now,
            steady: steady::now(),
            age: Duration::ZERO,
            is_remembered: false,
        });
    }

    /// What an earlier process knew at `at` counts for the time being.
    pub(crate) fn is_remembered(&self, at: Timestamp, now: Timestamp) {
        *self.last_look.lock() = Some(LastLook {
            at,
            steady: steady::now(),
            age: Duration::try_from(now.duration_since(at)).unwrap_or_default(),
            is_remembered: true,
        });
    }

    /// By how much this process's clock is ahead of the store's, if that is known.
    pub(crate) fn ahead(&self) -> Option<SignedDuration> {
        *self.ahead.lock()
    }

    /// Returns what was known before.
    pub(crate) fn set_ahead(&self, ahead: Option<SignedDuration>) -> Option<SignedDuration> {
        std::mem::replace(&mut *self.ahead.lock(), ahead)
    }

    /// The status of the store as it is at this moment.
    pub(crate) fn status(&self, url: String, error: Option<String>) -> StoreStatus {
        let last_look = *self.last_look.lock();
        StoreStatus {
            url,
            error,
            known_at: last_look.map(|last_look| last_look.at),
            age: last_look.map(|last_look| {
                let passed = steady::now().saturating_sub(last_look.steady);
                (last_look.age + passed).as_secs()
            }),
            clock_ahead_ms: self.ahead().map(milliseconds),
            remembered: last_look.is_some_and(|last_look| last_look.is_remembered),
        }
    }
}

fn milliseconds(ahead: SignedDuration) -> i64 {
    ahead.as_millis().try_into().unwrap_or(i64::MAX)
}
