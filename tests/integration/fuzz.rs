//! Whatever a client sends, it is served or refused, with a valid response.

use std::future::IntoFuture as _;

use actix_maintenance_mode::{
    Visitor,
    settings::{ApiKeySettings, TokenSettings},
};
use actix_web::{
    http::{Method, Uri, header::HeaderValue},
    rt::System,
};
use proptest::{
    collection::vec,
    prelude::*,
    sample::select,
    test_runner::{Config, TestRunner},
};

use crate::test_app::{Answer, TestApp};

/// An app in which every rule is on, so that every one reads what the client sends.
async fn app_with_every_rule() -> TestApp {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| {
                let list = |item: &str| vec![item.to_owned()];
                let (token, _) = TokenSettings::generate("deploy").unwrap();
                settings.admin.tokens.push(token);
                let mut api_key = ApiKeySettings::default();
                api_key.query = Some("api_key".to_owned());
                api_key.keys = list("open-sesame-42");
                let exempt = &mut settings.exempt;
                exempt.staff = true;
                exempt.superusers = true;
                exempt.admin_site = Some("/admin".to_owned());
                exempt.addresses = vec!["198.51.100.0/24".to_owned(), "2001:db8::/32".to_owned()];
                exempt.address_patterns = list(r"203\.0\.113\.1\d");
                exempt.paths = list("/about");
                exempt.prefixes = list("/static");
                exempt.patterns = list(r"/news/\d+$");
                exempt.routes = vec!["health".to_owned(), "/shop/{item}".to_owned()];
                exempt.api_key = Some(api_key);
                settings.forced_on.routes = list("closed");
                settings.forced_on.patterns = list("/attic");
                settings.response.redirect = Some("/sorry".to_owned());
                settings.logout.authenticated = true;
                settings.client.trusted_proxies = list("10.0.0.0/8");
            })
            .exempt_if("monitoring", |request| {
                request.headers().contains_key("x-monitor")
            })
            .response_context_with(|request, _| {
                FromIterator::from_iter([("path".to_owned(), request.path().into())])
            })
    })
    .await;
    app.turn_on().await;
    app
}

fn header() -> impl Strategy<Value = (&'static str, HeaderValue)> {
    let name = select(vec![
        "Accept",
        "Sec-Fetch-Dest",
        "Sec-Fetch-Site",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Maintenance-Key",
        "Cookie",
        "Host",
        "Origin",
        "Referer",
        "Purpose",
        "Content-Type",
        "Authorization",
        "Upgrade",
        "Connection",
        "If-None-Match",
        "Access-Control-Request-Method",
    ]);
    let value = prop_oneof![
        // Anything at all.
        vec(any::<u8>(), 0..40),
        // Made of the pieces that the rules look for.
        vec(
            select(vec![
                "for=",
                "\"",
                "\\",
                ";",
                ",",
                " ",
                "[",
                "]",
                ":",
                "198.51.100.1",
                "2001:db8::1",
                "unknown",
                "_x",
                "text/html",
                "application/json",
                "*/*",
                ";q=",
                "0",
                "0.5",
                "1e9",
                "same-origin",
                "prefetch",
                "id=",
                "%00",
                "=",
                "https://",
                "Bearer ",
                "mmt_",
                "websocket",
                "upgrade",
                "localhost",
            ]),
            0..10
        )
        .prop_map(|pieces| pieces.concat().into_bytes()),
    ];
    (name, value).prop_filter_map("no header value", |(name, value)| {
        Some((name, HeaderValue::from_bytes(&value).ok()?))
    })
}

fn path() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        select(vec![
            "/",
            "//",
            "closed",
            "%63losed",
            "about",
            "static",
            "news",
            "1",
            "health",
            "shop",
            "attic",
            "admin",
            "robots.txt",
            "maintenance-mode",
            "on",
            "off",
            "status",
            "ping",
            "live",
            "history",
            "explain",
            "path=/",
            "role=",
            "address=",
            "modes/",
            "site",
            "windows/",
            "static/",
            "maintenance.js",
            "sorry",
            "%2F",
            "%00",
            "%",
            "%ff",
            "%C3",
            "..",
            ".",
            "?",
            "&",
            "api_key=",
            "open-sesame-42",
            "mode=",
            "next=",
            "message=",
        ])
        .prop_map(str::to_owned),
        "[ -~]{0,4}",
    ];
    vec(piece, 0..8)
        .prop_map(|pieces| format!("/{}", pieces.concat()))
        .prop_filter("no path", |path| path.parse::<Uri>().is_ok())
}

