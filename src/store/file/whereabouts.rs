//! In which folder the state was seen last. A file that is missing from that folder was removed; one
//! that is missing from another folder, as of a volume that is not mounted any more, is lost.

use std::{fs, path::Path, sync::Arc};

use parking_lot::Mutex;

use super::{
    read::{folder_of, real_path},
    sighting::Identity,
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
mod tests {
    use super::*;
    use crate::store::{FileStore, Saved, Store};

    #[tokio::test]
    async fn a_state_that_is_missing_from_another_folder_is_lost_and_from_the_same_one_removed() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("volume");
        let kept = base.path().join("kept");
        fs::create_dir(&folder).unwrap();
        let store = FileStore::new(folder.join("state")).unwrap();
        assert_eq!(store.load().await.unwrap(), None, "nothing was ever there");
        let Saved::Stored(version) = store.save(b"on", None).await.unwrap() else {
            panic!("nobody else saves");
        };

        // As by `umount`: another folder is there now.
        fs::rename(&folder, &kept).unwrap();
        fs::create_dir(&folder).unwrap();
        for expected in [Some(&version), None] {
            let error = store.save(b"off", expected).await.unwrap_err().to_string();
            assert!(error.contains("mount the volume"), "{error}");
        }
        let error = store.load().await.unwrap_err().to_string();
        assert!(error.contains("is not the one in which it was"), "{error}");
        assert!(!folder.join("state").exists());

        fs::remove_dir_all(&folder).unwrap();
        fs::rename(&kept, &folder).unwrap();
        assert_eq!(store.load().await.unwrap().unwrap().document, b"on");
        fs::remove_file(folder.join("state")).unwrap();
        assert_eq!(store.load().await.unwrap(), None, "it was removed");
        assert!(matches!(
            store.save(b"on", None).await.unwrap(),
            Saved::Stored(_)
        ));

        // A folder that is made anew counts once somebody has written the state there.
        for _ in 0..3 {
            fs::remove_dir_all(&folder).unwrap();
            fs::create_dir(&folder).unwrap();
            store.load().await.unwrap_err();
            fs::write(folder.join("state"), "off").unwrap();
            assert_eq!(store.load().await.unwrap().unwrap().document, b"off");
        }
    }

    #[tokio::test]
    async fn what_an_earlier_process_knew_of_the_folder_counts() {
        let base = tempfile::tempdir().unwrap();
        let [one, other] = ["one", "other"].map(|name| {
            let folder = base.path().join(name);
            fs::create_dir(&folder).unwrap();
            FileStore::new(folder.join("state")).unwrap()
        });
        assert_eq!(one.folder(), None);
        one.save(b"on", None).await.unwrap();
        other.expect_folder(one.folder().unwrap());
        other.load().await.unwrap_err();
    }
}
