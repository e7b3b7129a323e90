//! Asking the system for events, and picking those that concern the state file.

use std::{ffi::OsString, path::PathBuf, sync::mpsc};

use notify::{
    Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _,
    event::{AccessKind, AccessMode},
};

/// What wakes the thread that watches.
pub(super) enum Signal {
    /// Something happened to the file.
    Changed,
    /// Something happened to a folder, so that events may now come from the wrong one.
    FolderChanged,
    /// Nobody listens any more.
    Stop,
}

/// Asks the system for events in these folders.
pub(super) type Subscribe = fn(&[PathBuf], EventFilter) -> notify::Result<RecommendedWatcher>;

pub(super) fn subscribe(
    folders: &[PathBuf],
    filter: EventFilter,
) -> notify::Result<RecommendedWatcher> {
    let mut watcher = notify::recommended_watcher(move |event| filter.pass_on(event))?;
    for folder in folders {
        watcher.watch(folder, RecursiveMode::NonRecursive)?;
    }
    Ok(watcher)
}

/// Lets through the events that concern the state file.
pub(super) struct EventFilter {
    pub(super) names: Vec<OsString>,
    pub(super) folders: Vec<PathBuf>,
    pub(super) signals: mpsc::Sender<Signal>,
}

impl EventFilter {
    fn pass_on(&self, event: notify::Result<Event>) {
        let signal = match event {
            Ok(event) => self.judge(&event),
            // Events may have been lost, one about a folder too.
            Err(_) => Some(Signal::FolderChanged),
        };
        if let Some(signal) = signal {
            // Fails only if the watch has just ended.
            let _ = self.signals.send(signal);
        }
    }

    fn judge(&self, event: &Event) -> Option<Signal> {
        // Loading opens the file. Were that a hint, every load would call for the next one.
        if let EventKind::Access(kind) = event.kind
            && kind != AccessKind::Close(AccessMode::Write)
        {
            return None;
        }
        if event.need_rescan() || event.paths.iter().any(|path| self.folders.contains(path)) {
            return Some(Signal::FolderChanged);
        }
        let named = event.paths.iter().any(|path| {
            path.file_name()
                .is_some_and(|name| self.names.iter().any(|ours| ours == name))
        });
        named.then_some(Signal::Changed)
    }
}
