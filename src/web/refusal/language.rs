//! In which language people are answered: the catalogues, and `Accept-Language` (RFC 9110, section
//! 12.5.4; matched by RFC 4647).

use std::{collections::BTreeMap, fmt, fs, path::Path, sync::Arc};

use actix_web::{
    HttpRequest,
    http::header::{ACCEPT_LANGUAGE, HeaderMap, HeaderValue, Quality, QualityItem},
};
use serde::Deserialize;

use crate::settings::{LanguageSettings, SettingsError};

/// The languages that come with the crate. The first one has every text, and what others lack is
/// taken from it.
const EMBEDDED: [(&str, &str); 8] = [
    ("en", include_str!("../../../languages/en.toml")),
    ("de", include_str!("../../../languages/de.toml")),
    ("fr", include_str!("../../../languages/fr.toml")),
    ("es", include_str!("../../../languages/es.toml")),
    ("it", include_str!("../../../languages/it.toml")),
    ("pt", include_str!("../../../languages/pt.toml")),
    ("zh", include_str!("../../../languages/zh.toml")),
    ("ja", include_str!("../../../languages/ja.toml")),
];

/// Regions whose readers expect another script than the language alone means (RFC 5646, section
/// 4.1).
const TRADITIONAL_CHINESE: [&str; 3] = ["zh-tw", "zh-hk", "zh-mo"];

/// The app's own choice of a language, by its tag.
pub(crate) type LanguageChooser = Arc<dyn Fn(&HttpRequest) -> Option<String> + Send + Sync>;

/// A section of a catalogue: texts by their keys.
pub(crate) type Texts = BTreeMap<String, String>;

/// The texts in one language.
#[derive(Debug, Clone)]
pub(crate) struct Catalogue {
    pub(crate) tag: String,
    /// In itself; empty where the catalogue does not say.
    name: String,
    /// What `Content-Language` says.
    pub(crate) header: HeaderValue,
    sections: BTreeMap<String, Texts>,
    /// `rtl` where people read from right to left.
    pub(crate) direction: String,
}

/// A catalogue as it is written.
#[derive(Deserialize)]
struct CatalogueFile {
    /// The language's name in itself.
    #[serde(default)]
    name: String,
    #[serde(default = "left_to_right")]
    direction: String,
    #[serde(flatten)]
    sections: BTreeMap<String, Texts>,
}

fn left_to_right() -> String {
    "ltr".to_owned()
}

impl Catalogue {
    pub(crate) fn text(&self, section: &str, key: &str) -> &str {
        // Every catalogue has every key: what it lacks was taken from the first one.
        self.section(section)
            .and_then(|texts| texts.get(key))
            .map_or("", String::as_str)
    }

