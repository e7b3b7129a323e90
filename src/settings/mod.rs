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

use std::{fmt, path::PathBuf, time::Duration};

mod admin;
pub(crate) mod check;
pub(crate) mod fault;
mod live;
mod load;
mod mode;
mod reader;
mod source;
mod well_known;

pub(crate) use self::admin::{HASH_PREFIX, hash_from_text};
pub use self::{
    admin::{AdminSettings, GetSwitches, TokenSettings},
    fault::{Fault, Origin, SettingsError},
    live::LiveSettings,
    mode::{AppliesToSettings, ModeExemptSettings, ModeSettings, PathSettings, ReadOnlySettings},
};
pub use crate::core::{
    mode::{Access, Forced},
    state::OnTimeout,
};
pub(crate) use crate::store::url::{StoreUrl, without_password};

/// How long a host's name, or an id from the settings, may be within a lease's name.
pub(crate) const ID_LIMIT: usize = 64;

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
    /// `RedisStore`, and with `object-store` `s3://`, `gs://` and `az://`, see `BucketStore`. Default `file:maintenance.state`.
    pub store: String,
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
    /// Where visitors are sent who open a page of the admin scope before they have logged in: an
    /// `http` or `https` URL, or a path on this site. It gets the parameter `next`, the path to come
    /// back to. Default `None`: they are told that they may not.
    pub login_url: Option<String>,
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
    /// `[web_server]`: files for a web server in front of the app.
    pub web_server: WebServerSettings,
    /// `[node]`: how this process reports itself to the others that share the store.
    pub node: NodeSettings,
    /// `[[mode]]`: the kinds of maintenance that there are. Default empty: the one mode `site`.
    pub modes: Vec<ModeSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            store: "file:maintenance.state".to_owned(),
            forced: None,
            when_store_fails: WhenStoreFails::default(),
            when_cut_off: WhenCutOff::default(),
            when_unknown_at_start: WhenUnknownAtStart::default(),
            admin_path: "/maintenance-mode".to_owned(),
            login_url: None,
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
            web_server: WebServerSettings::default(),
            node: NodeSettings::default(),
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
            forced,
            when_store_fails,
            when_cut_off,
            when_unknown_at_start,
            admin_path,
            login_url,
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
            web_server,
            node,
            modes,
        } = self;
        formatter
            .debug_struct("Settings")
            .field("store", &without_password(store))
            .field("forced", forced)
            .field("when_store_fails", when_store_fails)
            .field("when_cut_off", when_cut_off)
            .field("when_unknown_at_start", when_unknown_at_start)
            .field("admin_path", admin_path)
            .field("login_url", login_url)
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
            .field("web_server", web_server)
            .field("node", node)
            .field("modes", modes)
            .finish()
    }
}

/// What counts while the store cannot be read: the key `when_store_fails`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenStoreFails {
    /// `"keep-last"`: the last state that could be read. The default.
    #[default]
    KeepLast,
    /// `"on"`: the site is in maintenance.
    On,
    /// `"off"`: the site is not in maintenance.
    Off,
}

impl WhenStoreFails {
    /// The word in the settings: `keep-last`, `on` or `off`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeepLast => "keep-last",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// What a node does that cannot renew its lease: the key `when_cut_off`.
///
/// A node is cut off when three quarters of `node.time_to_live` have passed since it last asked the
/// store for its lease with success, also if it was stopped in between. At the end of the time to
/// live the other nodes count it out, and whoever waits for maintenance does not wait for it any
/// more. `docs/barrier.md` says what that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenCutOff {
    /// `"keep-last"`: it goes on by the last state that it knows. The default. Whoever was told
    /// meanwhile that the site is closed and empty was told wrong, should the node still serve.
    #[default]
    KeepLast,
    /// `"close"`: it is in maintenance until it is back, before anybody counts it out. A request
    /// then costs a look at the clock.
    Close,
}

impl WhenCutOff {
    /// The word in the settings: `keep-last` or `close`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeepLast => "keep-last",
            Self::Close => "close",
        }
    }
}

/// What counts at the start while the store cannot be read and nothing is remembered of it: the key
/// `when_unknown_at_start`.
///
/// A node remembers what it knew last in a small file ([`NodeSettings::memory`]), so that this counts
/// on its first start only, or where that file is lost. It counts while
/// [`when_store_fails`](Settings::when_store_fails) is `keep-last`: the other words say themselves what
/// counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenUnknownAtStart {
    /// `"wait"`: the start waits for the store, up to 5 seconds. If it cannot be read by then, the
    /// site is not in maintenance, which the status and the log tell as an error. The default.
    #[default]
    Wait,
    /// `"on"`: the site is in maintenance until the store can be read.
    On,
    /// `"off"`: the site is not in maintenance until the store can be read.
    Off,
}

