//! The small copy beside a node of what it knew last, which counts when the node starts again while
//! the store cannot be read.
//!
//! It is one file, replaced as a whole after each change. Whatever is wrong with it harms nothing but
//! that start: it is told once, and the node goes on without.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::{task::spawn_blocking, time::timeout};

use crate::{
    core::{schedule::duration_in_words, state::Document, text::hexadecimal},
    store::{
        FileStore,
        file::{
            beside::{path_beside, remove_stale, replace_whole},
            file_version::Identity,
        },
    },
};

/// The end of the file's name.
const END: &str = ".memory";

/// The folder within the cache of the user.
const CACHE: &str = "actix-maintenance-mode";

/// How long a disk may take. Then it goes on without the copy.
const PATIENCE: Duration = Duration::from_secs(1);

/// Where the copy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// There is none, as the store needs none.
    Nowhere,
    /// No folder for it is to be had.
    NoFolder,
    /// Beside the state file, for those who may read that one.
    Beside(PathBuf),
    /// A file in a folder that is made for it.
    In { folder: PathBuf, name: String },
}

/// What kind of store the copy is of.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Of<'a> {
    /// It ends with the process.
    Memory,
    /// The state file.
    File(&'a Path),
    /// Another machine's. Only the features have such stores.
    #[cfg_attr(
        not(any(feature = "redis", feature = "postgres", feature = "object-store")),
        allow(dead_code)
    )]
    Remote,
    /// A store of the app's own, whose URL another one may have, too.
    Custom,
}

impl Place {
    /// `named` is the folder from the settings; `variables` are those of the environment.
    pub(crate) fn of(
        store: Of<'_>,
        url: &str,
        named: Option<&Path>,
        variables: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let folder = match (store, named) {
            (Of::Memory, _) | (Of::Custom, None) => return Self::Nowhere,
            (_, Some(folder)) => Some(folder.to_owned()),
            (Of::File(state_file), None) => return Self::Beside(state_file.to_owned()),
            (Of::Remote, None) => default_folder(variables),
        };
        // The working directory may be another one later.
        let folder = folder.and_then(|folder| std::path::absolute(folder).ok());
        folder.map_or(Self::NoFolder, |folder| Self::In {
            folder,
            name: file_name(url),
        })
    }

    fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Nowhere | Self::NoFolder => None,
            Self::Beside(state_file) => Some(path_beside(state_file, END)),
            Self::In { folder, name } => Some(folder.join(name)),
        }
    }
}

/// The folder that systemd made for the state of this service, or the cache of this user.
fn default_folder(variables: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let named = |name: &str| variables(name).filter(|value| !value.is_empty());
    if let Some(folders) = named("STATE_DIRECTORY") {
        // Several are separated as in PATH; the first is the service's main one.
        return env::split_paths(&folders).next();
    }
    let cache = if cfg!(windows) {
        named("LOCALAPPDATA").map(PathBuf::from)
    } else {
        let of_home = || Some(PathBuf::from(named("HOME")?).join(".cache"));
        named("XDG_CACHE_HOME").map(PathBuf::from).or_else(of_home)
    };
    cache
        .filter(|cache| cache.is_absolute())
        .map(|cache| cache.join(CACHE))
}

/// Tells the copies of several stores apart.
fn file_name(url: &str) -> String {
    let hash = Sha256::digest(url.as_bytes());
    format!("maintenance-{}{END}", hexadecimal(&hash[..8]))
}

/// The copy as a file holds it.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    /// The URL of the store, which also tells a person what the file is.
    store: String,
    /// When the store was found to hold this.
    at: Timestamp,
    /// The folder of a state file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    folder: Option<Identity>,
    document: Document,
}

/// What this node knew last, before it started.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Remembered {
    pub(crate) at: Timestamp,
    pub(crate) document: Document,
    folder: Option<Identity>,
}

/// The copy of what one store held.
#[derive(Debug)]
pub(crate) struct LocalCopy {
    url: String,
    place: Place,
    /// The store that knows folders, if it is one.
    files: Option<FileStore>,
    /// Whether a disk has still not done what it was asked.
    hangs: Arc<AtomicBool>,
    /// Whether it was told that there is no copy.
    is_told: AtomicBool,
    /// Whether what killed processes left behind was looked for.
    is_swept: AtomicBool,
}

impl LocalCopy {
    pub(crate) fn new(url: String, place: Place) -> Self {
        Self {
            url,
            place,
            files: None,
            hangs: Arc::default(),
            is_told: AtomicBool::new(false),
            is_swept: AtomicBool::new(false),
        }
    }

