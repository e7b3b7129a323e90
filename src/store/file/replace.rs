//! Replacing the state file: all of it or nothing, and only if it is the one that was expected.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, File},
    io::{self, ErrorKind, Write as _},
    path::Path,
    time::Duration,
};

use tempfile::{Builder, NamedTempFile};

use super::{
    failure::cannot_store,
    lock::wait_for_turn,
    read::{Blank, Look, SIZE_LIMIT, folder_of, look_settled},
};
use crate::store::{Saved, StoreError, Version};

/// The end of a temporary file's name.
const TEMPORARY: &str = ".tmp";

/// How many random letters and digits a temporary file's name has.
const RANDOM_LENGTH: usize = 6;

/// Replaces the file behind `path` by `document` if it still holds `expected`.
pub(super) fn replace(
    path: &Path,
    document: &[u8],
    expected: Option<&Version>,
    patience: Duration,
) -> Result<Saved, StoreError> {
    if document.len() as u64 > SIZE_LIMIT {
        return Err(StoreError::new(format!(
            "cannot store the maintenance state in {}: it has {} bytes, and more than {} \
             could not be read again; cancel windows or shorten texts. The stored state is unchanged",
            path.display(),
            document.len(),
            SIZE_LIMIT,
        )));
    }
    let turn = wait_for_turn(path, patience)?;
    let expected = expected.map(Version::as_bytes);
    let stored = look_settled(path, Blank::of(expected))?;
    if stored.content() != expected {
        return Ok(Saved::Conflict(stored.into_loaded()));
    }

    let folder = folder_of(&turn.target);
    let failed = |step: &str| {
        let step = step.to_owned();
        move |error| cannot_store(path, folder, &step, error)
    };
    // Opened before anything changes: a folder that cannot be synced later is found out now.
    #[cfg(unix)]
    let folder_handle = File::open(folder).map_err(failed("cannot open the folder"))?;

    let name = turn.target.file_name().unwrap_or_default();
    remove_stale(folder, name);
    let temporary = write_temporary(folder, name, document, &stored)
        .map_err(failed("cannot write a temporary file"))?;
    // A failure removes the temporary file, as the error owns it.
    temporary
        .persist(&turn.target)
        .map_err(|error| failed("cannot rename the temporary file to it")(error.error))?;

    #[cfg(unix)]
    sync_folder(folder, &folder_handle).map_err(|error| {
        StoreError::new(format!(
            "the maintenance state in {} was replaced, but syncing the folder {} failed: {error}; \
             the change may be lost if the machine goes down, so check the disk",
            path.display(),
            folder.display(),
        ))
        .may_be_lost()
        .with_source(error)
    })?;
    Ok(Saved::Stored(Version::new(document)))
}

fn write_temporary(
    folder: &Path,
    name: &OsStr,
    document: &[u8],
    replaced: &Look,
) -> io::Result<NamedTempFile> {
    let prefix = temporary_prefix(name);
    let mut builder = Builder::new();
    builder
        .prefix(&prefix)
        .rand_bytes(RANDOM_LENGTH)
        .suffix(TEMPORARY);
    let mut temporary = builder.tempfile_in(folder)?;
    temporary.write_all(document)?;
    keep_access(temporary.as_file(), replaced, folder)?;
    temporary.as_file().sync_all()?;
    Ok(temporary)
}

fn keep_access(temporary: &File, replaced: &Look, folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;

        let Look::Present { metadata, .. } = replaced else {
            return super::access::open_to_those_of(temporary, folder);
        };
        let given = super::access::keep(temporary, metadata)?;
        if !given.owner && metadata.mode() & 0o004 == 0 {
            tracing::warn!(
                owner = metadata.uid(),
                group = metadata.gid(),
                "the maintenance state's owner could not be kept; its former owner can read it only \
                 as a member of its group",
            );
        }
    }
    #[cfg(not(unix))]
    let _ = (temporary, replaced, folder);
    Ok(())
}

/// The folders that a disk is broken under, in tests.
#[cfg(test)]
pub(crate) static BROKEN: parking_lot::Mutex<Vec<std::path::PathBuf>> =
    parking_lot::Mutex::new(Vec::new());

