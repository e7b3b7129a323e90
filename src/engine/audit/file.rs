//! The file of the audit: lines are only ever added, by several processes perhaps.

use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use crate::core::audit::AuditEntry;

/// How much of the file is read from its end.
const READ_BACK: u64 = 1024 * 1024;
/// How much is read first.
const USUALLY_READ_BACK: u64 = 64 * 1024;

/// The file, opened to be added to.
#[derive(Debug)]
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
}

impl AuditFile {
    /// # Errors
    ///
    /// When it cannot be opened or made.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true);
        let existing = options.open(path);
        let mut file = match existing {
            Err(error) if error.kind() == io::ErrorKind::NotFound => make(path)?,
            other => other?,
        };
        // A line that a crash has cut off must not swallow the next one.
        if file.seek(SeekFrom::End(-1)).is_ok() {
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                file.write_all(b"\n")?;
            }
        }
        Ok(Self {
            path: path.to_owned(),
            file,
        })
    }

    /// Whether it is still what its name stands for. Not after it was renamed to be kept.
    pub(super) fn is_current(&self) -> bool {
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt as _;

            let opened = self.file.metadata();
            let named = std::fs::metadata(&self.path);
            matches!((opened, named), (Ok(opened), Ok(named))
                if opened.ino() == named.ino() && opened.dev() == named.dev())
        }
        #[cfg(not(unix))]
        {
            self.path.exists()
        }
    }

    /// Adds whole lines, as one write, so that those of several processes do not mix; they are on
    /// the disk when it returns.
    pub(super) fn add(&mut self, lines: &str) -> io::Result<()> {
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()
    }
}

/// Makes the file for those who take part in its folder: what root has begun at a shell, the app
/// goes on with.
fn make(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = match options.open(path) {
        Ok(file) => file,
        // Another process was faster.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return OpenOptions::new().read(true).append(true).open(path);
        }
        Err(error) => return Err(error),
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    #[cfg(unix)]
    crate::store::file::open_to_those_of(&file, folder)?;
    // That it is there has to survive a crash as well.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(file)
}

/// The latest entries of a file that fit, so many at most, the oldest first. What is no entry is left
/// out; a file that there is not yet has none.
pub(super) fn latest(
    path: &Path,
    most: usize,
    fits: impl Fn(&AuditEntry) -> bool,
) -> io::Result<Vec<AuditEntry>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    // Mostly a short piece has enough of them, and whoever looks often is to cost little memory.
    let mut entries = last_entries(&mut file, USUALLY_READ_BACK, most, &fits)?;
    if entries.len() < most {
        entries = last_entries(&mut file, READ_BACK, most, &fits)?;
    }
    entries.reverse();
    Ok(entries)
}

/// The same of the end of a file, the latest first.
fn last_entries(
    file: &mut File,
    length: u64,
    most: usize,
    fits: impl Fn(&AuditEntry) -> bool,
) -> io::Result<Vec<AuditEntry>> {
    let start = file.metadata()?.len().saturating_sub(length);
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    // The first line may be the end of one.
    let lines: Vec<&str> = text.lines().skip(usize::from(start > 0)).collect();
    let latest_first = lines.into_iter().rev().filter_map(AuditEntry::read);
    Ok(latest_first.filter(fits).take(most).collect())
}