    /// Keeps in mind in which folder the state is, too.
    pub(crate) fn of_files(mut self, store: FileStore) -> Self {
        self.files = Some(store);
        self
    }

    /// Holds the store to the folder in which an earlier process saw the state last.
    pub(crate) fn expect_folder(&self, remembered: Option<&Remembered>) {
        // A copy beside the state is in that folder itself.
        if let (false, Some(files), Some(folder)) = (
            self.is_shared(),
            &self.files,
            remembered.and_then(|it| it.folder),
        ) {
            files.expect_folder(folder);
        }
    }

    /// Whether every program that changes the state renews the copy, and not only nodes.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.place, Place::Beside(_))
    }

    /// Reads the copy. `None`: there is none that could be used.
    pub(crate) async fn read(&self) -> Option<Remembered> {
        let path = self.place.path()?;
        let url = match self.place {
            // The file beside it is meant, by whatever links one comes.
            Place::Beside(_) => None,
            _ => Some(self.url.clone()),
        };
        let shown = path.display().to_string();
        match self.on_the_disk(move || read(&path, url.as_deref())).await {
            Ok(remembered) => remembered,
            Err(reason) => {
                self.tell(&format!("cannot read {shown}: {reason}"));
                None
            }
        }
    }

    /// Replaces the copy. `false`: there is none now that could be used.
    pub(crate) async fn keep(&self, document: &Document, at: Timestamp) -> bool {
        let content = Content {
            store: self.url.clone(),
            at,
            folder: self.files.as_ref().and_then(FileStore::folder),
            document: document.clone(),
        };
        let place = self.place.clone();
        match place {
            Place::Nowhere => return true,
            Place::NoFolder => {
                self.tell("neither STATE_DIRECTORY nor a home folder is set");
                return true;
            }
            Place::Beside(_) | Place::In { .. } => {}
        }
        let is_first = !self.is_swept.swap(true, Ordering::Relaxed);
        let work = move || write(&place, &content, is_first);
        let outcome = self.on_the_disk(work).await;
        match outcome {
            Ok(()) => {
                self.is_told.store(false, Ordering::Relaxed);
                true
            }
            Err(reason) => {
                let path = self.place.path().unwrap_or_default();
                self.tell(&format!("cannot write {}: {reason}", path.display()));
                false
            }
        }
    }

    async fn on_the_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> Result<T, String> {
        // What hangs cannot be called back, and must not pile up.
        if self.hangs.swap(true, Ordering::SeqCst) {
            return Err("the disk hangs".to_owned());
        }
        let hangs = Arc::clone(&self.hangs);
        let work = move || {
            let outcome = work();
            hangs.store(false, Ordering::SeqCst);
            outcome
        };
        match timeout(PATIENCE, spawn_blocking(work)).await {
            Ok(Ok(outcome)) => outcome.map_err(|error| error.to_string()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!(
                "the disk has not answered within {}",
                duration_in_words(PATIENCE)
            )),
        }
    }

    /// Tells once that there is no copy, until there is one.
    fn tell(&self, reason: &str) {
        if !self.is_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                reason,
                "this node keeps no copy of the maintenance state, so that it will know nothing if \
                 it starts while the store cannot be read; name a folder for it in `node.memory`"
            );
        }
    }
}

fn read(path: &Path, url: Option<&str>) -> io::Result<Option<Remembered>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let content: Content = serde_json::from_slice(&bytes)?;
    // By a folder that somebody has copied.
    if url.is_some_and(|url| content.store != url) {
        return Err(io::Error::other(format!(
            "it is the copy of another store, {}",
            content.store
        )));
    }
    Ok(Some(Remembered {
        at: content.at,
        folder: content.folder,
        document: content.document,
    }))
}

fn write(place: &Place, content: &Content, is_first: bool) -> io::Result<()> {
    let mut bytes = serde_json::to_vec_pretty(content)?;
    bytes.push(b'\n');
    let Some(path) = place.path() else {
        return Ok(());
    };
    let readers_of = match place {
        Place::Beside(state_file) => Some(state_file.as_path()),
        // Made only here: the folder of a state file is missing while its volume is not mounted.
        Place::In { folder, .. } => {
            fs::create_dir_all(folder)?;
            None
        }
        Place::Nowhere | Place::NoFolder => None,
    };
    if is_first {
        remove_stale(&path);
    }
    replace_whole(&path, &bytes, readers_of)
}

#[cfg(test)]
#[path = "local_copy_tests.rs"]
mod tests;
