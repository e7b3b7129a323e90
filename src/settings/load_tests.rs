use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::settings::*;

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
        store_timeout = "9s"
        forced = "off"
        when_store_fails = "on"
        when_cut_off = "close"
        when_unknown_at_start = "on"
        admin_path = "/m"
        public_path = "/shop"
        login_url = "/login"
        default_mode = "site"
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
        ignore_case = true
        paths = ["/p"]
        prefixes = ["/q"]
        patterns = ["/r"]
        routes = ["s"]
        robots_txt = false
        tests = true
        private = false
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
        cors = ["https://app.example.com"]
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
        [public]
        plan = true
        modes = ["site"]
        [[notice]]
        kind = "slack"
        url = "https://a"
        [audit]
        file = "audit.jsonl"
        [drain]
        session_idle = "1m"
        timeout = "2m"
        on_timeout = "cancel"
        [park]
        longest = "20s"
        most = 7
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
        store_timeout: Duration::from_secs(9),
        forced: Some(Forced::Off),
        when_store_fails: WhenStoreFails::On,
        when_cut_off: WhenCutOff::Close,
        when_unknown_at_start: WhenUnknownAtStart::On,
        admin_path: "/m".to_owned(),
        public_path: Some("/shop".to_owned()),
        login_url: Some("/login".to_owned()),
        default_mode: Some("site".to_owned()),
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
            ignore_case: true,
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
            private: false,
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
            cors: CorsSetting::Named(one("https://app.example.com")),
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
        park: ParkSettings {
            longest: Duration::from_secs(20),
            most: 7,
        },
        node: NodeSettings {
            id: Some("web-1".to_owned()),
            time_to_live: Duration::from_secs(9),
            memory: Some(PathBuf::from("memories")),
        },
        public: PublicSettings {
            plan: true,
            modes: one("site"),
        },
        notices: vec![NoticeSettings {
            kind: TargetKind::Slack,
            url: "https://a".to_owned(),
            ..NoticeSettings::default()
        }],
        audit: AuditSettings {
            file: Some(PathBuf::from("audit.jsonl")),
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
}

#[test]
fn an_empty_variable_leaves_a_key_that_has_a_default_as_the_file_has_it() {
    let empty = [
        ("MAINTENANCE_EXEMPT__STAFF", ""),
        ("MAINTENANCE_STORE", " "),
    ];
    assert_eq!(with("", &empty).unwrap(), Settings::default());
    let settings = with("store = \"memory:\"\n[exempt]\nstaff = true\n", &empty).unwrap();
    assert_eq!(settings.store, "memory:");
    assert!(settings.exempt.staff);
    // What is wrong with it is told of the file.
    assert_eq!(
        lines(with("[exempt]\nstaff = \"yes\"\n", &empty)),
        ["maintenance.toml:2: `exempt.staff` is `yes`: give true or false, without quotes"]
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
        // Of the program, in the environment of both.
        ("MAINTENANCE_URL", "https://shop.example/maintenance-mode"),
        ("MAINTENANCE_TOKEN", "mmt_secret"),
        ("MAINTENANCE_TOKEN_FILE", "/run/secrets/maintenance"),
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
    let error = whole(from_path(&path, [("MAINTENANCE_X".into(), "".into())])).unwrap_err();
    assert_eq!(error.faults().len(), 2, "{error}");
    assert!(
        error.to_string().contains("cannot read the settings file"),
        "{error}"
    );
    fs::write(&path, b"store = \"\xff\"").unwrap();
    let error = whole(from_path(&path, [])).unwrap_err();
    assert!(error.to_string().contains("not valid UTF-8"), "{error}");
    fs::write(&path, "\u{feff}store = \"memory:\"\r\n").unwrap();
    assert_eq!(whole(from_path(&path, [])).unwrap().store, "memory:");
    assert!(whole(from_path(folder.path(), [])).is_err());
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
    prop_oneof![3 => known, 1 => any].prop_map(|(key, value)| (format!("MAINTENANCE_{key}"), value))
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
