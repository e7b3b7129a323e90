//! Hears of every change.

use tokio::sync::watch;

use crate::{core::status::whole::Status, engine::handle::Engine};

/// Follows what maintenance is: from [`Maintenance::subscribe`](crate::Maintenance::subscribe).
#[derive(Debug)]
pub struct Changes {
    pub(super) shared: std::sync::Weak<crate::engine::shared::Shared>,
    pub(super) published: watch::Receiver<u64>,
}

impl Changes {
    pub(crate) fn new(engine: &Engine) -> Self {
        let mut published = engine.published.clone();
        published.mark_unchanged();
        Self {
            shared: std::sync::Arc::downgrade(&engine.shared),
            published,
        }
    }

    /// Waits for the next change and returns what is then. Of changes in quick succession the
    /// latest is returned. `None` once the last handle is dropped.
    pub async fn next(&mut self) -> Option<Status> {
        self.published.changed().await.ok()?;
        let shared = self.shared.upgrade()?;
        let snapshot = shared.published.snapshot();
        Some(shared.status(&snapshot))
    }
}
