//! A change needs the user's own intent: what browsers say about where a request comes from.

use actix_maintenance_mode::Permission;
use actix_web::http::Method;

use crate::test_app::{LoggedIn, TestApp, Visit};

const HOST: &str = "shop.example.com";

/// What a browser says of an address that the user typed.
const TYPED: [(&str, &str); 3] = [
    ("Sec-Fetch-Site", "none"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
];

struct Admin {
    app: TestApp,
    superuser: LoggedIn,
}

impl Admin {
    async fn start() -> Self {
        let app = TestApp::start().await;
        let superuser = app.log_in_superuser("ada").await;
        Self { app, superuser }
    }

    fn turns_on(&self, method: Method) -> Visit<'_> {
        self.app
            .request(method, "/maintenance-mode/on")
            .by(&self.superuser)
            .header("Host", HOST)
    }

    fn with_headers(&self, method: Method, headers: &[(&str, &str)]) -> Visit<'_> {
        headers
            .iter()
            .fold(self.turns_on(method), |visit, (name, value)| {
                visit.header(name, value)
            })
    }

    /// Whether a POST switches maintenance on; else it must say why not.
    async fn is_believed(&self, headers: &[(&str, &str)]) -> bool {
        let answer = self.with_headers(Method::POST, headers).await;
        let on = self.app.maintenance.is_on();
        if on {
            assert_eq!(answer.status, 303, "{headers:?}: {answer:?}");
        } else {
            assert_eq!(answer.status, 403, "{headers:?}: {answer:?}");
            assert!(
                answer.text().contains("Refused for its origin"),
                "{answer:?}"
            );
        }
        self.app.turn_off().await;
        on
    }

    /// Whether a GET switches maintenance on; else it must ask, and nothing else.
    async fn is_meant(&self, headers: &[(&str, &str)]) -> bool {
        let answer = self.with_headers(Method::GET, headers).await;
        let on = self.app.maintenance.is_on();
        if on {
            assert_eq!(answer.status, 303, "{headers:?}: {answer:?}");
        } else {
            assert_eq!(answer.status, 200, "{headers:?}: {answer:?}");
            assert!(
                answer
                    .text()
                    .contains("<form method=\"post\" action=\"/maintenance-mode/on\">"),
                "{answer:?}"
            );
        }
        self.app.turn_off().await;
        on
    }
}

#[actix_web::test]
async fn sec_fetch_site_decides_where_it_is_sent() {
    let admin = Admin::start().await;
    for (site, believed) in [
        ("same-origin", true),
        ("none", true),
        ("same-site", false),
        ("cross-site", false),
        ("", false),
        ("SAME-ORIGIN", false),
        ("same-origin, none", false),
        ("something-new", false),
    ] {
        assert_eq!(
            admin.is_believed(&[("Sec-Fetch-Site", site)]).await,
            believed,
            "{site}"
        );
    }
}

#[actix_web::test]
async fn no_other_header_makes_up_for_sec_fetch_site() {
    let admin = Admin::start().await;
    let own = ("Origin", "http://shop.example.com");
    let referer = ("Referer", "http://shop.example.com/");
    assert!(
        !admin
            .is_believed(&[("Sec-Fetch-Site", "cross-site"), own, referer])
            .await
    );
    assert!(
        !admin
            .is_believed(&[("Sec-Fetch-Site", "same-site"), own, referer])
            .await
    );
}

#[actix_web::test]
async fn origin_decides_where_sec_fetch_site_is_not_sent() {
    let admin = Admin::start().await;
    for (origin, believed) in [
        ("http://shop.example.com", true),
        ("http://SHOP.example.com", true),
        ("http://shop.example.com:80", true),
        ("https://shop.example.com", false),
        ("https://shop.example.com:443", false),
        ("https://shop.example.com:80", false),
        ("http://shop.example.com:8080", false),
        ("https://example.com", false),
        ("https://www.shop.example.com", false),
        ("https://shop.example.com.evil.test", false),
        ("https://evil.test/shop.example.com", false),
        ("https://shop.example.com@evil.test", false),
        ("null", false),
        ("", false),
        ("shop.example.com", false),
        ("//shop.example.com", false),
    ] {
        assert_eq!(
            admin.is_believed(&[("Origin", origin)]).await,
            believed,
            "{origin}"
        );
    }
}

#[actix_web::test]
async fn referer_decides_where_origin_is_not_sent_either() {
    let admin = Admin::start().await;
    for (referer, believed) in [
        ("http://shop.example.com/admin?x=1", true),
        ("https://shop.example.com/", false),
        ("https://evil.test/", false),
        ("https://evil.test/?https://shop.example.com/", false),
        ("about:blank", false),
        ("", false),
        ("/admin", false),
    ] {
        assert_eq!(
            admin.is_believed(&[("Referer", referer)]).await,
            believed,
            "{referer}"
        );
    }
    let contradict = [
        ("Origin", "https://evil.test"),
        ("Referer", "http://shop.example.com/"),
    ];
    assert!(!admin.is_believed(&contradict).await);
    let contradict = [("Origin", "null"), ("Referer", "http://shop.example.com/")];
    assert!(!admin.is_believed(&contradict).await);
}

