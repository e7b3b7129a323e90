//! Sets maintenance up: settings, and the closures that a file cannot hold.

use std::{fmt, io, sync::Arc};

use tera::Tera;

use crate::{
    engine::{hooks::HookList, shared::Clock},
    settings::{Settings, SettingsError},
    store::{Store, StoreError},
    web::{
        closures::{AddressFinder, LogoutHook, Predicate, Renderer, ResponseContext},
        maintenance::Maintenance,
        mode::ModeBuilder,
        permission::Permissions,
        refusal::{language::LanguageChooser, of_mode::FormatChoice, templates::OfApp},
        visitor::identity::IdentityClosure,
    },
};

mod answers;
mod hooks;
mod who;

type SettingsEdit = Box<dyn FnOnce(&mut Settings) + Send>;

/// Sets up [`Maintenance`](crate::Maintenance): from
/// [`Maintenance::builder`](crate::Maintenance::builder).
///
/// What is set here wins over the environment, which wins over the settings file.
///
/// The closures that take an [`HttpRequest`](actix_web::HttpRequest) run before the app routes. They
/// must not keep a clone of it, because actix needs the request for itself while it routes.
#[must_use = "nothing happens until it is built"]
pub struct Builder {
    pub(super) settings: Option<Settings>,
    pub(super) edits: Vec<SettingsEdit>,
    pub(super) store: Option<Arc<dyn Store>>,
    pub(super) identity: Option<IdentityClosure>,
    pub(super) address_finder: Option<AddressFinder>,
    pub(super) predicates: Vec<(&'static str, Predicate)>,
    pub(super) already_in: Option<Predicate>,
    pub(super) logout_hook: Option<LogoutHook>,
    pub(super) permissions: Permissions,
    pub(super) hooks: HookList,
    pub(super) modes: Vec<(String, ModeBuilder)>,
    pub(super) format: Option<FormatChoice>,
    pub(super) context: ResponseContext,
    pub(super) language: Option<LanguageChooser>,
    pub(super) catalogues: Vec<(String, String)>,
    pub(super) renderer: Option<Renderer>,
    pub(super) of_app: OfApp,
    pub(super) tests: bool,
    pub(super) is_tool: bool,
    pub(super) page_fault: Option<String>,
    pub(super) clock: Clock,
}

impl fmt::Debug for Builder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Builder")
            .field("settings", &self.settings)
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Why maintenance could not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The settings cannot be used; the text lists every fault.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The store's URL names a place that cannot be one, or that lets nobody in.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A thread could not be started: the driver's, or that of the hooks.
    #[error("a thread for the maintenance state cannot be started: {0}")]
    Thread(#[source] io::Error),
}

impl Builder {
    /// Whether the app brings its own settings, so that none are looked for.
    #[cfg(all(feature = "cli", unix))]
    pub(crate) fn has_settings(&self) -> bool {
        self.settings.is_some()
    }

    pub(crate) fn new() -> Self {
        Self {
            settings: None,
            edits: Vec::new(),
            store: None,
            identity: None,
            address_finder: None,
            predicates: Vec::new(),
            already_in: None,
            logout_hook: None,
            permissions: Permissions::default(),
            hooks: HookList::default(),
            modes: Vec::new(),
            format: None,
            context: ResponseContext::None,
            language: None,
            catalogues: Vec::new(),
            renderer: None,
            of_app: OfApp::default(),
            tests: false,
            is_tool: false,
            page_fault: None,
            clock: Clock::system(),
        }
    }

