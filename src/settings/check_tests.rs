use super::*;
use crate::settings::{
    values::tests::{accepted, refused},
    *,
};

#[test]
fn the_admin_path_is_a_plain_path_of_its_own() {
    accepted(admin_path_fault, &["/maintenance-mode", "/a/b", "/a/"]);
    refused(
        admin_path_fault,
        &[
            ("", "starts with `/`"),
            ("admin", "starts with `/`"),
            ("/", "whole site"),
            ("/a//b", "empty segment"),
            ("/a//", "empty segment"),
            ("/a?b", "plain path"),
            ("/{a}", "plain path"),
            ("/a b", "plain path"),
            ("/a\u{0}", "plain path"),
        ],
    );
}

#[test]
fn time_zones_are_iana_names() {
    accepted(time_zone_fault, &["UTC"]);
    for name in [
        "",
        "Mars/Olympus",
        "Etc/Unknown",
        "../../etc/passwd",
        "a\0b",
        "+01:00",
    ] {
        refused(time_zone_fault, &[(name, "IANA")]);
    }
}

#[test]
fn all_faults_are_told_in_the_order_of_the_keys() {
    let mut settings = Settings::default();
    settings.client.trusted_proxies = vec!["10.0.0.0/8".to_owned(), "nginx".to_owned()];
    settings.session.user_key.clear();
    settings.exempt.routes = vec![" ".to_owned()];
    settings.store.clear();
    let error = settings.check().unwrap_err();
    let keys: Vec<&str> = error.faults().iter().map(Fault::key).collect();
    assert_eq!(
        keys,
        [
            "store",
            "exempt.routes",
            "session.user_key",
            "client.trusted_proxies"
        ]
    );
    assert_eq!(error.faults()[3].value(), Some("nginx"));
}

#[test]
fn a_store_is_given_two_seconds_at_least() {
    let mut settings = Settings {
        store_timeout: Duration::from_secs(2),
        ..Settings::default()
    };
    settings.check().unwrap();
    settings.store_timeout = Duration::from_millis(1999);
    let error = settings.check().unwrap_err();
    assert_eq!(error.faults()[0].key(), "store_timeout");
    assert!(error.to_string().contains("at least 2 seconds"), "{error}");
}
