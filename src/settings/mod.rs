//! What an operator can set: the data, its defaults and how it is read.
//!
//! The settings come from one TOML file and from the environment, which wins over the file. No
//! file is fine: then everything has its default.
//!
//! # The file
//!
//! [`Settings::load`] reads the file that the variable `MAINTENANCE_SETTINGS` names, or
//! `maintenance.toml` in the working directory. Relative paths in it are relative to the working
//! directory.
//!
//! ```
//! use actix_maintenance_mode::settings::{Forced, Settings};
//!
//! let settings = Settings::from_toml(
//!     r#"
//!     store = "file:/var/lib/shop/maintenance.state"
//!     forced = "on"
//!
//!     [exempt]
//!     superusers = true
//!     addresses = ["10.0.0.0/8"]
//!
//!     [response]
//!     retry_after = "2h 30m"
//!     "#,
//! )?;
//! assert_eq!(settings.forced, Some(Forced::On));
//! assert_eq!(settings.response.retry_after.as_secs(), 9000);
//! # Ok::<(), actix_maintenance_mode::settings::SettingsError>(())
//! ```
//!
//! # The environment
//!
//! Each key is also a variable: `MAINTENANCE_` and the key in capitals, with two underscores
//! where the file has a section: `MAINTENANCE_STORE`, `MAINTENANCE_RESPONSE__STATUS=503`,
//! `MAINTENANCE_EXEMPT__API_KEY__KEYS=…`.
//!
//! - Truth values are `true`, `on`, `yes`, `1` and `false`, `off`, `no`, `0`.
//! - Lists are separated by commas (`10.0.0.0/8,192.168.1.1`) or are a TOML array
//!   (`["a", "b"]`). An item that contains a comma, or a first item that starts with `[`, as
//!   patterns may, needs the array.
//! - An empty value of an optional key unsets it, also where the file sets it.
//! - The variables that Kubernetes and Docker make up for a service whose name starts with
//!   "maintenance" (`MAINTENANCE_SERVICE_HOST`, `MAINTENANCE_PORT_80_TCP`, …) are not settings
//!   and are ignored.
//!
//! # Faults
//!
//! Unknown keys and bad values are never skipped. All of them are told at once, each with its
//! place, the value and what would be right:
//!
//! ```
//! use actix_maintenance_mode::settings::Settings;
//!
//! let error = Settings::from_toml("[exempt]\nsuperuser = true\n").unwrap_err();
//! assert_eq!(
//!     error.to_string(),
//!     "1 fault in the maintenance settings:\n  \
//!      line 2: unknown key `exempt.superuser`, did you mean `exempt.superusers`?"
//! );
//! ```

use std::{fmt, time::Duration};

use crate::{core::state::DEFAULT_MODE, store::LONGEST_WAIT};

mod admin;
mod audit;
mod check;
mod client;
mod conversions;
mod cors;
mod drain;
mod exempt;
pub(crate) mod fault;
mod forced_on;
mod language;
mod live;
mod load;
mod logout;
mod mode;
mod node;
mod notice;
mod park;
mod public;
mod reader;
mod response;
mod routes;
mod session;
mod source;
mod unknown;
pub(crate) mod values;
mod web_server;
mod well_known;

#[cfg(all(feature = "cli", unix))]
pub(crate) use self::admin::token_name_fault;
#[cfg(all(feature = "cli", unix))]
pub(crate) use self::source::PART_OF_VARIABLE;
#[cfg(feature = "cli")]
pub(crate) use self::source::{TOKEN_FILE_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE};
pub use self::{
    admin::{AdminSettings, GetSwitches, TokenSettings},
    audit::AuditSettings,
    client::ClientSettings,
    cors::CorsSetting,
    drain::DrainSettings,
    exempt::{ApiKeySettings, ExemptSettings},
    fault::{Fault, Origin, SettingsError},
    forced_on::ForcedOnSettings,
    language::LanguageSettings,
    live::LiveSettings,
    logout::LogoutSettings,
    mode::{AppliesToSettings, ModeExemptSettings, ModeSettings, PathSettings, ReadOnlySettings},
    node::NodeSettings,
    notice::{NoticeSettings, TargetKind},
    park::ParkSettings,
    public::PublicSettings,
    response::{FormatSetting, ResponseSettings},
    session::SessionSettings,
    unknown::{WhenCutOff, WhenStoreFails, WhenUnknownAtStart},
    web_server::WebServerSettings,
};
pub(crate) use self::{
    admin::{HASH_PREFIX, hash_from_text},
    node::ID_LIMIT,
};
pub use crate::core::{
    access::{Access, Forced},
    state::{OnTimeout, notice::NoticeKind},
};
pub(crate) use crate::store::url::{StoreUrl, without_password};

