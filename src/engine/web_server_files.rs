//! The flag and the page as files, kept in step with what is.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};

use crate::{
    core::{phase::Phase, snapshot::Snapshot, state::DEFAULT_MODE, status::WebServerStatus},
    engine::shared::Shared,
    settings::{Access, WebServerSettings},
};

/// How long the file system may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause before files that could not be written are tried again.
const RETRY: Duration = Duration::from_secs(5);
/// What the flag says to a person who looks into it. The web server only asks whether it is there.
const FLAG_TEXT: &[u8] =
    b"The site is offline for maintenance. This file is removed when it is back.\n";

/// The files that the settings name, and whether the last attempt at them failed.
#[derive(Debug)]
pub(crate) struct WebServerFiles {
    flag: Option<PathBuf>,
    page: Option<PathBuf>,
    error: ArcSwapOption<String>,
}

/// How far the driver has followed with the files.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    /// The number of the snapshot that the files are in step with.
    number: Option<u64>,
    pub(crate) retry: Option<Instant>,
}

/// What the files are to be.
struct Wanted {
    flag: Option<(PathBuf, bool)>,
    page: Option<(PathBuf, Vec<u8>)>,
}

impl WebServerFiles {
    pub(crate) fn new(settings: &WebServerSettings) -> Self {
        Self {
            flag: settings.flag.clone(),
            page: settings.page.clone(),
            error: ArcSwapOption::empty(),
        }
    }

    /// `None` when the settings name no file.
    pub(crate) fn status(&self) -> Option<WebServerStatus> {
        (self.flag.is_some() || self.page.is_some()).then(|| WebServerStatus {
            flag: self.flag.clone(),
            page: self.page.clone(),
            error: self.error.load().as_deref().cloned(),
        })
    }

    pub(crate) fn has_page(&self) -> bool {
        self.page.is_some()
    }

    /// Whether there is anything to look after now.
    pub(crate) fn is_due(&self, followed: &Followed, shared: &Shared) -> bool {
        let has_files = self.flag.is_some() || self.page.is_some();
        let is_news = followed.number != Some(shared.published.snapshot().number);
        has_files && (is_news || followed.retry.is_some_and(|retry| retry <= Instant::now()))
    }

    /// Brings the files in step with the snapshot in force.
    ///
    /// Looks at what is there each time: another process may see to the same files, and of two the
    /// one that hears of a change last has the last word.
    ///
    /// A page that is left to others is looked at again: this process may become one of the nodes.
    pub(crate) async fn follow(&self, followed: &mut Followed, shared: &Shared, makes_page: bool) {
        let snapshot = shared.published.snapshot();
        let mut wanted = self.wanted(shared, &snapshot);
        if !makes_page {
            wanted.page = None;
        }
        let outcome = match timeout(PATIENCE, spawn_blocking(move || wanted.write())).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Err(format!("the files for the web server: {error}")),
            Err(_) => Err(format!(
                "the files for the web server could not be written within {} seconds; look at the \
                 disk",
                PATIENCE.as_secs()
            )),
        };
        followed.number = Some(snapshot.number);
        let is_open = outcome.is_err() || (self.has_page() && !makes_page);
        followed.retry = is_open.then(|| Instant::now() + RETRY);
        let before = self.error.load_full();
        match (&outcome, before.as_deref()) {
            (Ok(()), Some(_)) => tracing::info!("the files for the web server are right again"),
            (Err(error), before) if before != Some(error) => {
                tracing::error!(%error, "the files for the web server are not in step");
            }
            _ => {}
        }
        self.error.store(outcome.err().map(Arc::new));
    }

    fn wanted(&self, shared: &Shared, snapshot: &Snapshot) -> Wanted {
        let now = shared.clock.now();
        let is_offline = snapshot.mode(DEFAULT_MODE).is_some_and(|mode| {
            // A site that can be read is not to be closed by the server in front of it.
            mode.phase(now) == Phase::Offline && mode.mode.access == Access::None
        });
        Wanted {
            flag: self.flag.clone().map(|flag| (flag, is_offline)),
            page: self
                .page
                .clone()
                .map(|page| (page, page_of(shared, snapshot))),
        }
    }
}

/// The page that visitors get while the mode `site` is offline, as it is now. While it is not, the
/// page that they would get.
pub(crate) fn page_of(shared: &Shared, snapshot: &Snapshot) -> Vec<u8> {
    let now = shared.clock.now();
    let mode = snapshot
        .modes
        .iter()
        .position(|mode| &*mode.key == DEFAULT_MODE)
        .unwrap_or(0);
    (shared.page)(snapshot, mode, now)
}

impl Wanted {
    /// # Errors
    ///
    /// When a file could not be written or removed; the text says which.
    fn write(self) -> Result<(), String> {
        // The page first: a flag without its page would send visitors an empty answer.
        if let Some((path, page)) = &self.page
            && fs::read(path).ok().as_deref() != Some(page)
        {
            replace(path, page)?;
        }
        match &self.flag {
            Some((path, true)) if !path.exists() => replace(path, FLAG_TEXT),
            Some((path, false)) => match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(format!(
                    "cannot remove the flag {}: {error}; the web server keeps the site closed \
                     until it is gone, so remove it by hand",
                    path.display()
                )),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// Replaces a file as a whole. A web server, which runs as somebody else, must be able to read it.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), String> {
    let failed = |error: io::Error| {
        format!(
            "cannot write {}: {error}; see that its folder is there and can be written to",
            path.display()
        )
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".maintenance.").suffix(".tmp");
    #[cfg(unix)]
    let permissions = {
        use std::os::unix::fs::PermissionsExt as _;

        // As the umask has it, unless the file that is replaced has others.
        builder.permissions(fs::Permissions::from_mode(0o666));
        fs::metadata(path).ok().map(|old| old.permissions())
    };
    let mut temporary = builder.tempfile_in(folder).map_err(failed)?;
    temporary.write_all(content).map_err(failed)?;
    #[cfg(unix)]
    if let Some(permissions) = permissions {
        temporary
            .as_file()
            .set_permissions(permissions)
            .map_err(failed)?;
    }
    temporary.as_file().sync_all().map_err(failed)?;
    temporary
        .persist(path)
        .map_err(|error| failed(error.error))?;
    Ok(())
}