impl WhenUnknownAtStart {
    /// The word in the settings: `wait`, `on` or `off`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Wait => "wait",
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

/// `[exempt]`: who gets through during maintenance. One rule that holds is enough.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExemptSettings {
    /// Visitors who are not logged in. Default `false`.
    pub anonymous: bool,
    /// Visitors who are logged in. Default `false`.
    pub authenticated: bool,
    /// Visitors who are staff. Default `false`.
    pub staff: bool,
    /// Superusers. Default `false`.
    pub superusers: bool,
    /// The app's own admin, as a path prefix of whole segments. Default `None`.
    pub admin_site: Option<String>,
    /// Client addresses: IPv4 and IPv6 addresses and CIDR blocks. An IPv4 address that is mapped
    /// into IPv6 counts as IPv4. A block may have host bits set: `10.0.0.5/8` is `10.0.0.0/8`.
    /// Default empty.
    pub addresses: Vec<String>,
    /// Regular expressions over the whole text of the client's address. Default empty.
    pub address_patterns: Vec<String>,
    /// Paths that must match exactly. The query is no part of a path. Default empty.
    pub paths: Vec<String>,
    /// Path prefixes of whole segments: `/api` is `/api` and `/api/x`, not `/apix`. A trailing
    /// slash is accepted. Default empty.
    pub prefixes: Vec<String>,
    /// Regular expressions over the path, anchored at its start. Default empty.
    pub patterns: Vec<String>,
    /// Names of Actix resources that are never refused. Default empty.
    pub routes: Vec<String>,
    /// `/robots.txt`, so that crawlers do not take the refusal as "crawl nothing". Default
    /// `true`.
    pub robots_txt: bool,
    /// Test runs: the app passes `cfg!(test)`. Default `false`.
    pub tests: bool,
    /// Requests that carry a key. Default `None`: no key lets anybody in.
    pub api_key: Option<ApiKeySettings>,
}

impl Default for ExemptSettings {
    fn default() -> Self {
        Self {
            anonymous: false,
            authenticated: false,
            staff: false,
            superusers: false,
            admin_site: None,
            addresses: Vec::new(),
            address_patterns: Vec::new(),
            paths: Vec::new(),
            prefixes: Vec::new(),
            patterns: Vec::new(),
            routes: Vec::new(),
            robots_txt: true,
            tests: false,
            api_key: None,
        }
    }
}

/// `exempt.api_key`: the keys that let a request through, and where the request carries one.
///
/// A key in a query ends up in access logs and in the browser's history. Prefer the header.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ApiKeySettings {
    /// The name of the request header that carries the key. Default `X-Maintenance-Key`; an empty
    /// `MAINTENANCE_EXEMPT__API_KEY__HEADER` unsets it.
    pub header: Option<String>,
    /// The name of the query parameter that carries the key. Default `None`: keys in the query
    /// do not count.
    pub query: Option<String>,
    /// The keys, of at least 8 characters each. At least one is needed. Default empty.
    pub keys: Vec<String>,
}

impl Default for ApiKeySettings {
    fn default() -> Self {
        Self {
            header: Some("X-Maintenance-Key".to_owned()),
            query: None,
            keys: Vec::new(),
        }
    }
}

/// Shows how many keys there are, never a key.
impl fmt::Debug for ApiKeySettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            header,
            query,
            keys,
        } = self;
        formatter
            .debug_struct("ApiKeySettings")
            .field("header", header)
            .field("query", query)
            .field("keys", &format_args!("[{} hidden]", keys.len()))
            .finish()
    }
}

/// `[forced_on]`: what is always refused, in maintenance or not.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ForcedOnSettings {
    /// Names of Actix resources. Default empty.
    pub routes: Vec<String>,
    /// Regular expressions over the path, anchored at its start. Default empty.
    pub patterns: Vec<String>,
}

/// `[response]`: how a refusal looks.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ResponseSettings {
    /// The HTTP status, from 400 to 599. Default 503.
    pub status: u16,
    /// What `Retry-After` says where the end is not known, in whole seconds, at most a year; zero
    /// for no such header. In the file a number of seconds or a text such as `"1h"`. Default one
    /// hour.
    pub retry_after: Duration,
    /// By how much of itself `Retry-After` is made longer at random, as a fraction from 0 to 1, so
    /// that clients do not come back all at once. Default 0.
    pub retry_jitter: f64,
    /// The form of the body. Default [`FormatSetting::Auto`].
    pub format: FormatSetting,
    /// The name of the HTML template. Default `503.html`.
    pub template: String,
    /// A folder of templates that override the embedded ones by name. Default `None`.
    pub templates_dir: Option<PathBuf>,
    /// The text for visitors. Default `None`: a general one.
    pub message: Option<String>,
    /// Whether the page loads the script of the admin scope, if there is one, by which it goes away
    /// by itself when the maintenance is over. Default `true`.
    pub script: bool,
    /// Where page requests are sent instead: an `http` or `https` URL, or a path on this site.
    /// Default `None`: no redirect.
    pub redirect: Option<String>,
}

