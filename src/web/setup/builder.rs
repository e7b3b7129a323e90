//! Sets maintenance up: settings, and the closures that a file cannot hold.

use crate::core::visitor::Visitor;
use crate::engine::driver::changed::Cancelling;
use std::{
    collections::HashMap,
    fmt, io,
    net::IpAddr,
    process,
    sync::{Arc, atomic::AtomicBool},
    thread,
    time::Duration,
};

use actix_web::{HttpRequest, HttpResponse};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tera::Tera;
use tokio::sync::{mpsc, oneshot, watch};

use crate::{
    core::rules::routes::Routes,
    core::{
        decide::{RedirectTarget, Rules, VisitorRules},
        rules::{
            exempt::{AddressSet, PathRules, Patterns},
            of_mode::{AppliesTo, ModeRules, OwnExemptions, ReadOnly, host_name},
        },
        state::DrainWish,
    },
    engine::{
        driver::{Driver, Plan},
        fleet::node::NodeIdentity,
        handle::Engine,
        hooks::{self, HookList, HookOutcome, Hooks, ProposedChange, Transition},
        inside::{in_flight::InFlight, sessions::Sessions},
        knowledge::Knowledge,
        leases::held_lease::LeaseKeeper,
        local_copy::{LocalCopy, Of, Place},
        node::seat::{NodePlan, Seat},
        shared::{Clock, Drain, Published, Shared},
        web_server_files::WebServerFiles,
    },
    settings::{
        Access, AppliesToSettings, ModeExemptSettings, ModeSettings, NodeSettings, PathSettings,
        ResponseSettings, Settings, SettingsError, StoreUrl, WebServerSettings, without_password,
    },
    store::{FileStore, MemoryStore, Store, StoreError},
    web::{
        admin::TEMPLATES,
        front::{AddressFinder, Front, LogoutHook, Predicate},
        live::Live,
        maintenance::Maintenance,
        mode::{self, ConfiguredMode, ModeBuilder, ModeClosures},
        permission::{Permission, Permissions, Permit},
        refusal::{
            described::Refusal,
            language::{LanguageChooser, Languages},
            negotiate::ResponseFormat,
            of_mode::{FormatChoice, Renderer, ResponseContext},
            responses::Responses,
            templates::{Functions, OfApp, Templates},
        },
        request::api_key::ApiKey,
        token::Tokens,
        told_once::ToldOnce,
        visitor::{
            identity::{Identity, IdentityClosure},
            session_order::SessionOrder,
        },
    },
};

type SettingsEdit = Box<dyn FnOnce(&mut Settings) + Send>;

