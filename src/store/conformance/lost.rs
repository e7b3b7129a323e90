//! What is lost, what is too large, and what time it is.

use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::{Check, Finding, Suite, ensure, load, save, shown_loaded, stored, told};
use crate::store::{
    LARGEST_DOCUMENT, Lease, LeaseCondition, PutLease, Saved, Store, StoreError, Version,
};

/// What a clock may be off by that tells whole seconds.
const COARSE: SignedDuration = SignedDuration::from_millis(1500);

pub(super) fn checks(suite: &Suite) -> [(&'static str, Check<'_>); 5] {
    [
        (
            "a store that has lost its document holds none, whatever was seen of it",
            Box::pin(loses_the_document(suite)),
        ),
        (
            "a store that has lost its leases lists none, and its holders hear of it",
            Box::pin(loses_the_leases(suite)),
        ),
        (
            "of an old copy that is put back, and what was written upon it, nothing is mixed",
            Box::pin(takes_an_old_copy(suite)),
        ),
        (
            "what is too large is refused, and leaves what is stored",
            Box::pin(refuses_what_is_too_large(suite)),
        ),
        (
            "its clock goes on, if it has one",
            Box::pin(tells_the_time(suite)),
        ),
    ]
}

/// Has a place forget. `false`: the suite was not told how.
async fn forget(suite: &Suite, place: &str) -> bool {
    let Some(forget) = &suite.forget else {
        return false;
    };
    forget(place.to_owned()).await;
    true
}

async fn loses_the_document(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let old = stored(&*store, b"{\"generation\": 6}", None).await?;
    if !forget(suite, &place).await {
        return Ok(());
    }
    for store in [&store, &other] {
        let loaded = load(&**store).await?;
        ensure(loaded.is_none(), || {
            format!("it still holds {}", shown_loaded(loaded.as_ref()))
        })?;
    }
    match save(&*store, b"late", Some(&old)).await? {
        Saved::Conflict(None) => {}
        saved => {
            return Err(format!(
                "a save upon what was lost is {saved:?}, and must be a conflict with nothing"
            ));
        }
    }
    // Of those who begin anew one is the first.
    let new = stored(&*other, b"{\"generation\": 1}", None).await?;
    for (what, expected) in [
        ("a second beginning", None),
        ("a save with a version of before the loss", Some(&old)),
    ] {
        match save(&*store, b"second", expected).await? {
            Saved::Conflict(Some(newer)) if newer.version == new => {}
            saved => {
                return Err(format!(
                    "{what} is {saved:?}, and must be a conflict with what was begun"
                ));
            }
        }
    }
    Ok(())
}

async fn loses_the_leases(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let lease = |holder: &str| Lease::new("node/a", holder, holder.as_bytes());
    let (mine, theirs) = (valid(lease("me"))?, valid(lease("them"))?);
    put(&*store, &mine, LeaseCondition::Always).await?;
    if !forget(suite, &place).await {
        return Ok(());
    }
    let listed = asked("leases", store.leases("").await)?;
    ensure(listed.is_empty(), || format!("it still lists {listed:?}"))?;
    let long = Duration::from_secs(60);
    let renewed = asked("renew_lease", store.renew_lease(&mine, long).await)?;
    ensure(!renewed, || {
        "a lease that is lost is renewed, and its holder hears nothing of it".to_owned()
    })?;
    put(&*other, &theirs, LeaseCondition::IfAbsent).await?;
    // One that others have by now is not dropped.
    asked("drop_lease", store.drop_lease(&mine).await)?;
    let listed = asked("leases", store.leases("node/").await)?;
    ensure(listed.len() == 1 && listed[0].lease == theirs, || {
        format!("after a loss the list is {listed:?}, and must be the one lease put since")
    })
}

