//! From a file and the environment to settings, with every fault on the way.

use std::{
    env,
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    ApiKeySettings, ClientSettings, DrainSettings, ExemptSettings, Forced, ForcedOnSettings,
    FormatSetting, LanguageSettings, LogoutSettings, NodeSettings, OnTimeout, ResponseSettings,
    SessionSettings, Settings, SettingsError, WebServerSettings, WhenCutOff, WhenStoreFails,
    WhenUnknownAtStart, admin, check,
    fault::{Fault, Origin},
    live, mode,
    reader::{Reader, Section, boolean, choice, duration, fraction, number, text},
    source::{Entries, SETTINGS_VARIABLE, Source, overlay},
};

/// What is read if no file is named and there is such a file.
const DEFAULT_FILE: &str = "maintenance.toml";

impl Settings {
    /// Reads the file that `MAINTENANCE_SETTINGS` names, or `maintenance.toml` in the working
    /// directory if there is one, and lays the environment over it.
    ///
    /// # Errors
    ///
    /// When the named file cannot be read, and when anything in the file or in the environment is
    /// wrong. The error tells every fault.
    pub fn load() -> Result<Self, SettingsError> {
        match env::var_os(SETTINGS_VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => from_path(Path::new(&path), env::vars_os()),
            // Only a file that is not there is no file: one that cannot be looked at is a fault,
            // and so is a link to nowhere.
            None => match fs::symlink_metadata(DEFAULT_FILE) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    tracing::debug!("no {DEFAULT_FILE} in the working directory: default settings");
                    read(None, env::vars_os())
                }
                _ => from_path(Path::new(DEFAULT_FILE), env::vars_os()),
            },
        }
    }

    /// Reads this file, and lays the environment over it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, and when anything in it or in the environment is wrong. The
    /// error tells every fault.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, SettingsError> {
        from_path(path.as_ref(), env::vars_os())
    }

    /// Reads settings from TOML text alone, without the environment.
    ///
    /// # Errors
    ///
    /// When anything in the text is wrong. The error tells every fault.
    pub fn from_toml(text: &str) -> Result<Self, SettingsError> {
        read(Some(Source { text, path: None }), [])
    }

    /// Tells whether the settings make sense, for those whose fields were changed in code. What
    /// was loaded has passed this already.
    ///
    /// # Errors
    ///
    /// When a value is not right. The error tells every fault.
    pub fn check(&self) -> Result<(), SettingsError> {
        if self.exempt.anonymous && self.exempt.authenticated {
            tracing::warn!(
                "`exempt.anonymous` and `exempt.authenticated` are both true: maintenance refuses \
                 nobody"
            );
        }
        SettingsError::unless_empty(check::check(self))
    }
}

fn from_path(
    path: &Path,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Settings, SettingsError> {
    // Absolute, so that the log says which of several such files it was.
    let shown = std::path::absolute(path).unwrap_or_else(|_| PathBuf::from(path));
    let unreadable = match fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => {
            tracing::info!(file = %shown.display(), "read the maintenance settings");
            let source = Source {
                text: &text,
                path: Some(path),
            };
            return read(Some(source), variables);
        }
        Ok(Err(_)) => "the file is not valid UTF-8; save it as such".to_owned(),
        Err(error) => format!("cannot read the settings file {}: {error}", shown.display()),
    };
    let origin = Origin::File {
        path: PathBuf::from(path),
        line: None,
    };
    read_after(vec![Fault::new("", unreadable, origin)], None, variables)
}

/// Reads settings from a text and from the environment over it; touches neither itself.
pub(super) fn read(
    source: Option<Source<'_>>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Settings, SettingsError> {
    read_after(Vec::new(), source, variables)
}

