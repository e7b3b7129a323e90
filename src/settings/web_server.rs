//! `[web_server]`: files for a web server in front of the app.

use std::path::PathBuf;

use super::{
    Settings,
    reader::Section,
    values::{Faults, written_file_fault},
};
use crate::{core::state::DEFAULT_MODE, settings::conversions::text};

/// `[web_server]`: files for a web server in front of the app; see
/// [`web_server`](crate::web_server).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct WebServerSettings {
    /// A file that exists exactly while the mode `site` is offline. Default `None`: no such file.
    pub flag: Option<PathBuf>,
    /// The page as a file, for a web server to send. Default `None`: no such file.
    pub page: Option<PathBuf>,
}

pub(super) fn read(section: &mut Section<'_>) -> WebServerSettings {
    let default = WebServerSettings::default();
    let mut file = |key, default: Option<PathBuf>| {
        section
            .optional(key, text, None)
            .map(PathBuf::from)
            .or(default)
    };
    WebServerSettings {
        flag: file("flag", default.flag),
        page: file("page", default.page),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let web_server = &settings.web_server;
    let modes = &settings.modes;
    for (key, file) in [
        ("web_server.flag", &web_server.flag),
        ("web_server.page", &web_server.page),
    ] {
        if let Some(file) = file {
            let fault = written_file_fault(file, "/var/lib/app/maintenance.flag");
            faults.note(key, &file.to_string_lossy(), fault);
        }
    }
    if web_server.flag.is_some() && web_server.flag == web_server.page {
        let message = "the flag and the page are two files; give each its own";
        faults.whole("web_server.page", message);
    }
    let has_site = modes.is_empty() || modes.iter().any(|mode| mode.key == DEFAULT_MODE);
    if web_server.flag.is_some() && !has_site {
        let message =
            "the flag tells of the mode `site`, and there is none; add it, or remove the flag";
        faults.whole("web_server.flag", message);
    }
}
