//! A store that saves only when the test lets it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, Ordering},
};

use actix_maintenance_mode::store::{
    Hints, Loaded, MemoryStore, Saved, Store, StoreError, StoreFuture, Version,
};
use tokio::sync::Semaphore;

use crate::handed_on::leases_of;

#[derive(Debug, Clone)]
pub(crate) struct Gated {
    store: MemoryStore,
    /// A permit for each document that may be saved.
    pub(crate) gate: Arc<Semaphore>,
    /// How many have come to the gate.
    pub(crate) waits: Arc<AtomicU64>,
    /// Whether those that the gate lets through fail.
    pub(crate) fails: Arc<AtomicBool>,
}

impl Gated {
    /// Lets so many documents through before it closes.
    pub(crate) fn open_for(documents: usize) -> Self {
        Self {
            store: MemoryStore::new(),
            gate: Arc::new(Semaphore::new(documents)),
            waits: Arc::default(),
            fails: Arc::default(),
        }
    }
}

impl Store for Gated {
    fn url(&self) -> String {
        self.store.url()
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        self.store.load()
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            self.waits.fetch_add(1, Ordering::SeqCst);
            self.gate.acquire().await.unwrap().forget();
            if self.fails.load(Ordering::SeqCst) {
                return Err(StoreError::new("it is full"));
            }
            self.store.save(document, expected).await
        })
    }

    fn watch(&self) -> Hints {
        self.store.watch()
    }

    leases_of!(store);
}
