//! Requests that are broken off, as the driver does with those that take too long.

use std::{future::Future, time::Duration};

use tokio::time::timeout;

use super::{Check, Finding, Suite, ensure, load, shown_loaded, stored};
use crate::store::{Lease, LeaseCondition, PutLease};

/// How long requests are waited for before they are dropped: from not at all to long enough.
const CUTS: [u64; 12] = [
    0, 0, 10, 50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 50_000,
];
const LARGE: usize = 256 * 1024;

pub(super) fn checks(suite: &Suite) -> [(&'static str, Check<'_>); 2] {
    [
        (
            "a save that is broken off leaves the old document or the new one, whole",
            Box::pin(leaves_the_document_whole(suite)),
        ),
        (
            "a lease that is broken off is there or not, and its holder can ask again",
            Box::pin(leaves_leases_whole(suite)),
        ),
    ]
}

/// Drops a request after so many microseconds.
async fn cut<T>(microseconds: u64, request: impl Future<Output = T>) -> Option<T> {
    timeout(Duration::from_micros(microseconds), request)
        .await
        .ok()
}

async fn leaves_the_document_whole(suite: &Suite) -> Finding {
    let place = suite.place();
    let store = suite.open(&place).await?;
    let document = |round: u8| vec![b'a' + round; LARGE];
    let mut version = stored(&*store, &document(0), None).await?;
    let mut present = document(0);
    for (round, microseconds) in (1_u8..).zip(CUTS) {
        let next = document(round);
        let _ = cut(microseconds, store.save(&next, Some(&version))).await;
        let _ = cut(microseconds, store.load()).await;
        // What was begun may still come to its end.
        let fresh = suite.open(&place).await?;
        let loaded = load(&*fresh).await?;
        let is_whole = loaded
            .as_ref()
            .is_some_and(|it| it.document == present || it.document == next);
        ensure(is_whole, || {
            format!(
                "after {microseconds} microseconds it holds {}, which is neither the old document \
                 nor the new one",
                shown_loaded(loaded.as_ref())
            )
        })?;
        // Whoever lost the answer looks again and goes on; nothing is in the way for good.
        let settled = async {
            loop {
                let loaded = load(&*store).await?;
                let expected = loaded.as_ref().map(|it| &it.version);
                match super::save(&*store, &next, expected).await? {
                    crate::store::Saved::Stored(version) => return Ok::<_, String>(version),
                    crate::store::Saved::Conflict(_) => {}
                }
            }
        };
        version = timeout(suite.patience, settled)
            .await
            .map_err(|_| "after a save that was broken off no save gets through".to_owned())??;
        present = next;
    }
    Ok(())
}

async fn leaves_leases_whole(suite: &Suite) -> Finding {
    let store = suite.fresh().await?;
    let failed = |error| format!("it fails: {}", super::told(&error));
    let long = Duration::from_secs(600);
    for (round, microseconds) in CUTS.into_iter().enumerate() {
        let lease = Lease::new(format!("lock/{round}"), "me", vec![b'x'; 4096]).map_err(failed)?;
        let condition = LeaseCondition::IfAbsent;
        let _ = cut(microseconds, store.put_lease(&lease, long, condition)).await;
        let put = store.put_lease(&lease, long, condition).await;
        let put = put.map_err(failed)?;
        ensure(put == PutLease::Held, || {
            format!("asked again, the holder gets {put:?}")
        })?;
        let _ = cut(microseconds, store.renew_lease(&lease, long)).await;
        let listed = store.leases(lease.name()).await.map_err(failed)?;
        let is_it = matches!(&listed[..], [live] if live.lease == lease);
        ensure(is_it, || format!("it is listed as {listed:.200?}"))?;
        let _ = cut(microseconds, store.drop_lease(&lease)).await;
        store.drop_lease(&lease).await.map_err(failed)?;
    }
    Ok(())
}
