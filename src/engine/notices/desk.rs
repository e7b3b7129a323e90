//! Whom changes are told, and what is known of that.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::sync::watch;

use super::target::{Kind, Target};
use crate::core::{
    state::notice::{Notice, Notices},
    status::NoticeTargetStatus,
};

/// Makes the text of a notice for a target.
pub(crate) type TextOf = Arc<dyn Fn(&Notice, &Target) -> Result<String, String> + Send + Sync>;

/// What the driver, the sender and the status have in common.
pub(crate) struct NoticeDesk {
    pub(crate) targets: Vec<Arc<Target>>,
    /// What is known of what was told and what waits.
    known: watch::Sender<Option<Arc<Notices>>>,
    /// Whether this process is the one that sends.
    sends: AtomicBool,
    pub(crate) text: TextOf,
}

impl NoticeDesk {
    pub(crate) fn new(targets: Vec<Target>, text: TextOf) -> Self {
        Self {
            targets: targets.into_iter().map(Arc::new).collect(),
            known: watch::channel(None).0,
            sends: AtomicBool::new(false),
            text,
        }
    }

    /// What counts now.
    pub(crate) fn publish(&self, notices: Option<&Notices>) {
        if self.targets.is_empty() {
            return;
        }
        self.known.send_if_modified(|known| {
            if known.as_deref() == notices {
                return false;
            }
            *known = notices.cloned().map(Arc::new);
            true
        });
    }

    pub(crate) fn follow(&self) -> watch::Receiver<Option<Arc<Notices>>> {
        self.known.subscribe()
    }

    /// Whether this process also tells what time does.
    pub(crate) fn sends(&self) -> bool {
        self.sends.load(Ordering::SeqCst)
    }

    pub(super) fn set_sends(&self, sends: bool) {
        self.sends.store(sends, Ordering::SeqCst);
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.targets.iter().map(|it| it.name.clone()).collect()
    }

    /// How each target is.
    pub(crate) fn status(&self) -> Vec<NoticeTargetStatus> {
        let known = self.known.borrow().clone();
        let status = |target: &Arc<Target>| {
            let notices = known.as_deref();
            let record = notices.and_then(|it| it.targets.get(&target.name));
            let waiting = notices.map_or(0, |it| it.waiting_for(&target.name, &target.interest));
            let is_fed = !matches!(target.kind, Kind::Alertmanager { .. });
            NoticeTargetStatus {
                name: target.name.clone(),
                kind: target.kind.word().to_owned(),
                waiting: if is_fed { waiting as u64 } else { 0 },
                failing_since: record.and_then(|it| it.failing_since),
                error: record.and_then(|it| it.error.clone()),
                lost: record.filter(|_| is_fed).map_or(0, |it| it.lost),
                silences: record.map_or(0, |it| it.silences.len() as u64),
            }
        };
        self.targets.iter().map(status).collect()
    }
}
