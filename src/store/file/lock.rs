//! The lock file, by which writers in any process take turns.

use std::{
    fs::{self, File, Metadata, OpenOptions, TryLockError},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use super::{
    failure::cannot_store,
    links,
    read::{folder_of, real_path},
};
use crate::{core::schedule::duration_in_words, store::StoreError};

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

/// The turn of one writer; it ends when this is dropped, or with the process.
///
/// The lock file stays: whoever removed it would let two others in at once.
#[derive(Debug)]
pub(super) struct Turn {
    /// The real file that may be replaced now.
    pub(super) target: PathBuf,
    _lock: File,
}

/// Waits for the turn to replace the file behind `path`.
///
/// The lock is beside the real file, so that those who come by a link and those who do not agree.
pub(super) fn wait_for_turn(path: &Path, patience: Duration) -> Result<Turn, StoreError> {
    let started = Instant::now();
    let mut pause = SHORTEST_PAUSE;
    loop {
        let target = real_path(path);
        let lock_path = lock_path(&target);
        let failed = |error| {
            let step = format!("cannot lock {}", lock_path.display());
            cannot_store(path, folder_of(&target), &step, error)
        };
        let lock = links::check(path)
            .and_then(|()| links::check(&lock_path))
            .and_then(|()| open(&lock_path))
            .map_err(failed)?;
        match lock.try_lock() {
            // The lock file may have been removed, or the link changed, while this one waited.
            Ok(()) if is_still_at(&lock, &lock_path) && real_path(path) == target => {
                return Ok(Turn {
                    target,
                    _lock: lock,
                });
            }
            Ok(()) | Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if started.elapsed() >= patience {
            return Err(StoreError::new(format!(
                "cannot store the maintenance state in {}: another process has held the lock \
                 file {} for {}; find it (for example with `fuser`) and end it if it \
                 hangs, then try again. The stored state is unchanged",
                path.display(),
                lock_path.display(),
                duration_in_words(patience),
            )));
        }
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

pub(super) fn lock_path(target: &Path) -> PathBuf {
    let mut path = target.as_os_str().to_owned();
    path.push(".lock");
    PathBuf::from(path)
}

pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            // Best effort: where it fails, the process's own umask decides who can lock.
            let _ =
                fs::metadata(folder_of(path)).and_then(|folder| open_to_writers_of(&file, &folder));
            return Ok(file);
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    match options.open(path) {
        // Most file systems let a reader lock as well.
        Err(error) if error.kind() == ErrorKind::PermissionDenied && path.is_file() => {
            File::open(path)
        }
        result => result,
    }
}

/// Lets those lock who may write in the folder, and nobody else. Else a lock file made by root
/// would keep out the app, and one that anybody can open would let anybody block the writers.
fn open_to_writers_of(lock: &File, folder: &Metadata) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let writers = folder.mode() & 0o222;
        super::access::give(lock, folder.uid(), folder.gid(), writers | writers << 1).map(|_| ())
    }
    #[cfg(not(unix))]
    {
        let _ = (lock, folder);
        Ok(())
    }
}

#[cfg(unix)]
pub(super) fn is_still_at(lock: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    match (lock.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Elsewhere an open file cannot be removed.
#[cfg(not(unix))]
pub(super) fn is_still_at(_lock: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
#[path = "lock_tests.rs"]
mod tests;
