//! The templates: those that come with the crate, and those of the app in their place.
//!
//! Of the app's folder only that is loaded which the named templates reach: the rest is for pages of
//! the app, and may need what only the app has.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter,
    path::{Component, Path, PathBuf},
    sync::{Arc, LazyLock, OnceLock, Weak},
};

use regex::Regex;
use tera::{Context, Kwargs, Tera, TeraResult};

use crate::{
    core::text::chain,
    engine::shared::Shared,
    settings::Settings,
    web::embedded::{NOTICE_TEMPLATE, PAGE_TEMPLATE},
};

/// Registers functions, filters and tests.
type SetUp = Box<dyn FnOnce(&mut Tera) + Send>;

/// What the app adds to the engine that renders its pages.
#[derive(Default)]
pub(crate) struct OfApp {
    /// The app's own engine, with its templates.
    pub(crate) tera: Option<Tera>,
    pub(crate) set_ups: Vec<SetUp>,
}

/// The functions of the crate, as templates call them before and after the handle is made.
#[derive(Clone)]
pub(crate) struct Functions {
    script: String,
    modes: Arc<[String]>,
    /// Weak, because the pages are a part of what is behind it.
    shared: Arc<OnceLock<Weak<Shared>>>,
}

impl Functions {
    pub(crate) fn new(script: String, modes: impl IntoIterator<Item = String>) -> Self {
        Self {
            script,
            modes: modes.into_iter().collect(),
            shared: Arc::default(),
        }
    }

    /// From now on they tell what is. Before, as while pages are tried, they say that it is closed.
    pub(crate) fn tell_of(&self, shared: &Arc<Shared>) {
        self.shared.get_or_init(|| Arc::downgrade(shared));
    }

    /// Gives templates `maintenance_mode()` and `maintenance_script()`.
    pub(crate) fn register(&self, tera: &mut Tera) {
        let script = self.script.clone();
        tera.register_function("maintenance_script", move |_: Kwargs, _: &tera::State| {
            script.clone()
        });
        let functions = self.clone();
        tera.register_function(
            "maintenance_mode",
            move |arguments: Kwargs, _: &tera::State| -> TeraResult<bool> {
                functions.is_on(arguments.get::<&str>("mode")?)
            },
        );
    }

    fn is_on(&self, mode: Option<&str>) -> TeraResult<bool> {
        if let Some(key) = mode.filter(|key| !self.modes.iter().any(|known| known == key)) {
            return Err(tera::Error::message(format!(
                "maintenance_mode: there is no mode `{key}`"
            )));
        }
        let Some(shared) = self.shared.get() else {
            return Ok(true);
        };
        let shared = shared
            .upgrade()
            .ok_or_else(|| tera::Error::message("maintenance_mode: the handle is dropped"))?;
        let snapshot = shared.published.snapshot();
        let now = shared.now_for(&snapshot);
        Ok(match mode {
            None => snapshot.closed_mode(now).is_some(),
            Some(key) => snapshot
                .mode(key)
                .is_some_and(|mode| mode.phase(now).is_maintenance()),
        })
    }
}

/// What pages are rendered by.
pub(crate) struct Templates {
    /// What comes with the crate, and nothing of the app.
    embedded: Tera,
    /// What is reached in the app's folder, with all that the app has registered.
    of_folder: Tera,
    /// The app's own engine.
    of_app: Option<Tera>,
    functions: Functions,
    /// The names of templates, and the files that they are in.
    files: Vec<(String, PathBuf)>,
}