#[actix_web::test]
async fn a_foreign_origin_counts_whatever_fetch_metadata_say() {
    let admin = Admin::start().await;
    for site in ["same-origin", "none"] {
        let site = ("Sec-Fetch-Site", site);
        for origin in ["https://evil.test", "null", "https://shop.example.com", ""] {
            assert!(
                !admin.is_believed(&[site, ("Origin", origin)]).await,
                "{origin}"
            );
        }
        let own = ("Origin", "http://shop.example.com");
        assert!(admin.is_believed(&[site, own]).await);
        let two = [site, own, ("Origin", "https://evil.test")];
        assert!(!admin.is_believed(&two).await);
    }
    let two = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "cross-site"),
    ];
    assert!(!admin.is_believed(&two).await);
}

#[actix_web::test]
async fn another_scheme_of_the_same_host_says_what_to_do() {
    let admin = Admin::start().await;
    let answer = admin
        .turns_on(Method::POST)
        .header("Origin", "https://shop.example.com")
        .await;
    assert_eq!(answer.status, 403);
    for part in ["trusted_proxies", "X-Forwarded-Proto"] {
        assert!(answer.text().contains(part), "{answer:?}");
    }
}

#[actix_web::test]
async fn a_client_that_sends_none_of_them_is_no_browser() {
    let admin = Admin::start().await;
    assert!(admin.is_believed(&[]).await);
}

#[actix_web::test]
async fn a_port_of_its_own_is_part_of_the_origin() {
    let app = TestApp::start().await;
    let superuser = app.log_in_superuser("ada").await;
    for (host, origin, believed) in [
        ("localhost:8080", "http://localhost:8080", true),
        ("localhost:8080", "http://localhost:8081", false),
        ("localhost:8080", "http://localhost", false),
        ("localhost:80", "http://localhost", true),
        ("[::1]:8080", "http://[::1]:8080", true),
        ("[::1]", "http://[::1]:80", true),
        ("[::1]", "http://[::2]", false),
    ] {
        app.post("/maintenance-mode/on")
            .by(&superuser)
            .header("Host", host)
            .header("Origin", origin)
            .await;
        assert_eq!(app.maintenance.is_on(), believed, "{host}, {origin}");
        app.turn_off().await;
    }
}

