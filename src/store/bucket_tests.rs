use object_store::memory::InMemory;

use super::*;

#[test]
fn a_version_comes_back_from_its_bytes() {
    for (tag, number) in [
        (Some("\"abc\""), None),
        (Some("abc"), Some("17")),
        (None, Some("17")),
    ] {
        let (tag, number) = (tag.map(str::to_owned), number.map(str::to_owned));
        let expected = UpdateVersion {
            e_tag: tag.clone(),
            version: number.clone(),
        };
        assert_eq!(expectation(&version(&tag, &number)), Some(expected));
    }
    for foreign in [&b""[..], b"\xff", b"a\0"] {
        assert_eq!(expectation(&Version::new(foreign)), None);
    }
}

#[tokio::test]
async fn a_document_that_is_far_too_large_is_refused() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let prefix = Path::parse("a").unwrap();
    let (place, dates) = ("memory:a".to_owned(), Dates::default());
    let store = BucketStore::of(Arc::clone(&objects), &prefix, place, dates);
    let state = prefix.join("maintenance.state");
    for (size, fits) in [(LARGEST_DOCUMENT, true), (LARGEST_DOCUMENT + 1, false)] {
        objects.put(&state, vec![0; size].into()).await.unwrap();
        let loaded = store.load().await;
        assert_eq!(loaded.is_ok(), fits, "{size}");
        if let Err(error) = loaded {
            assert!(error.to_string().contains("more than 16 MiB"), "{error}");
        }
    }
}

/// The logic, on the library's own store in memory; `tests/acceptance/servers` has a server.
#[cfg(feature = "testing")]
#[tokio::test]
async fn a_bucket_is_a_store() {
    let objects: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
    let mut count = 0;
    let fresh = move || {
        count += 1;
        format!("place-{count}/a")
    };
    let open = move |place: String| {
        let objects = Arc::clone(&objects);
        async move {
            let prefix = Path::parse(&place).unwrap();
            let place = format!("memory:{place}");
            Ok(BucketStore::of(objects, &prefix, place, Dates::default()))
        }
    };
    let suite = crate::store::conformance::Suite::new(fresh, open);
    suite.check().await.unwrap();
}
