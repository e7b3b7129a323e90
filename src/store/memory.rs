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
mod tests {
    use std::time::Duration;

    use futures_util::{FutureExt as _, StreamExt as _};

    use super::*;

    fn stored(saved: Saved) -> Version {
        match saved {
            Saved::Stored(version) => version,
            Saved::Conflict(newer) => panic!("a conflict with {newer:?}"),
        }
    }

    #[tokio::test]
    async fn is_empty_at_first_and_then_returns_what_was_saved() {
        let store = MemoryStore::new();
        assert_eq!(store.load().await.unwrap(), None);

        let version = stored(store.save(b"one", None).await.unwrap());
        let loaded = store.load().await.unwrap().unwrap();
        assert_eq!(loaded.document, b"one");
        assert_eq!(loaded.version, version);
        assert_eq!(store.url(), "memory:");
    }

    #[tokio::test]
    async fn refuses_to_replace_a_document_that_the_writer_has_not_seen() {
        let store = MemoryStore::new();
        let first = stored(store.save(b"one", None).await.unwrap());
        let second = stored(store.save(b"two", Some(&first)).await.unwrap());

        let newer = Some(Loaded {
            document: b"two".to_vec(),
            version: second,
        });
        for expected in [None, Some(&first)] {
            let saved = store.save(b"three", expected).await.unwrap();
            assert_eq!(saved, Saved::Conflict(newer.clone()));
        }
        assert_eq!(store.load().await.unwrap(), newer);
    }

    #[tokio::test]
    async fn tells_apart_two_saves_of_the_same_bytes() {
        let store = MemoryStore::new();
        let first = stored(store.save(b"same", None).await.unwrap());
        let second = stored(store.save(b"same", Some(&first)).await.unwrap());
        assert_ne!(first, second);
    }

    #[tokio::test]
    async fn a_version_of_an_empty_store_is_a_conflict_without_a_document() {
        let other = MemoryStore::new();
        let version = stored(other.save(b"one", None).await.unwrap());
        let saved = MemoryStore::new().save(b"two", Some(&version)).await;
        assert_eq!(saved.unwrap(), Saved::Conflict(None));
    }

    #[tokio::test]
    async fn clones_share_the_document_and_hint_each_other() {
        let store = MemoryStore::new();
        let mut hints = store.watch();
        assert!(hints.next().now_or_never().is_none());

        let clone = store.clone();
        let version = stored(clone.save(b"one", None).await.unwrap());
        assert_eq!(hints.next().await, Some(Hint));
        assert_eq!(store.load().await.unwrap().unwrap().document, b"one");

        // A conflict changes nothing, so there is nothing to look at.
        clone.save(b"two", None).await.unwrap();
        assert!(hints.next().now_or_never().is_none());

        // Two saves that nobody looked at in between are one hint.
        let version = stored(clone.save(b"two", Some(&version)).await.unwrap());
        stored(clone.save(b"three", Some(&version)).await.unwrap());
        assert_eq!(hints.next().await, Some(Hint));
        assert!(hints.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn clones_share_the_leases_whose_changes_are_no_hints() {
        let store = MemoryStore::new();
        let mut hints = store.watch();
        let clone = store.clone();
        let lease = Lease::new("task/import", "me", "").unwrap();
        let minute = Duration::from_secs(60);
        let put = clone.put_lease(&lease, minute, LeaseCondition::IfAbsent);
        assert_eq!(put.await.unwrap(), PutLease::Held);
        assert_eq!(store.leases("task/").await.unwrap()[0].lease, lease);
        assert!(store.renew_lease(&lease, minute).await.unwrap());
        store.drop_lease(&lease).await.unwrap();
        assert_eq!(clone.leases("").await.unwrap(), []);
        assert!(hints.next().now_or_never().is_none());
    }

    #[tokio::test]
    async fn wakes_a_watcher_that_waits_and_ends_with_the_store() {
        let store = MemoryStore::new();
        let mut hints = store.watch();
        let watcher = tokio::spawn(async move {
            let mut count = 0;
            while hints.next().await.is_some() {
                count += 1;
            }
            assert_eq!(hints.next().await, None);
            count
        });
        tokio::time::sleep(Duration::from_millis(10)).await;
        stored(store.save(b"one", None).await.unwrap());
        tokio::time::sleep(Duration::from_millis(10)).await;
        drop(store);
        assert_eq!(watcher.await.unwrap(), 1);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn concurrent_increments_lose_no_update() {
        let store = MemoryStore::new();
        let writers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::task::spawn_blocking(move || {
                    for _ in 0..100 {
                        increment(&store);
                    }
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        let loaded = store.load().await.unwrap().unwrap();
        assert_eq!(loaded.document, b"800");
    }

    /// The futures of this store never wait, so that plain threads can drive them.
    fn increment(store: &MemoryStore) {
        loop {
            let loaded = store.load().now_or_never().unwrap().unwrap();
            let number: u32 = loaded.as_ref().map_or(0, |loaded| {
                str::from_utf8(&loaded.document).unwrap().parse().unwrap()
            });
            let next = (number + 1).to_string();
            let expected = loaded.as_ref().map(|loaded| &loaded.version);
            let saved = store.save(next.as_bytes(), expected).now_or_never();
            if matches!(saved.unwrap().unwrap(), Saved::Stored(_)) {
                return;
            }
        }
    }

    #[test]
    fn debug_output_does_not_show_the_document() {
        let store = MemoryStore::new();
        store.save(b"secret", None).now_or_never().unwrap().unwrap();
        assert_eq!(format!("{store:?}"), "MemoryStore { saves: 1, .. }");
    }
}
