//! Writes down who did what: as a log event, and as a line in the file of the settings.
//!
//! The file is written by a thread of its own, so that a disk that hangs or is full holds up no
//! switch: who makes a change waits a moment for its line, and no longer.

mod file;
mod writer;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, TrySendError, sync_channel},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::{
    clock::steady,
    core::{
        audit::{AuditEntry, AuditOutcome, Author, Budget, event},
        status::AuditStatus,
    },
    engine::{audit::writer::Order, events, leases::keeper::LeaseKeeper},
};

/// How many lines wait for the disk at most.
const MOST_WAITING: usize = 4096;
/// How long whoever makes a change waits for its line.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where entries go.
#[derive(Debug)]
pub(crate) struct Audit {
    file: Option<File>,
    node: String,
    tries: Mutex<Budget>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    orders: SyncSender<Order>,
    health: Arc<Health>,
}

/// How the file is.
#[derive(Debug, Default)]
struct Health {
    /// Why it cannot be written to, while that is so.
    failure: ArcSwapOption<String>,
    /// How many entries were lost.
    lost: AtomicU64,
}

impl Audit {
    /// Starts to write, if the settings name a file. `node` tells which process it is.
    ///
    /// # Errors
    ///
    /// When there can be no thread for it.
    pub(crate) fn start(path: Option<&Path>, node: String) -> io::Result<Self> {
        let open = |path: &Path| {
            // Whoever changes the folder later still means this file.
            let path = std::path::absolute(path)?;
            let (orders, received) = sync_channel(MOST_WAITING);
            let health = Arc::<Health>::default();
            let writer = writer::Writer::new(path.clone(), Arc::clone(&health));
            std::thread::Builder::new()
                .name("maintenance-audit".to_owned())
                .spawn(move || writer.run(&received))?;
            io::Result::Ok(File {
                path,
                orders,
                health,
            })
        };
        Ok(Self {
            file: path.map(open).transpose()?,
            node,
            tries: Mutex::default(),
        })
    }

    /// Notes what happened.
    pub(crate) fn note(&self, mut entry: AuditEntry) {
        entry.node.clone_from(&self.node);
        log(&entry);
        let Some(file) = &self.file else {
            return;
        };
        match file.orders.try_send(Order::Write(entry.line())) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                file.health.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Notes a refused try, of which strangers can make as many as they like: a flood of them is
    /// counted.
    pub(crate) fn note_try(&self, entry: AuditEntry) {
        let Some(left_out) = self.tries.lock().take(steady::now()) else {
            return;
        };
        if left_out > 0 {
            let why = format!("{left_out} refused tries were left out");
            let author = Author::schedule();
            let told = AuditEntry::new(event::LEFT_OUT, &author, entry.at);
            self.note(told.ending(AuditOutcome::Refused, why));
        }
        self.note(entry);
    }

    /// Waits until what was noted is on the disk, for a moment at most.
    pub(crate) async fn written(&self) {
        let Some(file) = &self.file else {
            return;
        };
        let (reply, is_written) = oneshot::channel();
        if file.orders.try_send(Order::Tell(reply)).is_ok() {
            // It goes on behind this; where it takes long, the status says so.
            let _ = tokio::time::timeout(PATIENCE, is_written).await;
        }
    }

    /// The same on any runtime and on none.
    pub(crate) async fn written_by(self: Arc<Self>, keeper: &LeaseKeeper) {
        if self.file.is_some() {
            keeper
                .within(2 * PATIENCE, async move { self.written().await })
                .await;
        }
    }

    /// `None` where the settings name no file.
    pub(crate) fn status(&self) -> Option<AuditStatus> {
        self.file.as_ref().map(|file| AuditStatus {
            file: file.path.clone(),
            error: file.health.failure.load().as_deref().cloned(),
            lost: file.health.lost.load(Ordering::Relaxed),
        })
    }

    /// The latest entries in the file that fit, so many at most, the oldest first. `None`: the settings
    /// name no file.
    pub(crate) fn latest(
        &self,
        most: usize,
        fits: impl Fn(&AuditEntry) -> bool,
    ) -> Option<io::Result<Vec<AuditEntry>>> {
        let file = self.file.as_ref()?;
        Some(file::latest(&file.path, most, fits))
    }
}

fn log(entry: &AuditEntry) {
    tracing::info!(
        event = events::AUDIT,
        what = %entry.event,
        outcome = entry.outcome.as_str(),
        mode = entry.mode,
        window = entry.window,
        by = entry.by,
        how = entry.how.as_str(),
        address = entry.address.map(tracing::field::display),
        generation = entry.generation,
        why = entry.why,
        before = entry.before.as_ref().map(tracing::field::display),
        after = entry.after.as_ref().map(tracing::field::display),
        "somebody did something with maintenance"
    );
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
