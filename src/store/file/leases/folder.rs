//! The folder of the leases and the files in it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use super::Leases;
use crate::store::{
    Lease, LiveLease, StoreError, UNREADABLE,
    file::{
        failure::reason,
        lease_file::{SIZE_LIMIT, is_file_name, lease_name},
        links,
        lock::is_still_at,
        read::{folder_of, real_path},
    },
};

impl Leases {
    /// The folder of the leases, which need not exist. The folder of the state must, or else the
    /// leases may be on a volume that is not mounted.
    pub(super) fn folder(&self) -> Result<PathBuf, StoreError> {
        // Beside the real file, so that those who come by a link and those who do not agree.
        let target = real_path(&self.state);
        let around = folder_of(&target);
        if let Err(error) = fs::metadata(around) {
            return Err(StoreError::new(format!(
                "cannot use leases beside the maintenance state {}: {}",
                self.state.display(),
                reason(around, &error),
            ))
            .with_source(error));
        }
        let mut folder = target.into_os_string();
        folder.push(".leases");
        let folder = PathBuf::from(folder);
        links::check(&self.state)
            .and_then(|()| links::check(&folder))
            .map_err(|error| {
                StoreError::new(format!(
                    "cannot use leases beside the maintenance state {}: {error}",
                    self.state.display()
                ))
                .with_source(error)
            })?;
        Ok(folder)
    }
}

pub(super) fn lease_files_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // Nobody has put a lease yet.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string()
            && is_file_name(&name)
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Reads a file. What is no file, or too large for a lease, reads as nothing, which is damage.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let gone = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Ok(None),
        _ => Err(error),
    };
    // Opening a pipe waits for a writer, so ask first.
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(Some(Vec::new())),
        Err(error) => return gone(error),
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return gone(error),
    };
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        bytes.clear();
    }
    Ok(Some(bytes))
}

pub(super) fn open_to_lock(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("{} is no regular file; remove it", path.display()),
            ));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // Another user's. Most file systems let a reader lock as well.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(path).map(Some),
        Err(error) => Err(error),
    }
}

/// Tries to lock an open file. The lock counts only if the file is still the one at the path.
pub(super) fn take(file: &File, path: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(is_still_at(file, path)),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The lease of a file that holds none: somebody's, who may be at work.
pub(super) fn unreadable(file: &str) -> Option<LiveLease> {
    Some(LiveLease {
        lease: Lease::new(lease_name(file)?, UNREADABLE, "").ok()?,
        // Nobody can tell for how long. It is there again at the next look.
        expires_in: Duration::ZERO,
    })
}

/// Lets those read a lease who take part, whatever the umask: one who could not would have to fail,
/// since nothing may be missing from a list.
pub(super) fn open_to_readers_of(file: &File, folder: &Path) {
    #[cfg(unix)]
    {
        // Best effort, as above.
        let _ = crate::store::file::access::open_to_those_of(file, folder);
    }
    #[cfg(not(unix))]
    let _ = (file, folder);
}
