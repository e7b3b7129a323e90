//! Looking at the state file. Nothing here writes.

use std::{
    fs::{self, File, Metadata},
    io::{self, ErrorKind, Read as _},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::links;
use crate::store::{LARGEST_DOCUMENT, Loaded, StoreError, Version};

/// The largest document.
pub(super) const SIZE_LIMIT: u64 = LARGEST_DOCUMENT as u64;

/// How long a file that was just emptied or removed has to be refilled. A shell needs less than a
/// millisecond between truncating and writing.
const SETTLING: Duration = Duration::from_millis(25);

/// As many links as Linux follows.
const LINK_LIMIT: usize = 40;

/// What one look at the file found.
#[derive(Debug)]
pub(super) enum Look {
    /// The folder is there, the file is not.
    Missing,
    Present {
        content: Vec<u8>,
        metadata: Metadata,
    },
}

/// The two looks that may be a moment in the middle of somebody's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blank {
    Missing,
    Empty,
}

impl Blank {
    pub(super) fn of(content: Option<&[u8]>) -> Option<Self> {
        match content {
            None => Some(Self::Missing),
            Some([]) => Some(Self::Empty),
            Some(_) => None,
        }
    }
}

impl Look {
    pub(super) fn content(&self) -> Option<&[u8]> {
        match self {
            Self::Missing => None,
            Self::Present { content, .. } => Some(content),
        }
    }

    pub(super) fn blank(&self) -> Option<Blank> {
        Blank::of(self.content())
    }

    pub(super) fn into_loaded(self) -> Option<Loaded> {
        match self {
            Self::Missing => None,
            Self::Present { content, .. } => Some(Loaded {
                version: Version::new(content.as_slice()),
                document: content,
            }),
        }
    }
}

/// The path itself and, while it is a symbolic link, what it points to. The last one is the real
/// file, or the place where it would be.
pub(super) fn follow_links(path: &Path) -> Vec<PathBuf> {
    let mut hops = vec![path.to_owned()];
    let mut last = path.to_owned();
    // Whatever is wrong with the last hop shows when it is opened.
    while let Ok(target) = fs::read_link(&last)
        && hops.len() <= LINK_LIMIT
    {
        // A relative target counts from the link's own folder; an absolute one replaces it.
        last = folder_of(&last).join(target);
        hops.push(last.clone());
    }
    hops
}

/// The real file behind the path.
pub(super) fn real_path(path: &Path) -> PathBuf {
    follow_links(path).pop().unwrap_or_else(|| path.to_owned())
}

/// The folder that a file is in. The path is absolute.
pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(path)
}

/// Looks, and looks again while the file is empty or missing and was not so before: a shell's
/// `>` truncates before it writes, and editors remove before they re-create.
pub(super) fn look_settled(path: &Path, before: Option<Blank>) -> Result<Look, StoreError> {
    settle(path, before, || thread::sleep(SETTLING))
}

fn settle(
    path: &Path,
    mut before: Option<Blank>,
    mut wait: impl FnMut(),
) -> Result<Look, StoreError> {
    let mut found = look(path)?;
    // Bounded, should somebody remove and empty the file in turns.
    for _ in 0..8 {
        let blank = found.blank();
        if blank.is_none() || blank == before {
            break;
        }
        wait();
        before = blank;
        found = look(path)?;
    }
    Ok(found)
}

fn look(path: &Path) -> Result<Look, StoreError> {
    if let Err(error) = links::check(path) {
        return Err(StoreError::new(format!(
            "cannot read the maintenance state {}: {error}",
            path.display()
        ))
        .with_source(error));
    }
    // Opening a pipe waits for a writer and opening a device may do anything, so ask first.
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(metadata) => return Err(not_a_file(path, &metadata)),
        Err(error) if error.kind() == ErrorKind::NotFound => return missing(path),
        Err(error) => return Err(cannot_read(path, error)),
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return missing(path),
        Err(error) => return Err(cannot_read(path, error)),
    };
    read(&file).map_err(|error| cannot_read(path, error))
}

fn read(file: &File) -> io::Result<Look> {
    let metadata = file.metadata()?;
    let mut content = Vec::new();
    if metadata.len() <= SIZE_LIMIT {
        file.take(SIZE_LIMIT + 1).read_to_end(&mut content)?;
    }
    if metadata.len().max(content.len() as u64) > SIZE_LIMIT {
        return Err(ErrorKind::FileTooLarge.into());
    }
    Ok(Look::Present { content, metadata })
}

/// A file that is missing from its folder has not been stored yet. Without the folder nothing can
/// be said: it may be on a volume that is not mounted.
fn missing(path: &Path) -> Result<Look, StoreError> {
    let real = real_path(path);
    let folder = folder_of(&real);
    match fs::metadata(folder) {
        Ok(metadata) if metadata.is_dir() => Ok(Look::Missing),
        Ok(_) => Err(cannot_read(path, ErrorKind::NotADirectory.into())),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(StoreError::new(format!(
            "cannot read the maintenance state {}: its folder {} does not exist; create the \
             folder, or mount the volume that it is on",
            path.display(),
            folder.display(),
        ))),
        Err(error) => Err(cannot_read(path, error)),
    }
}

fn not_a_file(path: &Path, metadata: &Metadata) -> StoreError {
    let what = if metadata.is_dir() {
        "it is a folder"
    } else {
        "it is a device, a pipe or a socket"
    };
    StoreError::new(format!(
        "cannot read the maintenance state {}: {what}; name a regular file, which need not exist",
        path.display(),
    ))
    .permanent()
}

fn cannot_read(path: &Path, error: io::Error) -> StoreError {
    let shown = path.display();
    let reason = match error.kind() {
        ErrorKind::PermissionDenied => "permission denied; let the user that runs this program \
             read the file and enter the folders above it"
            .to_owned(),
        ErrorKind::FileTooLarge => format!(
            "it is larger than {} MiB, which no maintenance state is; name another file",
            SIZE_LIMIT / 1024 / 1024,
        ),
        ErrorKind::NotADirectory => {
            "a part of the path is a file, not a folder; correct the path".to_owned()
        }
        _ => format!("{error}; check the path and the file system that it is on"),
    };
    let told = StoreError::new(format!(
        "cannot read the maintenance state {shown}: {reason}"
    ));
    match error.kind() {
        ErrorKind::NotADirectory => told.permanent(),
        _ => told,
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
