//! Puts everything together that maintenance consists of.

use std::{
    io,
    sync::{Arc, atomic::AtomicBool},
    thread,
};

use jiff::SignedDuration;
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    builder::{BuildError, Builder},
    configured_modes::{add_modes, configured_modes},
    open_store::{local_copy, open_store},
    plans::{node_plan, plan},
    rules::{fault, rules, target},
};
#[cfg(feature = "notices")]
use crate::web::notice_text;
use crate::{
    core::{
        audit::{Author, How},
        rules::exempt::AddressSet,
        state::DrainWish,
    },
    engine::{
        audit::Audit,
        driver::{Driver, Plan, changed::Cancelling},
        freshness::Freshness,
        grant_uses::GrantUses,
        handle::Engine,
        hooks::Hooks,
        inside::{in_flight::InFlight, sessions::Sessions},
        leases::keeper::LeaseKeeper,
        local_copy::Of,
        node::own_node::OwnNode,
        parked::Parked,
        shared::{Clock, Drain, Published, Shared},
        web_server_files::WebServerFiles,
    },
    settings::{ModeSettings, ResponseSettings, Settings, SettingsError, WhenCutOff},
    web::{
        embedded::ADMIN_TEMPLATES,
        front::Front,
        live::Live,
        maintenance::Maintenance,
        mode::ConfiguredMode,
        public_plan::PlanForAll,
        refusal::{
            language::Languages,
            responses::Responses,
            templates::{Functions, OfApp, Templates},
        },
        request::api_key::ApiKey,
        token::Tokens,
        told_once::ToldOnce,
        visitor::{identity::Identity, session_order::SessionOrder},
    },
};

impl Builder {
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
        let mut templates = Templates::read(&settings, of_app, functions.clone(), &ADMIN_TEMPLATES);
        if self.is_tool {
            // It is none of the nodes: nobody counts it out, and so nothing cuts it off.
            settings.when_cut_off = WhenCutOff::KeepLast;
        }
        if self.is_tool
            && let Err(message) = templates
        {
            self.page_fault = Some(message);
            leave_pages_alone(&mut settings);
            templates = Templates::read(
                &settings,
                OfApp::default(),
                functions.clone(),
                &ADMIN_TEMPLATES,
            );
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
        #[cfg(feature = "notices")]
        let desk = notice_text::desk(&settings, &plan.modes, &languages, plan.time_zone.clone())?;
        let mut front = self.front(&settings, &modes, templates, languages)?;
        if let Err(found) = front.responses.try_pages(&modes) {
            if !is_tool {
                return Err(fault("response.template", &found.template, found.message).into());
            }
            front.page_fault = Some(found.message);
            settings.web_server.page = None;
        }
        let front = Arc::new(front);
        let shared = shared(
            &settings,
            first,
            &plan,
            hooks,
            clock,
            &front,
            #[cfg(feature = "notices")]
            desk,
        );
        let shared = Arc::new(shared.map_err(BuildError::Thread)?);
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
            Arc::clone(&shared.own_node.tasks),
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
                author: Author {
                    how: if is_tool { How::Cli } else { How::Code },
                    ..Author::default()
                },
            },
            front,
        })
    }

    pub(super) fn front(
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
            plan_for_all: PlanForAll::new(&settings.public),
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

pub(super) fn shared(
    settings: &Settings,
    first: crate::core::snapshot::Snapshot,
    plan: &Plan,
    hooks: Hooks,
    clock: Clock,
    front: &Arc<Front>,
    #[cfg(feature = "notices")] notices: crate::engine::notices::NoticeDesk,
) -> io::Result<Shared> {
    let mut own_node = OwnNode::new(node_plan(settings));
    own_node.sessions_loaded = Arc::clone(&front.session_order.loaded);
    let node = own_node.plan.identity.id.clone();
    let audit = Audit::start(settings.audit.file.as_deref(), node)?;
    let front = Arc::clone(front);
    Ok(Shared {
        published: Published::new(first, own_node.fence_if_closing()),
        freshness: Freshness::default(),
        in_flight: InFlight::default(),
        sessions: Sessions::new(),
        own_node,
        looks_after_holders: AtomicBool::new(!plan.is_tool),
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
        #[cfg(feature = "notices")]
        notices,
        grant_uses: GrantUses::default(),
        parked: Arc::new(Parked::new(settings.park.longest, settings.park.most)),
        audit: Arc::new(audit),
        web_server: WebServerFiles::new(&settings.web_server),
        page: Arc::new(move |snapshot, mode, now| {
            front.responses.page_file(snapshot, mode, now).into()
        }),
    })
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
pub(super) fn both<A, B>(
    one: Result<A, SettingsError>,
    other: Result<B, SettingsError>,
) -> Result<(A, B), SettingsError> {
    match (one, other) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (Err(faults), Ok(_)) | (Ok(_), Err(faults)) => Err(faults),
        (Err(faults), Err(others)) => Err(faults.and(others)),
    }
}
