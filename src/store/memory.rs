//! The store that forgets: the document lives as long as the process.

use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use futures_core::Stream;
use tokio::sync::watch;

use self::leases::Leases;
use super::{
    Hint, Hints, Lease, LeaseCondition, LiveLease, Loaded, PutLease, Saved, Store, StoreFuture,
    Version,
};

mod leases;

/// Keeps the state in this process only: for tests, and for apps that decide anew at each start.
///
/// Clones share one document and its leases, so handing a clone to each worker makes them agree. Nothing outlives
/// the process and nothing reaches another one; use [`FileStore`](super::FileStore) or a shared
/// store for that. Its URL is `memory:`.
///
/// # Examples
///
/// ```
/// use actix_maintenance_mode::store::{MemoryStore, Saved, Store};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// assert!(matches!(store.save(b"on", None).await?, Saved::Stored(_)));
///
/// let loaded = store.clone().load().await?;
/// assert_eq!(loaded.map(|loaded| loaded.document), Some(b"on".to_vec()));
/// # Ok::<(), actix_maintenance_mode::store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    current: watch::Sender<Current>,
    /// Not in the channel, where a change would be a hint.
    leases: Arc<Leases>,
}

#[derive(Default)]
struct Current {
    /// How many documents have been saved; the version of the present one.
    saves: u64,
    document: Option<Vec<u8>>,
}

impl Current {
    fn version(&self) -> Version {
        Version::new(self.saves.to_string().into_bytes())
    }

    fn loaded(&self) -> Option<Loaded> {
        self.document.as_ref().map(|document| Loaded {
            document: document.clone(),
            version: self.version(),
        })
    }

    fn is(&self, expected: Option<&Version>) -> bool {
        match (&self.document, expected) {
            (None, None) => true,
            (Some(_), Some(expected)) => self.version() == *expected,
            _ => false,
        }
    }
}

impl MemoryStore {
    /// Makes an empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            current: watch::Sender::new(Current::default()),
            leases: Arc::default(),
        }
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("MemoryStore")
            .field("saves", &self.current.borrow().saves)
            .finish_non_exhaustive()
    }
}

impl Store for MemoryStore {
    fn url(&self) -> String {
        "memory:".to_owned()
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(async { Ok(self.current.borrow().loaded()) })
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            let mut saved = None;
            // The closure runs under the channel's write lock: comparing and replacing is one step.
            self.current.send_if_modified(|current| {
                let matches = current.is(expected);
                if matches {
                    current.saves += 1;
                    current.document = Some(document.to_vec());
                    saved = Some(Saved::Stored(current.version()));
                } else {
                    saved = Some(Saved::Conflict(current.loaded()));
                }
                matches
            });
            Ok(saved.unwrap_or(Saved::Conflict(None)))
        })
    }

    fn watch(&self) -> Hints {
        Box::pin(Saves {
            next: next_save(self.current.subscribe()),
        })
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        Box::pin(async move {
            let now = Instant::now();
            Ok(self.leases.put(lease, time_to_live, condition, now))
        })
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move { Ok(self.leases.renew(lease, time_to_live, Instant::now())) })
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            self.leases.remove(lease, Instant::now());
            Ok(())
        })
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        Box::pin(async move { Ok(self.leases.list(prefix, Instant::now())) })
    }
}

/// Resolves at the next save; `None` when the last clone of the store is gone.
type NextSave = Pin<Box<dyn Future<Output = Option<watch::Receiver<Current>>> + Send>>;

fn next_save(mut receiver: watch::Receiver<Current>) -> NextSave {
    Box::pin(async move { receiver.changed().await.ok().map(|()| receiver) })
}

struct Saves {
    next: NextSave,
}

impl Stream for Saves {
    type Item = Hint;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Hint>> {
        match ready!(self.next.as_mut().poll(context)) {
            Some(receiver) => {
                self.next = next_save(receiver);
                Poll::Ready(Some(Hint))
            }
            None => {
                // A finished future must not be polled again, and there is nothing left to wait for.
                self.next = Box::pin(std::future::ready(None));
                Poll::Ready(None)
            }
        }
    }
}

#[cfg(test)]
#[path = "memory_tests.rs"]
mod tests;
