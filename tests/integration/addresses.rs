//! Where a request comes from: the peer, or the one whom trusted proxies vouch for.

use actix_web::{App, http::header};

use crate::{
    test_app::{self, TestApp, maintenance},
    test_server::TestServer,
};

/// The office at 198.51.100.0/24 and 2001:db8:0:1::/64 gets in. Proxies are at 10.0.0.0/8 and
/// fd00::/8.
async fn app_behind_proxies() -> TestApp {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.addresses =
            vec!["198.51.100.0/24".to_owned(), "2001:db8:0:1::/64".to_owned()];
        settings.client.trusted_proxies = vec!["10.0.0.0/8".to_owned(), "fd00::/8".to_owned()];
    })
    .await;
    app.turn_on().await;
    app
}

const PROXY: &str = "10.0.0.7";

#[actix_web::test]
async fn without_trusted_proxies_forwarded_headers_do_not_count() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.addresses = vec!["198.51.100.0/24".to_owned()];
    })
    .await;
    app.turn_on().await;
    app.get("/")
        .from(PROXY)
        .header("X-Forwarded-For", "198.51.100.1")
        .header("Forwarded", "for=198.51.100.1")
        .await
        .is_refused();
    app.get("/")
        .from("198.51.100.1")
        .header("X-Forwarded-For", "203.0.113.1")
        .await
        .is_served();
}

#[actix_web::test]
async fn a_peer_that_is_no_trusted_proxy_is_not_believed() {
    let app = app_behind_proxies().await;
    for name in ["X-Forwarded-For", "Forwarded"] {
        for value in ["198.51.100.1", "for=198.51.100.1"] {
            app.get("/")
                .from("203.0.113.5")
                .header(name, value)
                .await
                .is_refused();
        }
    }
    app.get("/")
        .header("X-Forwarded-For", "198.51.100.1")
        .await
        .is_refused();
}

#[actix_web::test]
async fn x_forwarded_for_is_walked_from_the_right() {
    let app = app_behind_proxies().await;
    for (value, gets_in) in [
        ("198.51.100.1", true),
        ("198.51.100.1, 10.0.0.8", true),
        ("198.51.100.1,10.0.0.8,\t10.9.9.9", true),
        ("203.0.113.5, 198.51.100.1", true),
        ("198.51.100.1, 203.0.113.5", false),
        ("198.51.100.1, 203.0.113.5, 10.0.0.8", false),
        ("198.51.100.1:4711", true),
        ("2001:db8:0:1::9", true),
        ("[2001:db8:0:1::9]", true),
        ("[2001:db8:0:1::9]:443", true),
        ("2001:db8:0:2::9", false),
        ("::ffff:198.51.100.1", true),
        (",,198.51.100.1,,", true),
        ("203.0.113.5", false),
    ] {
        let answer = app
            .get("/")
            .from(PROXY)
            .header("X-Forwarded-For", value)
            .await;
        assert_eq!(answer.status == 200, gets_in, "X-Forwarded-For: {value}");
    }
}

#[actix_web::test]
async fn forwarded_is_walked_from_the_right() {
    let app = app_behind_proxies().await;
    for (value, gets_in) in [
        ("for=198.51.100.1", true),
        ("For=198.51.100.1;proto=https;by=10.0.0.7", true),
        ("proto=https; for=198.51.100.1", true),
        ("for=\"198.51.100.1:4711\"", true),
        ("for=\"[2001:db8:0:1::9]\"", true),
        ("for=\"[2001:db8:0:1::9]:4711\"", true),
        ("for=\"198.51.100.1:_port\"", true),
        ("for=198.51.100.1, for=10.0.0.8", true),
        ("for=203.0.113.5, for=198.51.100.1", true),
        ("for=198.51.100.1, for=203.0.113.5", false),
        ("for=198.51.100.1, for=\"[2001:db8::1]\"", false),
        ("for=198.51.100.1;host=\"a,b\", for=10.0.0.8", true),
        ("for=203.0.113.5", false),
    ] {
        let answer = app.get("/").from(PROXY).header("Forwarded", value).await;
        assert_eq!(answer.status == 200, gets_in, "Forwarded: {value}");
    }
}

#[actix_web::test]
async fn what_a_proxy_does_not_name_is_nobody() {
    let app = app_behind_proxies().await;
    for value in [
        "for=_hidden",
        "for=unknown",
        "for=\"_hidden:_port\"",
        "for=198.51.100.1, for=_hidden",
        "for=198.51.100.1, for=unknown, for=10.0.0.8",
        "proto=https",
        "for=198.51.100.1, proto=https",
    ] {
        app.get("/")
            .from(PROXY)
            .header("Forwarded", value)
            .await
            .is_refused();
    }
    for value in ["unknown", "198.51.100.1, unknown", "198.51.100.1, -"] {
        app.get("/")
            .from(PROXY)
            .header("X-Forwarded-For", value)
            .await
            .is_refused();
    }
}