/// As [`read`], but tells these faults too.
fn read_after(
    mut faults: Vec<Fault>,
    source: Option<Source<'_>>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Settings, SettingsError> {
    let mut entries = source.map_or_else(Entries::new, |source| source.entries(&mut faults));
    overlay(&mut entries, variables, &mut faults);
    let mut reader = Reader::default();
    let settings = reader.read(entries, schema);
    let (type_faults, origins) = reader.finish();
    faults.extend(type_faults);
    faults.extend(
        check::check(&settings)
            .into_iter()
            .map(|fault| origins.locate(fault)),
    );
    SettingsError::unless_empty(faults)?;
    Ok(settings)
}

fn schema(root: &mut Section<'_>) -> Settings {
    let default = Settings::default();
    Settings {
        store: root.value("store", text, default.store),
        forced: root.optional(
            "forced",
            choice(&[("on", Forced::On), ("off", Forced::Off)]),
            default.forced,
        ),
        when_store_fails: root.value(
            "when_store_fails",
            choice(&[
                ("keep-last", WhenStoreFails::KeepLast),
                ("on", WhenStoreFails::On),
                ("off", WhenStoreFails::Off),
            ]),
            default.when_store_fails,
        ),
        when_cut_off: root.value(
            "when_cut_off",
            choice(&[
                ("keep-last", WhenCutOff::KeepLast),
                ("close", WhenCutOff::Close),
            ]),
            default.when_cut_off,
        ),
        when_unknown_at_start: root.value(
            "when_unknown_at_start",
            choice(&[
                ("wait", WhenUnknownAtStart::Wait),
                ("on", WhenUnknownAtStart::On),
                ("off", WhenUnknownAtStart::Off),
            ]),
            default.when_unknown_at_start,
        ),
        admin_path: root.value("admin_path", text, default.admin_path),
        login_url: root.optional("login_url", text, default.login_url),
        time_zone: root.optional("time_zone", text, default.time_zone),
        admin: root.section("admin", admin::read),
        live: root.section("live", live::read),
        exempt: root.section("exempt", exempt),
        forced_on: root.section("forced_on", forced_on),
        response: root.section("response", response),
        language: root.section("language", language),
        logout: root.section("logout", logout),
        session: root.section("session", session),
        client: root.section("client", client),
        drain: root.section("drain", drain),
        web_server: root.section("web_server", web_server),
        node: root.section("node", node),
        modes: root.sections("mode", mode::schema),
    }
}

fn drain(section: &mut Section<'_>) -> DrainSettings {
    let default = DrainSettings::default();
    DrainSettings {
        session_idle: section.value("session_idle", duration, default.session_idle),
        timeout: section.value("timeout", duration, default.timeout),
        on_timeout: section.value(
            "on_timeout",
            choice(&[
                ("offline", OnTimeout::Offline),
                ("cancel", OnTimeout::Cancel),
            ]),
            default.on_timeout,
        ),
    }
}

fn node(section: &mut Section<'_>) -> NodeSettings {
    let default = NodeSettings::default();
    NodeSettings {
        id: section.optional("id", text, default.id),
        time_to_live: section.value("time_to_live", duration, default.time_to_live),
        memory: section
            .optional("memory", text, None)
            .map(PathBuf::from)
            .or(default.memory),
    }
}

