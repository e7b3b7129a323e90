//! A change needs the user's own intent: what browsers say about where a request comes from.

use actix_web::http::Method;

use crate::test_app::{LoggedIn, TestApp, Visit};

const HOST: &str = "shop.example.com";

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

    /// Whether the request, by each method, switches maintenance on; else it must say why not.
    async fn is_believed(&self, headers: &[(&str, &str)]) -> bool {
        let mut believed = Vec::new();
        for method in [Method::GET, Method::POST] {
            let visit = headers
                .iter()
                .fold(self.turns_on(method), |visit, (name, value)| {
                    visit.header(name, value)
                });
            let answer = visit.await;
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
            believed.push(on);
            self.app.turn_off().await;
        }
        assert_eq!(believed[0], believed[1], "GET and POST differ: {headers:?}");
        believed[0]
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
    let own = ("Origin", "https://shop.example.com");
    let referer = ("Referer", "https://shop.example.com/");
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
        ("https://shop.example.com", true),
        ("http://shop.example.com", true),
        ("https://SHOP.example.com", true),
        ("https://shop.example.com:443", true),
        ("http://shop.example.com:80", true),
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
        ("https://shop.example.com/admin?x=1", true),
        ("http://shop.example.com/", true),
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
        ("Referer", "https://shop.example.com/"),
    ];
    assert!(!admin.is_believed(&contradict).await);
    let contradict = [("Origin", "null"), ("Referer", "https://shop.example.com/")];
    assert!(!admin.is_believed(&contradict).await);
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
    for (peer, believed) in [("10.0.0.7", true), ("203.0.113.5", false)] {
        app.post("/maintenance-mode/on")
            .from(peer)
            .by(&superuser)
            .header("Host", "backend:8080")
            .header("X-Forwarded-Host", HOST)
            .header("Origin", "https://shop.example.com")
            .await;
        assert_eq!(app.maintenance.is_on(), believed, "{peer}");
        app.turn_off().await;
    }
}

#[actix_web::test]
async fn fetching_ahead_is_no_intent() {
    let admin = Admin::start().await;
    for (name, value) in [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
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
        let is_on = {
            let visit = headers
                .iter()
                .fold(admin.turns_on(Method::GET), |visit, (name, value)| {
                    visit.header(name, value)
                });
            visit.await;
            admin.app.maintenance.is_on()
        };
        assert_eq!(is_on, believed, "{destination}");
        admin.app.turn_off().await;
    }
}

#[actix_web::test]
async fn switching_off_is_held_to_the_same_rules() {
    let admin = Admin::start().await;
    admin.app.turn_on().await;
    for method in [Method::GET, Method::POST] {
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
            assert_eq!(answer.status, 403);
            assert!(admin.app.maintenance.is_on(), "{name}: {value}");
        }
    }
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
