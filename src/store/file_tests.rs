use std::{fs, thread};

use futures_util::{FutureExt as _, StreamExt as _};
use tempfile::TempDir;

use super::*;

fn store_in(folder: &TempDir) -> FileStore {
    FileStore::new(folder.path().join("maintenance.state")).unwrap()
}

fn run<F: Future>(work: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(work)
}

fn stored(saved: Saved) -> Version {
    match saved {
        Saved::Stored(version) => version,
        Saved::Conflict(newer) => panic!("a conflict with {newer:?}"),
    }
}

#[test]
fn a_relative_path_becomes_absolute_at_once() {
    let store = FileStore::new("some/maintenance.state").unwrap();
    let expected = std::env::current_dir()
        .unwrap()
        .join("some/maintenance.state");
    assert_eq!(store.path(), expected);
    assert_eq!(store.url(), format!("file:{}", expected.display()));
    assert!(!expected.parent().unwrap().exists());
}

#[test]
fn a_path_without_a_file_name_is_refused() {
    for path in ["", "/", "..", "folder/", "folder/.."] {
        let text = FileStore::new(path).unwrap_err().to_string();
        assert!(text.contains("the name of a file"), "{path:?}: {text}");
    }
}

#[tokio::test]
async fn loading_an_empty_folder_leaves_it_empty() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    assert_eq!(store.load().await.unwrap(), None);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_was_saved_is_loaded_by_every_store_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let version = stored(store_in(&folder).save(b"one", None).await.unwrap());
    let loaded = store_in(&folder).load().await.unwrap().unwrap();
    assert_eq!(loaded.document, b"one");
    assert_eq!(loaded.version, version);
}

#[tokio::test]
async fn a_writer_who_saw_another_document_gets_the_newer_one() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    let first = stored(store.save(b"one", None).await.unwrap());
    fs::write(store.path(), "on\n").unwrap();

    let newer = Loaded {
        document: b"on\n".to_vec(),
        version: Version::new(b"on\n".as_slice()),
    };
    for expected in [None, Some(&first)] {
        let saved = store.save(b"two", expected).await.unwrap();
        assert_eq!(saved, Saved::Conflict(Some(newer.clone())));
    }
    fs::remove_file(store.path()).unwrap();
    let saved = store.save(b"two", Some(&first)).await.unwrap();
    assert_eq!(saved, Saved::Conflict(None));
    assert!(!store.path().exists());

    // An empty file is something else than none.
    fs::write(store.path(), "").unwrap();
    let Saved::Conflict(Some(empty)) = store.save(b"two", None).await.unwrap() else {
        panic!("the empty file was overlooked");
    };
    stored(store.save(b"two", Some(&empty.version)).await.unwrap());
}

#[tokio::test]
async fn a_blank_file_is_made_sure_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    assert_eq!(store.blank(), None);
    store.load().await.unwrap();
    assert_eq!(store.blank(), Some(Blank::Missing));
    assert_eq!(store.clone().blank(), Some(Blank::Missing));
    store.save(b"one", None).await.unwrap();
    assert_eq!(store.blank(), None);
    fs::write(store.path(), "").unwrap();
    store.load().await.unwrap();
    assert_eq!(store.blank(), Some(Blank::Empty));
    folder.close().unwrap();
    store.load().await.unwrap_err();
    assert_eq!(store.blank(), None);
}

#[tokio::test]
async fn an_error_is_forgotten_once_the_folder_is_back() {
    let base = tempfile::tempdir().unwrap();
    let store = FileStore::new(base.path().join("volume/state")).unwrap();
    store.load().await.unwrap_err();
    store.save(b"one", None).await.unwrap_err();
    fs::create_dir(base.path().join("volume")).unwrap();
    assert_eq!(store.load().await.unwrap(), None);
    stored(store.save(b"one", None).await.unwrap());
}

#[test]
fn concurrent_increments_lose_no_update_and_tear_no_document() {
    const WRITERS: usize = 6;
    const INCREMENTS: usize = 15;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("maintenance.state");
    // Large enough that a torn one would show.
    let document = |number: usize| format!("{number} ").repeat(20_000);
    let number_in = |loaded: &Loaded| -> usize {
        let text = str::from_utf8(&loaded.document).unwrap();
        let number = text.split_once(' ').unwrap().0.parse().unwrap();
        assert_eq!(text, document(number), "a torn document");
        number
    };
    let increment = || {
        let store = FileStore::new(&path).unwrap();
        run(async {
            let mut done = 0;
            let mut loaded = store.load().await.unwrap();
            while done < INCREMENTS {
                let next = document(loaded.as_ref().map_or(0, number_in) + 1);
                let expected = loaded.as_ref().map(|loaded| &loaded.version);
                loaded = match store.save(next.as_bytes(), expected).await.unwrap() {
                    Saved::Conflict(newer) => newer,
                    Saved::Stored(version) => {
                        done += 1;
                        Some(Loaded {
                            document: next.into_bytes(),
                            version,
                        })
                    }
                };
            }
        });
    };
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS).map(|_| scope.spawn(increment)).collect();
        let store = FileStore::new(&path).unwrap();
        let mut last = 0;
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let seen = run(store.load()).unwrap().as_ref().map_or(0, number_in);
            assert!(seen >= last, "{seen} after {last}");
            last = seen;
        }
    });
    let loaded = run(FileStore::new(&path).unwrap().load()).unwrap();
    assert_eq!(number_in(&loaded.unwrap()), WRITERS * INCREMENTS);
}

#[tokio::test]
async fn a_save_that_nobody_waits_for_leaves_a_whole_document() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    let old = vec![b'o'; 1_000_000];
    let new = vec![b'n'; 1_000_000];
    let version = stored(store.save(&old, None).await.unwrap());
    assert!(store.save(&new, Some(&version)).now_or_never().is_none());
    for _ in 0..200 {
        let document = store.load().await.unwrap().unwrap().document;
        assert!(document == old || document == new);
        if document == new {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the work that was begun did not end");
}

#[tokio::test]
async fn nothing_is_asked_anew_while_a_request_of_that_kind_hangs() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    let long_ago = Instant::now().checked_sub(READ_HANGS).unwrap();
    let hanging = store.clone().reads.begin(long_ago).unwrap();
    let error = store.load().await.unwrap_err().to_string();
    assert!(error.contains("has been hanging for 5 s, so no"), "{error}");
    assert!(!error.contains("  "), "{error}");
    stored(store.save(b"one", None).await.unwrap());
    store.leases("").await.unwrap();

    drop(hanging);
    assert!(store.load().await.unwrap().is_some());
    store.load().await.unwrap();
}

#[tokio::test]
async fn loading_on_each_hint_comes_to_rest() {
    let folder = tempfile::tempdir().unwrap();
    let store = store_in(&folder);
    let mut hints = store.watch();
    let mut count = 0;
    stored(store.save(b"one", None).await.unwrap());
    let _ = tokio::time::timeout(Duration::from_secs(3), async {
        while hints.next().await.is_some() {
            count += 1;
            store.load().await.unwrap();
        }
    })
    .await;
    assert!((1..=6).contains(&count), "{count} hints");
}
