//! What a lease's file says, and whether it is held.

use std::{
    collections::{HashMap, HashSet},
    fs::File,
    time::{Duration, Instant},
};

use crate::store::{
    Lease, LiveLease,
    file::{clock::Reading, lease_file::Stamp},
};

/// What this process remembers of the files that it has seen, by their names.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The writing that was seen, and when it lapses by this process's own clock.
    pub(super) lapses_at: HashMap<String, (Stamp, Instant)>,
    /// The damaged ones that the log tells of already.
    pub(super) damaged: HashSet<String>,
}

/// A lease that was live when the clocks were read.
#[derive(Debug, Clone)]
pub(super) struct Live {
    pub(super) lease: Lease,
    pub(super) stamp: Stamp,
    pub(super) left: Duration,
    pub(super) at: Reading,
}

impl Live {
    /// Whether this writing of the lease has lapsed meanwhile.
    pub(super) fn is_over(&self, now: &Reading) -> bool {
        let by_own_clock = now.own.saturating_duration_since(self.at.own);
        let passed = match (self.stamp.sure_age(&self.at), self.stamp.sure_age(now)) {
            // Goes on while the machine sleeps.
            (Some(then), Some(now)) => by_own_clock.max(now.saturating_sub(then)),
            _ => by_own_clock,
        };
        passed >= self.left
    }

    pub(super) fn into_lease(self) -> LiveLease {
        LiveLease {
            lease: self.lease,
            expires_in: self.left,
        }
    }
}

/// What a file holds.
#[derive(Debug)]
pub(super) enum Entry {
    Live(Live),
    Lapsed(Lease),
    /// Nobody's lease. Nothing of this crate wrote it, or the machine crashed meanwhile.
    Damaged,
}

impl Entry {
    pub(super) fn belongs_to(&self, holder: &str) -> bool {
        match self {
            Self::Live(Live { lease, .. }) | Self::Lapsed(lease) => lease.holder() == holder,
            Self::Damaged => false,
        }
    }
}

/// A lease file that nobody else may change until this is dropped.
pub(super) struct Locked {
    pub(super) entry: Entry,
    pub(super) _file: File,
}

/// Whether to wait for another who has locked the file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    Yes,
    No,
}