#[actix_web::test]
async fn a_trusted_proxy_may_name_the_host_that_the_browser_sees() {
    let app = TestApp::with_settings(|settings| {
        settings.client.trusted_proxies = vec!["10.0.0.0/8".to_owned()];
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    for (peer, proto, origin, believed) in [
        ("10.0.0.7", Some("X-Forwarded-Proto: https"), "https", true),
        (
            "10.0.0.7",
            Some("X-Forwarded-Proto: HTTPS, http"),
            "https",
            true,
        ),
        ("10.0.0.7", Some("X-Forwarded-Proto: https"), "http", false),
        ("10.0.0.7", Some("X-Forwarded-Proto: http"), "http", true),
        ("10.0.0.7", Some("X-Forwarded-Proto: http"), "https", false),
        ("10.0.0.7", None, "https", false),
        ("10.0.0.7", None, "http", true),
        (
            "203.0.113.5",
            Some("X-Forwarded-Proto: https"),
            "https",
            false,
        ),
    ] {
        let mut visit = app
            .post("/maintenance-mode/on")
            .from(peer)
            .by(&superuser)
            .header("Host", "backend:8080")
            .header("X-Forwarded-Host", HOST)
            .header("Origin", format!("{origin}://shop.example.com"));
        if let Some((name, value)) = proto.and_then(|line| line.split_once(": ")) {
            visit = visit.header(name, value);
        }
        visit.await;
        assert_eq!(
            app.maintenance.is_on(),
            believed,
            "{peer} {proto:?} {origin}"
        );
        app.turn_off().await;
    }
}

#[actix_web::test]
async fn the_scheme_may_stand_in_forwarded_and_must_not_contradict() {
    let app = TestApp::with_settings(|settings| {
        settings.client.trusted_proxies = vec!["10.0.0.0/8".to_owned()];
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    for (forwarded, x_forwarded, believed) in [
        ("for=192.0.2.7;proto=https", None, true),
        ("for=192.0.2.7; Proto=\"https\"", None, true),
        ("for=192.0.2.7;proto=http", None, false),
        ("for=192.0.2.7;proto=https", Some("https"), true),
        ("for=192.0.2.7;proto=https", Some("http"), false),
    ] {
        let mut visit = app
            .post("/maintenance-mode/on")
            .from("10.0.0.7")
            .by(&superuser)
            .header("Host", HOST)
            .header("Forwarded", forwarded)
            .header("Origin", "https://shop.example.com");
        if let Some(scheme) = x_forwarded {
            visit = visit.header("X-Forwarded-Proto", scheme);
        }
        visit.await;
        assert_eq!(
            app.maintenance.is_on(),
            believed,
            "{forwarded} {x_forwarded:?}"
        );
        app.turn_off().await;
    }
}

#[actix_web::test]
async fn fetching_ahead_is_no_intent() {
    let admin = Admin::start().await;
    for (name, value) in [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Sec-Purpose", "prerender"),
        ("Sec-Purpose", "Prerender;x=1"),
        ("Sec-Purpose", "prefetch;anonymous-client-ip"),
        ("Purpose", "prefetch"),
        ("Purpose", "Prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ] {
        let site = ("Sec-Fetch-Site", "same-origin");
        assert!(
            !admin.is_believed(&[site, (name, value)]).await,
            "{name}: {value}"
        );
        assert!(
            !admin.is_believed(&[(name, value)]).await,
            "{name}: {value}"
        );
        assert!(!admin.is_meant(&[(name, value)]).await, "{name}: {value}");
        let typed = [TYPED[0], TYPED[1], TYPED[2], (name, value)];
        assert!(!admin.is_meant(&typed).await, "{name}: {value}");
    }
}

#[actix_web::test]
async fn a_part_of_a_page_is_no_click() {
    let admin = Admin::start().await;
    let site = ("Sec-Fetch-Site", "same-origin");
    for (destination, believed) in [
        ("document", true),
        ("empty", true),
        ("image", false),
        ("script", false),
        ("style", false),
        ("iframe", false),
    ] {
        let headers = [site, ("Sec-Fetch-Dest", destination)];
        admin.with_headers(Method::POST, &headers).await;
        let is_on = admin.app.maintenance.is_on();
        assert_eq!(is_on, believed, "{destination}");
        admin.app.turn_off().await;
    }
}

#[actix_web::test]
async fn switching_off_is_held_to_the_same_rules() {
    let admin = Admin::start().await;
    admin.app.turn_on().await;
    for (method, status) in [(Method::GET, 200), (Method::POST, 403)] {
        for (name, value) in [
            ("Sec-Fetch-Site", "cross-site"),
            ("Origin", "https://evil.test"),
            ("Referer", "https://evil.test/"),
            ("Sec-Purpose", "prefetch"),
        ] {
            let answer = admin
                .app
                .request(method.clone(), "/maintenance-mode/off")
                .by(&admin.superuser)
                .header("Host", HOST)
                .header(name, value)
                .await;
            assert_eq!(answer.status, status);
            assert!(admin.app.maintenance.is_on(), "{name}: {value}");
        }
    }
    let mut visit = admin.app.get("/maintenance-mode/off").by(&admin.superuser);
    for (name, value) in TYPED {
        visit = visit.header(name, value);
    }
    assert_eq!(visit.await.status, 303);
    assert!(!admin.app.maintenance.is_on());
}

#[actix_web::test]
async fn the_refusal_for_the_origin_comes_in_the_negotiated_form() {
    let admin = Admin::start().await;
    let visit = |accept: &str| {
        admin
            .turns_on(Method::POST)
            .header("Sec-Fetch-Site", "cross-site")
            .accept(accept)
    };
    let problem = visit("application/json").await;
    assert_eq!(
        problem.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(problem.json()["status"], 403);
    assert!(
        problem.json()["detail"]
            .as_str()
            .unwrap()
            .contains("another site")
    );
    let text = visit("text/plain").await;
    assert_eq!(
        text.header("content-type"),
        Some("text/plain; charset=utf-8")
    );
    assert!(text.text().contains("another site"));
}

#[actix_web::test]
async fn a_get_switches_what_the_user_typed() {
    let admin = Admin::start().await;
    assert!(admin.is_meant(&TYPED).await);
    let chrome = [
        ("Accept-Language", "en"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
        ("Sec-Fetch-Dest", "document"),
    ];
    assert!(admin.is_meant(&[&TYPED[..], &chrome].concat()).await);
    // Each of the three is needed, with this very value and once.
    for (place, wrong) in [(0, "same-origin"), (1, "no-cors"), (2, "?0")] {
        let mut others = TYPED.to_vec();
        others.remove(place);
        assert!(!admin.is_meant(&others).await, "without {place}");
        let (name, right) = TYPED[place];
        others.push((name, wrong));
        assert!(!admin.is_meant(&others).await, "{wrong}");
        others.push((name, right));
        assert!(!admin.is_meant(&others).await, "{wrong} and {right}");
    }
    for site in ["same-origin", "same-site", "cross-site"] {
        let link = [("Sec-Fetch-Site", site), TYPED[1], TYPED[2]];
        assert!(!admin.is_meant(&link).await, "a link, {site}");
    }
    for more in [
        ("Referer", "http://shop.example.com/"),
        ("Origin", "http://shop.example.com"),
        ("Origin", "https://evil.test"),
    ] {
        let headers = [&TYPED[..], &[more]].concat();
        assert!(!admin.is_meant(&headers).await, "{more:?}");
    }
}

#[actix_web::test]
async fn a_get_switches_for_what_is_no_browser() {
    let admin = Admin::start().await;
    for programs in [
        &[][..],
        &[("User-Agent", "curl/8.5.0"), ("Accept", "*/*")],
        &[("User-Agent", "python-requests/2.32")],
    ] {
        assert!(admin.is_meant(programs).await, "{programs:?}");
    }
    // An older browser, or one on plain HTTP, by whatever link it came.
    for of_browsers in [
        ("User-Agent", "Mozilla/5.0 (Macintosh) Safari/605.1.15"),
        ("Accept-Language", "en"),
        ("Accept-Language", ""),
        ("Referer", "http://shop.example.com/"),
        ("Referer", ""),
        ("Origin", "http://shop.example.com"),
        ("Origin", "null"),
        ("Sec-Fetch-Mode", "navigate"),
        ("Sec-Fetch-Dest", "document"),
        ("Sec-Fetch-Something-New", "1"),
    ] {
        assert!(!admin.is_meant(&[of_browsers]).await, "{of_browsers:?}");
        let curl = ("User-Agent", "curl/8.5.0");
        if of_browsers.0 != "User-Agent" {
            assert!(
                !admin.is_meant(&[curl, of_browsers]).await,
                "{of_browsers:?}"
            );
        }
    }
}

#[actix_web::test]
async fn a_get_takes_no_text_and_no_end() {
    let admin = Admin::start().await;
    let query = "mode=site&next=/shop/1&message=PWNED&reason=PWNED&for=1s&drain=true&until=x";
    let answer = admin
        .app
        .get(&format!("/maintenance-mode/on?{query}"))
        .by(&admin.superuser)
        .await;
    assert_eq!(answer.header("location"), Some("/shop/1"));
    let mode = &admin.app.maintenance.status().modes[0];
    assert_eq!(mode.phase, actix_maintenance_mode::Phase::Offline);
    assert_eq!(
        (&mode.message, &mode.reason, &mode.until),
        (&None, &None, &None)
    );
    admin.app.turn_off().await;

    // Nor does the page that asks, which goes back to where the link said.
    let answer = admin
        .app
        .get(&format!("/maintenance-mode/on?{query}"))
        .by(&admin.superuser)
        .header("Sec-Fetch-Site", "cross-site")
        .await;
    assert_eq!(answer.status, 200);
    let page = answer.text();
    assert!(!page.contains("PWNED"), "{page}");
    assert!(page.contains("name=\"mode\" value=\"site\""), "{page}");
    assert!(
        page.contains("name=\"next\" value=\"/shop/1\"")
            || page.contains("name=\"next\" value=\"&#x2F;shop&#x2F;1\""),
        "{page}"
    );
    let policy = answer.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!admin.app.maintenance.is_on());
    let evil = admin
        .app
        .get("/maintenance-mode/on?next=//evil.test")
        .by(&admin.superuser)
        .header("Sec-Fetch-Site", "cross-site")
        .await;
    assert!(!evil.text().contains("evil.test"), "{evil:?}");
}

#[actix_web::test]
async fn where_the_settings_say_so_every_get_asks() {
    let app = TestApp::with_settings(|settings| {
        settings.admin.get = actix_maintenance_mode::settings::GetSwitches::Ask;
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    let admin = Admin { app, superuser };
    assert!(!admin.is_meant(&[]).await);
    assert!(!admin.is_meant(&TYPED).await);
    assert!(admin.is_believed(&[]).await, "by POST it is switched");
}

#[actix_web::test]
async fn whoever_may_switch_and_not_see_is_asked_without_a_word_of_what_is() {
    let app = TestApp::with_builder(|builder| {
        builder
            .permission(Permission::Toggle, |visitor, _| visitor.superuser)
            .permission(Permission::See, |_, _| false)
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    app.maintenance
        .turn_on()
        .reason("secret reason")
        .await
        .unwrap();
    let answer = app
        .get("/maintenance-mode/off")
        .by(&superuser)
        .header("Sec-Fetch-Site", "cross-site")
        .await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.text().contains("secret reason"));
    assert!(app.maintenance.is_on());
}
