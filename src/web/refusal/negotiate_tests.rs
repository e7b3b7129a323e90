use actix_web::http::header::HeaderValue;

use super::*;

fn chosen(accept: &str, destination: Option<&'static str>) -> ResponseFormat {
    let mut headers = HeaderMap::new();
    if !accept.is_empty() {
        headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
    }
    if let Some(destination) = destination {
        headers.insert(SEC_FETCH_DEST, HeaderValue::from_static(destination));
    }
    negotiate(&headers)
}

#[test]
fn clients_get_what_they_ask_for() {
    use ResponseFormat::{Html, Json, Problem, Text};
    for (accept, expected) in [
        ("", Html),
        ("*/*", Html),
        ("text/html", Html),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            Html,
        ),
        ("application/json", Json),
        ("application/vnd.api+json", Json),
        ("application/problem+json", Problem),
        ("application/problem+json, application/json", Problem),
        ("application/json, application/problem+json", Json),
        ("application/json, text/plain, */*", Json),
        ("application/json, text/javascript, */*; q=0.01", Json),
        ("text/html;q=0.8, application/json;q=0.9", Json),
        ("text/html;q=0.9, application/json;q=0.8", Html),
        ("text/html;q=0, */*", Json),
        ("text/plain", Text),
        ("text/*", Html),
        ("application/*", Json),
        ("image/avif,image/webp,*/*;q=0.8", Text),
        ("text/css,*/*;q=0.1", Text),
        ("image/png", Text),
        ("text/html;q=0", Text),
        (";;;,,,", Html),
    ] {
        assert_eq!(chosen(accept, None), expected, "Accept: {accept}");
    }
}

#[test]
fn a_browser_gets_what_it_can_use() {
    use ResponseFormat::{Html, Json, Text};
    assert_eq!(chosen("*/*", Some("script")), Text);
    assert_eq!(chosen("text/html", Some("image")), Text);
    assert_eq!(chosen("*/*", Some("empty")), Json);
    assert_eq!(chosen("text/html", Some("empty")), Html);
    assert_eq!(chosen("*/*", Some("document")), Html);
}
