use super::*;

#[test]
fn a_prefix_is_plain_segments() {
    for path in ["/shop", "/a/b", "/v1.2/~x_y-z"] {
        assert!(is_plain(path), "{path}");
    }
    for path in [
        "",
        "/",
        "shop",
        "/shop/",
        "//evil.example",
        "/a//b",
        "/..",
        "/a/../b",
        "/a%2fb",
        "/a\\b",
        "/a b",
        "/a?b",
        "/a#b",
        "/ä",
        "https://evil.example",
        "/a\"b",
    ] {
        assert!(!is_plain(path), "{path}");
    }
}

#[test]
fn paths_get_a_prefix_once() {
    for (prefix, path, public) in [
        ("", "/about", "/about"),
        ("/shop", "/", "/shop/"),
        ("/shop", "/about?x=1", "/shop/about?x=1"),
        ("/shop", "/shop", "/shop"),
        ("/shop", "/shop/about", "/shop/about"),
        ("/shop", "/shop?x", "/shop?x"),
        ("/shop", "/shopping", "/shop/shopping"),
    ] {
        assert_eq!(in_public(prefix, path), public, "{prefix} {path}");
    }
}
