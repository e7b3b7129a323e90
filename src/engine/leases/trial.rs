//! Tries whether the store can be read and written, and changes nothing.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::keeper::{LeaseKeeper, in_time};
use crate::{
    clock::chance,
    engine::pauses::TIME_TO_LIVE,
    store::{Lease, LeaseCondition, StoreError},
};

/// What the names of leases begin with that are put for a trial.
const TRIALS: &str = "trial/";

impl LeaseKeeper {
    /// Reads what is stored, and says whether anything is and how long that took.
    pub(crate) async fn try_reading(&self) -> Result<(bool, Duration), StoreError> {
        let store = Arc::clone(&self.store);
        self.on_its_own(async move {
            let began = Instant::now();
            let stored = in_time(&*store, "load", store.load()).await?;
            Ok((stored.is_some(), began.elapsed()))
        })
        .await
    }

    /// Writes a lease of which nobody else knows, takes it back, and says how long that took.
    pub(crate) async fn try_writing(&self) -> Result<Duration, StoreError> {
        let store = Arc::clone(&self.store);
        self.on_its_own(async move {
            let name = format!("{TRIALS}{}", chance::name(12));
            let lease = Lease::new(name, "trial", "")?;
            let began = Instant::now();
            let put = store.put_lease(&lease, TIME_TO_LIVE, LeaseCondition::IfAbsent);
            in_time(&*store, "take a lease", put).await?;
            let dropped = store.drop_lease(&lease);
            in_time(&*store, "give a lease back", dropped).await?;
            Ok(began.elapsed())
        })
        .await
    }
}
