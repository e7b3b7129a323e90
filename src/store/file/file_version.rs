//! What the outside of the state file shows: enough to see that it has changed.

use std::{
    fs::{self, Metadata},
    io::ErrorKind,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::read::folder_of;

/// The folders of the file and of the links that lead to it, each with its identity if it exists.
pub(super) type Folders = Vec<(PathBuf, Option<Identity>)>;

pub(super) fn folders_of(hops: &[PathBuf]) -> Folders {
    let mut folders = Folders::new();
    for hop in hops {
        let folder = folder_of(hop);
        if !folders.iter().any(|(known, _)| known == folder) {
            let metadata = fs::metadata(folder).ok();
            let identity = metadata
                .filter(Metadata::is_dir)
                .map(|metadata| Identity::of(&metadata));
            folders.push((folder.to_owned(), identity));
        }
    }
    folders
}

/// Tells a folder or file from another one that takes its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    #[cfg(unix)]
    device: u64,
    #[cfg(unix)]
    inode: u64,
    /// Where the system knows it. A folder that is made anew may get the old one's inode.
    created: Option<SystemTime>,
}

impl Identity {
    pub(super) fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt as _;

        Self {
            #[cfg(unix)]
            device: metadata.dev(),
            #[cfg(unix)]
            inode: metadata.ino(),
            created: metadata.created().ok(),
        }
    }
}

/// What a look from outside shows of the file. The time of the last read is not part of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FileVersion {
    Seen {
        identity: Identity,
        length: u64,
        modified: Option<SystemTime>,
        /// Also moves with a change of mode or owner, by which a file becomes readable.
        #[cfg(unix)]
        changed: (i64, i64),
    },
    Unseen(ErrorKind),
}

impl FileVersion {
    pub(super) fn of(path: &Path) -> Self {
        match fs::metadata(path) {
            Ok(metadata) => Self::Seen {
                identity: Identity::of(&metadata),
                length: metadata.len(),
                modified: metadata.modified().ok(),
                #[cfg(unix)]
                changed: {
                    use std::os::unix::fs::MetadataExt as _;

                    (metadata.ctime(), metadata.ctime_nsec())
                },
            },
            Err(error) => Self::Unseen(error.kind()),
        }
    }
}
