use super::*;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn read(sent: &str) -> (String, Readings) {
    let uri: actix_web::http::Uri = sent.parse().unwrap();
    let routed = actix_web::dev::Url::new(uri.clone()).path().to_owned();
    let readings = Readings::new(uri.path(), &routed);
    (routed, readings)
}

#[test]
fn a_usual_path_is_read_in_one_way() {
    for path in ["/", "/shop", "/shop/", "/shop/1.html", "/a..b/c.", "/~x/;y"] {
        assert_eq!(read(path).1, Readings::default(), "{path}");
    }
}

#[test]
fn dots_open_nothing_however_they_are_written() {
    let rules = PathRules::new(
        &texts(&["/static/../secret.html"]),
        &texts(&["/static"]),
        &texts(&[".*"]),
    )
    .unwrap();
    for path in [
        "/static/../secret.html",
        "/static/%2e%2e/secret.html",
        "/static/.%2E/secret.html",
        "/static/%252e%252e/secret.html",
        "/static/%25252e%252e/secret.html",
        "/static/..%2fsecret.html",
        "/static/..%5csecret.html",
        "/static/..",
        "/static/%2e/x",
        "/static/./x",
        "/static//../x",
    ] {
        let (routed, readings) = read(path);
        assert!(readings.has_dots(), "{path}");
        assert_eq!(readings.opened_by(&rules, &routed), None, "{path}");
    }
    for path in [
        "/static/a%2Fb",
        "/static//x",
        "/static/%61",
        "/static/.well-known",
    ] {
        let (routed, readings) = read(path);
        assert!(!readings.has_dots(), "{path}");
        assert_eq!(
            readings.opened_by(&rules, &routed),
            Some(PathMatch::Prefix),
            "{path}"
        );
    }
}

#[test]
fn what_opens_has_to_hold_for_every_reading() {
    let rules = PathRules::new(&[], &texts(&["/a%2Fb"]), &texts(&["/x//"])).unwrap();
    for path in ["/a%2Fb", "/x//y"] {
        let (routed, readings) = read(path);
        assert_eq!(readings.opened_by(&rules, &routed), None, "{path}");
    }
}

#[test]
fn what_restricts_holds_for_any_reading() {
    let prefix = PathRules::new(&[], &texts(&["/private"]), &[]).unwrap();
    let exact = PathRules::new(&texts(&["/private/s"]), &[], &[]).unwrap();
    let pattern = PathRules::new(&[], &[], &texts(&["/private/s$"])).unwrap();
    let slash = PathRules::new(&[], &[], &texts(&["/private/s/$"])).unwrap();
    for path in [
        "/private/s",
        "/private/s/",
        "//private/s",
        "/private//s//",
        "/x/../private/s",
        "/x/%2e%2e/private/s",
        "/%70rivate/s",
        "/private%2fs",
        "/./private/s",
        "/private/./s",
        "/private/x/..//s",
        "/../private/s",
        "/private%5Cs",
    ] {
        let (routed, readings) = read(path);
        for (kind, rules) in [&prefix, &exact, &pattern, &slash].into_iter().enumerate() {
            assert!(readings.restricted_by(rules, &routed), "{kind} {path}");
        }
    }
    for path in ["/", "/privateer/s", "/x/private/s", "/%2570rivate/s"] {
        let (routed, readings) = read(path);
        for rules in [&prefix, &exact, &pattern, &slash] {
            assert!(!readings.restricted_by(rules, &routed), "{path}");
        }
    }
    // As it was sent, too.
    let sent = PathRules::new(&[], &texts(&["/x/%70rivate", "/y/.."]), &[]).unwrap();
    for path in ["/x/%70rivate", "/y/../z"] {
        let (routed, readings) = read(path);
        assert!(readings.restricted_by(&sent, &routed), "{path}");
    }
}