impl Default for ResponseSettings {
    fn default() -> Self {
        Self {
            status: 503,
            retry_after: Duration::from_secs(3600),
            retry_jitter: 0.0,
            format: FormatSetting::default(),
            template: "503.html".to_owned(),
            templates_dir: None,
            message: None,
            script: true,
            redirect: None,
        }
    }
}

/// The form of a refusal's body: the key `response.format`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FormatSetting {
    /// `"auto"`: what the request's `Accept` prefers. The default.
    #[default]
    Auto,
    /// `"html"`: always a page.
    Html,
    /// `"json"`: always a JSON object.
    Json,
    /// `"problem"`: always problem details (RFC 9457).
    Problem,
    /// `"text"`: always plain text.
    Text,
}

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

/// `[logout]`: whose session ends when they meet the maintenance.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct LogoutSettings {
    /// Visitors who are logged in. Default `false`.
    pub authenticated: bool,
    /// Visitors who are staff. Default `None`: as `authenticated`.
    pub staff: Option<bool>,
    /// Superusers. Default `None`: as `authenticated`.
    pub superusers: Option<bool>,
}

/// `[session]`: the keys under which the Actix session says who is asking.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionSettings {
    /// Present and not null: the visitor is logged in. Default `user_id`.
    pub user_key: String,
    /// True: the visitor is staff. Default `is_staff`.
    pub staff_key: String,
    /// True: the visitor is a superuser. Default `is_superuser`.
    pub superuser_key: String,
}

impl Default for SessionSettings {
    fn default() -> Self {
        Self {
            user_key: "user_id".to_owned(),
            staff_key: "is_staff".to_owned(),
            superuser_key: "is_superuser".to_owned(),
        }
    }
}

/// `[client]`: how the client's address is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClientSettings {
    /// The proxies whose `Forwarded` and `X-Forwarded-For` headers count: addresses and CIDR
    /// blocks, as in [`ExemptSettings::addresses`]. List only proxies that set or replace the
    /// header: anybody else could claim an exempt address. Default empty: the peer is the client.
    pub trusted_proxies: Vec<String>,
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_pass_their_own_check() {
        assert_eq!(
            Settings::default().check().map_err(|e| e.to_string()),
            Ok(())
        );
    }

    #[test]
    fn debug_hides_api_keys_and_the_stores_password() {
        let mut settings = Settings {
            store: "redis://app:geheimnis@cache/1".to_owned(),
            ..Settings::default()
        };
        settings.exempt.api_key = Some(ApiKeySettings {
            keys: vec!["sesame-open-up".to_owned()],
            ..ApiKeySettings::default()
        });
        let shown = format!("{settings:?} {settings:#?}");
        assert!(!shown.contains("sesame"), "{shown}");
        assert!(!shown.contains("geheimnis"), "{shown}");
        assert!(shown.contains("[1 hidden]"), "{shown}");
        assert!(shown.contains("cache/1"), "{shown}");
    }
}

/// `[drain]`: how a mode closes when those who are in may finish.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainSettings {
    /// Who was not seen for this long is not inside any more. Default 15 minutes.
    pub session_idle: Duration,
    /// How long a drain waits. Default 15 minutes.
    pub timeout: Duration,
    /// What happens when it is not over by then. Default [`OnTimeout::Offline`].
    pub on_timeout: OnTimeout,
}

impl Default for DrainSettings {
    fn default() -> Self {
        const QUARTER_OF_AN_HOUR: Duration = Duration::from_secs(15 * 60);
        Self {
            session_idle: QUARTER_OF_AN_HOUR,
            timeout: QUARTER_OF_AN_HOUR,
            on_timeout: OnTimeout::default(),
        }
    }
}

/// `[node]`: how this process reports itself to the others that share the store.
///
/// A process that makes the middleware is a node: it holds a lease in the store that says what it
/// has applied and how many are inside. A drain, and whoever waits for maintenance, waits for all
/// nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeSettings {
    /// What names the machine in the status: letters, digits, `-`, `.` and `_`. Default `None`: the
    /// host's name. What tells processes apart is added to it.
    pub id: Option<String>,
    /// How long the others wait for a node that they do not hear from. It is renewed every third of
    /// that. At least one second. Default 15 seconds.
    pub time_to_live: Duration,
    /// The folder for the copy of what this node knew last, which counts when it starts again while
    /// the store cannot be read. It is made if it is not there. Default `None`: beside the file of a
    /// file store; for other stores the folder that systemd names in `STATE_DIRECTORY`, or
    /// `actix-maintenance-mode` in the user's cache folder. A folder on another volume than the
    /// state also helps when that one is not mounted.
    ///
    /// The store `memory:` needs no copy, and of a store of the app's own one is made only if this
    /// names a folder.
    pub memory: Option<PathBuf>,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            id: None,
            memory: None,
            time_to_live: Duration::from_secs(15),
        }
    }
}