    /// Uses these settings instead of those in `maintenance.toml` and the environment.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, settings::{Settings, SettingsError}};
    /// let settings = Settings::from_toml("[exempt]\nsuperusers = true\n")?;
    /// let builder = Maintenance::builder().settings(settings);
    /// # Ok::<(), SettingsError>(())
    /// ```
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Changes settings after they have been read: what code decides wins.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().configure(|settings| {
    ///     settings.exempt.superusers = true;
    ///     settings.exempt.prefixes.push("/static".to_owned());
    /// });
    /// ```
    pub fn configure(mut self, edit: impl FnOnce(&mut Settings) + Send + 'static) -> Self {
        self.edits.push(Box::new(edit));
        self
    }

    /// Keeps the state at this URL: `memory:` or `file:` with a path.
    ///
    /// With the features `redis`, `postgres` and `object-store` there are more, see [`Settings::store`].
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().store("file:/var/lib/shop/maintenance.state");
    /// ```
    pub fn store(self, url: impl Into<String>) -> Self {
        let url = url.into();
        self.configure(|settings| settings.store = url)
    }

    /// Keeps the state in a store of the app's own.
    ///
    /// The trait [`Store`] says what such a store promises, and has an example.
    pub fn custom_store(mut self, store: impl Store) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Sets one mode up: what settings cannot hold, such as closures, and the settings themselves.
    ///
    /// A mode with this key in the settings is changed; where there is none, it is added. Where
    /// neither settings nor code name any, there is the one mode `site`.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().mode("site", |mode| mode).mode("shop", |mode| {
    ///     mode.configure(|settings| {
    ///         settings.label = Some("The shop".to_owned());
    ///         settings.applies_to.prefixes = vec!["/shop".to_owned()];
    ///     })
    ///     .applies_if(|request| !request.headers().contains_key("x-rehearsal"))
    /// });
    /// ```
    pub fn mode(
        mut self,
        key: impl Into<String>,
        set_up: impl FnOnce(ModeBuilder) -> ModeBuilder,
    ) -> Self {
        self.modes.push((key.into(), set_up(ModeBuilder::new())));
        self
    }

    /// Renders pages by the app's own engine: a template that [`Settings::response`] names is looked
    /// for in `response.templates_dir`, then in this engine, then among those of the crate. What it
    /// has registered (functions, filters and tests) is there for the templates of the folder, too.
    ///
    /// The crate's functions `maintenance_mode` and `maintenance_script` are added to it. To load
    /// templates that call them, register the same names before: what is registered here replaces
    /// them. Other delimiters than Tera's own are for the templates of the engine alone.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut tera = tera::Tera::default();
    /// tera.register_filter("shout", |text: String, _: tera::Kwargs, _: &tera::State| {
    ///     text.to_uppercase()
    /// });
    /// tera.add_raw_template("503.html", "<h1>{{ maintenance.message | shout }}</h1>")?;
    /// let maintenance = Maintenance::builder().store("memory:").tera(tera).build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn tera(mut self, tera: Tera) -> Self {
        self.of_app.tera = Some(tera);
        self
    }

    /// Registers the app's functions, filters and tests for the templates in
    /// `response.templates_dir`. The crate's functions are there already.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// fn register(tera: &mut tera::Tera) {
    ///     tera.register_function("year", |_: tera::Kwargs, _: &tera::State| 2030);
    /// }
    /// let builder = Maintenance::builder().template_functions(register);
    /// ```
    pub fn template_functions(mut self, register: impl FnOnce(&mut Tera) + Send + 'static) -> Self {
        self.of_app.set_ups.push(Box::new(register));
        self
    }

    /// Tells whether the app runs under test; pass `cfg!(test)`. With the setting `exempt.tests`
    /// nobody is refused then.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().tests(cfg!(test));
    /// ```
    pub fn tests(mut self, tests: bool) -> Self {
        self.tests = tests;
        self
    }

    /// Tells the time by another clock.
    /// A program that looks and ends: it does not wait for a store, and no store stops its start.
    #[cfg(all(feature = "cli", unix))]
    pub(crate) fn of_a_tool(mut self) -> Self {
        self.is_tool = true;
        self
    }

    #[cfg(test)]
    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }
}

impl Maintenance {
    /// Begins to set up maintenance.
    ///
    /// The methods of [`Builder`] say what can be set.
    pub fn builder() -> Builder {
        Builder::new()
    }
}
