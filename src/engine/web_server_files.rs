//! The flag and the page as files, kept in step with what is.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use arc_swap::ArcSwapOption;

use crate::{core::status::WebServerStatus, settings::WebServerSettings};

/// What the flag says to a person who looks into it. The web server only asks whether it is there.
const FLAG_TEXT: &[u8] =
    b"The site is offline for maintenance. This file is removed when it is back.\n";

/// The files that the settings name, and whether the last attempt at them failed.
#[derive(Debug)]
pub(crate) struct WebServerFiles {
    pub(super) flag: Option<PathBuf>,
    pub(super) page: Option<PathBuf>,
    pub(super) error: ArcSwapOption<String>,
}

/// What the files are to be.
pub(super) struct Wanted {
    pub(super) flag: Option<(PathBuf, bool)>,
    pub(super) page: Option<(PathBuf, Vec<u8>)>,
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
}

impl Wanted {
    /// # Errors
    ///
    /// When a file could not be written or removed; the text says which.
    pub(super) fn write(self) -> Result<(), String> {
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
