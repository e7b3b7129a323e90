//! Keeps the files for the web server in step with what is.

use std::{sync::Arc, time::Duration};

use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};

use crate::{
    core::{phase::Phase, schedule::duration_in_words, snapshot::Snapshot, state::DEFAULT_MODE},
    engine::{
        shared::Shared,
        web_server_files::{Wanted, WebServerFiles},
    },
    settings::Access,
};

/// How long the file system may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// The pause before files that could not be written are tried again.
pub(super) const RETRY: Duration = Duration::from_secs(5);

/// How far the driver has followed with the files.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// The number of the snapshot that the files are in step with.
    pub(super) number: Option<u64>,
    pub(crate) retry: Option<Instant>,
}

impl WebServerFiles {
    /// Whether there is anything to look after now.
    pub(crate) fn is_due(&self, followed: &Followed, shared: &Shared) -> bool {
        let has_files = self.flag.is_some() || self.page.is_some();
        let is_news = followed.number != Some(shared.published.snapshot().number);
        has_files && (is_news || followed.retry.is_some_and(|retry| retry <= Instant::now()))
    }

    /// Brings the files in step with the snapshot in force.
    ///
    /// Looks at what is there each time: another process may see to the same files, and of two the
    /// one that hears of a change last has the last word.
    ///
    /// A page that is left to others is looked at again: this process may become one of the nodes.
    pub(crate) async fn follow(&self, followed: &mut Followed, shared: &Shared, makes_page: bool) {
        let snapshot = shared.published.snapshot();
        let mut wanted = self.wanted(shared, &snapshot);
        if !makes_page {
            wanted.page = None;
        }
        let outcome = match timeout(PATIENCE, spawn_blocking(move || wanted.write())).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(format!("the files for the web server: {error}")),
            Err(_) => Err(format!(
                "the files for the web server could not be written within {}; look at the \
                 disk",
                duration_in_words(PATIENCE)
            )),
        };
        followed.number = Some(snapshot.number);
        let is_open = outcome.is_err() || (self.has_page() && !makes_page);
        followed.retry = is_open.then(|| Instant::now() + RETRY);
        let before = self.error.load_full();
        match (&outcome, before.as_deref()) {
            (Ok(()), Some(_)) => tracing::info!("the files for the web server are right again"),
            (Err(error), before) if before != Some(error) => {
                tracing::error!(%error, "the files for the web server are not in step");
            }
            _ => {}
        }
        self.error.store(outcome.err().map(Arc::new));
    }

    pub(super) fn wanted(&self, shared: &Shared, snapshot: &Snapshot) -> Wanted {
        let now = shared.clock.now();
        let is_offline = snapshot.mode(DEFAULT_MODE).is_some_and(|mode| {
            // A site that can be read is not to be closed by the server in front of it.
            mode.phase(now) == Phase::Offline && mode.mode.access == Access::None
        });
        Wanted {
            flag: self.flag.clone().map(|flag| (flag, is_offline)),
            page: self
                .page
                .clone()
                .map(|page| (page, page_of(shared, snapshot))),
        }
    }
}

/// The page that visitors get while the mode `site` is offline, as it is now. While it is not, the
/// page that they would get.
pub(crate) fn page_of(shared: &Shared, snapshot: &Snapshot) -> Vec<u8> {
    let now = shared.clock.now();
    let mode = snapshot
        .modes
        .iter()
        .position(|mode| &*mode.key == DEFAULT_MODE)
        .unwrap_or(0);
    (shared.page)(snapshot, mode, now)
}