/// Sets up [`Maintenance`]: from [`Maintenance::builder`].
///
/// What is set here wins over the environment, which wins over the settings file.
///
/// The closures that take an [`HttpRequest`] run before the app routes. They must not keep a clone
/// of it, because actix needs the request for itself while it routes.
#[must_use = "nothing happens until it is built"]
pub struct Builder {
    settings: Option<Settings>,
    edits: Vec<SettingsEdit>,
    store: Option<Arc<dyn Store>>,
    identity: Option<IdentityClosure>,
    address_finder: Option<AddressFinder>,
    predicates: Vec<(&'static str, Predicate)>,
    already_in: Option<Predicate>,
    logout_hook: Option<LogoutHook>,
    permissions: Permissions,
    hooks: HookList,
    modes: Vec<(String, ModeBuilder)>,
    format: Option<FormatChoice>,
    context: ResponseContext,
    language: Option<LanguageChooser>,
    catalogues: Vec<(String, String)>,
    renderer: Option<Renderer>,
    of_app: OfApp,
    tests: bool,
    is_tool: bool,
    page_fault: Option<String>,
    clock: Clock,
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
    /// With the features `redis` and `object-store` there are more, see [`Settings::store`].
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

    /// Finds out who is asking, instead of by the session. A closure that says `None` leaves it to
    /// the session.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Visitor};
    /// let builder = Maintenance::builder().identity(|request| {
    ///     match request.headers().get("x-user") {
    ///         Some(user) => Visitor::user(user.to_str().unwrap_or("?")),
    ///         None => Visitor::anonymous(),
    ///     }
    /// });
    /// ```
    pub fn identity<V: Into<Option<Visitor>>>(
        mut self,
        identify: impl Fn(&HttpRequest) -> V + Send + Sync + 'static,
    ) -> Self {
        self.identity = Some(IdentityClosure::Sync(Arc::new(move |request| {
            identify(request).into()
        })));
        self
    }

    /// Finds out who is asking by a future, for example by a look-up in a database.
    ///
    /// The closure takes from the request what it needs; the future must not keep the request. A
    /// future that says `None` leaves it to the session.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Visitor};
    /// # async fn user_of(token: Option<String>) -> Visitor { Visitor::anonymous() }
    /// let builder = Maintenance::builder().async_identity(|request| {
    ///     let token = request.headers().get("authorization");
    ///     let token = token.and_then(|token| token.to_str().ok()).map(str::to_owned);
    ///     user_of(token)
    /// });
    /// ```
    pub fn async_identity<F>(
        mut self,
        identify: impl Fn(&HttpRequest) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: Into<Option<Visitor>>> + 'static,
    {
        self.identity = Some(IdentityClosure::Async(Arc::new(move |request| {
            let identified = identify(request);
            Box::pin(async move { identified.await.into() })
        })));
        self
    }

    /// Finds the client's address, instead of by the peer and `client.trusted_proxies`.
    ///
    /// Only what a proxy of the app's own has set may be believed: anybody else could claim an exempt address.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// // A content delivery network that sets this header itself, and is the only way in.
    /// let builder = Maintenance::builder().client_address(|request| {
    ///     request.headers().get("x-client-address")?.to_str().ok()?.parse().ok()
    /// });
    /// ```
    pub fn client_address(
        mut self,
        find: impl Fn(&HttpRequest) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.address_finder = Some(Arc::new(find));
        self
    }

    /// Lets requests through for which this holds. The name is what `explain` shows.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder()
    ///     .exempt_if("rehearsal", |request| request.headers().contains_key("x-rehearsal"));
    /// ```
    pub fn exempt_if(
        mut self,
        name: &'static str,
        predicate: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.predicates.push((name, Arc::new(predicate)));
        self
    }

    /// Says of requests that whoever sends them is already in, and may go on while the site is
    /// closing; besides authenticated visitors who were seen a short while ago.
    ///
    /// A drain does not wait for these between their requests: only sessions are followed. Where who
    /// is asking does not come from the session but from [`identity`](Self::identity) or
    /// [`async_identity`](Self::async_identity), every authenticated visitor counts as already in,
    /// because to follow them would be to ask at every request while the site is online; a drain
    /// then ends when no request is in flight.
    pub fn already_in_if(
        mut self,
        predicate: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.already_in = Some(Arc::new(predicate));
        self
    }

    /// Runs when a visitor is logged out as the settings `logout.*` say, after the session is
    /// purged; for identities that are not kept in the session.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # struct Tokens;
    /// # impl Tokens { fn revoke(&self, _: &str) {} }
    /// let tokens = Tokens;
    /// let builder = Maintenance::builder().on_logout(move |request| {
    ///     let token = request.headers().get("authorization").and_then(|it| it.to_str().ok());
    ///     token.into_iter().for_each(|token| tokens.revoke(token));
    /// });
    /// ```
    pub fn on_logout(mut self, hook: impl Fn(&HttpRequest) + Send + Sync + 'static) -> Self {
        self.logout_hook = Some(Arc::new(hook));
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

    /// Asks before each change that somebody wants to make in this process; an error is the reason
    /// for which it is [refused](crate::ChangeError::Refused).
    ///
    /// It is asked about what people and code switch, plan, cancel and forget, and about a guard that
    /// is entered. It is not asked about what follows by itself: windows and time-outs, the end of a
    /// drain, and what a guard puts back. A hook that panics, or takes longer than
    /// [`hook_time_limit`](Self::hook_time_limit), is told of in the log, and the change goes on
    /// without it. Hooks run on a thread of their own, which they share and must not block.
    ///
    /// ```
    /// # use actix_maintenance_mode::{ChangeError, ChangeKind, Maintenance};
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder()
    ///     .store("memory:")
    ///     .before_change(async |change| match (change.kind, change.reason) {
    ///         (ChangeKind::TurnOn, None) => Err("say why"),
    ///         _ => Ok(()),
    ///     })
    ///     .build()
    ///     .await?;
    /// let refused = maintenance.turn_on().await;
    /// assert!(matches!(refused, Err(ChangeError::Refused { reason }) if reason == "say why"));
    /// maintenance.turn_on().reason("new disks").await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn before_change<F>(
        mut self,
        hook: impl Fn(ProposedChange) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: HookOutcome> + Send + 'static,
    {
        self.hooks.before.push(hooks::hook(hook));
        self
    }

    /// Runs after a mode was entered: it was online and is now pending or offline, for whatever
    /// reason, also by another process. A process that starts in maintenance enters it.
    ///
    /// Nobody waits for it. One that fails, panics or takes longer than
    /// [`hook_time_limit`](Self::hook_time_limit) is told of in the log, and the next one runs.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # async fn tell_the_team(_text: String) {}
    /// let builder = Maintenance::builder()
    ///     .after_entering(async |entered| tell_the_team(format!("{} is closed", entered.mode.label)).await);
    /// ```
    pub fn after_entering<F>(
        mut self,
        hook: impl Fn(Transition) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: HookOutcome> + Send + 'static,
    {
        self.hooks.entering.push(hooks::hook(hook));
        self
    }

    /// Runs after a mode was left: it was pending or offline and is now online again. Otherwise as
    /// [`after_entering`](Self::after_entering).
    pub fn after_leaving<F>(
        mut self,
        hook: impl Fn(Transition) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output: HookOutcome> + Send + 'static,
    {
        self.hooks.leaving.push(hooks::hook(hook));
        self
    }

    /// How long the hooks before a change may take, all together, and each hook after one. The
    /// default is 5 seconds.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # use std::time::Duration;
    /// let builder = Maintenance::builder().hook_time_limit(Duration::from_secs(10));
    /// ```
    pub fn hook_time_limit(mut self, limit: Duration) -> Self {
        self.hooks.limit = limit;
        self
    }

    /// Says who has a permission, instead of superusers alone. The closure is asked for each mode, by
    /// its key.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Permission};
    /// let builder = Maintenance::builder()
    ///     .permission(Permission::See, |visitor, _mode| visitor.staff)
    ///     .permission(Permission::Toggle, |visitor, mode| {
    ///         visitor.superuser || (visitor.staff && mode == "shop")
    ///     });
    /// ```
    pub fn permission(
        mut self,
        permission: Permission,
        permits: impl Fn(&Visitor, &str) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.permissions
            .set(permission, Permit::Sync(Arc::new(permits)));
        self
    }

    /// Says who has a permission by a future, for example by a look-up in a database.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, Permission};
    /// # async fn is_on_duty(name: Option<String>) -> bool { name.is_some() }
    /// let builder = Maintenance::builder()
    ///     .async_permission(Permission::Toggle, |visitor, _mode| is_on_duty(visitor.id));
    /// ```
    pub fn async_permission<F>(
        mut self,
        permission: Permission,
        permits: impl Fn(Visitor, String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = bool> + 'static,
    {
        self.permissions.set(permission, Permit::when(permits));
        self
    }

    /// Chooses the form of each refusal, instead of by `Accept`. A closure that says `None` leaves it
    /// to `Accept`.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, ResponseFormat};
    /// let builder = Maintenance::builder().response_format(|request| {
    ///     request.path().starts_with("/api/").then_some(ResponseFormat::Json)
    /// });
    /// ```
    pub fn response_format<R: Into<Option<ResponseFormat>>>(
        mut self,
        choose: impl Fn(&HttpRequest) -> R + Send + Sync + 'static,
    ) -> Self {
        self.format = Some(FormatChoice::PerRequest(Arc::new(move |request| {
            choose(request).into()
        })));
        self
    }

    /// Chooses the language of each answer, by its tag, before `Accept-Language`: by a cookie, say,
    /// or by the path. Where it says nothing, or names a language that there is not,
    /// `Accept-Language` decides. The setting `language.force` wins over it.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().language(|request| {
    ///     request.cookie("language").map(|cookie| cookie.value().to_owned())
    /// });
    /// ```
    pub fn language(
        mut self,
        choose: impl Fn(&HttpRequest) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.language = Some(Arc::new(choose));
        self
    }

    /// Adds a language, by its tag and a catalogue in TOML; or changes words of one that there is.
    ///
    /// The catalogues that come with the crate, in its folder `languages`, show which texts there
    /// are. What a new one lacks is in English. As files, catalogues go into the folder that the
    /// setting `language.folder` names.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let dutch = r#"
    ///     [refusal]
    ///     offline_title = "We zijn zo terug"
    ///     back_at = "We verwachten terug te zijn om {time}."
    /// "#;
    /// let builder = Maintenance::builder().language_catalogue("nl", dutch);
    /// # builder.store("memory:").build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn language_catalogue(mut self, tag: impl Into<String>, toml: impl Into<String>) -> Self {
        self.catalogues.push((tag.into(), toml.into()));
        self
    }

    /// Adds to the context of the page and to the JSON body. It is the same for everybody, so the
    /// page is rendered once.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let context = serde_json::json!({ "support": "help@shop.example" });
    /// let context = context.as_object().cloned().unwrap_or_default();
    /// let builder = Maintenance::builder().response_context(context);
    /// ```
    pub fn response_context(mut self, context: Map<String, Value>) -> Self {
        self.context = ResponseContext::Fixed(context);
        self
    }

    /// Adds to the context of the page and to the JSON body, request by request. The page is then
    /// rendered for each refusal.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().response_context_with(|request, _refusal| {
    ///     serde_json::Map::from_iter([("path".to_owned(), request.path().into())])
    /// });
    /// ```
    pub fn response_context_with(
        mut self,
        context: impl Fn(&HttpRequest, &Refusal) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        self.context = ResponseContext::PerRequest(Arc::new(context));
        self
    }

    /// Makes the whole response to a refused request.
    ///
    /// `no-store`, `X-Maintenance-Mode` and, where it has none, `Retry-After` are added to it. A
    /// status below 300 is replaced by the configured one: a refusal is never a success.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # use actix_web::HttpResponse;
    /// let builder = Maintenance::builder().response_renderer(|_request, refusal| {
    ///     HttpResponse::ServiceUnavailable().body(format!("{} is closed", refusal.label))
    /// });
    /// ```
    pub fn response_renderer(
        mut self,
        render: impl Fn(&HttpRequest, &Refusal) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.renderer = Some(Arc::new(render));
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

    /// Reads settings and state, and starts to follow the store.
    ///
    /// A store that fails is no error here: the setting `when_store_fails` says what then, the log
    /// tells, and the store is tried again. Where nothing is known of it either, the start takes up
    /// to five seconds and `when_unknown_at_start` says what counts.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// assert!(!maintenance.is_on());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the settings cannot be used; the error lists every fault. And when the store can never
    /// work, as with a wrong password or a path that is a folder, unless `forced` decides.
    pub async fn build(mut self) -> Result<Maintenance, BuildError> {
        let (mut settings, read) = match self.settings.take() {
            Some(settings) => (settings, Ok(())),
            None => Settings::load_with_faults(),
        };
        for edit in self.edits.drain(..) {
            edit(&mut settings);
        }
        let closures = add_modes(&mut settings, std::mem::take(&mut self.modes));
        let before = public_path(&settings);
        let script = format!("{before}{}/static/maintenance.js", admin_path(&settings));
        let functions = Functions::new(script, mode_keys(&settings));
        let of_app = std::mem::take(&mut self.of_app);
        let mut templates = Templates::read(&settings, of_app, functions.clone(), &TEMPLATES);
        if self.is_tool
            && let Err(message) = templates
        {
            self.page_fault = Some(message);
            leave_pages_alone(&mut settings);
            templates = Templates::read(&settings, OfApp::default(), functions.clone(), &TEMPLATES);
        }
        let templates = templates.map_err(|message| {
            let named = &settings.response.template;
            fault("response.template", named, message)
        });
        let languages = Languages::read(&settings.language, &self.catalogues);
        let ((), (templates, mut languages)) = both(
            read.and_then(|()| settings.check()),
            both(templates, languages),
        )?;
        languages.chooser = self.language.take();
        let (store, copy) = match self.store.take() {
            Some(store) => {
                let copy = local_copy(&*store, Of::Custom, &settings);
                (store, copy)
            }
            None => open_store(&settings)?,
        };
        let modes = configured_modes(&settings, &closures);
        let plan = Plan {
            is_tool: self.is_tool,
            ..plan(&settings, &modes)?
        };
        let rules = rules(&settings, &modes, self.tests)?;
        if let Some(login) = settings.login_url.as_deref().and_then(target)
            && login.host.is_none()
            && rules.paths.matching(&login.path).is_none()
        {
            tracing::warn!(
                login_url = settings.login_url,
                "nobody can log in during maintenance: add the path to `exempt.prefixes`"
            );
        }
        let hooks = Hooks::start(std::mem::take(&mut self.hooks)).map_err(BuildError::Thread)?;
        let first = plan.first_snapshot(Arc::new(rules), store.url(), self.clock.now());
        let clock = self.clock.clone();
        let is_tool = self.is_tool;
        let mut front = self.front(&settings, &modes, templates, languages)?;
        if let Err(found) = front.responses.try_pages(&modes) {
            if !is_tool {
                return Err(fault("response.template", &found.template, found.message).into());
            }
            front.page_fault = Some(found.message);
            settings.web_server.page = None;
        }
        let front = Arc::new(front);
        let shared = Arc::new(shared(&settings, first, &plan, hooks, clock, &front));
        functions.tell_of(&shared);
        tracing::info!(
            store = %store.url(),
            admin_path = %front.admin_path,
            forced = settings.forced.map(|forced| forced.as_str()),
            "maintenance mode is set up"
        );
        for token in front.tokens.expired(shared.clock.now()) {
            tracing::warn!(
                token,
                "a token of the settings has expired and opens nothing"
            );
        }

        let (commands, received) = mpsc::unbounded_channel();
        let (sender, published) = watch::channel(0);
        let (ready, is_ready) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(BuildError::Thread)?;
        let leases = LeaseKeeper::new(
            Arc::clone(&store),
            runtime.handle().clone(),
            commands.clone(),
            Arc::clone(&shared.seat.tasks),
        );
        let driver = Driver {
            shared: Arc::clone(&shared),
            store,
            leases: leases.of_driver(),
            copy,
            plan,
            published: sender,
        };
        thread::Builder::new()
            .name("maintenance".to_owned())
            .spawn(move || {
                runtime.block_on(driver.run(received, ready));
                // A store that hangs must not keep the process from ending.
                runtime.shutdown_background();
            })
            .map_err(BuildError::Thread)?;
        // The driver answers after the first load, which is bounded in time; if it is gone instead,
        // the first change says so.
        if let Ok(Err(error)) = is_ready.await {
            return Err(error.into());
        }
        Ok(Maintenance {
            engine: Engine {
                shared,
                commands,
                published,
                leases,
            },
            front,
        })
    }

    fn front(
        self,
        settings: &Settings,
        configured: &[ConfiguredMode],
        templates: Templates,
        languages: Languages,
    ) -> Result<Front, SettingsError> {
        let mut responses = Responses::new(
            &settings.response,
            configured,
            self.context,
            self.renderer,
            templates,
            languages,
        )
        .map_err(|message| fault("response", "", message))?;
        if let Some(format) = self.format {
            responses.format = format;
        }
        Ok(Front {
            conditions: configured
                .iter()
                .map(|mode| mode.closures.applies.clone())
                .collect(),
            responses,
            identity: Identity::new(self.identity, &settings.session),
            trusted_proxies: AddressSet::parse(&settings.client.trusted_proxies)
                .map_err(|message| fault("client.trusted_proxies", "", message))?,
            address_finder: self.address_finder,
            predicates: self.predicates,
            already_in: self.already_in,
            api_key: settings
                .exempt
                .api_key
                .as_ref()
                .map(ApiKey::new)
                .transpose()
                .map_err(|message| fault("exempt.api_key", "", message))?,
            is_private: settings.exempt.private,
            logout_hook: self.logout_hook,
            session_order: SessionOrder::default(),
            permissions: self.permissions,
            live: Live::new(&settings.live),
            static_dir: settings.admin.static_dir.clone(),
            get_switches: settings.admin.get,
            tokens: Tokens::new(&settings.admin.tokens)
                .map_err(|message| fault("admin.tokens", "", message))?,
            login_url: settings.login_url.clone(),
            forced_on_wrappers: AtomicBool::new(false),
            told_of_routes: ToldOnce::default(),
            unenforced_told: AtomicBool::new(false),
            public_path: public_path(settings).to_owned(),
            page_fault: self.page_fault,
            admin_path: admin_path(settings).to_owned(),
        })
    }
}

fn shared(
    settings: &Settings,
    first: crate::core::snapshot::Snapshot,
    plan: &Plan,
    hooks: Hooks,
    clock: Clock,
    front: &Arc<Front>,
) -> Shared {
    let seat = Seat::new(node_plan(settings));
    let front = Arc::clone(front);
    Shared {
        published: Published::new(first, seat.fence_if_closing()),
        knowledge: Knowledge::default(),
        in_flight: InFlight::default(),
        sessions: Sessions::new(),
        seat,
        drain: Drain {
            session_idle: settings.drain.session_idle,
            wish: DrainWish {
                timeout: SignedDuration::try_from(settings.drain.timeout).ok(),
                on_timeout: settings.drain.on_timeout,
            },
        },
        clock,
        modes: plan.modes.clone(),
        default_mode: settings.default_mode().to_owned(),
        time_zone: plan.time_zone.clone(),
        hooks,
        cancelling: Cancelling::default(),
        web_server: WebServerFiles::new(&settings.web_server),
        page: Arc::new(move |snapshot, mode, now| {
            front.responses.page_file(snapshot, mode, now).into()
        }),
    }
}

fn admin_path(settings: &Settings) -> &str {
    settings.admin_path.trim_end_matches('/')
}

fn public_path(settings: &Settings) -> &str {
    let path = settings.public_path.as_deref().unwrap_or_default();
    path.trim_end_matches('/')
}

/// The keys of all modes; without any in the settings there is one.
fn mode_keys(settings: &Settings) -> Vec<String> {
    match settings.modes.as_slice() {
        [] => vec![ModeSettings::default().key],
        modes => modes.iter().map(|mode| mode.key.clone()).collect(),
    }
}

/// The site must be brought back also from where the app's templates are not. Then a page that was
/// written for a web server stays as it is.
fn leave_pages_alone(settings: &mut Settings) {
    let plain = ResponseSettings::default();
    settings.response.templates_dir = plain.templates_dir;
    settings.response.template = plain.template;
    for mode in &mut settings.modes {
        mode.template = None;
    }
    settings.web_server.page = None;
}

/// Both, or the faults of both.
fn both<A, B>(
    one: Result<A, SettingsError>,
    other: Result<B, SettingsError>,
) -> Result<(A, B), SettingsError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
        (Err(faults), Err(others)) => Err(faults.and(others)),
    }
}

fn fault(key: &str, value: &str, message: impl fmt::Display) -> SettingsError {
    SettingsError::of_value(key, value, message.to_string())
}

/// The store that the settings name, and the copy of what it holds.
fn open_store(settings: &Settings) -> Result<(Arc<dyn Store>, LocalCopy), BuildError> {
    let url = StoreUrl::parse(&settings.store)
        .map_err(|message| fault("store", &without_password(&settings.store), message))?;
    let (store, of): (Arc<dyn Store>, _) = match &url {
        StoreUrl::Memory => (Arc::new(MemoryStore::new()), Of::Memory),
        StoreUrl::File(path) => {
            let store = FileStore::new(path)?;
            let copy = local_copy(&store, Of::File(store.path()), settings);
            let copy = copy.of_files(store.clone());
            return Ok((Arc::new(store), copy));
        }
        #[cfg(feature = "redis")]
        StoreUrl::Redis(url) => {
            let store = crate::store::RedisStore::new(url)?.wait_at_most(settings.store_timeout);
            (Arc::new(store), Of::Remote)
        }
        #[cfg(feature = "object-store")]
        StoreUrl::Bucket(url) => (Arc::new(crate::store::BucketStore::new(url)?), Of::Remote),
    };
    let copy = local_copy(&*store, of, settings);
    Ok((store, copy))
}

fn local_copy(store: &dyn Store, of: Of<'_>, settings: &Settings) -> LocalCopy {
    let url = store.url();
    let named = settings.node.memory.as_deref();
    let place = Place::of(of, &url, named, |name| std::env::var_os(name));
    LocalCopy::new(url, place)
}

fn plan(settings: &Settings, modes: &[ConfiguredMode]) -> Result<Plan, SettingsError> {
    Ok(Plan {
        forced: settings.forced,
        when_store_fails: settings.when_store_fails,
        when_cut_off: settings.when_cut_off,
        when_unknown_at_start: settings.when_unknown_at_start,
        is_tool: false,
        time_zone: settings
            .time_zone
            .as_deref()
            .map(|name| TimeZone::get(name).map_err(|error| fault("time_zone", name, error)))
            .transpose()?,
        modes: modes
            .iter()
            .map(|mode| Arc::new(mode::mode(&mode.settings, &mode.closures)))
            .collect(),
    })
}

fn node_plan(settings: &Settings) -> NodePlan {
    let salt: String = std::iter::repeat_with(fastrand::alphanumeric)
        .take(6)
        .collect();
    NodePlan {
        identity: NodeIdentity::new(
            settings.node.id.as_deref(),
            &crate::engine::node::host::name(),
            process::id(),
            // The time of the machine: it is to tell people since when the process runs.
            Timestamp::now(),
            &salt,
        ),
        time_to_live: settings.node.time_to_live,
        when_cut_off: settings.when_cut_off,
        forced: settings.forced,
        settings: mark_of(settings),
    }
}

/// Differs where the settings differ that all nodes of a fleet should have alike: not the names of
/// nodes, and not where each keeps its files.
fn mark_of(settings: &Settings) -> String {
    let mut alike = settings.clone();
    alike.store.clear();
    alike.node = NodeSettings::default();
    alike.web_server = WebServerSettings::default();
    alike.admin.static_dir = None;
    alike.response.templates_dir = None;
    alike.language.folder = None;
    // What is shown of settings has no secrets in it.
    let hash = Sha256::digest(format!("{alike:?}"));
    hash.iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Lays what code says of modes over the settings, and returns the closures by the modes' keys.
fn add_modes(
    settings: &mut Settings,
    modes: Vec<(String, ModeBuilder)>,
) -> HashMap<String, ModeClosures> {
    let mut closures: HashMap<String, ModeClosures> = HashMap::new();
    for (key, mode) in modes {
        let place = settings.modes.iter().position(|known| known.key == key);
        let place = place.unwrap_or_else(|| {
            settings.modes.push(ModeSettings::new(key.clone()));
            settings.modes.len() - 1
        });
        for edit in mode.edits {
            edit(&mut settings.modes[place]);
        }
        closures.insert(settings.modes[place].key.clone(), mode.closures);
    }
    closures
}

/// The modes in the order in which they answer; without any in the settings there is one.
fn configured_modes(
    settings: &Settings,
    closures: &HashMap<String, ModeClosures>,
) -> Vec<ConfiguredMode> {
    let default = [ModeSettings {
        label: Some("Whole site".to_owned()),
        ..ModeSettings::default()
    }];
    let configured = match settings.modes.as_slice() {
        [] => &default[..],
        modes => modes,
    };
    let mut modes: Vec<ConfiguredMode> = configured
        .iter()
        .map(|mode| ConfiguredMode {
            settings: mode.clone(),
            closures: closures.get(&mode.key).cloned().unwrap_or_default(),
        })
        .collect();
    modes.sort_by_key(|mode| mode.settings.order);
    modes
}

fn mode_rules(mode: &ModeSettings, ignore_case: bool) -> Result<ModeRules, SettingsError> {
    let name = |key: &str| format!("mode.{}.{key}", mode.key);
    let AppliesToSettings {
        hosts,
        prefixes,
        patterns,
        methods,
    } = &mode.applies_to;
    let paths = PathRules::new(&[], prefixes, patterns)
        .map_err(|error| fault(&name("applies_to.patterns"), "", error))?;
    let any_path = prefixes.is_empty() && patterns.is_empty();
    let choice = |key: &str, paths: &PathSettings| {
        PathRules::new(&paths.paths, &paths.prefixes, &paths.patterns)
            .map_err(|error| fault(&name(key), "", error))
    };
    Ok(ModeRules {
        applies_to: AppliesTo {
            hosts: hosts
                .iter()
                .map(|host| host_name(host).to_ascii_lowercase().into())
                .collect(),
            paths: (!any_path).then_some(paths),
            methods: methods
                .iter()
                .map(|method| method.as_str().into())
                .collect(),
        },
        exempt: own_exemptions(&mode.exempt, &name("exempt"), ignore_case)?,
        read_only: match mode.access {
            Access::None => None,
            Access::ReadOnly => Some(ReadOnly {
                allow: choice("read_only.allow", &mode.read_only.allow)?,
                deny: choice("read_only.deny", &mode.read_only.deny)?,
            }),
        },
    })
}

fn own_exemptions(
    exempt: &ModeExemptSettings,
    key: &str,
    ignore_case: bool,
) -> Result<OwnExemptions, SettingsError> {
    Ok(OwnExemptions {
        routes: Routes::new(format!("{key}.routes"), &exempt.routes),
        paths: PathRules::new(&exempt.paths, &exempt.prefixes, &exempt.patterns)
            .map_err(|error| fault(key, "", error))?
            .ignoring_case(ignore_case),
        addresses: AddressSet::parse(&exempt.addresses)
            .map_err(|message| fault(key, "", message))?,
        address_patterns: Patterns::whole(&exempt.address_patterns)
            .map_err(|error| fault(key, "", error))?,
        visitors: VisitorRules {
            anonymous: exempt.anonymous,
            authenticated: exempt.authenticated,
            staff: exempt.staff,
            superusers: exempt.superusers,
            ..VisitorRules::default()
        },
    })
}

fn rules(
    settings: &Settings,
    modes: &[ConfiguredMode],
    tests: bool,
) -> Result<Rules, SettingsError> {
    let exempt = &settings.exempt;
    let patterns_of = |key: &'static str| move |error: regex::Error| fault(key, "", error);
    let prefix = |path: &str| {
        PathRules::new(&[], &[path.to_owned()], &[])
            .map_err(|error| fault("exempt.admin_site", path, error))
    };
    Ok(Rules {
        forced_off: Routes::new("exempt.routes", &exempt.routes),
        forced_on: Routes::new("forced_on.routes", &settings.forced_on.routes),
        forced_on_patterns: Patterns::at_start(&settings.forced_on.patterns)
            .map_err(patterns_of("forced_on.patterns"))?,
        admin_scope: prefix(&settings.admin_path)?,
        robots_txt: exempt.robots_txt,
        redirect_targets: modes
            .iter()
            .filter_map(|mode| mode.settings.redirect.as_deref())
            .chain(settings.response.redirect.as_deref())
            .filter_map(target)
            .collect(),
        paths: PathRules::new(&exempt.paths, &exempt.prefixes, &exempt.patterns)
            .map_err(patterns_of("exempt.patterns"))?
            .ignoring_case(exempt.ignore_case),
        admin_site: match &exempt.admin_site {
            Some(path) => prefix(path)?,
            None => PathRules::default(),
        },
        addresses: AddressSet::parse(&exempt.addresses)
            .map_err(|message| fault("exempt.addresses", "", message))?,
        address_patterns: Patterns::whole(&exempt.address_patterns)
            .map_err(patterns_of("exempt.address_patterns"))?,
        tests: exempt.tests && tests,
        visitors: VisitorRules {
            anonymous: exempt.anonymous,
            authenticated: exempt.authenticated,
            staff: exempt.staff,
            superusers: exempt.superusers,
            logout_authenticated: settings.logout.authenticated,
            logout_staff: settings
                .logout
                .staff
                .unwrap_or(settings.logout.authenticated),
            logout_superusers: settings
                .logout
                .superusers
                .unwrap_or(settings.logout.authenticated),
        },
        modes: modes
            .iter()
            .map(|mode| mode_rules(&mode.settings, exempt.ignore_case))
            .collect::<Result<_, _>>()?,
    })
}

/// The path of the redirect's target, and its host if it names one.
fn target(redirect: &str) -> Option<RedirectTarget> {
    let uri: actix_web::http::Uri = redirect.parse().ok()?;
    Some(RedirectTarget {
        host: uri
            .authority()
            .map(|authority| authority.as_str().to_owned()),
        path: uri.path().to_owned(),
    })
}
