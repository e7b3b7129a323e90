//! In which folder the state was seen last. A file that is missing from that folder was removed; one
//! that is missing from another folder, as of a volume that is not mounted any more, is lost.

use std::{fs, path::Path, sync::Arc};

use parking_lot::Mutex;

use super::{
    file_version::Identity,
    read::{folder_of, real_path},
};
use crate::store::StoreError;

/// The folder in which the state was seen last, if it was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Whereabouts(Arc<Mutex<Option<Identity>>>);

impl Whereabouts {
    pub(super) fn known(&self) -> Option<Identity> {
        *self.0.lock()
    }

    pub(super) fn expect(&self, folder: Identity) {
        *self.0.lock() = Some(folder);
    }

    /// Looks by `look`, which tells whether the file is there, and judges what it found.
    ///
    /// # Errors
    ///
    /// Those of `look`, and when the file is missing from another folder than that in which it was
    /// seen last.
    pub(super) fn judge<T>(
        &self,
        path: &Path,
        look: impl FnOnce() -> Result<T, StoreError>,
        is_there: impl FnOnce(&T) -> bool,
    ) -> Result<T, StoreError> {
        // Twice, since the folder may be replaced while the look lasts.
        let before = folder_at(path);
        let found = look()?;
        let after = folder_at(path);
        match (is_there(&found), self.known()) {
            (true, _) => {
                if let (Some(before), Some(after)) = (before, after)
                    && before == after
                {
                    self.expect(after);
                }
            }
            (false, Some(known)) if before != Some(known) || after != Some(known) => {
                return Err(lost(path));
            }
            (false, _) => {}
        }
        Ok(found)
    }
}

fn folder_at(path: &Path) -> Option<Identity> {
    let metadata = fs::metadata(folder_of(&real_path(path))).ok()?;
    Some(Identity::of(&metadata))
}

fn lost(path: &Path) -> StoreError {
    StoreError::new(format!(
        "cannot use the maintenance state {}: it is missing, and the folder {} is not the one in \
         which it was; mount the volume again, or, if the folder was made anew, write the state by \
         `maintenance on` or `maintenance off` at a shell",
        path.display(),
        folder_of(&real_path(path)).display(),
    ))
}

#[cfg(test)]
#[path = "whereabouts_tests.rs"]
mod tests;