#[cfg(unix)]
fn sync_folder(path: &Path, folder: &File) -> io::Result<()> {
    #[cfg(test)]
    if BROKEN.lock().iter().any(|broken| broken == path) {
        // As the kernel says it: EIO.
        return Err(io::Error::from_raw_os_error(5));
    }
    #[cfg(not(test))]
    let _ = path;
    match folder.sync_all() {
        // File systems that cannot sync a folder have nothing to sync.
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::InvalidInput | ErrorKind::Unsupported
            ) =>
        {
            Ok(())
        }
        result => result,
    }
}

/// Removes what killed processes left behind. The lock is held, so no temporary file is in use.
fn remove_stale(folder: &Path, name: &OsStr) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name(), name)
            && entry.file_type().is_ok_and(|kind| kind.is_file())
            && let Err(error) = fs::remove_file(entry.path())
        {
            tracing::debug!(%error, path = %entry.path().display(), "stale file not removed");
        }
    }
}

fn temporary_prefix(name: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    prefix
}

/// Exact, so that the temporary files of a neighbour with a longer name are left alone.
fn is_temporary(candidate: &OsStr, name: &OsStr) -> bool {
    candidate
        .as_encoded_bytes()
        .strip_prefix(temporary_prefix(name).as_encoded_bytes())
        .and_then(|rest| rest.strip_suffix(TEMPORARY.as_bytes()))
        .is_some_and(|random| {
            random.len() == RANDOM_LENGTH && random.iter().all(u8::is_ascii_alphanumeric)
        })
}

#[cfg(test)]
pub(super) mod tests {
    use std::path::PathBuf;

    use tempfile::TempDir;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(5);

    pub(in crate::store::file) fn folder_with(content: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maintenance.state");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    pub(in crate::store::file) fn store(
        path: &Path,
        document: &str,
        expected: Option<&str>,
    ) -> Result<Saved, StoreError> {
        let expected = expected.map(|expected| Version::new(expected.as_bytes()));
        replace(path, document.as_bytes(), expected.as_ref(), PATIENCE)
    }

    pub(in crate::store::file) fn assert_stored(saved: Result<Saved, StoreError>, document: &str) {
        assert_eq!(
            saved.unwrap(),
            Saved::Stored(Version::new(document.as_bytes()))
        );
    }

