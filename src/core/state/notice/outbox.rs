//! What waits to be sent, and what becomes of it: target by target, each at its own pace.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Notice, NoticeKind, Notices, Silence, TargetRecord};
use crate::core::state::Document;

/// What a target wants to hear of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Interest {
    /// Empty: all.
    pub(crate) kinds: Vec<NoticeKind>,
    /// The keys of modes; empty: all.
    pub(crate) modes: Vec<String>,
}

impl Interest {
    pub(crate) fn is_in(&self, notice: &Notice) -> bool {
        (self.kinds.is_empty() || self.kinds.contains(&notice.kind))
            && self.is_in_mode(&notice.mode)
    }

    pub(crate) fn is_in_mode(&self, mode: &str) -> bool {
        self.modes.is_empty() || self.modes.iter().any(|key| key == mode)
    }
}

/// What became of a try to send something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The target has got everything up to this.
    Sent(u64),
    /// It will not take this one, and goes on with the next.
    GivenUp(u64, String),
    /// It takes nothing now.
    Failing(String),
    /// What silences it has now.
    Silenced(BTreeMap<String, Silence>),
}

impl Notices {
    /// The next notice for a target.
    pub(crate) fn next_for(&self, target: &str, interest: &Interest) -> Option<&Notice> {
        let done = self.targets.get(target)?.done;
        let waiting = self.outbox.iter();
        waiting
            .filter(|notice| done < notice.sequence)
            .find(|notice| interest.is_in(notice))
    }

    /// How many wait for a target.
    pub(crate) fn waiting_for(&self, target: &str, interest: &Interest) -> usize {
        let done = self.targets.get(target).map_or(0, |record| record.done);
        let waiting = self.outbox.iter();
        waiting
            .filter(|notice| done < notice.sequence && interest.is_in(notice))
            .count()
    }

    /// Forgets what every target has got, or does not want.
    fn forget_done(&mut self) {
        if let Some(least) = self.targets.values().map(|record| record.done).min() {
            self.outbox.retain(|notice| least < notice.sequence);
        }
    }
}

impl Document {
    /// Takes note of the targets that there are. A new one gets what is told from now on; the first
    /// ones also what is already so. `None`: they are known.
    pub(crate) fn with_targets(&self, names: &[String], now: Timestamp) -> Option<Self> {
        let former = self.notices.clone();
        let is_first = former.is_none();
        let mut notices = former.unwrap_or_default();
        notices.targets.retain(|name, _| names.contains(name));
        let done = match is_first {
            true => 0,
            false => notices.next.saturating_sub(1),
        };
        for name in names {
            let record = notices.targets.entry(name.clone());
            record.or_insert_with(|| TargetRecord {
                done,
                ..TargetRecord::default()
            });
        }
        if is_first {
            notices.told_at = now;
        }
        notices.forget_done();
        let notices = Some(notices);
        (notices != self.notices).then(|| Self {
            notices,
            ..self.clone()
        })
    }

    /// Takes note of what became of a try. `None`: it was known, or the target is none any more.
    pub(crate) fn with_outcome(
        &self,
        target: &str,
        outcome: &Outcome,
        now: Timestamp,
    ) -> Option<Self> {
        let mut next = self.clone();
        let notices = next.notices.as_mut()?;
        let oldest = notices.outbox.first().map(|notice| notice.sequence);
        let record = notices.targets.get_mut(target)?;
        // What had to leave the outbox before it was sent.
        if let Some(oldest) = oldest.filter(|oldest| record.done + 1 < *oldest) {
            record.lost += oldest - 1 - record.done;
            record.done = oldest - 1;
        }
        match outcome {
            Outcome::Sent(sequence) => {
                record.done = record.done.max(*sequence);
                record.failing_since = None;
                record.error = None;
            }
            Outcome::GivenUp(sequence, error) => {
                if record.done < *sequence {
                    record.done = *sequence;
                    record.lost += 1;
                }
                record.error = Some(error.clone());
            }
            Outcome::Failing(error) => {
                record.failing_since.get_or_insert(now);
                record.error = Some(error.clone());
            }
            Outcome::Silenced(silences) => {
                record.silences.clone_from(silences);
                record.failing_since = None;
                record.error = None;
            }
        }
        notices.forget_done();
        (next != *self).then_some(next)
    }
}
