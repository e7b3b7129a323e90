//! Compares this process's clock with the store's.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use crate::{
    core::skew::{ahead, in_words, is_told},
    engine::{events, freshness::Freshness},
    store::Store,
};

/// How often the clocks are compared.
const COMPARE_EVERY: Duration = Duration::from_secs(60);
/// How long the store may take: what is slower says little.
const PATIENCE: Duration = Duration::from_secs(2);

/// Compares the clocks again and again.
pub(super) async fn follow(store: &dyn Store, freshness: &Freshness, now: impl Fn() -> Timestamp) {
    loop {
        sleep(COMPARE_EVERY).await;
        compare(store, freshness, &now).await;
    }
}

/// Compares the clocks, and tells of a difference once. Nothing is known while the store fails.
pub(super) async fn compare(store: &dyn Store, freshness: &Freshness, now: impl Fn() -> Timestamp) {
    let asked = now();
    let theirs = match timeout(PATIENCE, store.clock()).await {
        Ok(Ok(Some(theirs))) => theirs,
        Ok(Ok(None)) => return,
        Ok(Err(error)) => {
            tracing::debug!(%error, "the store does not tell what time it is");
            return;
        }
        Err(_) => return,
    };
    let ahead = ahead(asked, theirs, now());
    let before = freshness.set_ahead(Some(ahead));
    match (before.is_some_and(is_told), is_told(ahead)) {
        (false, true) => tracing::warn!(
            event = events::CLOCK_DIFFERS,
            store = %store.url(),
            ahead_ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX),
            "the clock of this machine is {} that of the maintenance store; windows open and close \
             here by this one: have it set by NTP",
            in_words(ahead)
        ),
        (true, false) => tracing::info!(
            event = events::CLOCK_DIFFERS,
            store = %store.url(),
            "the clock of this machine agrees with that of the maintenance store again"
        ),
        _ => {}
    }
}
