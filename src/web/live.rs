//! What all live connections have in common: how many there may be, and what they are told.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use bytestring::ByteString;
use parking_lot::{Mutex, MutexGuard};

use crate::{
    core::{client::client_of, remembered::Remembered, snapshot::Snapshot},
    engine::inside::sessions::VisitorHash,
    settings::LiveSettings,
    web::admin::Visibility,
};

/// How many sets of modes that somebody may see are remembered. Most visitors see none of them, and
/// operators see all.
const REMEMBERED: usize = 32;

/// At most so many of the process's descriptors go to live connections: the site must be served also
/// while there are as many as there may be.
const SHARE_OF_DESCRIPTORS: u64 = 4;

#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) settings: LiveSettings,
    open: Arc<Mutex<Open>>,
    rendered: Mutex<Rendered>,
}

/// The connections that there are.
#[derive(Debug, Default)]
struct Open {
    all: usize,
    by_client: HashMap<IpAddr, usize>,
    /// Of visitors who are logged in, whether they have logged out meanwhile.
    by_visitor: HashMap<VisitorHash, Weak<AtomicBool>>,
}

/// Why there is no place for one more connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// There are as many as there may be.
    InAll,
    /// This client has as many as one may have.
    ForClient,
}

/// The documents of one snapshot, so that a change is put into words once and not once for each
/// connection.
#[derive(Debug)]
struct Rendered {
    /// The snapshot's number, by which it is told from others, and by which it is ordered.
    number: u64,
    issue: u64,
    documents: Remembered<Visibility, ByteString>,
}

impl Default for Rendered {
    fn default() -> Self {
        Self {
            number: 0,
            issue: 0,
            documents: Remembered::new(REMEMBERED),
        }
    }
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    open: Arc<Mutex<Open>>,
    client: Option<IpAddr>,
}

impl Live {
    pub(crate) fn new(settings: &LiveSettings) -> Self {
        let descriptors = descriptors();
        let connections = fitting(settings.connections, descriptors);
        tracing::info!(
            connections,
            descriptors,
            wanted = settings.connections,
            "so many live connections are taken at most"
        );
        Self {
            settings: settings.clone(),
            open: Arc::default(),
            rendered: Mutex::default(),
        }
    }

    /// A place for one more connection of this client, unless there are as many as there may be. Who
    /// it is may be unknown, as behind a socket; then only all of them count.
    pub(crate) fn enter(&self, address: Option<IpAddr>) -> Result<Place, NoPlace> {
        let client = address.map(client_of);
        // Asked each time: the limit of a process that runs can be set.
        let connections = fitting(self.settings.connections, descriptors());
        let mut open = self.open.lock();
        if open.all >= connections {
            return Err(NoPlace::InAll);
        }
        if let Some(client) = client {
            let own = open.by_client.entry(client).or_default();
            if *own >= self.settings.per_address {
                return Err(NoPlace::ForClient);
            }
            *own += 1;
        }
        open.all += 1;
        drop(open);
        Ok(Place {
            open: Arc::clone(&self.open),
            client,
        })
    }

    /// What says of a visitor whether they have logged out since.
    pub(crate) fn follow(&self, visitor: VisitorHash) -> Arc<AtomicBool> {
        let mut open = self.open.lock();
        if let Some(known) = open.by_visitor.get(&visitor).and_then(Weak::upgrade) {
            return known;
        }
        open.by_visitor.retain(|_, known| known.strong_count() > 0);
        let has_left = Arc::default();
        open.by_visitor.insert(visitor, Arc::downgrade(&has_left));
        has_left
    }

    /// Notes that a visitor has logged out of this process: their connections are told no more than
    /// anybody is.
    pub(crate) fn log_out(&self, visitor: VisitorHash) {
        // Whoever logs in again afterwards is followed anew.
        let known = self.open.lock().by_visitor.remove(&visitor);
        if let Some(known) = known.as_ref().and_then(Weak::upgrade) {
            known.store(true, Ordering::Relaxed);
        }
    }

    /// The document of a snapshot for those who may see these modes.
    pub(crate) fn document(
        &self,
        snapshot: &Snapshot,
        visible: &Visibility,
        render: impl FnOnce() -> ByteString,
    ) -> ByteString {
        if let Some(document) = self.rendered().of(snapshot, visible) {
            return document;
        }
        // Without the lock: the app's closures may have their say.
        let document = render();
        let mut rendered = self.rendered();
        if rendered.issue <= snapshot.issue() && rendered.number != snapshot.number {
            rendered.issue = snapshot.issue();
            rendered.number = snapshot.number;
            rendered.documents.clear();
        }
        if rendered.number == snapshot.number {
            rendered.documents.insert(visible.clone(), document.clone());
        }
        document
    }

    fn rendered(&self) -> MutexGuard<'_, Rendered> {
        self.rendered.lock()
    }
}

impl Rendered {
    fn of(&self, snapshot: &Snapshot, visible: &Visibility) -> Option<ByteString> {
        if self.number != snapshot.number {
            return None;
        }
        self.documents.get(|modes| modes == visible).cloned()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.open.lock();
        open.all = open.all.saturating_sub(1);
        if let Some(client) = self.client
            && let Some(own) = open.by_client.get_mut(&client)
        {
            *own -= 1;
            if *own == 0 {
                open.by_client.remove(&client);
            }
        }
    }
}

/// How many connections fit into the descriptors that the process may open, if that is known.
fn fitting(wanted: usize, descriptors: Option<u64>) -> usize {
    match descriptors {
        Some(descriptors) => {
            let share = descriptors / SHARE_OF_DESCRIPTORS;
            wanted.min(usize::try_from(share).unwrap_or(usize::MAX))
        }
        None => wanted,
    }
}

/// How many descriptors the process may open; `None`: as many as it likes, or nobody knows.
fn descriptors() -> Option<u64> {
    #[cfg(unix)]
    {
        rustix::process::getrlimit(rustix::process::Resource::Nofile).current
    }
    #[cfg(not(unix))]
    None
}

#[cfg(test)]
#[path = "live_tests.rs"]
mod tests;
