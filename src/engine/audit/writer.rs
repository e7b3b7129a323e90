//! The thread that writes the audit.

use std::{
    collections::VecDeque,
    io,
    path::PathBuf,
    sync::{
        Arc,
        atomic::Ordering,
        mpsc::{Receiver, RecvTimeoutError},
    },
    time::Duration,
};

use tokio::sync::oneshot;

use super::{Health, file::AuditFile};
use crate::engine::events;

/// How long after it failed it is tried again.
const RETRY: Duration = Duration::from_secs(1);
/// How many lines are kept for a disk that takes none.
const MOST_KEPT: usize = 4096;

/// What the thread is told.
#[derive(Debug)]
pub(super) enum Order {
    /// A line to be added.
    Write(String),
    /// To say when all that came before is on the disk.
    Tell(oneshot::Sender<()>),
}

pub(super) struct Writer {
    path: PathBuf,
    file: Option<AuditFile>,
    health: Arc<Health>,
    kept: VecDeque<String>,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Writer {
    pub(super) fn new(path: PathBuf, health: Arc<Health>) -> Self {
        Self {
            path,
            file: None,
            health,
            kept: VecDeque::new(),
            waiting: Vec::new(),
        }
    }

    /// Writes until nobody is left who could note anything.
    pub(super) fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let first = if self.kept.is_empty() {
                orders.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                orders.recv_timeout(RETRY)
            };
            let is_over = matches!(first, Err(RecvTimeoutError::Disconnected));
            // What has come meanwhile goes with it.
            for order in first.into_iter().chain(orders.try_iter()) {
                self.take(order);
            }
            self.write();
            if is_over {
                return;
            }
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Tell(reply) => self.waiting.push(reply),
            Order::Write(line) => {
                if self.kept.len() == MOST_KEPT {
                    self.kept.pop_front();
                    self.health.lost.fetch_add(1, Ordering::Relaxed);
                }
                self.kept.push_back(line);
            }
        }
    }

    fn write(&mut self) {
        match self.try_to_write() {
            Ok(()) => {
                self.kept.clear();
                if self.health.failure.swap(None).is_some() {
                    tracing::info!(
                        event = events::AUDIT_BACK,
                        file = %self.path.display(),
                        "the audit is written again"
                    );
                }
                for reply in self.waiting.drain(..) {
                    // Whoever waited may have gone.
                    let _ = reply.send(());
                }
            }
            Err(error) => {
                self.file = None;
                let text = format!(
                    "cannot write the audit to {}: {error}; see that its folder is there and can \
                     be written to",
                    self.path.display()
                );
                let former = self.health.failure.swap(Some(Arc::new(text.clone())));
                if former.is_none() {
                    tracing::error!(
                        event = events::AUDIT_FAILED,
                        error = text,
                        "the audit fails"
                    );
                }
            }
        }
    }

    fn try_to_write(&mut self) -> io::Result<()> {
        if self.kept.is_empty() {
            return Ok(());
        }
        let lines: String = self.kept.iter().map(String::as_str).collect();
        let file = match self.file.take().filter(AuditFile::is_current) {
            Some(file) => file,
            None => AuditFile::open(&self.path)?,
        };
        self.file.insert(file).add(&lines)
    }
}
