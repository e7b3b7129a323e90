//! The document and its versions.

use super::{Check, Finding, Suite, ensure, load, save, shown, shown_loaded, stored};
use crate::store::{Saved, Version};

/// Far above what a real state needs, with its hundred periods of history.
const LARGE: usize = 1024 * 1024;

pub(super) fn checks(suite: &Suite) -> [(&'static str, Check<'_>); 6] {
    [
        (
            "a place that nobody has used holds nothing, and a look does not change that",
            Box::pin(is_empty_at_first(suite)),
        ),
        (
            "every opening loads what was saved, byte for byte",
            Box::pin(loads_what_was_saved(suite)),
        ),
        (
            "large documents are documents like others",
            Box::pin(takes_large_documents(suite)),
        ),
        (
            "only who has seen what is stored replaces it",
            Box::pin(refuses_what_is_stale(suite)),
        ),
        (
            "a version that the store has never given is a conflict",
            Box::pin(refuses_unknown_versions(suite)),
        ),
        (
            "the store has a URL, always the same",
            Box::pin(has_a_url(suite)),
        ),
    ]
}

async fn is_empty_at_first(suite: &Suite) -> Finding {
    let place = suite.place();
    let store = suite.open(&place).await?;
    for _ in 0..2 {
        let loaded = load(&*store).await?;
        ensure(loaded.is_none(), || {
            format!("it holds {}", shown_loaded(loaded.as_ref()))
        })?;
    }
    // If loading had written something, nothing would not be what is there.
    stored(&*suite.open(&place).await?, b"off", None).await?;
    Ok(())
}

/// Documents of all kinds. A store looks into none of them.
fn documents() -> [Vec<u8>; 7] {
    [
        b"on".to_vec(),
        Vec::new(),
        (0..=255).collect(),
        b"\xff\xfe\x00 no UTF-8 \xc3\x28".to_vec(),
        br#"{"format": 1, "generation": 7, "x_of_tomorrow": [1, {"a": null}], "modes": {}}"#
            .to_vec(),
        b"  white space around it \r\n".to_vec(),
        "W\u{e4}hrung \u{1f527}".as_bytes().to_vec(),
    ]
}

async fn loads_what_was_saved(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let mut version = None;
    for document in documents() {
        let saved = stored(&*store, &document, version.as_ref()).await?;
        for reader in [&store, &other, &suite.open(&place).await?] {
            let loaded = load(&**reader).await?;
            let is_it = loaded
                .as_ref()
                .is_some_and(|it| it.document == document && it.version == saved);
            ensure(is_it, || {
                format!(
                    "{} of {saved:.60?} was saved, and {} is loaded",
                    shown(&document),
                    shown_loaded(loaded.as_ref())
                )
            })?;
        }
        version = Some(saved);
    }
    // What one opening saved, the other one can replace.
    stored(&*other, b"off", version.as_ref()).await?;
    Ok(())
}

async fn takes_large_documents(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    let mut version = None;
    for seed in 0..2_usize {
        // No two stretches of it are alike, so that a part that is lost or doubled shows.
        let document: Vec<u8> = (0..LARGE / 8)
            .flat_map(|number| (number * 2 + seed).to_le_bytes())
            .collect();
        version = Some(stored(&*store, &document, version.as_ref()).await?);
        let loaded = load(&*store).await?;
        ensure(
            loaded.as_ref().is_some_and(|it| it.document == document),
            || {
                format!(
                    "a document of {LARGE} bytes comes back as {}",
                    shown_loaded(loaded.as_ref())
                )
            },
        )?;
    }
    stored(&*store, b"small again", version.as_ref()).await?;
    Ok(())
}

async fn refuses_what_is_stale(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let first = stored(&*store, b"one", None).await?;
    let second = stored(&*other, b"two", Some(&first)).await?;
    ensure(first != second, || {
        format!("two different documents have the same {first:?}")
    })?;
    for (which, expected) in [("nothing", None), ("what was there before", Some(&first))] {
        for writer in [&store, &other] {
            match save(&**writer, b"three", expected).await? {
                Saved::Conflict(Some(newer))
                    if newer.document == b"two" && newer.version == second => {}
                Saved::Conflict(newer) => {
                    return Err(format!(
                        "a conflict tells of {} where \"two\" of {second:?} is stored",
                        shown_loaded(newer.as_ref())
                    ));
                }
                Saved::Stored(_) => {
                    return Err(format!(
                        "a save that expects {which} overwrites a newer one"
                    ));
                }
            }
        }
    }
    let loaded = load(&*store).await?;
    ensure(
        loaded
            .as_ref()
            .is_some_and(|it| it.document == b"two" && it.version == second),
        || {
            format!(
                "conflicts have changed what is stored to {}",
                shown_loaded(loaded.as_ref())
            )
        },
    )?;
    stored(&*store, b"three", Some(&second)).await?;
    Ok(())
}

async fn refuses_unknown_versions(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    let unknown = [
        Version::new(*b"no such version"),
        Version::new(*b""),
        Version::new(*b"\xff\x00"),
    ];
    for expected in &unknown {
        match save(&*store, b"one", Some(expected)).await? {
            Saved::Conflict(None) => {}
            other => {
                return Err(format!(
                    "saving into an empty store with {expected:?} is {other:?}"
                ));
            }
        }
    }
    let version = stored(&*store, b"one", None).await?;
    for expected in &unknown {
        match save(&*store, b"two", Some(expected)).await? {
            Saved::Conflict(Some(newer)) if newer.version == version => {}
            other => return Err(format!("saving with {expected:?} is {other:?}")),
        }
    }
    Ok(())
}

async fn has_a_url(suite: &Suite) -> Finding {
    let place = suite.place();
    let store = suite.open(&place).await?;
    let url = store.url();
    stored(&*store, b"off", None).await?;
    let again = suite.open(&place).await?.url();
    ensure(
        url.contains(':') && url == store.url() && url == again,
        || format!("it is {url:?}, and then {:?} and {again:?}", store.url()),
    )
}
