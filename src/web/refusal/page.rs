//! The page that visitors see, and the templates that it is made by.

use std::{fs, iter, path::Path};

use serde_json::{Map, Value};
use tera::Tera;

use super::{
    described::Refusal,
    words::{addition, in_words},
};
use crate::{
    core::text::chain,
    settings::Settings,
    web::{
        embedded::{ADMIN_TEMPLATES, NOTICE_TEMPLATE, PAGE_TEMPLATE},
        refusal::language::Catalogue,
    },
};

/// A page without its script looks again after this many seconds, or up to twice as many.
pub(super) const SHORTEST_REFRESH: u64 = 30;

/// Reads the templates: the embedded ones, and those of the app's folder in their place.
///
/// # Errors
///
/// When a template is missing, or cannot be read or understood; the text says which.
pub(crate) fn read_templates(settings: &Settings) -> Result<Tera, String> {
    let of_modes = settings
        .modes
        .iter()
        .filter_map(|mode| mode.template.as_ref());
    let named: Vec<&String> = iter::once(&settings.response.template)
        .chain(of_modes)
        .collect();
    let settings = &settings.response;
    let mut tera = Tera::new();
    let mut templates = vec![
        (PAGE_TEMPLATE.0.to_owned(), PAGE_TEMPLATE.1.to_owned()),
        (NOTICE_TEMPLATE.0.to_owned(), NOTICE_TEMPLATE.1.to_owned()),
    ];
    let pages = ADMIN_TEMPLATES.iter();
    templates.extend(pages.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    // A folder that is not there is told of by the checks of the settings.
    if let Some(folder) = settings.templates_dir.as_deref().filter(|it| it.is_dir()) {
        read_folder(folder, &mut templates)?;
    }
    tera.add_raw_templates(templates)
        .map_err(|error| format!("a template is not valid: {}", chain(&error)))?;
    if let Some(missing) = named
        .into_iter()
        .find(|template| !tera.contains_template(template))
    {
        return Err(format!(
            "there is no template `{missing}`{}",
            match &settings.templates_dir {
                Some(folder) => format!(" in {}", folder.display()),
                None => "; set `response.templates_dir` to the folder it is in".to_owned(),
            }
        ));
    }
    Ok(tera)
}

/// What the page shows. All of the crate's own is in `maintenance`.
pub(super) fn page_context(
    refusal: &Refusal,
    catalogue: &Catalogue,
    again: &Again,
    extra: Map<String, Value>,
) -> tera::Context {
    let mut context = tera::Context::new();
    for (key, value) in &extra {
        context.insert(key.clone(), value);
    }
    let mut maintenance = match serde_json::to_value(refusal) {
        Ok(Value::Object(fields)) => fields,
        // A refusal is a struct of text and numbers, which always is an object.
        _ => Map::new(),
    };
    maintenance.insert("until_text".to_owned(), refusal.until.map(in_words).into());
    let reading_works = addition(catalogue, refusal).filter(|_| refusal.read_only);
    maintenance.insert("reading_works".to_owned(), reading_works.into());
    maintenance.insert("direction".to_owned(), catalogue.direction.as_str().into());
    maintenance.insert("refresh".to_owned(), again.refresh.into());
    maintenance.insert("script".to_owned(), again.script.clone().into());
    let texts = catalogue.section("refusal").into_iter().flatten();
    let texts: Map<String, Value> = texts
        .map(|(key, text)| (key.clone(), text.as_str().into()))
        .collect();
    maintenance.insert("text".to_owned(), texts.into());
    context.insert("maintenance", &maintenance);
    context
}

/// How a page looks again by itself.
pub(super) struct Again {
    /// In how many seconds without its script.
    pub(super) refresh: u64,
    /// Where its script is.
    pub(super) script: Option<String>,
}

impl Again {
    /// When it is over, and not all pages at once.
    pub(super) fn of(refusal: &Refusal, script: Option<&String>) -> Self {
        let seconds = SHORTEST_REFRESH + fastrand::u64(0..=SHORTEST_REFRESH);
        let until = refusal.until.and(refusal.retry_after);
        Self {
            refresh: until.map_or(seconds, |until| until.min(seconds)),
            script: script.cloned(),
        }
    }
}

/// Adds the templates of a folder and of those in it, by their paths relative to it. They replace
/// those of the same name.
fn read_folder(folder: &Path, templates: &mut Vec<(String, String)>) -> Result<(), String> {
    const ENDINGS: [&str; 3] = ["html", "htm", "xml"];
    let failed = |path: &Path, error: std::io::Error| {
        format!("the template {} cannot be read: {error}", path.display())
    };
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).map_err(|error| failed(&next, error))? {
            let entry = entry.map_err(|error| failed(&next, error))?;
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
                continue;
            }
            let is_template = path
                .extension()
                .is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known));
            if !is_template {
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .unwrap_or(&path)
                .components()
                .map(|part| part.as_os_str().to_string_lossy())
                .collect::<Vec<_>>()
                .join("/");
            let text = fs::read_to_string(&path).map_err(|error| failed(&path, error))?;
            templates.push((name, text));
        }
    }
    Ok(())
}
