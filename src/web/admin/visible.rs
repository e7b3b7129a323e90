//! What one caller may see: filtered once, at the data, so that no handler can forget it.
//!
//! A [`Visibility`] is made where callers are judged and nowhere else. Only what went through one is
//! [`Told`], and only what is told can be sent.

use std::ops::Deref;

use serde::Serialize;

use crate::core::{
    audit::AuditEntry,
    status::{Remark, modes::ModeStatus, period::PastPeriod, whole::Status},
};

/// The modes that one caller may see.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Visibility {
    modes: Vec<String>,
    /// Whether these are all that there are. Then also what is stored of others may be seen, of
    /// which nobody has said who may see them.
    is_whole: bool,
}

/// Something of which everything that its reader may not see was taken out.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub(crate) struct Visible<T>(T);

impl<T> Deref for Visible<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// What may be sent to the caller for whom it was made.
pub(crate) trait Told: Serialize {}

impl<T: Serialize> Told for Visible<T> {}

/// A status as far as somebody may see it, who may see nothing, too.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum SeenStatus {
    Seen(Box<Visible<Status>>),
    Nothing { modes: [(); 0] },
}

impl Visibility {
    /// To be made of modes that somebody may *see*, as [`authorize`](super::authorize) finds out.
    /// `known` is how many modes there are.
    pub(super) fn of(modes: Vec<String>, known: usize) -> Self {
        let is_whole = modes.len() == known;
        Self { modes, is_whole }
    }

    /// Whether there is nothing that may be seen.
    pub(crate) fn is_nothing(&self) -> bool {
        self.modes.is_empty()
    }

    pub(crate) fn has(&self, mode: &str) -> bool {
        self.modes.iter().any(|key| key == mode)
    }

    /// Takes out what is told of other modes: the modes themselves, their phases on the nodes and what
    /// is remarked of those, what is stored of unknown ones, and whether they are on.
    pub(super) fn status(&self, mut status: Status) -> Visible<Status> {
        status.modes.retain(|mode| self.has(&mode.key));
        status.maintenance_mode = status.modes.iter().any(|mode| mode.phase.is_maintenance());
        status.default_mode = status.default_mode.filter(|key| self.has(key));
        if !self.is_whole {
            status.unknown_modes.clear();
            status.audit = None;
            status.notices.clear();
            let closed: Vec<&str> = status
                .modes
                .iter()
                .filter(|mode| mode.phase.is_maintenance())
                .map(|mode| mode.key.as_str())
                .collect();
            for node in &mut status.nodes {
                node.phases.retain(|key, _| self.has(key));
                // That a node serves what is closed may be said of a mode that is not seen.
                let phases = &node.phases;
                let serves = |mode: &&str| phases.get(*mode).is_some_and(|it| !it.is_maintenance());
                if !closed.iter().any(serves) {
                    node.remarks
                        .retain(|remark| *remark != Remark::ServesAlthoughOffline);
                }
            }
        }
        Visible(status)
    }

    /// As [`status`](Self::status), for somebody who perhaps may see nothing at all.
    pub(super) fn status_if_any(&self, status: Status) -> SeenStatus {
        if self.is_nothing() {
            SeenStatus::Nothing { modes: [] }
        } else {
            SeenStatus::Seen(Box::new(self.status(status)))
        }
    }

    pub(super) fn history(&self, mut history: Vec<PastPeriod>) -> Visible<Vec<PastPeriod>> {
        history.retain(|period| self.is_whole || self.has(&period.mode));
        Visible(history)
    }

    /// Which entries of the audit it is that may be seen, for whoever reads them elsewhere.
    pub(super) fn sees_of_audit(&self) -> impl Fn(&AuditEntry) -> bool + Send + use<> {
        let sight = self.clone();
        move |entry| match &entry.mode {
            Some(mode) => sight.is_whole || sight.has(mode),
            None => sight.is_whole,
        }
    }

    /// Takes out what is told of other modes. What is told of no mode alone is for those who may see all.
    /// The latest of the rest are left, so many at most.
    pub(super) fn audit(
        &self,
        mut entries: Vec<AuditEntry>,
        latest: usize,
    ) -> Visible<Vec<AuditEntry>> {
        entries.retain(self.sees_of_audit());
        let surplus = entries.len().saturating_sub(latest);
        entries.drain(..surplus);
        Visible(entries)
    }

    pub(super) fn modes(&self, mut modes: Vec<ModeStatus>) -> Visible<Vec<ModeStatus>> {
        modes.retain(|mode| self.has(&mode.key));
        Visible(modes)
    }

    /// What is worked out by somebody who asks of each mode, by its key, whether it may be told of.
    pub(super) fn worked_out<T>(
        &self,
        work_out: impl FnOnce(&dyn Fn(&str) -> bool) -> T,
    ) -> Visible<T> {
        Visible(work_out(&|mode| self.has(mode)))
    }
}

#[cfg(test)]
#[path = "visible_tests.rs"]
mod tests;
