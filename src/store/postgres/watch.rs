//! Hints by LISTEN and NOTIFY. Behind a pooler that hands connections from one to the next nobody can
//! listen; then the store is looked at more often.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{
    connection::{Servers, run},
    session::{Session, open},
};
use crate::{
    clock::chance::jittered,
    store::server::{
        connections::{Connections, Server as _},
        watch::Subscribes,
    },
};

/// The channel of all stores in a database. What it says is whose document has changed.
pub(super) const CHANNEL: &str = "maintenance";
/// How often to look where nobody can listen.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long it is looked so before it is tried again to listen.
const TRY_AGAIN: Duration = Duration::from_secs(300);
/// More than a few say no more than one.
const ROOM: usize = 16;

pub(super) struct Channel {
    pub(super) connections: Connections<Servers>,
    /// Whether it is said already that there is a pooler.
    pub(super) pooler_told: Arc<AtomicBool>,
}

pub(super) enum Subscription {
    Listening {
        session: Box<Session>,
        told: mpsc::Receiver<String>,
        prefix: String,
    },
    Looking {
        since: Instant,
    },
}

impl Channel {
    /// Whether what is sent over the other connection arrives at this one.
    async fn arrives(&self, told: &mut mpsc::Receiver<String>) -> Result<bool, Option<String>> {
        // Whoever else listens finds that it is not its own.
        let probe = format!(
            "{}\n{:016x}",
            self.connections.server().address.prefix,
            fastrand::u64(..)
        );
        let text = format!("SELECT pg_notify('{CHANNEL}', $1)::text");
        let sent = self.connections.ask("tell of changes", |session| {
            let (text, probe) = (&text, &probe);
            async move {
                let values = [(probe as _, ::tokio_postgres::types::Type::TEXT)];
                run(&session, text, &values).await
            }
        });
        // What fails here is told by whoever reads the document.
        sent.await.map_err(|_| None)?;
        let come = async {
            while let Some(text) = told.recv().await {
                if text == probe {
                    return true;
                }
            }
            false
        };
        Ok(timeout(self.connections.limit(), come).await == Ok(true))
    }
}

impl Subscribes for Channel {
    type Subscription = Subscription;

    fn shown(&self) -> &str {
        self.connections.server().shown()
    }

    fn limit(&self) -> Duration {
        self.connections.limit()
    }

    async fn subscribe(&self) -> Result<Subscription, Option<String>> {
        let servers = self.connections.server();
        let (tell, mut told) = mpsc::channel(ROOM);
        let limit = self.connections.limit();
        let (session, _, _) = open(&servers.address, servers.primary(), limit, Some(&tell))
            .await
            .map_err(|_| None)?;
        let listen = format!("LISTEN {CHANNEL}");
        let listen = session.client.batch_execute(&listen);
        listen
            .await
            .map_err(|error| (!session.is_closed()).then(|| crate::core::text::chain(&error)))?;
        if self.arrives(&mut told).await? {
            let prefix = servers.address.prefix.clone();
            return Ok(Subscription::Listening {
                session: Box::new(session),
                told,
                prefix,
            });
        }
        if session.is_closed() {
            return Err(None);
        }
        if !self.pooler_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                store = %self.shown(),
                "changes by others are seen within a second or two: notifications do not arrive, as \
                 behind a pooler in transaction mode; give the store the server's own address for \
                 changes to be seen at once"
            );
        }
        Ok(Subscription::Looking {
            since: Instant::now(),
        })
    }

    async fn message(subscription: &mut Subscription) -> bool {
        match subscription {
            Subscription::Listening { told, prefix, .. } => loop {
                match told.recv().await {
                    Some(text) if text == *prefix => return true,
                    // Another store's in the same database.
                    Some(_) => {}
                    None => return false,
                }
            },
            Subscription::Looking { since } => {
                sleep(jittered(LOOK_EVERY)).await;
                since.elapsed() < TRY_AGAIN
            }
        }
    }

    async fn is_there(subscription: &mut Subscription) -> bool {
        match subscription {
            Subscription::Listening { session, .. } => {
                session.client.check_connection().await.is_ok()
            }
            Subscription::Looking { .. } => true,
        }
    }
}
