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