fn is_valid(answer: &Answer) {
    assert_ne!(answer.status, 500, "{answer:?}");
    if answer.is_marked {
        assert!(matches!(answer.status, 302 | 503), "{answer:?}");
        answer.is_refused_somehow();
        match answer.header("content-type") {
            Some("application/json" | "application/problem+json") => {
                assert_eq!(answer.json()["maintenance_mode"], true);
            }
            Some("text/html; charset=utf-8") => assert!(answer.text().contains("</html>")),
            Some("text/plain; charset=utf-8") => assert!(!answer.text().is_empty()),
            other => assert_eq!((answer.status, other), (302, None)),
        }
    } else {
        assert_eq!(answer.header("x-maintenance-mode"), None, "{answer:?}");
    }
}

#[test]
fn whatever_comes_is_served_or_refused() {
    let system = System::new();
    let app = system.block_on(app_with_every_rule());
    let method = select(vec![
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::OPTIONS,
        Method::PUT,
        Method::DELETE,
        Method::from_bytes(b"BREW").unwrap(),
    ]);
    let peer = select(vec![
        None,
        Some("10.0.0.1"),
        Some("198.51.100.1"),
        Some("::1"),
    ]);
    let request = (method, path(), peer, vec(header(), 0..6));
    let config = Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&request, |(method, path, peer, headers)| {
            let visit = app.request(method, &path);
            let visit = match peer {
                Some(peer) => visit.from(peer),
                None => visit,
            };
            let visit = headers.into_iter().fold(visit, |visit, (name, value)| {
                visit.header(name, value.as_bytes())
            });
            is_valid(&system.block_on(visit.into_future()));
            Ok(())
        })
        .unwrap();
    assert!(app.maintenance.is_on(), "nobody of them is a superuser");
}

/// Something like the body of a change.
fn body() -> impl Strategy<Value = Vec<u8>> {
    let member = select(vec![
        "reason",
        "message",
        "until",
        "for",
        "drain",
        "timeout",
        "on_timeout",
        "start",
        "end",
        "mode",
        "zone",
        "repeats",
        "title",
        "colour",
        "",
    ]);
    let value = prop_oneof![
        select(vec![
            "null",
            "true",
            "false",
            "0",
            "-1",
            "1e400",
            "90",
            "1.5",
            "18446744073709551616",
            "[]",
            "{}",
            "[[[[",
            "\"\"",
            "\"1h\"",
            "\"P9999999999D\"",
            "\"2126-01-01T00:00:00Z\"",
            "\"9999-12-31T23:59:59-23:59\"",
            "\"-9999-01-01T00:00\"",
            "\"Europe/Rome\"",
            "\"site\"",
            "\"* * * * *\"",
            "\"0 0 30 2 *\"",
            "\"cancel\"",
            "\"\\u0000\"",
            "\"\\ud800\"",
        ])
        .prop_map(str::to_owned),
        any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
    ];
    let object = vec((member, value), 0..6).prop_map(|members| {
        let members: Vec<String> = members
            .into_iter()
            .map(|(name, value)| format!("\"{name}\":{value}"))
            .collect();
        format!("{{{}}}", members.join(","))
    });
    prop_oneof![
        1 => vec(any::<u8>(), 0..60),
        3 => object.clone().prop_map(String::into_bytes),
        1 => object.prop_map(|inner| format!("{{\"drain\":{inner}}}").into_bytes()),
    ]
}

#[test]
fn whatever_a_program_says_is_done_or_told_to_be_wrong() {
    let system = System::new();
    let app = system.block_on(TestApp::with_builder(|builder| {
        builder.identity(|_| Visitor::user("ada").with_superuser(true))
    }));
    let address = select(vec![
        (Method::PUT, "/maintenance-mode/modes/site"),
        (Method::POST, "/maintenance-mode/windows"),
    ]);
    let config = Config {
        cases: 1_000,
        failure_persistence: None,
        ..Config::default()
    };
    TestRunner::new(config)
        .run(&(address, body()), |((method, path), body)| {
            let visit = app
                .request(method, path)
                .body("application/json", body.clone());
            let answer = system.block_on(visit.into_future());
            let text = String::from_utf8_lossy(&body);
            assert!(
                matches!(answer.status, 200 | 400 | 404),
                "{text}: {answer:?}"
            );
            let kind = answer.header("content-type");
            if answer.status == 200 {
                assert_eq!(kind, Some("application/json"), "{text}");
                // A document without end is slow, and no other one.
                let id = answer.json()["window"].as_str().map(str::to_owned);
                if let Some(id) = id {
                    let cancel = app.maintenance.cancel_window(id).into_future();
                    system.block_on(cancel).unwrap();
                }
            } else {
                assert_eq!(kind, Some("application/problem+json"), "{text}");
                assert!(!answer.json()["detail"].as_str().unwrap().is_empty());
            }
            Ok(())
        })
        .unwrap();
}
