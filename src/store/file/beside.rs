//! A small file that is replaced as a whole, beside the state file for the same readers or elsewhere
//! for nobody else.

use std::{
    ffi::OsStr,
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::read::{folder_of, real_path};

const TEMPORARY: &str = ".tmp";

/// After this long a temporary file is what a killed process left behind: writing takes no time, and
/// where a disk hangs that long, the writer finds its file gone and tries again.
const STALE: Duration = Duration::from_secs(5);

/// The path of a file beside the real state file, named after it.
pub(crate) fn path_beside(state_file: &Path, end: &str) -> PathBuf {
    let mut path = real_path(state_file).into_os_string();
    path.push(end);
    PathBuf::from(path)
}

/// Replaces the file by a rename, so that nobody reads a part of it. It survives the process, and is
/// not synced to the disk: whoever needs that uses the store.
///
/// It gets the owner, group and mode of `readers_of`, as far as that may be; else it is private.
pub(crate) fn replace_whole(
    path: &Path,
    content: &[u8],
    readers_of: Option<&Path>,
) -> io::Result<()> {
    let folder = folder_of(path);
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(path.file_name().unwrap_or_default());
    prefix.push(".");
    let mut temporary = tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(TEMPORARY)
        .tempfile_in(folder)?;
    temporary.write_all(content)?;
    #[cfg(unix)]
    if let Some(replaced) = readers_of.and_then(|file| fs::metadata(file).ok()) {
        // A copy that fewer can read is better than none.
        let _ = super::access::keep(temporary.as_file(), &replaced);
    }
    #[cfg(not(unix))]
    let _ = readers_of;
    temporary.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Removes what killed processes left behind of the file's temporary ones.
pub(crate) fn remove_stale(path: &Path) {
    let name = path.file_name().unwrap_or_default();
    let Ok(entries) = fs::read_dir(folder_of(path)) else {
        return;
    };
    for entry in entries.flatten() {
        let is_stale = || {
            let modified = entry.metadata().ok()?.modified().ok()?;
            Some(SystemTime::now().duration_since(modified).ok()? > STALE)
        };
        if is_temporary(&entry.file_name(), name) && is_stale() == Some(true) {
            // Another process may have been faster.
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn is_temporary(candidate: &OsStr, name: &OsStr) -> bool {
    candidate
        .as_encoded_bytes()
        .strip_prefix(b".")
        .and_then(|rest| rest.strip_prefix(name.as_encoded_bytes()))
        .and_then(|rest| rest.strip_prefix(b"."))
        .is_some_and(|rest| rest.ends_with(TEMPORARY.as_bytes()))
}

#[cfg(test)]
#[path = "beside_tests.rs"]
mod tests;
