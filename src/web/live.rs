//! What all live connections have in common: how many there may be, and what they are told.

use crate::web::front::Front;
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use bytestring::ByteString;

use crate::{
    core::snapshot::Snapshot,
    engine::shared::Shared,
    settings::LiveSettings,
    web::admin::{Sight, ping_document},
};

/// How many sets of modes that somebody may see are remembered. Most visitors see none of them, and
/// operators see all.
const REMEMBERED: usize = 32;

#[derive(Debug)]
pub(crate) struct Live {
    pub(crate) settings: LiveSettings,
    open: Arc<AtomicUsize>,
    rendered: Mutex<Rendered>,
}

/// The documents of one snapshot, so that a change is put into words once and not once for each
/// connection.
#[derive(Debug, Default)]
struct Rendered {
    /// The snapshot's number.
    number: u64,
    documents: Vec<(Sight, ByteString)>,
}

/// The place of one connection, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place(Arc<AtomicUsize>);

impl Live {
    pub(crate) fn new(settings: &LiveSettings) -> Self {
        Self {
            settings: settings.clone(),
            open: Arc::default(),
            rendered: Mutex::default(),
        }
    }

    /// A place for one more connection, unless there are as many as there may be.
    pub(crate) fn enter(&self) -> Option<Place> {
        let limit = self.settings.connections;
        self.open
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |open| {
                (open < limit).then_some(open + 1)
            })
            .ok()
            .map(|_| Place(Arc::clone(&self.open)))
    }

    /// The document of a snapshot for those who may see these modes.
    pub(crate) fn document(
        &self,
        shared: &Shared,
        front: &Front,
        snapshot: &Snapshot,
        visible: &Sight,
    ) -> ByteString {
        if let Some(document) = self.rendered().of(snapshot, visible) {
            return document;
        }
        // Without the lock: the app's closures may have their say.
        let document = render(shared, front, snapshot, visible);
        let mut rendered = self.rendered();
        if rendered.number < snapshot.number || rendered.documents.len() == REMEMBERED {
            rendered.number = snapshot.number;
            rendered.documents.clear();
        }
        if rendered.number == snapshot.number {
            rendered.documents.push((visible.clone(), document.clone()));
        }
        document
    }

    fn rendered(&self) -> MutexGuard<'_, Rendered> {
        self.rendered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rendered {
    fn of(&self, snapshot: &Snapshot, visible: &Sight) -> Option<ByteString> {
        self.documents
            .iter()
            .find(|(modes, _)| self.number == snapshot.number && modes == visible)
            .map(|(_, document)| document.clone())
    }
}

/// Puts into words what is now.
pub(crate) fn render(
    shared: &Shared,
    front: &Front,
    snapshot: &Snapshot,
    visible: &Sight,
) -> ByteString {
    let now = shared.now_for(snapshot);
    let document = ping_document(front, snapshot, now, visible);
    match serde_json::to_string(&document) {
        Ok(document) => document.into(),
        // It is made of texts and numbers, which cannot fail; a closure's details are JSON already.
        Err(error) => {
            tracing::error!(%error, "what is cannot be put into JSON");
            ByteString::from_static("{}")
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_no_more_places_than_the_settings_say() {
        let live = Live::new(&LiveSettings {
            connections: 2,
            ..LiveSettings::default()
        });
        let first = live.enter();
        let second = live.enter();
        assert!(first.is_some() && second.is_some() && live.enter().is_none());
        drop(first);
        assert!(live.enter().is_some());
    }
}
