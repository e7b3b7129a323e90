//! The folder of the leases, and whether it is still the one that was made first.
//!
//! A list of leases says nothing of those that were in a folder that somebody has removed. So the lock
//! file beside it notes that there was one, and one that is made afterwards says so by a file in it. No
//! list is believed then before it is told by a lease how long it has been kept
//! ([`Store::life`](crate::store::Store::life)).

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Read as _, Write as _},
    path::Path,
    thread,
    time::Duration,
};

use tempfile::Builder;

use super::{links, lock, read::folder_of};

/// What the lock file holds from the first folder on.
const NOTE: &[u8] = b"leases\n";
/// The file in a folder that is not the first.
const AGAIN: &str = "made-again";
/// How long the one who makes the folder may take for the last step.
const MOMENT: Duration = Duration::from_millis(100);
const PAUSE: Duration = Duration::from_millis(1);

/// Makes the folder unless it is there.
pub(super) fn make(folder: &Path, lock: &Path) -> io::Result<()> {
    let was_there = noted(lock) || !note(lock);
    if folder.is_dir() {
        return Ok(());
    }
    if was_there {
        // Another may be about to make the first one.
        for _ in 0..MOMENT.as_millis() / PAUSE.as_millis() {
            thread::sleep(PAUSE);
            if folder.is_dir() {
                return Ok(());
            }
        }
    }
    let around = folder_of(folder);
    let mut builder = Builder::new();
    builder.prefix(".leases-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let made = builder.tempdir_in(around)?;
    open_as(made.path(), around);
    if was_there {
        File::create(made.path().join(AGAIN))?;
    }
    match rename_to_nothing(made.path(), folder) {
        Ok(()) => {
            // It is elsewhere now, and stays.
            let _ = made.keep();
            Ok(())
        }
        // Somebody else was faster.
        Err(_) if folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Renames a folder to what there must not be yet. By itself a rename would take the place of an empty
/// folder, in which somebody may be about to write.
fn rename_to_nothing(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    {
        use rustix::{
            fs::{CWD, RenameFlags, renameat_with},
            io::Errno,
        };
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems over a network do not know of it.
            Err(Errno::INVAL | Errno::NOSYS) => {}
            outcome => return Ok(outcome?),
        }
    }
    fs::rename(from, to)
}

/// Whether the folder is another than the first, or is gone.
pub(super) fn is_another(folder: &Path, lock: &Path) -> bool {
    match folder.is_dir() {
        true => folder.join(AGAIN).exists(),
        false => noted(lock),
    }
}

/// Whether there was a folder. Where nobody can tell, there may have been.
fn noted(lock: &Path) -> bool {
    let mut begin = [0; NOTE.len()];
    let read = links::check(lock)
        .and_then(|()| File::open(lock))
        .and_then(|mut file| file.read(&mut begin));
    match read {
        Ok(count) => count > 0,
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

/// Notes that there is one. Returns whether this one has noted it.
fn note(lock: &Path) -> bool {
    links::check(lock)
        .and_then(|()| lock::open(lock))
        .and_then(|mut file| file.write_all(NOTE))
        .is_ok()
}

/// Lets those in who may use the folder around it.
fn open_as(folder: &Path, around: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        // Best effort: where it fails, the process's own umask decides.
        let _ = fs::metadata(around).and_then(|around| {
            let mode = around.mode() & 0o7777;
            super::access::give(&File::open(folder)?, around.uid(), around.gid(), mode)
        });
    }
    #[cfg(not(unix))]
    {
        let _ = (folder, around);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn paths(folder: &Path) -> (PathBuf, PathBuf) {
        (folder.join("state.leases"), folder.join("state.lock"))
    }

    #[test]
    fn a_folder_that_is_removed_is_another_when_it_is_back() {
        let around = tempfile::tempdir().unwrap();
        let (folder, lock) = paths(around.path());
        assert!(!is_another(&folder, &lock), "nothing was lost");
        for _ in 0..2 {
            make(&folder, &lock).unwrap();
            assert!(!is_another(&folder, &lock));
        }
        for _ in 0..2 {
            fs::remove_dir_all(&folder).unwrap();
            assert!(is_another(&folder, &lock), "gone");
            make(&folder, &lock).unwrap();
            assert!(is_another(&folder, &lock), "made again");
        }
        let left = fs::read_dir(around.path()).unwrap().count();
        assert_eq!(left, 2, "no temporary folder is left");
    }

    #[test]
    fn a_folder_that_is_older_than_the_note_is_noted() {
        let around = tempfile::tempdir().unwrap();
        let (folder, lock) = paths(around.path());
        fs::create_dir(&folder).unwrap();
        File::create(&lock).unwrap();
        make(&folder, &lock).unwrap();
        assert!(!is_another(&folder, &lock));
        fs::remove_dir_all(&folder).unwrap();
        assert!(is_another(&folder, &lock));
    }

    #[test]
    fn of_many_who_make_the_first_one_none_takes_it_for_another() {
        for _ in 0..20 {
            let around = tempfile::tempdir().unwrap();
            let (folder, lock) = paths(around.path());
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| make(&folder, &lock).unwrap());
                }
            });
            assert!(!is_another(&folder, &lock));
        }
    }
}