#[actix_web::test]
async fn a_malformed_header_exempts_nobody() {
    let app = app_behind_proxies().await;
    let malformed: &[&[u8]] = &[
        b"for=",
        b"for",
        b"=",
        b"for=\"",
        b"for=\"198.51.100.1",
        b"for=198.51.100.1.1",
        b"for=[198.51.100.1",
        b"for=\"[2001:db8:0:1::9\"",
        b"for=198.51.100.1:port",
        b"for=198.51.100.1\xff",
        b"\xff\xfe",
        b"198.51.100.1:99999999999999999999x",
        b"[",
        b"]",
        b"[]",
        b"[]:",
        b":",
        b"198.51.100.0/24",
        b"localhost",
    ];
    for value in malformed {
        for name in ["Forwarded", "X-Forwarded-For"] {
            let answer = app.get("/").from(PROXY).header(name, value).await;
            assert_eq!(answer.status, 503, "{name}: {}", value.escape_ascii());
        }
    }
}

#[actix_web::test]
async fn a_quote_that_the_client_leaves_open_does_not_swallow_what_the_proxy_adds() {
    let app = app_behind_proxies().await;
    for by_client in [
        "for=198.51.100.1;x=\"",
        "for=198.51.100.1;x=\"\\",
        "for=198.51.100.1, for=\"",
        "for=\"198.51.100.1",
        "\"",
    ] {
        for by_proxy in [
            "for=203.0.113.5",
            "for=\"[2001:db8::1]\"",
            "for=203.0.113.5;host=\"a\"",
        ] {
            let answer = app
                .get("/")
                .from(PROXY)
                .header("Forwarded", format!("{by_client}, {by_proxy}"))
                .await;
            assert_eq!(answer.status, 503, "{by_client}, {by_proxy}");
        }
    }
}

#[actix_web::test]
async fn several_lines_of_a_header_are_one_chain() {
    let app = app_behind_proxies().await;
    let visit = |lines: &[&str]| {
        lines.iter().fold(app.get("/").from(PROXY), |visit, line| {
            visit.header("X-Forwarded-For", line)
        })
    };
    visit(&["203.0.113.5", "198.51.100.1"]).await.is_served();
    visit(&["198.51.100.1", "10.0.0.8"]).await.is_served();
    visit(&["198.51.100.1", "203.0.113.5"]).await.is_refused();
    visit(&["198.51.100.1", "203.0.113.5, 10.0.0.8"])
        .await
        .is_refused();
}

#[actix_web::test]
async fn two_headers_must_agree() {
    let app = app_behind_proxies().await;
    let visit = |forwarded: &str, x_forwarded_for: &str| {
        app.get("/")
            .from(PROXY)
            .header("Forwarded", forwarded)
            .header("X-Forwarded-For", x_forwarded_for)
    };
    visit("for=198.51.100.1", "198.51.100.1").await.is_served();
    visit("for=198.51.100.1", "198.51.100.2").await.is_refused();
    visit("for=198.51.100.1", "203.0.113.5").await.is_refused();
    visit("for=203.0.113.5", "198.51.100.1").await.is_refused();
    visit("for=unknown", "198.51.100.1").await.is_refused();
}

#[actix_web::test]
async fn a_trusted_proxy_may_have_a_v6_address() {
    let app = app_behind_proxies().await;
    for proxy in ["fd00::1", "::ffff:10.0.0.7"] {
        app.get("/")
            .from(proxy)
            .header("X-Forwarded-For", "198.51.100.1")
            .await
            .is_served();
    }
}

#[actix_web::test]
async fn the_app_may_find_the_address_itself() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.exempt.addresses = vec!["198.51.100.0/24".to_owned()])
            .client_address(|request| {
                let value = request.headers().get("cf-connecting-ip")?;
                value.to_str().ok()?.parse().ok()
            })
    })
    .await;
    app.turn_on().await;
    let visit = |address: &str| app.get("/").header("CF-Connecting-IP", address);
    visit("198.51.100.1").await.is_served();
    visit("::ffff:198.51.100.1").await.is_served();
    visit("203.0.113.5").await.is_refused();
    visit("nonsense").await.is_refused();
    app.get("/").from("198.51.100.1").await.is_refused();
}

#[actix_web::test]
async fn the_peer_of_a_real_connection_counts() {
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| {
            settings.exempt.addresses = vec!["198.51.100.0/24".to_owned()];
            settings.client.trusted_proxies = vec!["127.0.0.0/8".to_owned()];
        })
    })
    .await;
    maintenance.turn_on().await.unwrap();
    let server = TestServer::start({
        let maintenance = maintenance.clone();
        move || {
            App::new()
                .configure(test_app::routes)
                .wrap(maintenance.middleware())
        }
    });
    assert_eq!(server.send("GET /", "").await.status(), 503);
    let forwarded = format!("{}: for=198.51.100.1\r\n", header::FORWARDED);
    assert_eq!(server.send("GET /", &forwarded).await.status(), 200);
    server.stop().await;
}
