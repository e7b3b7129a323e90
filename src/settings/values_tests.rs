use super::*;

pub(crate) fn accepted(fault: fn(&str) -> Option<String>, values: &[&str]) {
    for value in values {
        assert_eq!(fault(value), None, "{value:?}");
    }
}

/// Each value with a part of what its fault says.
pub(crate) fn refused(fault: fn(&str) -> Option<String>, values: &[(&str, &str)]) {
    for (value, part) in values {
        let message = fault(value).unwrap_or_else(|| panic!("{value:?} is accepted"));
        assert!(message.contains(part), "{value:?}: {message}");
    }
}

#[test]
fn addresses_are_typed() {
    accepted(
        address_fault,
        &[
            "10.0.0.1",
            "10.0.0.0/8",
            "10.0.0.5/8",
            "::1",
            "2001:db8::/32",
            "::ffff:10.0.0.1",
            "::ffff:10.0.0.0/104",
        ],
    );
    refused(
        address_fault,
        &[
            ("10.0.0.1/33", "from 0 to 32"),
            ("::1/129", "from 0 to 128"),
            ("10.0.0.1/", "prefix length"),
            ("10.0.0.*", "stars"),
            ("localhost", "not looked up"),
            ("proxy.example.com", "not looked up"),
            (" 10.0.0.1", "white space"),
            ("10.0.0.1:80", "neither"),
            ("10.0.0", "neither"),
            ("", "neither"),
        ],
    );
}

#[test]
fn patterns_are_regular_expressions() {
    accepted(pattern_fault, &["^/api", "/a.*", r"\.css$"]);
    refused(
        pattern_fault,
        &[
            ("", "match everything"),
            ("(a", "unclosed group"),
            ("a{99999999}", "regular expression: "),
            (r"\w{1000}{1000}", "size limit"),
        ],
    );
    let message = pattern_fault("(a").unwrap();
    assert_eq!(message, "not a regular expression: unclosed group");
}

#[test]
fn paths_and_prefixes_are_paths_only() {
    accepted(path_fault, &["/", "/a", "/a/"]);
    accepted(prefix_fault, &["/a", "/a/"]);
    refused(
        path_fault,
        &[("", "starts with"), ("a", "starts with"), ("/a?b", "query")],
    );
    refused(
        prefix_fault,
        &[
            ("/", "forced = \"off\""),
            ("//", "whole site"),
            ("a", "starts"),
            ("/#", "only"),
        ],
    );
}

#[test]
fn redirects_stay_here_or_are_web_addresses() {
    accepted(
        redirect_fault,
        &[
            "https://status.example.com/",
            "http://localhost:8080",
            "https://a/b?c=d#e",
            "/status",
            "/",
        ],
    );
    refused(
        redirect_fault,
        &[
            ("", "give an address"),
            ("status.example.com", "give an address"),
            ("//evil.example", "another host"),
            ("/\\evil.example", "backslash"),
            ("javascript:alert(1)", "give an address"),
            ("ftp://a/", "give an address"),
            ("https://", "give an address"),
            ("/a\r\nSet-Cookie:b", "control"),
            ("/a b", "white space"),
        ],
    );
}