impl Templates {
    /// Reads the templates that the settings name, and what they reach.
    ///
    /// # Errors
    ///
    /// When a template is missing, or cannot be read or understood; the text says which.
    pub(crate) fn read(
        settings: &Settings,
        app: OfApp,
        functions: Functions,
        of_admin: OfAdmin,
    ) -> Result<Self, String> {
        let mut of_folder = Tera::new();
        let mut of_app = app.tera;
        if let Some(tera) = &mut of_app {
            functions.register(tera);
            of_folder.register_from(tera);
        }
        for set_up in app.set_ups {
            set_up(&mut of_folder);
        }
        functions.register(&mut of_folder);

        let mut embedded = Tera::new();
        embedded
            .add_raw_templates(embedded_ones(of_admin))
            .map_err(|error| format!("a template of the crate is not valid: {}", chain(&error)))?;
        let folder = settings.response.templates_dir.as_deref();
        // A folder that is not there is told of by the checks of the settings.
        let reached = match folder.filter(|folder| folder.is_dir()) {
            Some(folder) => Reached::from(settings, folder, of_admin)?,
            None => Reached::default(),
        };
        let mut templates = Self {
            embedded,
            of_folder,
            of_app,
            functions,
            files: reached.files,
        };
        let added = templates.of_folder.add_raw_templates(reached.templates);
        added.map_err(|error| format!("a template is not valid: {}", templates.told(&error)))?;
        match named(settings).find(|name| !templates.contains(name)) {
            None => Ok(templates),
            Some(missing) => Err(format!(
                "there is no template `{missing}`{}",
                match folder {
                    Some(folder) => format!(" in {}", folder.display()),
                    None => "; set `response.templates_dir` to the folder it is in".to_owned(),
                }
            )),
        }
    }

    pub(crate) fn functions(&self) -> &Functions {
        &self.functions
    }

    fn contains(&self, name: &str) -> bool {
        self.engine(name).contains_template(name)
    }

    /// The engine that has a template: the folder comes first, the crate last.
    fn engine(&self, name: &str) -> &Tera {
        if self.of_folder.contains_template(name) {
            return &self.of_folder;
        }
        match &self.of_app {
            Some(tera) if tera.contains_template(name) => tera,
            _ => &self.embedded,
        }
    }

    pub(super) fn render(&self, name: &str, context: &Context) -> Result<String, String> {
        let page = self.engine(name).render(name, context);
        page.map_err(|error| self.told(&error))
    }

    /// The page that comes with the crate, whatever stands in its place.
    pub(super) fn embedded_page(&self, context: &Context) -> Option<String> {
        self.embedded.render(PAGE_TEMPLATE.0, context).ok()
    }

    /// Which variables a template may need, besides those that are always there; `None`: unknown.
    pub(super) fn variables(&self, name: &str) -> Option<BTreeSet<String>> {
        let variables = self.engine(name).get_template_variables(name).ok()?;
        Some(variables.into_iter().map(str::to_owned).collect())
    }

    /// What an error says, with files in the place of the names of templates.
    fn told(&self, error: &tera::Error) -> String {
        let mut text = chain(error);
        for (name, path) in &self.files {
            let path = path.display();
            for (before, after) in [("--> ", ":"), ("'", "'"), ("`", "`")] {
                text = text.replace(
                    &format!("{before}{name}{after}"),
                    &format!("{before}{path}{after}"),
                );
            }
        }
        text
    }
}

/// The templates that the settings name.
fn named(settings: &Settings) -> impl Iterator<Item = &str> {
    let of_modes = settings.modes.iter();
    let of_modes = of_modes.filter_map(|mode| mode.template.as_deref());
    iter::once(settings.response.template.as_str()).chain(of_modes)
}

/// The pages of the admin scope that come with the crate, by their names.
type OfAdmin = &'static [(&'static str, &'static str)];

fn all_of_admin(pages: OfAdmin) -> impl Iterator<Item = (&'static str, &'static str)> {
    iter::once(NOTICE_TEMPLATE).chain(pages.iter().copied())
}

fn embedded_ones(pages: OfAdmin) -> impl Iterator<Item = (&'static str, &'static str)> {
    iter::once(PAGE_TEMPLATE).chain(all_of_admin(pages))
}

/// What is loaded of a folder.
#[derive(Default)]
struct Reached {
    templates: Vec<(String, String)>,
    files: Vec<(String, PathBuf)>,
}

