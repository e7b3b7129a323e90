//! The start, while the store may be out of reach: what an earlier process knew, or what the settings
//! say where nothing is known.

use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Driver, Known, edges::SETTLE_RETRY, events};
use crate::{
    clock::chance::jittered,
    engine::pauses::FIRST_RETRY,
    settings::{WhenStoreFails, WhenUnknownAtStart},
    store::StoreError,
};

/// How long a start waits for a store of which nothing is known.
const START_PATIENCE: Duration = Duration::from_secs(5);

impl Driver {
    /// Reads the store for the first time. Where nothing is known of it, it is given some time.
    ///
    /// # Errors
    ///
    /// When it can never be read, and it is the store that decides.
    pub(super) async fn first_look(&self, known: &mut Known) -> Result<(), StoreError> {
        let deadline = Instant::now() + START_PATIENCE;
        self.reload(known).await;
        if self.plan.forced.is_some() || self.plan.is_tool {
            return Ok(());
        }
        let waits = self.plan.when_store_fails == WhenStoreFails::KeepLast
            && self.plan.when_unknown_at_start == WhenUnknownAtStart::Wait;
        loop {
            if let Some(error) = known.permanent.take() {
                return Err(error);
            }
            let is_unknown = known.failure.is_some() && known.document.is_none();
            if !is_unknown {
                return Ok(());
            }
            if !waits || Instant::now() >= deadline {
                break;
            }
            sleep_until(deadline.min(Instant::now() + jittered(2 * FIRST_RETRY))).await;
            // A store that hangs is not waited for any longer.
            let _ = timeout_at(deadline, self.reload(known)).await;
        }
        let is_on = self.shared.published.snapshot().modes.iter().any(|mode| {
            let now = self.shared.clock.now();
            mode.phase(now).is_maintenance()
        });
        tracing::error!(
            event = events::STORE_FAILED,
            error = known.failure,
            when_store_fails = self.plan.when_store_fails.as_str(),
            when_unknown_at_start = self.plan.when_unknown_at_start.as_str(),
            "NOTHING IS KNOWN of the maintenance state: the store cannot be read, and there is no \
             copy of what it held; the site is {} until the store can be read",
            if is_on {
                "in maintenance"
            } else {
                "SERVED AS IF ONLINE"
            }
        );
        Ok(())
    }

    /// Keeps a copy of what is known, for a start while the store cannot be read. It is a node's to
    /// keep; beside a state file it is of whoever changes that.
    pub(super) async fn keep_copy(&self, known: &mut Known) {
        let is_ours = self.shared.own_node.is_taken() || (known.has_saved && self.copy.is_shared());
        let (Some(document), None, None, true) =
            (&known.document, &known.failure, known.copy_after, is_ours)
        else {
            return;
        };
        if known.copied == Some(known.state_id) {
            return;
        }
        if self.copy.keep(document, self.shared.clock.now()).await {
            known.copied = Some(known.state_id);
        } else {
            known.copy_after = Some(Instant::now() + SETTLE_RETRY);
        }
    }

    /// Goes by what an earlier process knew last, as long as this one knows nothing.
    pub(super) fn recall(&self, known: &mut Known) {
        if known.document.is_none()
            && let Some(remembered) = known.remembered.take()
        {
            let now = self.shared.clock.now();
            self.shared.freshness.is_remembered(remembered.at, now);
            known.document = Some(remembered.document);
        }
    }
}