fn web_server(section: &mut Section<'_>) -> WebServerSettings {
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

fn exempt(section: &mut Section<'_>) -> ExemptSettings {
    let default = ExemptSettings::default();
    ExemptSettings {
        anonymous: section.value("anonymous", boolean, default.anonymous),
        authenticated: section.value("authenticated", boolean, default.authenticated),
        staff: section.value("staff", boolean, default.staff),
        superusers: section.value("superusers", boolean, default.superusers),
        admin_site: section.optional("admin_site", text, default.admin_site),
        addresses: section.list("addresses", default.addresses),
        address_patterns: section.list("address_patterns", default.address_patterns),
        paths: section.list("paths", default.paths),
        prefixes: section.list("prefixes", default.prefixes),
        patterns: section.list("patterns", default.patterns),
        routes: section.list("routes", default.routes),
        robots_txt: section.value("robots_txt", boolean, default.robots_txt),
        tests: section.value("tests", boolean, default.tests),
        api_key: section.optional_section("api_key", api_key),
    }
}

fn api_key(section: &mut Section<'_>) -> ApiKeySettings {
    let default = ApiKeySettings::default();
    ApiKeySettings {
        header: section.optional("header", text, default.header),
        query: section.optional("query", text, default.query),
        keys: section.list("keys", default.keys),
    }
}

fn forced_on(section: &mut Section<'_>) -> ForcedOnSettings {
    let default = ForcedOnSettings::default();
    ForcedOnSettings {
        routes: section.list("routes", default.routes),
        patterns: section.list("patterns", default.patterns),
    }
}

fn response(section: &mut Section<'_>) -> ResponseSettings {
    let default = ResponseSettings::default();
    ResponseSettings {
        status: section.value("status", number(check::STATUS_EXPECTED), default.status),
        retry_after: section.value("retry_after", duration, default.retry_after),
        retry_jitter: section.value(
            "retry_jitter",
            fraction(check::JITTER_EXPECTED),
            default.retry_jitter,
        ),
        format: section.value(
            "format",
            choice(&[
                ("auto", FormatSetting::Auto),
                ("html", FormatSetting::Html),
                ("json", FormatSetting::Json),
                ("problem", FormatSetting::Problem),
                ("text", FormatSetting::Text),
            ]),
            default.format,
        ),
        template: section.value("template", text, default.template),
        templates_dir: section
            .optional("templates_dir", text, None)
            .map(PathBuf::from)
            .or(default.templates_dir),
        message: section.optional("message", text, default.message),
        script: section.value("script", boolean, default.script),
        redirect: section.optional("redirect", text, default.redirect),
    }
}

fn language(section: &mut Section<'_>) -> LanguageSettings {
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

fn logout(section: &mut Section<'_>) -> LogoutSettings {
    let default = LogoutSettings::default();
    LogoutSettings {
        authenticated: section.value("authenticated", boolean, default.authenticated),
        staff: section.optional("staff", boolean, default.staff),
        superusers: section.optional("superusers", boolean, default.superusers),
    }
}

fn session(section: &mut Section<'_>) -> SessionSettings {
    let default = SessionSettings::default();
    SessionSettings {
        user_key: section.value("user_key", text, default.user_key),
        staff_key: section.value("staff_key", text, default.staff_key),
        superuser_key: section.value("superuser_key", text, default.superuser_key),
    }
}

fn client(section: &mut Section<'_>) -> ClientSettings {
    let default = ClientSettings::default();
    ClientSettings {
        trusted_proxies: section.list("trusted_proxies", default.trusted_proxies),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::settings::{AdminSettings, GetSwitches, LiveSettings, ModeSettings, TokenSettings};

    fn with(text: &str, variables: &[(&str, &str)]) -> Result<Settings, SettingsError> {
        let path = Path::new("maintenance.toml");
        let source = Source {
            text,
            path: Some(path),
        };
        let variables = variables
            .iter()
            .map(|(name, value)| (name.into(), value.into()));
        read(Some(source), variables)
    }

    fn lines(result: Result<Settings, SettingsError>) -> Vec<String> {
        match result {
            Ok(_) => Vec::new(),
            Err(error) => error
                .to_string()
                .lines()
                .skip(1)
                .map(|l| l.trim().to_owned())
                .collect(),
        }
    }

    #[test]
    fn no_text_is_all_defaults() {
        assert_eq!(Settings::from_toml("").unwrap(), Settings::default());
        assert_eq!(read(None, []).unwrap(), Settings::default());
    }

    #[test]
    fn every_key_of_a_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            r#"
            store = "memory:"
            forced = "off"
            when_store_fails = "on"
            when_cut_off = "close"
            when_unknown_at_start = "on"
            admin_path = "/m"
            login_url = "/login"
            time_zone = "UTC"
            [admin]
            get = "ask"
            tokens = [{{ name = "deploy", hash = "sha256:{}" }}]
            static_dir = "{}"
            [live]
            per_address = 7
            connections = 7
            heartbeat = "1m"
            [exempt]
            anonymous = true
            authenticated = true
            staff = true
            superusers = true
            admin_site = "/admin"
            addresses = ["10.0.0.1"]
            address_patterns = ["1.*"]
            paths = ["/p"]
            prefixes = ["/q"]
            patterns = ["/r"]
            routes = ["s"]
            robots_txt = false
            tests = true
            api_key = {{ header = "X-Key", query = "key", keys = ["0123456789"] }}
            [forced_on]
            routes = ["t"]
            patterns = ["/u"]
            [response]
            status = 500
            retry_jitter = 0.2
            retry_after = "2h"
            format = "problem"
            template = "x.html"
            templates_dir = '{}'
            message = "Back soon."
            script = false
            redirect = "/status"
            [language]
            default = "fr"
            force = "de-AT"
            folder = '{}'
            [logout]
            authenticated = true
            staff = false
            superusers = false
            [session]
            user_key = "a"
            staff_key = "b"
            superuser_key = "c"
            [node]
            id = "web-1"
            time_to_live = "9s"
            memory = "memories"
            [drain]
            session_idle = "1m"
            timeout = "2m"
            on_timeout = "cancel"
            [web_server]
            flag = "a.flag"
            page = "a.html"
            [[mode]]
            key = "site"
            label = "Shop"
            help = "Nobody buys."
            order = 2
            timeout = "1d"
            announce = "1h"
            [client]
            trusted_proxies = ["10.0.0.0/8"]
            "#,
            "0a".repeat(32),
            folder.path().display(),
            folder.path().display(),
            folder.path().display()
        );
        let one = |text: &str| vec![text.to_owned()];
        let expected = Settings {
            store: "memory:".to_owned(),
            forced: Some(Forced::Off),
            when_store_fails: WhenStoreFails::On,
            when_cut_off: WhenCutOff::Close,
            when_unknown_at_start: WhenUnknownAtStart::On,
            admin_path: "/m".to_owned(),
            login_url: Some("/login".to_owned()),
            time_zone: Some("UTC".to_owned()),
            admin: AdminSettings {
                get: GetSwitches::Ask,
                tokens: vec![TokenSettings::new(
                    "deploy",
                    format!("sha256:{}", "0a".repeat(32)),
                )],
                static_dir: Some(folder.path().to_owned()),
            },
            live: LiveSettings {
                per_address: 7,
                connections: 7,
                heartbeat: Duration::from_secs(60),
            },
            exempt: ExemptSettings {
                anonymous: true,
                authenticated: true,
                staff: true,
                superusers: true,
                admin_site: Some("/admin".to_owned()),
                addresses: one("10.0.0.1"),
                address_patterns: one("1.*"),
                paths: one("/p"),
                prefixes: one("/q"),
                patterns: one("/r"),
                routes: one("s"),
                robots_txt: false,
                tests: true,
                api_key: Some(ApiKeySettings {
                    header: Some("X-Key".to_owned()),
                    query: Some("key".to_owned()),
                    keys: one("0123456789"),
                }),
            },
            forced_on: ForcedOnSettings {
                routes: one("t"),
                patterns: one("/u"),
            },
            response: ResponseSettings {
                status: 500,
                retry_jitter: 0.2,
                retry_after: Duration::from_secs(7200),
                format: FormatSetting::Problem,
                template: "x.html".to_owned(),
                templates_dir: Some(folder.path().to_owned()),
                message: Some("Back soon.".to_owned()),
                script: false,
                redirect: Some("/status".to_owned()),
            },
            language: LanguageSettings {
                default: "fr".to_owned(),
                force: Some("de-AT".to_owned()),
                folder: Some(folder.path().to_owned()),
            },
            logout: LogoutSettings {
                authenticated: true,
                staff: Some(false),
                superusers: Some(false),
            },
            session: SessionSettings {
                user_key: "a".to_owned(),
                staff_key: "b".to_owned(),
                superuser_key: "c".to_owned(),
            },
            drain: DrainSettings {
                session_idle: Duration::from_secs(60),
                timeout: Duration::from_secs(120),
                on_timeout: OnTimeout::Cancel,
            },
            node: NodeSettings {
                id: Some("web-1".to_owned()),
                time_to_live: Duration::from_secs(9),
                memory: Some(PathBuf::from("memories")),
            },
            web_server: WebServerSettings {
                flag: Some(PathBuf::from("a.flag")),
                page: Some(PathBuf::from("a.html")),
            },
            modes: vec![ModeSettings {
                key: "site".to_owned(),
                label: Some("Shop".to_owned()),
                help: Some("Nobody buys.".to_owned()),
                order: 2,
                timeout: Some(Duration::from_secs(24 * 3600)),
                announce: Duration::from_secs(3600),
                ..ModeSettings::default()
            }],
            client: ClientSettings {
                trusted_proxies: one("10.0.0.0/8"),
            },
        };
        assert_eq!(Settings::from_toml(&text).unwrap(), expected);
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let settings = with(
            "store = \"memory:\"\nforced = \"off\"\n[response]\nstatus = 500\nmessage = \"M\"\n",
            &[
                ("MAINTENANCE_FORCED", "ON"),
                ("MAINTENANCE_RESPONSE__STATUS", " 502 "),
                ("MAINTENANCE_RESPONSE__RETRY_AFTER", "120"),
                ("MAINTENANCE_EXEMPT__STAFF", "yes"),
                ("MAINTENANCE_exempt__Robots_Txt", "0"),
                ("MAINTENANCE_EXEMPT__ADDRESSES", "10.0.0.0/8, 192.168.1.1,"),
                ("MAINTENANCE_EXEMPT__PATTERNS", r#"["/a{1,2}", '/b']"#),
                ("MAINTENANCE_EXEMPT__API_KEY__KEYS", "0123456789"),
                ("MAINTENANCE_WHEN_STORE_FAILS", "keep-last"),
                ("OTHER", "x"),
            ],
        )
        .unwrap();
        assert_eq!(settings.store, "memory:");
        assert_eq!(settings.forced, Some(Forced::On));
        assert_eq!(settings.response.status, 502);
        assert_eq!(settings.response.message.as_deref(), Some("M"));
        assert_eq!(settings.response.retry_after, Duration::from_secs(120));
        assert!(settings.exempt.staff && !settings.exempt.robots_txt);
        assert_eq!(settings.exempt.addresses, ["10.0.0.0/8", "192.168.1.1"]);
        assert_eq!(settings.exempt.patterns, ["/a{1,2}", "/b"]);
        let api_key = settings.exempt.api_key.unwrap();
        assert_eq!(api_key.header.as_deref(), Some("X-Maintenance-Key"));
        assert_eq!(api_key.query, None);
        assert_eq!(api_key.keys, ["0123456789"]);
    }

    #[test]
    fn an_empty_variable_unsets_an_optional_key() {
        let text = "forced = \"on\"\n[exempt]\napi_key = { keys = [\"0123456789\"] }\n";
        let settings = with(
            text,
            &[
                ("MAINTENANCE_FORCED", ""),
                ("MAINTENANCE_EXEMPT__API_KEY", ""),
                ("MAINTENANCE_EXEMPT__PATHS", ""),
                ("MAINTENANCE_LOGOUT__STAFF", " "),
            ],
        );
        assert_eq!(settings.unwrap(), Settings::default());
        assert_eq!(
            lines(with(
                "",
                &[("MAINTENANCE_EXEMPT__STAFF", ""), ("MAINTENANCE_STORE", "")]
            )),
            [
                "MAINTENANCE_EXEMPT__STAFF: `exempt.staff` is \"\": give true or false",
                "MAINTENANCE_STORE: `store` is \"\": give \"memory:\" or \"file:\" and a path",
            ]
        );
    }

    #[test]
    fn all_faults_are_told_with_their_place() {
        let text = r#"store = "state"
superusers = true
[exempt]
superuser = true
staff = "yes"
addresses = [
  "10.0.0.1",
  "10.0.0.1/33",
  7,
  "::1/200",
]
[response]
status = 200
retry_after = "-1h"
format = "xml"
[client]
sunny = true
"#;
        let variables = [
            ("MAINTENANCE_RESPONS__STATUS", "503"),
            ("MAINTENANCE_SESSION__USER_KEY", ""),
            ("MAINTENANCE_RESPONSE", "x"),
        ];
        assert_eq!(
            lines(with(text, &variables)),
            [
                "maintenance.toml:1: `store` is `state`: no scheme; did you mean `file:state`?",
                "maintenance.toml:2: unknown key `superusers`, did you mean `exempt.superusers`?",
                "maintenance.toml:4: unknown key `exempt.superuser`, did you mean \
                 `exempt.superusers`?",
                "maintenance.toml:5: `exempt.staff` is `yes`: give true or false, without quotes",
                "maintenance.toml:8: `exempt.addresses` has `10.0.0.1/33`: `/33` is no prefix \
                 length; give one from 0 to 32",
                "maintenance.toml:9: `exempt.addresses` has `7`: give a text in quotes",
                "maintenance.toml:10: `exempt.addresses` has `::1/200`: `/200` is no prefix \
                 length; give one from 0 to 128",
                "maintenance.toml:13: `response.status` is `200`: give a number from 400 to 599",
                "maintenance.toml:14: `response.retry_after` is `-1h`: give a number of seconds, \
                 or a text such as \"90s\", \"1h\" or \"2h 30m\"; whole seconds, not negative",
                "maintenance.toml:15: `response.format` is `xml`: give one of \"auto\", \"html\", \
                 \"json\", \"problem\", \"text\"",
                "maintenance.toml:17: unknown key `client.sunny`; known here: trusted_proxies",
                "MAINTENANCE_RESPONSE: `response`: a section; set its keys one by one, each by \
                 a variable `MAINTENANCE_RESPONSE__…`",
                "MAINTENANCE_RESPONS__STATUS: unknown key `respons.status`, did you mean \
                 `response.status` (`MAINTENANCE_RESPONSE__STATUS`)?",
                "MAINTENANCE_SESSION__USER_KEY: `session.user_key` is \"\": give the name of a \
                 session key",
            ]
        );
    }

    #[test]
    fn text_that_is_not_toml_is_one_fault_beside_those_of_the_environment() {
        let text = "store = \"memory:\"\n[exempt]\napi_key = { keys = [\"hush-hush-hush ] }\n";
        let error = with(text, &[("MAINTENANCE_EXEMPT__STAF", "1")]).unwrap_err();
        assert_eq!(error.faults().len(), 2, "{error}");
        let syntax = error.faults()[0].to_string();
        assert!(
            syntax.starts_with("maintenance.toml:3: not valid TOML at line 3, column "),
            "{syntax}"
        );
        assert!(!syntax.contains("hush"), "{syntax}");
        assert_eq!(error.faults()[1].key(), "exempt.staf");
    }

    #[test]
    fn api_keys_are_never_shown() {
        let secret = "hush-hush";
        for text in [
            "[exempt]\napi_key = \"hush-hush\"\n",
            "[exempt]\napi_key = [\"hush-hush\"]\n",
            "[exempt.api_key]\nkeys = \"hush-hush\"\n",
            "[exempt.api_key]\nkey = \"hush-hush\"\n",
            "[exempt.api_key]\nkeys = [\"hush-hush \"]\n",
            "[exempt.api_key]\nkeys = [[\"hush-hush\"]]\n",
            "[exempt]\napi_keys = [\"hush-hush\"]\n",
        ] {
            let error = with(text, &[]).unwrap_err();
            assert!(
                !format!("{error} {:?}", error.faults()).contains(secret),
                "{error}"
            );
        }
        for (name, value) in [
            ("MAINTENANCE_EXEMPT__API_KEY", secret),
            ("MAINTENANCE_EXEMPT__API_KEY__KEY", secret),
            ("MAINTENANCE_EXEMPT__API_KEY__KEYS", "[hush-hush]"),
            (
                "MAINTENANCE_EXEMPT",
                "{ api_key = { keys = [\"hush-hush\"] } }",
            ),
        ] {
            let error = with("", &[(name, value)]).unwrap_err();
            assert!(
                !format!("{error} {:?}", error.faults()).contains(secret),
                "{error}"
            );
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn a_variable_that_is_set_twice_is_a_fault() {
        let variables = [
            ("MAINTENANCE_STORE", "memory:"),
            ("MAINTENANCE_store", "memory:"),
        ];
        assert_eq!(
            lines(with("", &variables)),
            ["MAINTENANCE_store: `store`: set twice, also by `MAINTENANCE_STORE`; keep one"]
        );
    }

    #[test]
    fn variables_of_others_are_ignored_and_unknown_ones_are_not() {
        let ignored = [
            ("MAINTENANCE_SETTINGS", "elsewhere.toml"),
            ("MAINTENANCE_SERVICE_HOST", "10.0.0.1"),
            ("MAINTENANCE_SERVICE_PORT", "80"),
            ("MAINTENANCE_SERVICE_PORT_HTTP", "80"),
            ("MAINTENANCE_PORT", "tcp://10.0.0.1:80"),
            ("MAINTENANCE_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("MAINTENANCES", "x"),
        ];
        assert_eq!(with("", &ignored).unwrap(), Settings::default());
        for name in [
            "MAINTENANCE_",
            "MAINTENANCE__",
            "MAINTENANCE_STOR",
            "MAINTENANCE_A__B__C",
        ] {
            let told = lines(with("", &[(name, "x")]));
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(
                told[0].starts_with(&format!("{name}: unknown key `")),
                "{told:?}"
            );
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_value_that_is_not_utf8_is_a_fault() {
        use std::os::unix::ffi::OsStringExt;

        let bytes = || OsString::from_vec(vec![b'm', 0xff]);
        let error = read(None, [("MAINTENANCE_RESPONSE__MESSAGE".into(), bytes())]).unwrap_err();
        assert_eq!(error.faults()[0].key(), "response.message");
        assert!(error.to_string().contains("not valid UTF-8"), "{error}");
        let name = OsString::from_vec(b"MAINTENANCE_\xff".to_vec());
        let error = read(None, [(name, bytes())]).unwrap_err();
        assert_eq!(error.faults().len(), 1, "{error}");
    }

    #[test]
    fn a_file_is_read_or_the_error_says_which() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        let error = from_path(&path, [("MAINTENANCE_X".into(), "".into())]).unwrap_err();
        assert_eq!(error.faults().len(), 2, "{error}");
        assert!(
            error.to_string().contains("cannot read the settings file"),
            "{error}"
        );
        fs::write(&path, b"store = \"\xff\"").unwrap();
        let error = from_path(&path, []).unwrap_err();
        assert!(error.to_string().contains("not valid UTF-8"), "{error}");
        fs::write(&path, "\u{feff}store = \"memory:\"\r\n").unwrap();
        assert_eq!(from_path(&path, []).unwrap().store, "memory:");
        assert!(from_path(folder.path(), []).is_err());
    }

    #[test]
    fn depth_does_not_exhaust_the_stack() {
        let name = format!("MAINTENANCE_{}", "A__".repeat(50_000));
        assert_eq!(lines(with("", &[(&name, "x")])).len(), 1);
        for text in [
            format!("a{} = 1", ".a".repeat(20_000)),
            format!("a = {}", "[".repeat(20_000)),
            format!("[a{}]", ".a".repeat(20_000)),
            format!("a = {}1{}", "{ a = ".repeat(2_000), " }".repeat(2_000)),
        ] {
            assert!(Settings::from_toml(&text).is_err());
        }
        assert!(with("", &[("MAINTENANCE_EXEMPT__PATHS", &"[".repeat(20_000))]).is_err());
    }

    /// Words that settings are made of, so that random text gets past the first key.
    fn toml_like() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            Just("store"),
            Just("[exempt]"),
            Just("[response]"),
            Just("api_key"),
            Just("keys"),
            Just("addresses"),
            Just("patterns"),
            Just("status"),
            Just("retry_after"),
            Just("time_zone"),
            Just(" = "),
            Just("\n"),
            Just("["),
            Just("]"),
            Just("{"),
            Just("}"),
            Just(","),
            Just("."),
            Just("\"/a\""),
            Just("\"(\""),
            Just("'10.0.0.1/33'"),
            Just("503"),
            Just("-1"),
            Just("0xffffffffffffffffffff"),
            Just("1e999"),
            Just("true"),
            Just("1979-05-27"),
            Just("\"1h\""),
            Just("[[mode]]"),
            Just("\u{feff}"),
            Just("é"),
        ];
        prop::collection::vec(word, 0..40).prop_map(|words| words.concat())
    }

    fn variable() -> impl Strategy<Value = (String, String)> {
        let key = prop_oneof![
            Just("STORE"),
            Just("FORCED"),
            Just("TIME_ZONE"),
            Just("RESPONSE"),
            Just("RESPONSE__STATUS"),
            Just("RESPONSE__RETRY_AFTER"),
            Just("RESPONSE__REDIRECT"),
            Just("RESPONSE__TEMPLATE"),
            Just("RESPONSE__TEMPLATES_DIR"),
            Just("EXEMPT__ADDRESSES"),
            Just("EXEMPT__PATTERNS"),
            Just("EXEMPT__API_KEY"),
            Just("EXEMPT__API_KEY__KEYS"),
            Just("EXEMPT__API_KEY__HEADER"),
            Just("ADMIN_PATH"),
            Just("EXEMPT__STAFF__X"),
        ];
        let known = (key, any::<String>()).prop_map(|(key, value)| (key.to_owned(), value));
        let any = (any::<String>(), any::<String>());
        prop_oneof![3 => known, 1 => any]
            .prop_map(|(key, value)| (format!("MAINTENANCE_{key}"), value))
    }

    proptest! {
        #[test]
        fn loading_never_panics(
            text in prop_oneof![any::<String>(), toml_like()],
            variables in prop::collection::vec(variable(), 0..6),
        ) {
            let variables: Vec<(&str, &str)> =
                variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            if let Err(error) = with(&text, &variables) {
                let shown = error.to_string();
                // One line for each fault, whatever the input holds.
                prop_assert_eq!(shown.lines().count(), error.faults().len() + 1);
            }
        }

        #[test]
        fn any_bytes_in_the_environment_are_borne(
            pairs in prop::collection::vec(
                (prop::collection::vec(any::<u8>(), 0..20), prop::collection::vec(any::<u8>(), 0..20)),
                0..6,
            ),
        ) {
            #[cfg(unix)]
            {
                use std::os::unix::ffi::OsStringExt;

                let pairs = pairs.into_iter().map(|(name, value)| {
                    let name = [b"MAINTENANCE_".as_slice(), &name].concat();
                    (OsString::from_vec(name), OsString::from_vec(value))
                });
                let _ = read(None, pairs);
            }
            #[cfg(not(unix))]
            let _ = pairs;
        }
    }
}
