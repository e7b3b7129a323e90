//! Clocks that differ from the store's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use actix_maintenance_mode::{
    Maintenance, Settings,
    store::{MemoryStore, Store, StoreFuture},
};
use jiff::{SignedDuration, Timestamp};

use crate::{
    child::Role,
    handed_on::{document_of, leases_of},
    logs::Logs,
    test_app::TestApp,
};

/// A store whose clock is behind.
#[derive(Debug, Clone, Default)]
struct Behind {
    store: MemoryStore,
    milliseconds: Arc<AtomicI64>,
    /// How long it takes to answer.
    takes: Duration,
}

impl Store for Behind {
    fn url(&self) -> String {
        "behind:".to_owned()
    }

    document_of!(store);

    fn clock(&self) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(async {
            let behind = SignedDuration::from_millis(self.milliseconds.load(Ordering::SeqCst));
            tokio::time::sleep(self.takes).await;
            Ok(Some(Timestamp::now() - behind))
        })
    }

    leases_of!(store);
}

async fn ahead_of(store: Behind) -> Option<i64> {
    let builder = Maintenance::builder().settings(Settings::default());
    let maintenance = builder.custom_store(store).build().await.unwrap();
    maintenance.status().store.clock_ahead_ms
}

fn behind(milliseconds: i64) -> Behind {
    let store = Behind::default();
    store.milliseconds.store(milliseconds, Ordering::SeqCst);
    store
}

#[actix_web::test]
async fn the_status_tells_how_far_the_clock_is_from_the_stores() {
    let about = |told: Option<i64>, expected: i64| {
        let told = told.unwrap();
        assert!((told - expected).abs() < 1000, "{told}, not {expected}");
    };
    about(ahead_of(behind(0)).await, 0);
    about(ahead_of(behind(18_000_000)).await, 18_000_000);
    about(ahead_of(behind(-3_500)).await, -3_500);
    // One that takes its time to answer is not taken for one with another time.
    let slow = Behind {
        takes: Duration::from_millis(1500),
        ..behind(1_000)
    };
    assert_eq!(ahead_of(slow).await, Some(0));
    let memory = Maintenance::builder().settings(Settings::default());
    let maintenance = memory
        .custom_store(MemoryStore::new())
        .build()
        .await
        .unwrap();
    assert_eq!(maintenance.status().store.clock_ahead_ms, None);
}

#[actix_web::test]
async fn the_dashboard_tells_of_a_clock_that_is_wrong() {
    for (milliseconds, expected) in [
        (0, None),
        (1_900, None),
        (
            18_000_000,
            Some("The clock of this server is 5 h ahead of the store’s."),
        ),
        (
            -7_500,
            Some("The clock of this server is 7 s behind the store’s."),
        ),
    ] {
        let app = TestApp::with_builder(|it| it.custom_store(behind(milliseconds))).await;
        let alice = app.log_in_superuser("alice").await;
        let page = app.get("/maintenance-mode/").by(&alice).await;
        let told = page.text().split("The clock of this server").nth(1);
        let told = told.and_then(|rest| rest.split('.').next());
        let told = told.map(|rest| format!("The clock of this server{rest}."));
        assert_eq!(told.as_deref(), expected);
    }
}

#[test]
fn a_clock_that_is_wrong_is_logged() {
    Role::new("wrong-clock").run();
}

/// In a process of its own, because what the driver logs is the whole process's log.
pub(crate) async fn child_has_a_wrong_clock() {
    let logs = Logs::capture();
    ahead_of(behind(1_500)).await;
    assert!(logs.with("maintenance.clock-differs").is_empty());
    ahead_of(behind(18_000_000)).await;
    let lines = logs.with("maintenance.clock-differs");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("WARN") && lines[0].contains("5 h ahead of"),
        "{lines:?}"
    );
}
