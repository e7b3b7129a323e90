use super::*;

#[test]
fn a_token_goes_by_https_or_to_this_machine_alone() {
    for (text, may) in [
        ("https://shop.example/maintenance-mode", true),
        ("http://127.0.0.1:8080/maintenance-mode", true),
        ("http://127.9.9.9/", true),
        ("http://[::1]:8080/m", true),
        ("http://[::ffff:127.0.0.1]/m", true),
        ("http://localhost:8080/m", true),
        ("HTTP://LOCALHOST/m", true),
        ("http://shop.example/maintenance-mode", false),
        ("http://localhost.shop.example/m", false),
        ("http://127.0.0.1.shop.example/m", false),
        ("http://10.0.0.1/m", false),
        ("http://0.0.0.0/m", false),
        ("http://[fe80::1]/m", false),
    ] {
        let address = Address::parse(text).unwrap();
        assert_eq!(address.may_carry_a_token(), may, "{text}");
    }
}

#[test]
fn what_is_no_address_says_what_would_be() {
    for text in [
        "",
        "shop.example/maintenance-mode",
        "/maintenance-mode",
        "ftp://shop.example/m",
        "https:///m",
        "https://shop.example/m?mode=site",
        "https://shop.example/m#on",
        "https://shop example/m",
    ] {
        let error = Address::parse(text).unwrap_err();
        assert!(
            error.contains("https://shop.example/maintenance-mode"),
            "{text}: {error}"
        );
    }
    let error = Address::parse("https://alice:secret@shop.example/m").unwrap_err();
    assert!(
        error.contains("MAINTENANCE_TOKEN") && !error.contains("secret"),
        "{error}"
    );
}

#[test]
fn a_slash_at_the_end_does_not_matter() {
    let address = Address::parse("https://shop.example:8443/m/").unwrap();
    assert_eq!(address.as_str(), "https://shop.example:8443/m");
    assert_eq!(
        Address::parse("https://shop.example").unwrap().as_str(),
        "https://shop.example"
    );
}