/// All settings, as plain data.
///
/// The fields can be changed after loading; [`Settings::check`] then tells whether they still
/// make sense.
///
/// ```
/// use actix_maintenance_mode::settings::Settings;
///
/// let mut settings = Settings::default();
/// settings.store = "memory:".to_owned();
/// settings.response.status = 500;
/// settings.check()?;
/// # Ok::<(), actix_maintenance_mode::settings::SettingsError>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct Settings {
    /// The URL of the store that holds the state: `memory:`, `file:` with a relative or absolute
    /// path, or `file:///` with an absolute one. The path is taken as it stands: `%20` is three
    /// characters. With the feature `redis` also `redis://`, `rediss://` and `redis+unix:///`, see
    /// `RedisStore`, with `postgres` `postgres://`, see `PostgresStore`, and with `object-store` `s3://`, `gs://` and `az://`, see `BucketStore`. Default `file:maintenance.state`.
    pub store: String,
    /// How long an answer of the store is waited for at most, where its answers are slow; where they are
    /// quick, a few seconds. For Redis, Valkey and Postgres. At least two seconds. Default 30 seconds.
    pub store_timeout: Duration,
    /// Wins over what the store holds, and refuses changes. Default `None`: the store decides.
    pub forced: Option<Forced>,
    /// What counts while the store cannot be read. Default [`WhenStoreFails::KeepLast`].
    pub when_store_fails: WhenStoreFails,
    /// What a node does that cannot reach the store for so long that the others may count it out.
    /// Default [`WhenCutOff::KeepLast`].
    pub when_cut_off: WhenCutOff,
    /// What counts while nothing is known: the store cannot be read at the start, and nothing is
    /// remembered of it. Default [`WhenUnknownAtStart::Wait`].
    pub when_unknown_at_start: WhenUnknownAtStart,
    /// The path of the admin scope; a trailing slash does not matter. Default
    /// `/maintenance-mode`.
    pub admin_path: String,
    /// What a proxy strips from the path before the app sees it, such as `/shop`: it goes before the
    /// paths of all links, forms, redirects and cookies. A proxy among
    /// [`ClientSettings::trusted_proxies`] may say another by `X-Forwarded-Prefix`. Default `None`:
    /// visitors see the paths that the app sees.
    pub public_path: Option<String>,
    /// Where visitors are sent who open a page of the admin scope before they have logged in: an
    /// `http` or `https` URL, or a path on this site. It gets the parameter `next`, the path to come
    /// back to. Default `None`: they are told that they may not.
    pub login_url: Option<String>,
    /// The key of the mode that a switch means which names none. Default `None`: the first mode of
    /// the file, whatever its `order`.
    pub default_mode: Option<String>,
    /// The IANA time zone of times that are given without an offset, such as `Europe/Rome`.
    /// Default `None`: such times are refused.
    pub time_zone: Option<String>,
    /// `[admin]`: what programs may do in the admin scope.
    pub admin: AdminSettings,
    /// `[live]`: the WebSocket that tells pages of changes.
    pub live: LiveSettings,
    /// `[exempt]`: who gets through.
    pub exempt: ExemptSettings,
    /// `[forced_on]`: what is always refused.
    pub forced_on: ForcedOnSettings,
    /// `[response]`: how a refusal looks.
    pub response: ResponseSettings,
    /// `[language]`: in which language people are answered.
    pub language: LanguageSettings,
    /// `[logout]`: whose session ends during maintenance.
    pub logout: LogoutSettings,
    /// `[session]`: where the session says who is asking.
    pub session: SessionSettings,
    /// `[client]`: how the client's address is found.
    pub client: ClientSettings,
    /// `[drain]`: how those who are in may finish.
    pub drain: DrainSettings,
    /// `[park]`: requests that wait for the reopening.
    pub park: ParkSettings,
    /// `[web_server]`: files for a web server in front of the app.
    pub web_server: WebServerSettings,
    /// `[node]`: how this process reports itself to the others that share the store.
    pub node: NodeSettings,
    /// `[public]`: what anybody may know ahead.
    pub public: PublicSettings,
    /// `[audit]`: where it is written down who did what.
    pub audit: AuditSettings,
    /// `[[notice]]`: whom changes are told. Default empty: nobody.
    pub notices: Vec<NoticeSettings>,
    /// `[[mode]]`: the kinds of maintenance that there are. Default empty: the one mode `site`.
    pub modes: Vec<ModeSettings>,
}

