//! Visitors, who come all the time and take note of when they are let in.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::account::{LetIn, Span};
use crate::{marks, node::visit};

/// How long a visitor waits for an answer; those of nodes that are stopped come again.
const VISIT: Duration = Duration::from_secs(3);
/// How long it is until the next one comes.
const PAUSE: Duration = Duration::from_millis(40);
/// What answers at once.
pub(crate) const PAGE: &str = "/at-once";

/// What visitors have met in a round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Met {
    let_in: Arc<Mutex<Vec<LetIn>>>,
    refused: Arc<AtomicU64>,
}

impl Met {
    fn all(&self) -> MutexGuard<'_, Vec<LetIn>> {
        self.let_in.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn let_in(&self) -> Vec<LetIn> {
        self.all().clone()
    }

    /// How many were let in, and how many were refused.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let let_in = u64::try_from(self.all().len()).unwrap_or(u64::MAX);
        (let_in, self.refused.load(Ordering::Relaxed))
    }

    /// A round begins.
    pub(crate) fn forget(&self) {
        self.all().clear();
        self.refused.store(0, Ordering::Relaxed);
    }
}

/// The visitors of one node. They stay away when this is dropped.
#[derive(Debug)]
pub(crate) struct Visitors(JoinHandle<()>);

impl Visitors {
    pub(crate) fn of(node: &str, address: SocketAddr, met: &Met) -> Self {
        let (node, met) = (node.to_owned(), met.clone());
        Self(tokio::spawn(async move {
            loop {
                let from = marks::now();
                let status = timeout(VISIT, visit(address, PAGE)).await;
                let to = marks::now();
                match status {
                    Ok(Ok(200)) => {
                        met.all().push(LetIn {
                            node: node.clone(),
                            span: Span { from, to },
                        });
                    }
                    Ok(Ok(_)) => {
                        met.refused.fetch_add(1, Ordering::Relaxed);
                    }
                    _ => {}
                }
                sleep(PAUSE).await;
            }
        }))
    }
}

impl Drop for Visitors {
    fn drop(&mut self) {
        self.0.abort();
    }
}