/// The document carries a lineage, by which those who read it know what follows from what. So it has
/// to come back byte for byte, and only who has seen what is there replaces it.
async fn takes_an_old_copy(suite: &Suite) -> Finding {
    let document = |generation: u64, lineage: &str| {
        format!("{{\"generation\": {generation}, \"lineage\": {{\"id\": \"{lineage}\"}}}}")
            .into_bytes()
    };
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let mut version: Option<Version> = None;
    for generation in 1..=3 {
        version = Some(stored(&*store, &document(generation, "a"), version.as_ref()).await?);
    }
    let newest = version;
    // By somebody who has seen it: a copy of before, and a document of another lineage upon it.
    let copy = stored(&*other, &document(1, "a"), newest.as_ref()).await?;
    let upon = stored(&*other, &document(2, "b"), Some(&copy)).await?;
    for stale in [&newest, &Some(copy)] {
        match save(&*store, &document(4, "a"), stale.as_ref()).await? {
            Saved::Conflict(Some(newer)) if newer.version == upon => {}
            saved => return Err(format!("a save upon what was replaced is {saved:?}")),
        }
    }
    let loaded = load(&*store).await?;
    let is_whole = loaded
        .as_ref()
        .is_some_and(|it| it.document == document(2, "b"));
    ensure(is_whole, || {
        format!("it holds {} in the end", shown_loaded(loaded.as_ref()))
    })
}

async fn refuses_what_is_too_large(suite: &Suite) -> Finding {
    let place = suite.place();
    let (store, other) = (suite.open(&place).await?, suite.open(&place).await?);
    let small = stored(&*store, b"small", None).await?;
    let large = vec![b'x'; LARGEST_DOCUMENT + 1];
    let saved = store.save(&large, Some(&small)).await;
    if let Ok(Saved::Conflict(newer)) = &saved {
        let newer = shown_loaded(newer.as_ref());
        return Err(format!("a large document is a conflict with {newer}"));
    }
    let is_stored = saved.is_ok();
    // One that takes it may refuse to read it, and must not read a part of it.
    match other.load().await {
        Ok(Some(loaded)) => {
            let expected: &[u8] = if is_stored { &large } else { b"small" };
            ensure(loaded.document == expected, || {
                format!("it holds {}", shown_loaded(Some(&loaded)))
            })
        }
        Ok(None) => Err("it holds nothing any more".to_owned()),
        Err(_) if is_stored => Ok(()),
        Err(error) => Err(format!("load fails: {}", told(&error))),
    }?;
    // The largest lease comes back whole.
    let content: Vec<u8> = (0..=255).cycle().take(1024 * 1024).collect();
    let lease = valid(Lease::new("node/large", "me", content))?;
    put(&*store, &lease, LeaseCondition::Always).await?;
    let listed = asked("leases", other.leases("node/").await)?;
    ensure(listed.len() == 1 && listed[0].lease == lease, || {
        format!("of a lease of 1 MiB it lists {} leases", listed.len())
    })
}

async fn tells_the_time(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    let begin = Instant::now();
    let Some(first) = asked("clock", store.clock().await)? else {
        return Ok(());
    };
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        let now = asked("clock", store.clock().await)?;
        let now = now.ok_or("it tells the time now and then only")?;
        let passed = SignedDuration::try_from(begin.elapsed()).unwrap_or_default();
        let there = now.duration_since(first);
        ensure((there - passed).abs() <= COARSE, || {
            format!("its clock goes on by {there:#} while {passed:#} pass")
        })?;
    }
    Ok(())
}

async fn put(store: &dyn Store, lease: &Lease, condition: LeaseCondition) -> Finding {
    let put = store.put_lease(lease, Duration::from_secs(60), condition);
    match asked("put_lease", put.await)? {
        PutLease::Held => Ok(()),
        PutLease::Taken(theirs) => Err(format!("a lease that is free is taken: {theirs:?}")),
    }
}

fn valid(lease: Result<Lease, StoreError>) -> Result<Lease, String> {
    lease.map_err(|error| told(&error))
}

fn asked<T>(what: &str, answer: Result<T, StoreError>) -> Result<T, String> {
    answer.map_err(|error| format!("{what} fails: {}", told(&error)))
}

#[cfg(test)]
#[path = "lost_tests.rs"]
mod tests;
