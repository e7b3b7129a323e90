//! `[language]`: in which language people are answered.

use std::path::PathBuf;

use super::{
    Settings,
    reader::Section,
    values::{Faults, folder_fault},
};
use crate::settings::conversions::text;

/// `[language]`: in which language refusals and the dashboard are.
///
/// English, German, French, Spanish, Italian, Portuguese, Chinese and Japanese come with the crate;
/// each client gets the one that its `Accept-Language` prefers. An operator's own message is shown
/// as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LanguageSettings {
    /// The tag of the language of those who prefer none that there is. Default `en`.
    pub default: String,
    /// The tag of the language that everybody gets, whatever they prefer. Default `None`.
    pub force: Option<String>,
    /// A folder of catalogues, each named by its tag, such as `nl.toml`. They add languages, and
    /// change words of those that there are. Default `None`.
    pub folder: Option<PathBuf>,
}

impl Default for LanguageSettings {
    fn default() -> Self {
        Self {
            default: "en".to_owned(),
            force: None,
            folder: None,
        }
    }
}

pub(super) fn read(section: &mut Section<'_>) -> LanguageSettings {
    let default = LanguageSettings::default();
    LanguageSettings {
        default: section.value("default", text, default.default),
        force: section.optional("force", text, default.force),
        folder: section
            .optional("folder", text, None)
            .map(PathBuf::from)
            .or(default.folder),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let language = &settings.language;
    if let Some(folder) = &language.folder {
        let shown = folder.to_string_lossy();
        faults.note("language.folder", &shown, folder_fault(folder));
    }
}
