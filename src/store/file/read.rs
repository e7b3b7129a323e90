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
mod tests {
    use super::*;

    fn content(look: Result<Look, StoreError>) -> Option<Vec<u8>> {
        look.unwrap().content().map(<[u8]>::to_vec)
    }

    #[test]
    fn a_file_that_is_refilled_meanwhile_was_never_blank() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let refill = || fs::write(&path, "on").unwrap();
        assert_eq!(content(settle(&path, None, refill)), Some(b"on".to_vec()));
        fs::write(&path, "").unwrap();
        assert_eq!(content(settle(&path, None, refill)), Some(b"on".to_vec()));

        // Removed, made anew and then written: blank in two ways, one after the other.
        fs::remove_file(&path).unwrap();
        let mut steps = ["", "on"].into_iter();
        let step = || fs::write(&path, steps.next().unwrap()).unwrap();
        assert_eq!(content(settle(&path, None, step)), Some(b"on".to_vec()));
    }

    #[test]
    fn a_file_that_stays_blank_is_believed_and_then_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let waits = |before| {
            let mut waits = 0;
            settle(&path, before, || waits += 1).unwrap();
            waits
        };
        assert_eq!(waits(None), 1);
        assert_eq!(waits(Some(Blank::Missing)), 0);
        assert_eq!(waits(Some(Blank::Empty)), 1);

        fs::write(&path, "").unwrap();
        assert_eq!(waits(None), 1);
        assert_eq!(waits(Some(Blank::Missing)), 1);
        assert_eq!(waits(Some(Blank::Empty)), 0);

        fs::write(&path, "on").unwrap();
        assert_eq!(waits(None), 0);
    }

    #[test]
    fn a_missing_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let error = look(&folder.path().join("missing/state")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("missing does not exist; create"), "{text}");
    }

    #[test]
    fn a_file_in_place_of_the_folder_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        let text = look(&file.join("state")).unwrap_err().to_string();
        assert!(text.contains("correct the path"), "{text}");
    }

    #[test]
    fn a_folder_in_place_of_the_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let text = look(folder.path()).unwrap_err().to_string();
        assert!(text.contains("it is a folder"), "{text}");
    }

    #[test]
    fn a_file_that_is_too_large_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let file = File::create(&path).unwrap();
        file.set_len(SIZE_LIMIT).unwrap();
        look(&path).unwrap();
        file.set_len(SIZE_LIMIT + 1).unwrap();
        let text = look(&path).unwrap_err().to_string();
        assert!(text.contains("larger than 16 MiB"), "{text}");
    }

    #[cfg(unix)]
    mod unix {
        use std::{os::unix::fs::symlink, process::Command};

        use super::*;

        #[test]
        fn pipes_and_devices_are_an_error_at_once() {
            let folder = tempfile::tempdir().unwrap();
            let pipe = folder.path().join("pipe");
            let status = Command::new("mkfifo").arg(&pipe).status().unwrap();
            assert!(status.success());
            for path in [pipe.as_path(), Path::new("/dev/zero")] {
                let text = look(path).unwrap_err().to_string();
                assert!(text.contains("a device, a pipe or a socket"), "{text}");
            }
        }

        #[test]
        fn links_are_followed_from_folder_to_folder() {
            let folder = tempfile::tempdir().unwrap();
            let base = folder.path();
            fs::create_dir_all(base.join("a/b")).unwrap();
            symlink("a/b", base.join("c")).unwrap();
            symlink("../state", base.join("a/b/link")).unwrap();
            symlink(base.join("c/link"), base.join("first")).unwrap();
            // Seen through the link, `..` is the real folder's parent.
            fs::write(base.join("a/state"), "on").unwrap();

            let hops = follow_links(&base.join("first"));
            let expected = ["first", "c/link", "c/../state"].map(|hop| base.join(hop));
            assert_eq!(hops, expected);
            assert_eq!(fs::read(hops.last().unwrap()).unwrap(), b"on");
            assert_eq!(content(look(&base.join("first"))), Some(b"on".to_vec()));
        }

        #[test]
        fn a_link_into_a_missing_folder_is_an_error_and_into_a_folder_is_not() {
            let folder = tempfile::tempdir().unwrap();
            let link = folder.path().join("link");
            symlink("volume/state", &link).unwrap();
            let text = look(&link).unwrap_err().to_string();
            assert!(text.contains("volume does not exist"), "{text}");

            fs::create_dir(folder.path().join("volume")).unwrap();
            assert_eq!(content(look(&link)), None);
        }
    }
}