    pub(in crate::store::file) fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn leaves_nothing_behind_but_the_file_and_its_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("maintenance.state");
        assert_stored(store(&path, "one", None), "one");
        assert_stored(store(&path, "two", Some("one")), "two");
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(
            names(folder.path()),
            ["maintenance.state", "maintenance.state.lock"]
        );
    }

    #[test]
    fn what_a_killed_writer_left_is_removed_and_nothing_else() {
        let (folder, path) = folder_with("one");
        let kept = [
            ".maintenance.state.AbCdE.tmp",
            ".maintenance.state.old.AbCdEf.tmp",
            ".maintenance.state.swp",
            ".other.state.AbCdEf.tmp",
            "maintenance.state.AbCdEf.tmp",
        ];
        for name in kept.iter().chain(&[".maintenance.state.AbCdEf.tmp"]) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_stored(store(&path, "two", Some("one")), "two");
        let mut expected: Vec<_> = kept.to_vec();
        expected.extend(["maintenance.state", "maintenance.state.lock"]);
        expected.sort_unstable();
        assert_eq!(names(folder.path()), expected);
    }

    #[test]
    fn a_temporary_file_is_recognised_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let name = OsStr::new("maintenance.state");
        let temporary = write_temporary(folder.path(), name, b"one", &Look::Missing).unwrap();
        let found = temporary.path().file_name().unwrap();
        assert!(is_temporary(found, name), "{found:?}");
        assert!(!is_temporary(found, OsStr::new("maintenance")), "{found:?}");
    }

    #[test]
    fn a_document_that_could_not_be_read_again_is_refused() {
        let (_folder, path) = folder_with("one");
        let large = " ".repeat(usize::try_from(SIZE_LIMIT).unwrap() + 1);
        let error = store(&path, &large, Some("one")).unwrap_err();
        assert!(
            error.to_string().contains("cancel windows or shorten"),
            "{error}"
        );
        assert_eq!(fs::read(&path).unwrap(), b"one");
    }

    #[test]
    fn a_missing_folder_is_an_error_and_is_not_made() {
        let base = tempfile::tempdir().unwrap();
        let folder = base.path().join("folder");
        let error = store(&folder.join("state"), "one", None).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("does not exist; create it"), "{text}");
        assert!(!folder.exists());
    }

    #[cfg(target_os = "linux")]
    mod as_root {
        use std::process::Command;

        use super::*;

        /// A folder with a small file system of its own.
        struct Mount(TempDir);

        impl Mount {
            fn new() -> Self {
                let folder = tempfile::tempdir().unwrap();
                let folder_path = folder.path().to_str().unwrap();
                run(
                    "mount",
                    &["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder_path],
                );
                Self(folder)
            }

            fn path(&self) -> &Path {
                self.0.path()
            }
        }

        impl Drop for Mount {
            fn drop(&mut self) {
                run("umount", &["-R", self.path().to_str().unwrap()]);
            }
        }

        fn run(program: &str, arguments: &[&str]) {
            let status = Command::new(program).args(arguments).status().unwrap();
            assert!(status.success(), "{program} {arguments:?}");
        }

        #[test]
        #[ignore = "needs root, mounts a small tmpfs"]
        fn a_full_disk_is_an_error_that_leaves_the_old_state() {
            let mount = Mount::new();
            let path = mount.path().join("state");
            assert_stored(store(&path, "one", None), "one");

            let mut filler = File::create(mount.path().join("filler")).unwrap();
            while filler.write_all(&[0; 4096]).is_ok() {}
            let error = store(&path, "two", Some("one")).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("the disk is full; free some space"), "{text}");
            assert_eq!(fs::read(&path).unwrap(), b"one");
            assert_eq!(names(mount.path()), ["filler", "state", "state.lock"]);

            drop(filler);
            fs::remove_file(mount.path().join("filler")).unwrap();
            assert_stored(store(&path, "two", Some("one")), "two");
        }

        #[test]
        #[ignore = "needs root, mounts a small tmpfs"]
        fn a_file_system_without_inodes_is_not_called_a_full_disk() {
            let mount = Mount::new();
            let path = mount.path().join("state");
            assert_stored(store(&path, "one", None), "one");
            run(
                "mount",
                &["-o", "remount,nr_inodes=4", mount.path().to_str().unwrap()],
            );
            let mut fillers = 0;
            while File::create(mount.path().join(format!("filler-{fillers}"))).is_ok() {
                fillers += 1;
            }
            let text = store(&path, "two", Some("one")).unwrap_err().to_string();
            assert!(text.contains("no inodes are left"), "{text}");
            assert!(!text.contains("full"), "{text}");
            assert_eq!(text.matches("No space").count(), 0, "told once: {text}");
            assert_eq!(fs::read(&path).unwrap(), b"one");
        }

        #[test]
        #[ignore = "needs root, mounts a small tmpfs"]
        fn a_read_only_file_system_is_an_error_and_can_still_be_read() {
            let mount = Mount::new();
            let path = mount.path().join("state");
            fs::write(&path, "one").unwrap();
            let remount = |mode| {
                let options = format!("remount,{mode}");
                run("mount", &["-o", &options, mount.path().to_str().unwrap()]);
            };
            remount("ro");
            let error = store(&path, "two", Some("one")).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("is read-only; make it writable"), "{text}");
            assert_eq!(names(mount.path()), ["state"]);
            assert_eq!(
                look_settled(&path, None).unwrap().content(),
                Some(b"one".as_slice())
            );

            // The lock file may be there from better days.
            remount("rw");
            fs::write(mount.path().join("state.lock"), "").unwrap();
            remount("ro");
            let text = store(&path, "two", Some("one")).unwrap_err().to_string();
            assert!(text.contains("is read-only; make it writable"), "{text}");
            assert_eq!(names(mount.path()), ["state", "state.lock"]);
        }

        #[test]
        #[ignore = "needs root, mounts a single file"]
        fn a_file_that_is_a_mount_point_is_an_error_that_says_to_mount_the_folder() {
            let mount = Mount::new();
            let (_folder, outside) = folder_with("one");
            let path = mount.path().join("state");
            fs::write(&path, "").unwrap();
            run(
                "mount",
                &["--bind", outside.to_str().unwrap(), path.to_str().unwrap()],
            );
            let error = store(&path, "two", Some("one")).unwrap_err();
            let text = error.to_string();
            assert!(text.contains("mount its folder"), "{text}");
            assert_eq!(fs::read(&path).unwrap(), b"one");
            assert_eq!(names(mount.path()), ["state", "state.lock"]);
        }
    }
}
