//! What a fleet does when its store hangs, or loses what it held.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use actix_maintenance_mode::{
    Maintenance, Settings,
    store::{Hint, Hints, Loaded, MemoryStore, Saved, Store, StoreError, StoreFuture, Version},
};
use actix_web::rt;
use futures_util::{FutureExt as _, StreamExt as _, future::join_all, stream};
use serde_json::json;
use tokio::sync::watch;

use crate::{eventually::eventually, handed_on::leases_of};

/// A server in memory that can lose what it holds, and can hang.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Replaced by an empty one when the server loses its memory.
    memory: Arc<Mutex<MemoryStore>>,
    leases: MemoryStore,
    may_lose: bool,
    pub(crate) hangs: Arc<AtomicBool>,
    pub(crate) refuses_writes: Arc<AtomicBool>,
    /// What is saved is saved, and nobody hears of it.
    pub(crate) loses_replies: Arc<AtomicBool>,
    /// After a save nothing can be read any more.
    pub(crate) falls_silent: Arc<AtomicBool>,
    is_silent: Arc<AtomicBool>,
    hints: watch::Sender<()>,
}

impl Server {
    pub(crate) fn new() -> Self {
        Self {
            memory: Arc::default(),
            leases: MemoryStore::new(),
            may_lose: true,
            hangs: Arc::default(),
            refuses_writes: Arc::default(),
            loses_replies: Arc::default(),
            falls_silent: Arc::default(),
            is_silent: Arc::default(),
            hints: watch::Sender::new(()),
        }
    }

    fn memory(&self) -> MemoryStore {
        self.memory.lock().unwrap().clone()
    }

    pub(crate) fn document(&self) -> Option<serde_json::Value> {
        let loaded = self.memory().load().now_or_never().unwrap().unwrap();
        loaded.map(|loaded| serde_json::from_slice(&loaded.document).unwrap())
    }

    /// The server holds only this from now on, and nobody is told before `tell`.
    pub(crate) fn becomes(&self, document: Option<&[u8]>) {
        let fresh = MemoryStore::new();
        if let Some(document) = document {
            let saved = fresh.save(document, None).now_or_never().unwrap();
            assert!(matches!(saved.unwrap(), Saved::Stored(_)));
        }
        *self.memory.lock().unwrap() = fresh;
    }

    /// The same server by a way of its own, which can be cut.
    pub(crate) fn by_another_way(&self) -> Self {
        Self {
            is_silent: Arc::default(),
            ..self.clone()
        }
    }

    /// Cannot be read until it speaks again.
    pub(crate) fn is_cut_off(&self) {
        self.is_silent.store(true, Ordering::SeqCst);
    }

    /// Can be read again.
    pub(crate) fn speaks(&self) {
        self.falls_silent.store(false, Ordering::SeqCst);
        self.is_silent.store(false, Ordering::SeqCst);
    }

    pub(crate) fn tell(&self) {
        self.hints.send_replace(());
    }
}

impl Store for Server {
    fn url(&self) -> String {
        "server:".to_owned()
    }

    fn may_lose_state(&self) -> bool {
        self.may_lose
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        let memory = self.memory();
        let hangs = self.hangs.load(Ordering::SeqCst);
        let is_silent = self.is_silent.load(Ordering::SeqCst);
        Box::pin(async move {
            if is_silent {
                return Err(StoreError::new("the server has fallen silent"));
            }
            if hangs {
                std::future::pending::<()>().await;
            }
            // A document saved in another life of the server has another version.
            Ok(memory.load().await?.map(|loaded| Loaded {
                version: Version::new(loaded.document.clone()),
                document: loaded.document,
            }))
        })
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(async move {
            if self.refuses_writes.load(Ordering::SeqCst) {
                return Err(StoreError::new("the server is full; give it more memory"));
            }
            let memory = self.memory();
            loop {
                let present = memory.load().await?;
                let content = present.as_ref().map(|it| it.document.as_slice());
                if content != expected.map(Version::as_bytes) {
                    return Ok(Saved::Conflict(self.load().await?));
                }
                let version = present.map(|it| it.version);
                if let Saved::Stored(_) = memory.save(document, version.as_ref()).await? {
                    self.tell();
                    let is_silent = self.falls_silent.load(Ordering::SeqCst);
                    self.is_silent.store(is_silent, Ordering::SeqCst);
                    if is_silent || self.loses_replies.load(Ordering::SeqCst) {
                        return Err(StoreError::new("the answer of the server was lost"));
                    }
                    return Ok(Saved::Stored(Version::new(document)));
                }
            }
        })
    }

    fn watch(&self) -> Hints {
        let hints = stream::unfold(self.hints.subscribe(), |mut hints| async move {
            hints.changed().await.ok()?;
            Some((Hint, hints))
        });
        hints.boxed()
    }

    leases_of!(leases);
}

