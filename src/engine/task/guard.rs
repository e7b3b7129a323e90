//! A task that runs.

use crate::engine::leases::held_lease::HeldLease;

/// A task that runs, until this is released or dropped.
#[derive(Debug)]
#[must_use = "a task whose guard is dropped at once ends at once"]
pub struct TaskGuard {
    pub(super) name: String,
    pub(super) lease: HeldLease,
}

impl TaskGuard {
    /// The task's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the store still knows that the task runs, so that everybody else does. While the
    /// store is out of reach for a short time, it does.
    pub fn is_held(&self) -> bool {
        self.lease.is_held()
    }

    /// Waits until the store does not know any more that the task runs. If it is exclusive, another
    /// may run from then on, and it should stop.
    pub async fn lost(&self) {
        self.lease.lost().await;
    }

    /// Ends the task, and waits until everybody can know.
    pub async fn release(self) {
        if let Err(error) = self.lease.release().await {
            tracing::debug!(%error, task = self.name, "the end of a task was not stored; it lapses");
        }
    }
}
