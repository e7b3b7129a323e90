//! Why the state file could not be written, and what to do about it.

use std::{
    io::{self, ErrorKind},
    path::Path,
};

use crate::store::StoreError;

/// The error of a step that failed before the file was replaced.
pub(super) fn cannot_store(path: &Path, folder: &Path, step: &str, error: io::Error) -> StoreError {
    StoreError::new(format!(
        "cannot store the maintenance state in {}: {step}: {}. The stored state is unchanged",
        path.display(),
        reason(folder, &error),
    ))
}

/// What is not permitted, in words that say themselves what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Explained(pub(super) String);

impl From<Explained> for io::Error {
    fn from(explained: Explained) -> Self {
        Self::new(ErrorKind::PermissionDenied, explained)
    }
}

/// Why writing in a folder failed, and what to do about it.
pub(super) fn reason(folder_path: &Path, error: &io::Error) -> String {
    let folder = folder_path.display();
    match error.kind() {
        ErrorKind::StorageFull if has_no_inodes(folder_path) => format!(
            "the file system of {folder} has room, but no inodes are left for more files; remove \
             some files (`df -i` shows the figures) and try again"
        ),
        ErrorKind::StorageFull => "the disk is full; free some space and try again".to_owned(),
        ErrorKind::QuotaExceeded => {
            "the disk quota is used up; free some space or raise the quota, and try again"
                .to_owned()
        }
        ErrorKind::ReadOnlyFilesystem => format!(
            "the file system of {folder} is read-only; make it writable, or keep the state elsewhere"
        ),
        ErrorKind::PermissionDenied
            if error.get_ref().is_some_and(|error| error.is::<Explained>()) =>
        {
            error.to_string()
        }
        ErrorKind::PermissionDenied => format!(
            "{error}; let the user that runs this program create and rename files in {folder}, \
             and own the file or belong to its group"
        ),
        ErrorKind::NotFound => format!(
            "the folder {folder} does not exist; create it, or mount the volume that it is on"
        ),
        ErrorKind::ResourceBusy => format!(
            "the file itself is a mount point (a single file mounted into a container?), so that \
             it cannot be replaced; mount its folder {folder} instead"
        ),
        ErrorKind::Unsupported => format!(
            "{error}; the file system of {folder} lacks what a safe change needs; keep the state \
             on a local disk or in another kind of store"
        ),
        _ => format!("{error}; check the file system of {folder}"),
    }
}

/// Whether it is the number of files that is used up, which the system calls a full disk, too.
fn has_no_inodes(folder: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        // File systems without a limit say zero of both.
        rustix::fs::statvfs(folder)
            .is_ok_and(|figures| figures.f_files > 0 && figures.f_favail == 0)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        false
    }
}