pub(crate) async fn node(server: &Server) -> Maintenance {
    Maintenance::builder()
        .settings(Settings::default())
        .custom_store(server.clone())
        .build()
        .await
        .unwrap()
}

#[actix_web::test]
async fn what_a_server_loses_is_put_back_by_those_who_know_it() {
    let server = Server::new();
    let nodes = [
        node(&server).await,
        node(&server).await,
        node(&server).await,
    ];
    nodes[0].turn_on().reason("disks").await.unwrap();
    nodes[0].turn_off().await.unwrap();
    nodes[0].turn_on().reason("more disks").await.unwrap();
    let all_know = |generation| nodes.iter().all(|it| it.status().generation == generation);
    eventually("all know it", || all_know(3)).await;

    // All of it is lost, and then only the latest change, as by a fail-over.
    let before = server.document().unwrap();
    for (lost, generation) in [(None, 4), (Some(serde_json::to_vec(&before).unwrap()), 5)] {
        server.becomes(lost.as_deref());
        server.tell();
        eventually("it is put back, once", || all_know(generation)).await;
        let document = server.document().unwrap();
        assert_eq!(document["generation"], generation);
        assert_eq!(document["history"], before["history"]);
        for node in &nodes {
            let status = node.status();
            assert!(status.maintenance_mode);
            assert_eq!(status.modes[0].reason.as_deref(), Some("more disks"));
            assert_eq!(status.store.error, None);
        }
    }

    // Nobody was told of a loss: a change builds on what is known, too.
    server.becomes(None);
    let status = nodes[1].turn_off().await.unwrap().status;
    assert_eq!(status.generation, 6);
    assert_eq!(
        server.document().unwrap()["history"][1]["reason"],
        "more disks"
    );
}

#[actix_web::test]
async fn what_somebody_writes_into_a_server_counts_and_what_is_removed_elsewhere_is_gone() {
    let server = Server::new();
    let maintenance = node(&server).await;
    maintenance.turn_on().await.unwrap();
    server.becomes(Some(b"off"));
    server.tell();
    eventually("it is off", || !maintenance.is_on()).await;

    let mut durable = Server::new();
    durable.may_lose = false;
    let maintenance = node(&durable).await;
    maintenance.turn_on().await.unwrap();
    durable.becomes(None);
    durable.tell();
    eventually("it is off", || !maintenance.is_on()).await;
    assert_eq!(durable.document(), None, "a read never writes");
}

#[actix_web::test]
async fn a_loss_that_cannot_be_put_back_is_told_and_the_last_state_stays() {
    let server = Server::new();
    let maintenance = node(&server).await;
    maintenance.turn_on().await.unwrap();
    server.refuses_writes.store(true, Ordering::SeqCst);
    server.becomes(None);
    server.tell();
    let error = || maintenance.status().store.error;
    eventually("it is told", || error().is_some()).await;
    assert!(error().unwrap().contains("more memory"), "{:?}", error());
    assert!(maintenance.is_on());

    server.refuses_writes.store(false, Ordering::SeqCst);
    eventually("it is put back", || {
        error().is_none() && server.document().is_some()
    })
    .await;
    assert!(maintenance.is_on());
    assert_eq!(
        server.document().unwrap()["modes"]["site"]["switch"]["on"]["by"],
        json!(null)
    );
}

#[actix_web::test]
async fn many_changes_at_a_store_that_hangs_end_together_and_not_one_after_the_other() {
    let server = Server::new();
    let maintenance = node(&server).await;
    maintenance.turn_on().await.unwrap();
    server.hangs.store(true, Ordering::SeqCst);
    let begin = Instant::now();
    let changes = (0..20).map(|_| maintenance.turn_off().into_future());
    for outcome in join_all(changes).await {
        let text = outcome.unwrap_err().to_string();
        assert!(text.contains(" within "), "{text}");
    }
    // One by one they would take a hundred seconds.
    assert!(
        begin.elapsed() < Duration::from_secs(25),
        "{:?}",
        begin.elapsed()
    );
    assert!(maintenance.is_on());
}

#[actix_web::test]
async fn the_status_says_how_old_the_knowledge_is() {
    let server = Server::new();
    let maintenance = node(&server).await;
    let mut changes = maintenance.subscribe();
    let first = maintenance.status().store;
    assert!(first.age.unwrap() < 60, "{first:?}");

    // A look that finds nothing new is no change, and makes the knowledge younger.
    rt::time::sleep(Duration::from_millis(5)).await;
    server.tell();
    eventually("it was looked at", || {
        maintenance.status().store.known_at > first.known_at
    })
    .await;
    assert!(changes.next().now_or_never().is_none());

    server.hangs.store(true, Ordering::SeqCst);
    let last = maintenance.status().store.known_at;
    eventually("the knowledge ages", || {
        maintenance.status().store.age.unwrap() >= 2
    })
    .await;
    assert_eq!(maintenance.status().store.known_at, last);
}