    /// The language's name in itself, or its tag.
    pub(crate) fn name(&self) -> &str {
        if self.name.is_empty() {
            &self.tag
        } else {
            &self.name
        }
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Texts> {
        self.sections.get(name)
    }

    /// Puts `values` into a text in place of its `{names}`.
    pub(crate) fn filled(&self, section: &str, key: &str, values: &[(&str, &str)]) -> String {
        let mut text = self.text(section, key).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

/// The languages that people can be answered in, and how one is chosen.
pub(crate) struct Languages {
    catalogues: Vec<Catalogue>,
    /// Whoever asks for none of them gets this one.
    default: usize,
    /// Everybody gets this one.
    forced: Option<usize>,
    pub(crate) chooser: Option<LanguageChooser>,
}

impl fmt::Debug for Languages {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tags: Vec<&str> = self.tags().collect();
        formatter
            .debug_struct("Languages")
            .field("tags", &tags)
            .field("default", &tags[self.default])
            .finish_non_exhaustive()
    }
}

impl Languages {
    /// Reads the catalogues: the embedded ones, those in the app's folder, and the app's `own`.
    ///
    /// # Errors
    ///
    /// When one cannot be read or does not fit, and when the settings name one that is not there.
    pub(crate) fn read(
        settings: &LanguageSettings,
        own: &[(String, String)],
    ) -> Result<Self, SettingsError> {
        let of_folder = |message: String| {
            let folder = settings.folder.as_deref().map(Path::to_string_lossy);
            SettingsError::of_value("language.folder", &folder.unwrap_or_default(), message)
        };
        let mut faults: Option<SettingsError> = None;
        let mut note = |fault: SettingsError| {
            faults = Some(match faults.take() {
                Some(others) => others.and(fault),
                None => fault,
            });
        };
        let mut catalogues = Vec::new();
        for (tag, text) in EMBEDDED {
            add(&mut catalogues, tag, text).map_err(of_folder)?;
        }
        // A folder that is not there is told of by the checks of the settings.
        if let Some(folder) = settings.folder.as_deref().filter(|it| it.is_dir()) {
            for (tag, text) in files_of(folder).map_err(of_folder)? {
                if let Err(message) = add(&mut catalogues, &tag, &text) {
                    note(of_folder(message));
                }
            }
        }
        for (tag, text) in own {
            if let Err(message) = add(&mut catalogues, tag, text) {
                note(SettingsError::of_value("language", tag, message));
            }
        }
        let mut languages = Self {
            catalogues,
            default: 0,
            forced: None,
            chooser: None,
        };
        match languages.of_setting("language.default", &settings.default) {
            Ok(language) => languages.default = language,
            Err(fault) => note(fault),
        }
        let force = settings.force.as_deref();
        match force.map(|tag| languages.of_setting("language.force", tag)) {
            Some(Ok(language)) => languages.forced = Some(language),
            Some(Err(fault)) => note(fault),
            None => {}
        }
        match faults {
            Some(faults) => Err(faults),
            None => Ok(languages),
        }
    }

    fn of_setting(&self, key: &str, tag: &str) -> Result<usize, SettingsError> {
        self.lookup(tag).ok_or_else(|| {
            let known: Vec<&str> = self.tags().collect();
            let message = format!(
                "there is no such language; there are {}, and those in `language.folder`",
                known.join(", ")
            );
            SettingsError::of_value(key, tag, message)
        })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Catalogue> {
        self.catalogues.iter()
    }

    pub(crate) fn tags(&self) -> impl Iterator<Item = &str> {
        self.catalogues
            .iter()
            .map(|catalogue| catalogue.tag.as_str())
    }

    pub(crate) fn default(&self) -> usize {
        self.forced.unwrap_or(self.default)
    }

    pub(crate) fn get(&self, language: usize) -> &Catalogue {
        &self.catalogues[language]
    }

    /// The catalogue of a tag that one of them has.
    pub(crate) fn named(&self, tag: &str) -> &Catalogue {
        let known = self.catalogues.iter().find(|known| known.tag == tag);
        known.unwrap_or(&self.catalogues[self.default])
    }

    /// Whether answers differ by `Accept-Language`, so that `Vary` must say so.
    pub(crate) fn are_negotiated(&self) -> bool {
        self.forced.is_none() && self.catalogues.len() > 1
    }

    /// What decides before `Accept-Language`: the setting, or the app.
    pub(crate) fn chosen(&self, request: &HttpRequest) -> Option<usize> {
        self.forced.or_else(|| {
            let tag = self.chooser.as_ref()?(request)?;
            self.lookup(&tag)
        })
    }

    pub(crate) fn of_request(&self, request: &HttpRequest) -> usize {
        self.chosen(request)
            .unwrap_or_else(|| self.negotiate(request.headers()))
    }

    /// The language that the client likes best.
    pub(crate) fn negotiate(&self, headers: &HeaderMap) -> usize {
        // What cannot be read is left out: a client that sends nonsense still gets an answer.
        let mut ranges: Vec<QualityItem<String>> =
            actix_web::http::header::from_comma_delimited(headers.get_all(ACCEPT_LANGUAGE))
                .unwrap_or_default();
        // Stable, so that of equals the one that was named first wins.
        ranges.sort_by(|one, other| {
            let order = other.quality.partial_cmp(&one.quality);
            order.unwrap_or(std::cmp::Ordering::Equal)
        });
        let unwanted: Vec<usize> = ranges
            .iter()
            .filter(|range| range.quality == Quality::ZERO)
            .filter_map(|range| self.lookup(&range.item))
            .collect();
        let is_wanted = |language: &usize| !unwanted.contains(language);
        ranges
            .iter()
            .filter(|range| range.quality != Quality::ZERO)
            .find_map(|range| match range.item.as_str() {
                "*" => Some(self.default),
                tag => self.lookup(tag),
            })
            .filter(is_wanted)
            .or_else(|| Some(self.default).filter(is_wanted))
            .or_else(|| (0..self.catalogues.len()).find(is_wanted))
            .unwrap_or(self.default)
    }

    /// The catalogue for a language range: of `de-AT` and `de` the one that there is (RFC 4647,
    /// section 3.4), and for `pt` also one for `pt-BR`.
    pub(crate) fn lookup(&self, range: &str) -> Option<usize> {
        let exactly = |tag: &str| {
            self.tags()
                .position(|known| known.eq_ignore_ascii_case(tag))
        };
        let is_traditional = TRADITIONAL_CHINESE
            .iter()
            .any(|region| is_within(range, region));
        let script = is_traditional.then(|| exactly("zh-Hant")).flatten();
        let mut rest = range;
        loop {
            if let Some(language) = exactly(rest) {
                // A catalogue for the very region is nearer than one for its script.
                let by_region = rest.contains('-');
                return script.filter(|_| !by_region).or(Some(language));
            }
            match rest.rsplit_once('-') {
                Some((shorter, _)) => rest = shorter,
                None => break,
            }
        }
        script.or_else(|| self.tags().position(|known| is_within(known, range)))
    }
}

/// Whether a tag is this range or a part of it.
fn is_within(tag: &str, range: &str) -> bool {
    tag.get(..range.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(range))
        && matches!(tag.as_bytes().get(range.len()), None | Some(b'-'))
}

/// Adds a catalogue, or lays it over the one of the same language.
fn add(catalogues: &mut Vec<Catalogue>, tag: &str, text: &str) -> Result<(), String> {
    let shown = |message: String| format!("the catalogue `{tag}` {message}");
    let is_tag = tag
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !tag.is_empty();
    if !is_tag {
        return Err(shown(
            "is not named by a language tag, such as `nl` or `pt-BR`".to_owned(),
        ));
    }
    let file: CatalogueFile =
        toml::from_str(text).map_err(|error| shown(format!("cannot be understood: {error}")))?;
    if let Some(first) = catalogues.first() {
        fits(&file, first).map_err(shown)?;
    }
    let known = catalogues
        .iter()
        .position(|known| known.tag.eq_ignore_ascii_case(tag));
    // What it does not say is as it was, or as in the first language.
    let mut sections = known
        .map(|known| &catalogues[known])
        .or_else(|| catalogues.first())
        .map(|base| base.sections.clone())
        .unwrap_or_default();
    for (name, texts) in file.sections {
        sections.entry(name).or_default().extend(texts);
    }
    let catalogue = Catalogue {
        header: HeaderValue::from_str(tag).map_err(|error| shown(error.to_string()))?,
        tag: tag.to_owned(),
        name: file.name,
        sections,
        direction: file.direction,
    };
    match known {
        Some(known) => catalogues[known] = catalogue,
        None => catalogues.push(catalogue),
    }
    Ok(())
}

/// Whether all that a catalogue says is asked for, with the same placeholders.
fn fits(file: &CatalogueFile, first: &Catalogue) -> Result<(), String> {
    if !["ltr", "rtl"].contains(&file.direction.as_str()) {
        return Err("has a `direction` that is neither `ltr` nor `rtl`".to_owned());
    }
    for (section, texts) in &file.sections {
        for (key, text) in texts {
            let model = first.section(section).and_then(|texts| texts.get(key));
            let Some(model) = model else {
                return Err(format!("has a text `{section}.{key}` that nothing shows"));
            };
            let (there, here) = (placeholders(model), placeholders(text));
            if there != here {
                return Err(format!(
                    "has in `{section}.{key}` the placeholders [{}]; they must be [{}]",
                    here.join(", "),
                    there.join(", ")
                ));
            }
        }
    }
    Ok(())
}

/// The `{names}` in a text, sorted.
fn placeholders(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = text
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name)
        .collect();
    names.sort_unstable();
    names
}

/// The catalogues in a folder, `nl.toml` for Dutch, by their names.
fn files_of(folder: &Path) -> Result<Vec<(String, String)>, String> {
    let failed = |error: std::io::Error| format!("the folder cannot be read: {error}");
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|ending| ending != "toml") {
            continue;
        }
        let text = fs::read_to_string(&path)
            .map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
        let tag = path.file_stem().unwrap_or_default().to_string_lossy();
        files.push((tag.into_owned(), text));
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
#[path = "language_tests.rs"]
mod tests;
