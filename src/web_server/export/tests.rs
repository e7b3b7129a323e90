use super::*;
use crate::settings::CorsSetting;

fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.web_server.flag = Some("/var/lib/app/flag".into());
    settings.web_server.page = Some("/var/lib/app/page.html".into());
    settings
}

fn export_each(settings: &Settings) -> Vec<(WebServer, Result<String, ExportError>)> {
    WebServer::ALL
        .into_iter()
        .map(|server| (server, export(server, settings, "127.0.0.1:8080")))
        .collect()
}

#[test]
fn without_a_page_there_are_no_rules() {
    let mut settings = settings();
    settings.web_server.page = None;
    for (server, rules) in export_each(&settings) {
        let error = rules.unwrap_err().to_string();
        assert!(error.contains("[web_server] page ="), "{error}");
        assert!(error.contains(server.as_str()), "{error}");
    }
}

#[test]
fn without_a_flag_the_page_is_for_when_the_app_is_down() {
    let mut settings = settings();
    settings.web_server.flag = None;
    settings.exempt.prefixes = vec!["/api".to_owned()];
    for (server, rules) in export_each(&settings) {
        let rules = rules.unwrap();
        assert!(rules.contains("page.html"), "{server}: {rules}");
        let asks_the_app = server == WebServer::HaProxy;
        assert_eq!(rules.contains("/api"), asks_the_app, "{server}: {rules}");
        assert_eq!(
            rules.contains("it alone"),
            !asks_the_app,
            "{server}: {rules}"
        );
    }
}

#[test]
fn values_that_would_end_a_line_are_refused() {
    for edit in [
        (|settings| settings.exempt.paths = vec!["/a\nb".to_owned()]) as fn(&mut Settings),
        |settings| settings.exempt.prefixes = vec!["/a\rb".to_owned()],
        |settings| settings.exempt.patterns = vec!["/a\n# b".to_owned()],
        |settings| settings.web_server.page = Some("/a\nb".into()),
    ] {
        let mut settings = settings();
        edit(&mut settings);
        for (server, rules) in export_each(&settings) {
            assert!(matches!(rules, Err(ExportError::Unfit(_))), "{server}");
        }
    }
    for app in [
        "",
        "localhost",
        "localhost:",
        ":80",
        "a b:80",
        "a:0",
        "a:99999",
        "a\n:80",
    ] {
        assert!(
            export(WebServer::Nginx, &settings(), app).is_err(),
            "{app:?}"
        );
    }
}

#[test]
fn every_exemption_is_carried_over_or_named() {
    let mut settings = settings();
    let exempt = &mut settings.exempt;
    exempt.paths = vec!["/exact".to_owned()];
    exempt.prefixes = vec!["/api/".to_owned()];
    exempt.admin_site = Some("/staff".to_owned());
    exempt.patterns = vec![r"/v\d+/hook".to_owned()];
    exempt.superusers = true;
    exempt.routes = vec!["health".to_owned()];
    exempt.address_patterns = vec![r"10\..*".to_owned()];
    exempt.addresses = vec!["10.1.2.3/8".to_owned(), "::ffff:192.0.2.1".to_owned()];
    settings.response.redirect = Some("/sorry?from=1".to_owned());
    for (server, rules) in export_each(&settings) {
        let rules = rules.unwrap();
        for part in [
            "/exact",
            "^/api(/|$)",
            "^/staff(/|$)",
            "mode(/|$)",
            "+/hook",
            "10.0.0.0/8",
            "192.0.2.1/32",
            "robots",
            "/sorry",
            "exempt.superusers: who is logged in",
            "exempt.routes",
            "exempt.address_patterns",
            "response.redirect",
        ] {
            assert!(rules.contains(part), "{server} has no {part}: {rules}");
        }
        assert!(!rules.contains("/sorry?"), "{rules}");
    }
    for (server, rules) in export_each(&self::settings()) {
        assert!(rules.unwrap().contains("are carried over"), "{server}");
    }
}

#[test]
fn relative_files_become_absolute() {
    let mut settings = settings();
    settings.web_server.page = Some("page.html".into());
    let folder = std::env::current_dir().unwrap();
    for (server, rules) in export_each(&settings) {
        let rules = rules.unwrap();
        assert!(
            rules.contains(folder.to_str().unwrap()),
            "{server}: {rules}"
        );
    }
}

#[test]
fn origins_are_carried_over_and_cannot_mean_anything_else() {
    let mut settings = settings();
    for (server, rules) in export_each(&settings) {
        let rules = rules.unwrap();
        assert!(!rules.contains("Access-Control"), "{server}: {rules}");
    }
    settings.response.cors = CorsSetting::Any;
    for (server, rules) in export_each(&settings) {
        let rules = rules.unwrap();
        assert!(!rules.contains("\"true\""), "{server}: {rules}");
        assert!(
            rules.contains("Access-Control-Allow-Methods"),
            "{server}: {rules}"
        );
    }
    // Without a flag the app alone answers preflights.
    settings.web_server.flag = None;
    for (server, rules) in export_each(&settings) {
        let asks_the_app = server == WebServer::HaProxy;
        let rules = rules.unwrap();
        let answers = rules.contains("Access-Control-Allow-Methods");
        assert_eq!(answers, asks_the_app, "{server}: {rules}");
    }
    for origin in [
        "https://a.example\"",
        "https://$host",
        "https://a\nb",
        "https://{b}",
        "a'b",
    ] {
        settings.response.cors = CorsSetting::Named(vec![origin.to_owned()]);
        for (server, rules) in export_each(&settings) {
            assert!(
                matches!(rules, Err(ExportError::Unfit(_))),
                "{server} {origin}"
            );
        }
    }
}
