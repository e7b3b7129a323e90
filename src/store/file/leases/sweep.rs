//! Removes what nobody holds any more.

use std::{
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use super::{
    Leases, TEMPORARY,
    entry::{Entry, Wait},
};
use crate::store::file::lease_file::is_file_name;

/// When what a killed process left half-made, and what nobody understands, is removed. Far above
/// what a write takes, as the wall clock measures it.
pub(super) const STALE: Duration = Duration::from_secs(60 * 60);

impl Leases {
    /// Removes what nobody needs any more: leases that have lapsed, and what killed processes left.
    /// What cannot be removed harms nobody.
    pub(super) fn sweep(&self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let Some(name) = name.to_str() else {
                continue;
            };
            if is_file_name(name) {
                self.sweep_lease(&path, name);
            } else if name.starts_with('.') && name.ends_with(TEMPORARY) && is_stale(&path) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    pub(super) fn sweep_lease(&self, path: &Path, name: &str) {
        let is_over = |entry: &Entry| match entry {
            Entry::Live(..) => false,
            Entry::Lapsed(_) => true,
            Entry::Damaged => is_stale(path),
        };
        // A look first, as the lock would be in the way of a holder who renews.
        if let Ok(Some(entry)) = self.look(path, name)
            && is_over(&entry)
            && let Ok(Some(locked)) = self.lock_file(path, Wait::No)
            && is_over(&locked.entry)
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(%error, path = %path.display(), "a lease that is over is not removed");
        }
    }
}

/// Whether somebody may hold the lease of a damaged file: its holder would have written it again
/// since, and none outlives the machine.
pub(super) fn may_be_alive(path: &Path) -> bool {
    let started =
        crate::clock::steady::since_boot().and_then(|up| SystemTime::now().checked_sub(up));
    let is_of_before = started.is_some_and(|started| {
        fs::symlink_metadata(path)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| modified < started)
    });
    !is_of_before && !is_stale(path)
}

/// Whether a file is so old that nobody is at work on it.
pub(super) fn is_stale(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| {
            SystemTime::now()
                .duration_since(modified)
                .is_ok_and(|age| age >= STALE)
        })
}