impl Reached {
    fn from(settings: &Settings, folder: &Path, of_admin: OfAdmin) -> Result<Self, String> {
        let is_there = |name: &str| file(folder, name).is_some();
        let mut to_visit: Vec<String> = named(settings)
            .filter(|name| is_escaped(name) && is_there(name))
            .map(str::to_owned)
            .collect();
        // One of them that is replaced is a part of the others.
        if all_of_admin(of_admin).any(|(name, _)| is_there(name)) {
            to_visit.extend(all_of_admin(of_admin).map(|(name, _)| name.to_owned()));
        }
        let mut reached = Self::default();
        let mut known = BTreeSet::new();
        let mut definitions = None;
        while let Some(name) = to_visit.pop() {
            if !known.insert(name.clone()) {
                continue;
            }
            let text = match file(folder, &name) {
                Some(path) => {
                    let text = fs::read_to_string(&path).map_err(|error| {
                        format!("the template {} cannot be read: {error}", path.display())
                    })?;
                    reached.files.push((name.clone(), path));
                    text
                }
                None => match embedded_ones(of_admin).find(|(known, _)| *known == name) {
                    Some((_, text)) => text.to_owned(),
                    // Whoever names it is told that there is none.
                    None => continue,
                },
            };
            to_visit.extend(references(&text));
            let called = components_called(&text);
            if !called.is_empty() {
                let definitions = definitions.get_or_insert_with(|| components_in(folder));
                to_visit.extend(called.iter().filter_map(|it| definitions.get(it)).cloned());
            }
            reached.templates.push((name, text));
        }
        Ok(reached)
    }
}

/// What Tera escapes by itself. A page by another name would show messages as they are.
fn is_escaped(name: &str) -> bool {
    [".html", ".htm", ".xml"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

/// The file of a template, which is inside of the folder.
fn file(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_inside = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    Some(folder.join(name)).filter(|path| is_inside && path.is_file())
}

/// Compiles a pattern that is known to be right; one that is not matches nothing.
fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

static COMMENT: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?s)\{#.*?#\}"));
static REFERENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r#"\{%-?\s*(?:extends|include)\s+(?:"([^"]*)"|'([^']*)'|`([^`]*)`)"#));
static TAG: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"(?s)(\{\{.*?\}\}|\{%.*?%\})"));
static CALL: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"<\s*([A-Za-z_][\w.]*)"));
static DEFINITION: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"\{%-?\s*component\s+([A-Za-z_][\w.]*)"));

/// What a pattern captures outside of comments.
fn captured(pattern: &Option<Regex>, text: &str) -> BTreeSet<String> {
    let (Some(pattern), Some(comment)) = (pattern, &*COMMENT) else {
        return BTreeSet::new();
    };
    let text = comment.replace_all(text, "");
    pattern
        .captures_iter(&text)
        .filter_map(|found| found.iter().skip(1).flatten().next())
        .map(|found| found.as_str().to_owned())
        .collect()
}

/// The templates that this one extends or includes: Tera takes nothing but names there.
fn references(text: &str) -> BTreeSet<String> {
    captured(&REFERENCE, text)
}

/// The components that a template may call. Elements of HTML look the same, outside of tags.
fn components_called(text: &str) -> BTreeSet<String> {
    let tags = captured(&TAG, text);
    tags.iter().flat_map(|tag| captured(&CALL, tag)).collect()
}

/// The components that are defined in a folder, and the names of the templates that have them.
/// What cannot be read defines none.
fn components_in(folder: &Path) -> BTreeMap<String, String> {
    let mut components = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(path);
                continue;
            }
            let parts = path.strip_prefix(folder).unwrap_or(&path).components();
            let parts: Vec<_> = parts
                .map(|part| part.as_os_str().to_string_lossy())
                .collect();
            let name = parts.join("/");
            if !is_escaped(&name) {
                continue;
            }
            let text = fs::read_to_string(&path).unwrap_or_default();
            for component in captured(&DEFINITION, &text) {
                components.insert(component, name.clone());
            }
        }
    }
    components
}
