//! The thread behind a watch: waits for events, and looks at the file now and then itself.

use std::{
    path::PathBuf,
    sync::mpsc as threads,
    thread,
    time::{Duration, Instant},
};

use notify::RecommendedWatcher;
use tokio::sync::mpsc;

use super::{
    events::{EventFilter, Signal, Subscribe},
    file_version::{FileVersion, Folders, folders_of},
    read::follow_links,
};
use crate::store::Hint;

/// How often to look at the file, and how long things stay lively after a change.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Between looks while the system tells of changes: for what it does not tell.
    pub(super) slow: Duration,
    /// Between looks where the system cannot tell of changes.
    pub(super) poll: Duration,
    /// Between looks while a folder is missing, or something has just happened.
    pub(super) quick: Duration,
    /// How long after a change more is expected. It is also the coarsest time stamp of common file
    /// systems: after it, a second change cannot hide behind the first one's time stamp.
    pub(super) restless: Duration,
}

pub(super) const PACE: Pace = Pace {
    slow: Duration::from_secs(1),
    poll: Duration::from_millis(100),
    quick: Duration::from_millis(50),
    restless: Duration::from_secs(2),
};

/// One change makes several events; they are gathered for this long.
const GATHER: Duration = Duration::from_millis(5);

/// When to ask again for events that the system refused.
const ASK_AGAIN: Duration = Duration::from_secs(30);

/// Where events come from at present.
enum Subscription {
    /// Has not been asked for.
    None,
    /// For these folders the system says no.
    Refused { folders: Folders, at: Instant },
    Active {
        folders: Folders,
        /// Ends the events when it is dropped.
        _watcher: RecommendedWatcher,
    },
}

/// The thread's side of a watch.
pub(super) struct WatchThread {
    path: PathBuf,
    subscribe: Subscribe,
    pace: Pace,
    signals: threads::Sender<Signal>,
    subscription: Subscription,
    warned: bool,
}

impl WatchThread {
    pub(super) fn new(
        path: PathBuf,
        subscribe: Subscribe,
        pace: Pace,
        signals: threads::Sender<Signal>,
    ) -> Self {
        Self {
            path,
            subscribe,
            pace,
            signals,
            subscription: Subscription::None,
            warned: false,
        }
    }

    pub(super) fn run(mut self, inbox: &threads::Receiver<Signal>, hint: &mpsc::Sender<Hint>) {
        let mut last = None;
        let mut restless_until = None;
        let mut signalled = false;
        loop {
            let hops = follow_links(&self.path);
            // Identities before the subscription and the file after it, so that whatever changes
            // in between shows as a difference at the next look, or as an event.
            let folders = folders_of(&hops);
            self.subscribe_anew(&hops, &folders);
            let complete = folders.iter().all(|(_, identity)| identity.is_some());
            let file_version = (hops, folders, FileVersion::of(&self.path));

            let changed = signalled || last.as_ref() != Some(&file_version);
            last = Some(file_version);
            let calmed_down = restless_until.is_some_and(|until| Instant::now() >= until);
            if changed {
                restless_until = Some(Instant::now() + self.pace.restless);
            } else if calmed_down {
                restless_until = None;
            }
            if changed || calmed_down {
                // A full channel holds a hint already. A closed one is noticed below.
                let _ = hint.try_send(Hint);
            }
            if hint.is_closed() {
                return;
            }

            let pause = match self.subscription {
                _ if !complete || restless_until.is_some() => self.pace.quick,
                Subscription::Active { .. } => self.pace.slow,
                Subscription::None | Subscription::Refused { .. } => self.pace.poll,
            };
            signalled = match inbox.recv_timeout(pause) {
                Err(threads::RecvTimeoutError::Timeout) => false,
                Err(threads::RecvTimeoutError::Disconnected) => return,
                Ok(first) => {
                    // The end must not wait for the gathering.
                    if matches!(first, Signal::Changed | Signal::FolderChanged) {
                        thread::sleep(GATHER);
                    }
                    for signal in std::iter::once(first).chain(inbox.try_iter()) {
                        match signal {
                            Signal::Changed => {}
                            Signal::FolderChanged => self.subscription = Subscription::None,
                            Signal::Stop => return,
                        }
                    }
                    true
                }
            };
        }
    }

    /// Sees to it that events come from the folders as they are now.
    fn subscribe_anew(&mut self, hops: &[PathBuf], folders: &Folders) {
        let keep = match &self.subscription {
            Subscription::None => false,
            Subscription::Active { folders: those, .. } => those == folders,
            Subscription::Refused { folders: those, at } => {
                those == folders && at.elapsed() < ASK_AGAIN
            }
        };
        if keep {
            return;
        }
        // First, to give back what the system counts.
        self.subscription = Subscription::None;
        if folders.iter().any(|(_, identity)| identity.is_none()) {
            return;
        }
        let filter = EventFilter {
            names: hops
                .iter()
                .filter_map(|hop| hop.file_name().map(ToOwned::to_owned))
                .collect(),
            folders: folders.iter().map(|(path, _)| path.clone()).collect(),
            signals: self.signals.clone(),
        };
        let paths = filter.folders.clone();
        match (self.subscribe)(&paths, filter) {
            Ok(watcher) => {
                self.subscription = Subscription::Active {
                    folders: folders.clone(),
                    _watcher: watcher,
                };
            }
            // It vanished this very moment, which the next look finds.
            Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => {}
            Err(error) => {
                if !self.warned {
                    self.warned = true;
                    tracing::warn!(
                        %error,
                        path = %self.path.display(),
                        "no events for changes of the maintenance state, so the file is looked at \
                         ten times a second; raise the limits fs.inotify.max_user_watches and \
                         fs.inotify.max_user_instances, or let this process read the folder",
                    );
                }
                self.subscription = Subscription::Refused {
                    folders: folders.clone(),
                    at: Instant::now(),
                };
            }
        }
    }
}
