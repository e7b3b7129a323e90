//! Nodes of one store, and what is asked of them whatever the store is.

use std::time::{Duration, Instant};

use actix_maintenance_mode::{
    Maintenance, Settings,
    store::{Saved, Store, Version},
};

use crate::eventually::within;

pub(crate) async fn node(url: &str) -> Maintenance {
    let mut settings = Settings::default();
    settings.store = url.to_owned();
    Maintenance::builder()
        .settings(settings)
        .build()
        .await
        .unwrap()
}

/// How soon a change is seen that is published, on the busiest machine.
pub(crate) const SOON: Duration = Duration::from_secs(4);

pub(crate) fn stored(saved: Saved) -> Version {
    match saved {
        Saved::Stored(version) => version,
        Saved::Conflict(newer) => panic!("a conflict with {newer:?}"),
    }
}

/// How long a change may take to fail, and some more for a busy machine.
const CHANGE_BOUND: Duration = Duration::from_secs(15);

pub(crate) fn fails(node: &Maintenance) -> bool {
    node.status().store.error.is_some()
}

/// A change fails in time, and says of the store, whose address begins so.
pub(crate) async fn refuses_a_change(node: &Maintenance, scheme: &str) -> String {
    let begin = Instant::now();
    let error = node.turn_off().await.unwrap_err().to_string();
    assert!(begin.elapsed() < CHANGE_BOUND, "{:?}", begin.elapsed());
    assert!(error.contains(scheme), "{error}");
    error
}

/// All are back by then and know the same, and a change of any reaches all.
pub(crate) async fn agree(nodes: &[Maintenance], back: Duration) {
    within(back, "every node is back", || !nodes.iter().any(fails)).await;
    for (number, node) in nodes.iter().enumerate() {
        let change = node.turn_on().reason(number.to_string()).await.unwrap();
        let generation = change.status.generation;
        within(SOON, "all have it", || {
            nodes.iter().all(|it| it.status().generation == generation)
        })
        .await;
    }
}

pub(crate) async fn three(url: &str) -> [Maintenance; 3] {
    let nodes = [node(url).await, node(url).await, node(url).await];
    nodes[0].turn_on().reason("first").await.unwrap();
    within(SOON, "all have it", || {
        nodes.iter().all(|it| it.status().generation == 1)
    })
    .await;
    nodes
}

/// A store tells the clock of its server, which is this machine's, and a node compares its own.
pub(crate) async fn tells_the_clock(store: impl Store, url: &str) {
    let told = store.clock().await.unwrap().unwrap();
    let off = told.duration_since(jiff::Timestamp::now()).abs();
    assert!(off < jiff::SignedDuration::from_secs(2), "{off:#}");
    let node = node(url).await;
    let ahead = node.status().store.clock_ahead_ms.unwrap();
    assert!(ahead.abs() < 2000, "{ahead}");
}