impl Settings {
    /// Whether there is a mode with this key; without any in the settings there is `site`.
    pub(super) fn has_mode(&self, key: &str) -> bool {
        match self.modes.as_slice() {
            [] => key == DEFAULT_MODE,
            modes => modes.iter().any(|mode| mode.key == key),
        }
    }

    /// The key of the mode that a switch means which names none.
    pub(crate) fn default_mode(&self) -> &str {
        let first = || self.modes.first().map(|mode| mode.key.as_str());
        let named = self.default_mode.as_deref();
        named.or_else(first).unwrap_or(DEFAULT_MODE)
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            store: "file:maintenance.state".to_owned(),
            store_timeout: LONGEST_WAIT,
            forced: None,
            when_store_fails: WhenStoreFails::default(),
            when_cut_off: WhenCutOff::default(),
            when_unknown_at_start: WhenUnknownAtStart::default(),
            admin_path: "/maintenance-mode".to_owned(),
            public_path: None,
            login_url: None,
            default_mode: None,
            time_zone: None,
            admin: AdminSettings::default(),
            live: LiveSettings::default(),
            exempt: ExemptSettings::default(),
            forced_on: ForcedOnSettings::default(),
            response: ResponseSettings::default(),
            language: LanguageSettings::default(),
            logout: LogoutSettings::default(),
            session: SessionSettings::default(),
            client: ClientSettings::default(),
            drain: DrainSettings::default(),
            park: ParkSettings::default(),
            web_server: WebServerSettings::default(),
            node: NodeSettings::default(),
            public: PublicSettings::default(),
            audit: AuditSettings::default(),
            notices: Vec::new(),
            modes: Vec::new(),
        }
    }
}

/// Shows everything but a password in the store's URL and the API keys.
impl fmt::Debug for Settings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Taken apart, so that a new field cannot be forgotten here.
        let Self {
            store,
            store_timeout,
            forced,
            when_store_fails,
            when_cut_off,
            when_unknown_at_start,
            admin_path,
            public_path,
            login_url,
            default_mode,
            time_zone,
            admin,
            live,
            exempt,
            forced_on,
            response,
            language,
            logout,
            session,
            client,
            drain,
            park,
            web_server,
            node,
            public,
            audit,
            notices,
            modes,
        } = self;
        formatter
            .debug_struct("Settings")
            .field("store", &without_password(store))
            .field("store_timeout", store_timeout)
            .field("forced", forced)
            .field("when_store_fails", when_store_fails)
            .field("when_cut_off", when_cut_off)
            .field("when_unknown_at_start", when_unknown_at_start)
            .field("admin_path", admin_path)
            .field("public_path", public_path)
            .field("login_url", login_url)
            .field("default_mode", default_mode)
            .field("time_zone", time_zone)
            .field("admin", admin)
            .field("live", live)
            .field("exempt", exempt)
            .field("forced_on", forced_on)
            .field("response", response)
            .field("language", language)
            .field("logout", logout)
            .field("session", session)
            .field("client", client)
            .field("drain", drain)
            .field("park", park)
            .field("web_server", web_server)
            .field("node", node)
            .field("public", public)
            .field("audit", audit)
            .field("notices", notices)
            .field("modes", modes)
            .finish()
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;
