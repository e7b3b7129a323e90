//! To which requests a mode applies, and what it still allows.

use std::net::IpAddr;

use super::*;
use crate::core::rules::{readings::Readings, routes::Named};

/// A request with a method, a host and a path.
struct Request<'a>(&'a str, Option<&'a str>, &'a str);

impl Subject for Request<'_> {
    fn path(&self) -> &str {
        self.2
    }
    fn method(&self) -> &str {
        self.0
    }
    fn readings(&self) -> &Readings {
        const PLAIN: &Readings = &Readings::PLAIN;
        PLAIN
    }
    fn each_host(&self, visit: &mut dyn FnMut(&str)) {
        self.1.into_iter().for_each(visit);
    }
    fn opens_route(&self, routes: &Routes) -> bool {
        routes.names(self.2, self.0) != Named::Not
    }
    fn restricts_route(&self, routes: &Routes) -> bool {
        self.opens_route(routes)
    }
    fn is_admin(&self) -> bool {
        false
    }
    fn address(&self) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, 1]))
    }
    fn predicate(&self) -> Option<&'static str> {
        None
    }
    fn has_api_key(&self) -> bool {
        false
    }
    fn each_grant(
        &self,
        _: crate::core::state::GrantKind,
        _: &mut dyn FnMut(&crate::core::state::GrantHash),
    ) {
    }

    fn is_already_in(&self) -> bool {
        false
    }
    fn is_of_mode(&self, _: usize) -> bool {
        true
    }
}

fn set(texts: &[&str]) -> HashSet<Box<str>> {
    texts.iter().map(|text| (*text).into()).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn a_mode_that_says_nothing_applies_to_all() {
    let all = AppliesTo::default();
    assert!(all.holds(&Request("GET", None, "/")));
    assert!(all.holds(&Request("BREW", Some("pot.example"), "/tea")));
}

#[test]
fn a_host_is_named_whatever_is_written_around_its_name() {
    let applies = AppliesTo {
        hosts: set(&["shop.example", "[2001:db8::1]", "::1"]),
        ..AppliesTo::default()
    };
    for (host, expected) in [
        ("shop.example", true),
        ("SHOP.Example", true),
        ("shop.example:8080", true),
        ("shop.example.", true),
        ("shop.example.:80", true),
        ("eshop.example", false),
        ("shop.example.org", false),
        ("shop.example:80x", false),
        ("a@shop.example", true),
        ("a:b@shop.example:8080", true),
        ("shop.example@a", false),
        ("http://shop.example/", true),
        ("http://a@shop.example:80/x", true),
        ("other/shop.example", false),
        ("[2001:db8::1]", true),
        ("[2001:db8::1]:80", true),
        ("[2001:db8::2]:80", false),
        ("::1", true),
        ("", false),
    ] {
        let request = Request("GET", Some(host), "/");
        assert_eq!(applies.holds(&request), expected, "{host}");
    }
    assert!(!applies.holds(&Request("GET", None, "/")));
}

#[test]
fn a_request_fits_every_kind_of_thing_that_is_said_and_one_item_of_each() {
    let applies = AppliesTo {
        hosts: set(&["a.example", "b.example"]),
        paths: Some(PathRules::new(&[], &texts(&["/shop"]), &texts(&["/c.rt"])).unwrap()),
        methods: set(&["POST", "PUT"]),
    };
    for (method, host, path, expected) in [
        ("POST", "a.example", "/shop", true),
        ("PUT", "b.example", "/shop/1", true),
        ("PUT", "b.example", "/cart/1", true),
        ("GET", "a.example", "/shop", false),
        ("POST", "c.example", "/shop", false),
        ("POST", "a.example", "/shopping", false),
        ("post", "a.example", "/shop", false),
    ] {
        let request = Request(method, Some(host), path);
        assert_eq!(applies.holds(&request), expected, "{method} {host} {path}");
    }
}

#[test]
fn methods_that_only_read_are_those_of_the_rfc() {
    for (method, safe) in [
        ("GET", true),
        ("HEAD", true),
        ("OPTIONS", true),
        ("TRACE", true),
        ("POST", false),
        ("PUT", false),
        ("PATCH", false),
        ("DELETE", false),
        ("CONNECT", false),
        ("get", false),
        ("PROPFIND", false),
        ("BREW", false),
    ] {
        assert_eq!(is_safe(method), safe, "{method}");
    }
}

#[test]
fn what_is_denied_wins_over_what_is_allowed_and_over_the_method() {
    let reads = ReadOnly {
        allow: PathRules::new(&texts(&["/search"]), &texts(&["/report"]), &[]).unwrap(),
        deny: PathRules::new(&texts(&["/unsubscribe"]), &texts(&["/report/send"]), &[]).unwrap(),
    };
    for (method, path, allowed) in [
        ("GET", "/", true),
        ("POST", "/", false),
        ("POST", "/search", true),
        ("POST", "/search/1", false),
        ("POST", "/x/search", false),
        ("POST", "/report/1", true),
        ("POST", "/report/send", false),
        ("GET", "/report/send/1", false),
        ("GET", "/unsubscribe", false),
        ("HEAD", "/unsubscribe", false),
        ("GET", "/unsubscribed", true),
    ] {
        let request = Request(method, None, path);
        assert_eq!(reads.allows(&request, path), allowed, "{method} {path}");
    }
}

#[test]
fn each_exemption_of_its_own_has_its_rule() {
    let only = |exempt: OwnExemptions| ModeRules {
        exempt,
        ..ModeRules::default()
    };
    let paths = |exact: &[&str], prefixes: &[&str], patterns: &[&str]| {
        only(OwnExemptions {
            paths: PathRules::new(&texts(exact), &texts(prefixes), &texts(patterns)).unwrap(),
            ..OwnExemptions::default()
        })
    };
    let none = ModeRules::default();
    let routes = only(OwnExemptions {
        routes: Routes::new("", &texts(&["/a/b"])),
        ..OwnExemptions::default()
    });
    let addresses = only(OwnExemptions {
        addresses: AddressSet::parse(&texts(&["192.0.2.0/24"])).unwrap(),
        ..OwnExemptions::default()
    });
    let address_patterns = only(OwnExemptions {
        address_patterns: Patterns::whole(&texts(&[r"192\..*"])).unwrap(),
        ..OwnExemptions::default()
    });
    for (rules, expected) in [
        (none, None),
        (paths(&["/a/b"], &[], &[]), Some(Rule::ExemptPath)),
        (paths(&[], &["/a"], &[]), Some(Rule::ExemptPrefix)),
        (paths(&[], &[], &["/a/."]), Some(Rule::ExemptPattern)),
        (paths(&["/b"], &["/b"], &["/b"]), None),
        (routes, Some(Rule::ExemptRoute)),
        (addresses, Some(Rule::ExemptAddress)),
        (address_patterns, Some(Rule::ExemptAddressPattern)),
    ] {
        assert_eq!(
            rules.pass(&Request("POST", None, "/a/b")),
            expected,
            "{rules:?}"
        );
    }
}
