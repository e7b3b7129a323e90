//! What somebody wants to hold, and why they do not get it.

use std::time::Duration;

use crate::{
    engine::pauses::TIME_TO_LIVE,
    store::{LeaseCondition, LiveLease, StoreError},
};

/// A lease as somebody wants it.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(super) name: String,
    pub(super) holder: String,
    pub(super) content: Vec<u8>,
    pub(super) time_to_live: Duration,
    pub(super) condition: LeaseCondition,
    pub(super) wait: Duration,
    pub(super) once: bool,
}

impl Wanted {
    /// A lease that only one can hold at a time.
    pub(crate) fn alone(
        name: impl Into<String>,
        holder: impl Into<String>,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            name: name.into(),
            holder: holder.into(),
            content: content.into(),
            time_to_live: TIME_TO_LIVE,
            condition: LeaseCondition::IfAbsent,
            wait: Duration::ZERO,
            once: true,
        }
    }

    /// A lease whose name nobody else uses. One that a former life left is replaced.
    pub(crate) fn own(
        name: impl Into<String>,
        holder: impl Into<String>,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            condition: LeaseCondition::Always,
            once: false,
            ..Self::alone(name, holder, content)
        }
    }

    /// How long it lives without being renewed; the default is [`TIME_TO_LIVE`].
    pub(crate) fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = time_to_live;
        self
    }

    /// How long to wait while another has it; the default is not at all.
    pub(crate) fn waiting(mut self, at_most: Duration) -> Self {
        self.wait = at_most;
        self
    }

    /// Lost for good when it is lost, although it is one's own.
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// Why a lease was not acquired.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcquireError {
    /// Another has it, and kept it for as long as it was waited for.
    #[error("`{}` is held by {}", .0.lease.name(), .0.lease.holder())]
    Taken(Box<LiveLease>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("maintenance is shutting down in this process")]
    Stopped,
}
