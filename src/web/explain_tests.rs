use super::*;
use crate::web::explain::inquiry::LONGEST_PATH;

#[test]
fn an_inquiry_has_the_path_that_rules_see() {
    for (given, path, host) in [
        ("/shop?x=1#top", "/shop", None),
        ("/%61b", "/ab", None),
        ("/a%2Fb", "/a%2Fb", None),
        (
            "https://shop.example:8443/x?y",
            "/x",
            Some("shop.example:8443"),
        ),
        ("https://shop.example", "/", Some("shop.example")),
    ] {
        let inquiry = Inquiry::new("get", given).unwrap();
        assert_eq!((inquiry.method(), inquiry.path()), ("GET", path), "{given}");
        assert_eq!(inquiry.host.as_deref(), host, "{given}");
    }
    for wrong in [
        "",
        "shop",
        "shop.example/x",
        "*",
        "/a b",
        "?x",
        "shop.example",
        "mailto:x",
    ] {
        assert_eq!(
            Inquiry::new("GET", wrong),
            Err(InquiryError::Path),
            "{wrong}"
        );
    }
    assert_eq!(Inquiry::new("", "/"), Err(InquiryError::Method));
    assert_eq!(Inquiry::new("G T", "/"), Err(InquiryError::Method));
    let long = format!("/{}", "a".repeat(LONGEST_PATH));
    assert_eq!(Inquiry::new("GET", &long), Err(InquiryError::TooLong));
}

#[test]
fn roles_have_words() {
    for role in Role::ALL {
        assert_eq!(role.as_str().parse(), Ok(role));
    }
    assert_eq!("root".parse::<Role>(), Err(UnknownRole));
}
