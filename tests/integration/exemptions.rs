//! Who gets through: a test for each row of the decision table, and for their order.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use actix_maintenance_mode::{Visitor, settings::ApiKeySettings};
use actix_web::http::Method;

use crate::{
    log::Log,
    test_app::{Answer, TestApp},
};

const KEY: &str = "open-sesame-42";

fn api_key(header: Option<&str>, query: Option<&str>) -> Option<ApiKeySettings> {
    let mut api_key = ApiKeySettings::default();
    api_key.header = header.map(str::to_owned);
    api_key.query = query.map(str::to_owned);
    api_key.keys = vec!["another-key-entirely".to_owned(), KEY.to_owned()];
    Some(api_key)
}

fn list(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

#[actix_web::test]
async fn nobody_gets_in_without_an_exemption() {
    let app = TestApp::start().await;
    let superuser = app.log_in_superuser("ada").await;
    app.turn_on().await;
    app.get("/").await.is_refused();
    app.get("/").from("127.0.0.1").await.is_refused();
    app.get("/").by(&superuser).await.is_refused();
    app.get("/no/such/page").await.is_refused();
    for method in [
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ] {
        app.request(method, "/").await.is_refused();
    }
    app.turn_off().await;
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn row_1_a_route_that_is_forced_off_is_served() {
    let app = TestApp::with_settings(|settings| settings.exempt.routes = list(&["health"])).await;
    app.turn_on().await;
    app.get("/health").await.is_served();
    app.head("/health").await.is_served();
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn row_1_before_2_forced_off_beats_forced_on() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.routes = list(&["closed"]);
        settings.forced_on.routes = list(&["closed"]);
        settings.forced_on.patterns = list(&["/closed"]);
    })
    .await;
    app.get("/closed").await.is_served();
    app.turn_on().await;
    app.get("/closed").await.is_served();
}

#[actix_web::test]
async fn row_2_a_route_that_is_forced_on_is_refused_while_online() {
    let app =
        TestApp::with_settings(|settings| settings.forced_on.routes = list(&["closed"])).await;
    assert!(!app.maintenance.is_on());
    app.get("/closed").await.is_refused();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn row_2_before_the_exemptions_forced_on_beats_them_all() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| {
                settings.forced_on.patterns = list(&["/closed"]);
                settings.exempt.paths = list(&["/closed"]);
                settings.exempt.addresses = list(&["10.0.0.0/8"]);
                settings.exempt.api_key = api_key(Some("X-Maintenance-Key"), None);
                settings.exempt.superusers = true;
                settings.exempt.anonymous = true;
                settings.exempt.tests = true;
            })
            .exempt_if("everybody", |_| true)
            .tests(true)
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    app.turn_on().await;
    app.get("/closed")
        .from("10.0.0.1")
        .header("X-Maintenance-Key", KEY)
        .by(&superuser)
        .await
        .is_refused();
}

#[actix_web::test]
async fn row_3_while_online_everybody_is_served() {
    let app = TestApp::with_settings(|settings| {
        settings.forced_on.routes = list(&["closed"]);
        settings.logout.authenticated = true;
        settings.exempt.staff = true;
    })
    .await;
    let user = app.log_in_user("bob").await;
    let answer = app.get("/session").by(&user).await;
    answer.is_served();
    assert!(answer.text().contains("user_id"), "nobody is logged out");
}

#[actix_web::test]
async fn row_4_the_admin_scope_and_the_ping_stay_reachable() {
    let app = TestApp::start().await;
    let superuser = app.log_in_superuser("ada").await;
    app.turn_on().await;
    for path in ["/maintenance-mode/status", "/maintenance-mode/status/"] {
        assert_eq!(app.get(path).by(&superuser).await.status, 200);
    }
    assert!(!app.get("/maintenance-mode/ping").await.json()["phase"].is_null());
    app.get("/maintenance-modes").await.is_refused();
    app.get("/maintenance-mode-status").await.is_refused();
}

#[actix_web::test]
async fn row_4_robots_txt_is_served_unless_that_is_switched_off() {
    let app = TestApp::start().await;
    app.turn_on().await;
    app.get("/robots.txt").await.is_served();
    app.head("/robots.txt").await.is_served();
    app.get("/robots.txt.html").await.is_refused();
    app.get("/shop/robots.txt").await.is_refused();

    let strict = TestApp::with_settings(|settings| settings.exempt.robots_txt = false).await;
    strict.turn_on().await;
    strict.get("/robots.txt").await.is_refused();
}

#[actix_web::test]
async fn row_4_the_target_of_the_redirect_is_served() {
    let app = TestApp::with_settings(|settings| {
        settings.response.redirect = Some("/sorry?why=maintenance".to_owned());
    })
    .await;
    app.turn_on().await;
    assert_eq!(app.get("/").await.status, 302);
    app.get("/sorry?why=maintenance").await.is_served();
    app.get("/sorry").await.is_served();
    assert_eq!(app.get("/sorry/x").await.status, 302);
}

#[actix_web::test]
async fn row_4_the_target_on_another_host_exempts_nothing_here() {
    let app = TestApp::with_settings(|settings| {
        settings.response.redirect = Some("https://status.example.com/".to_owned());
    })
    .await;
    app.turn_on().await;
    let visit = |host: &'static str| app.get("/").header("Host", host);
    assert_eq!(visit("shop.example.com").await.status, 302);
    visit("status.example.com").await.is_served();
    visit("STATUS.example.com").await.is_served();
    assert_eq!(app.get("/").await.status, 302);
}

#[actix_web::test]
async fn row_5_an_exact_path_is_served() {
    let app = TestApp::with_settings(|settings| settings.exempt.paths = list(&["/about"])).await;
    app.turn_on().await;
    app.get("/about").await.is_served();
    app.get("/about?x=1").await.is_served();
    for other in [
        "/about/",
        "/about/us",
        "/About",
        "/abou",
        "/x/about",
        "//about",
        "/?/about",
    ] {
        app.get(other).await.is_refused();
    }
}

#[actix_web::test]
async fn row_5_a_prefix_is_whole_segments() {
    let app =
        TestApp::with_settings(|settings| settings.exempt.prefixes = list(&["/api", "/static/"]))
            .await;
    app.turn_on().await;
    for path in [
        "/api",
        "/api/",
        "/api/x",
        "/api/x/y",
        "/static",
        "/static/",
        "/static/a.css",
    ] {
        app.get(path).await.is_served();
    }
    for path in [
        "/apix",
        "/api.json",
        "/API",
        "/x/api",
        "/",
        "/statics",
        "//api",
    ] {
        app.get(path).await.is_refused();
    }
}

#[actix_web::test]
async fn row_5_a_pattern_is_anchored_at_the_start_of_the_path() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.patterns = list(&[r"/news|/blog", r".*\.css$"]);
    })
    .await;
    app.turn_on().await;
    for path in ["/news", "/news/1", "/newsletter", "/blog", "/a/b.css"] {
        app.get(path).await.is_served();
    }
    for path in [
        "/x/news",
        "/x/blog",
        "/a/b.css.html",
        "/NEWS",
        "/?next=/news",
        "/x?a.css",
    ] {
        app.get(path).await.is_refused();
    }
}

#[actix_web::test]
async fn row_5_the_admin_site_of_the_app_is_served() {
    let app =
        TestApp::with_settings(|settings| settings.exempt.admin_site = Some("/admin".to_owned()))
            .await;
    app.turn_on().await;
    app.get("/admin").await.is_served();
    app.get("/admin/users/1").await.is_served();
    app.get("/administration").await.is_refused();
}

#[actix_web::test]
async fn the_query_never_matters() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.paths = list(&["/about"]);
        settings.exempt.prefixes = list(&["/api"]);
        settings.exempt.patterns = list(&["/login"]);
        settings.forced_on.patterns = list(&["/closed"]);
    })
    .await;
    app.get("/?x=/closed").await.is_served();
    app.get("/closed?x=1").await.is_refused();
    app.turn_on().await;
    for path in [
        "/?x=/about",
        "/shop?/api/x",
        "/?x=login",
        "/shop?next=/login",
    ] {
        app.get(path).await.is_refused();
    }
    for path in ["/about?x", "/api?", "/login?next=/shop"] {
        app.get(path).await.is_served();
    }
}

#[actix_web::test]
async fn paths_are_compared_as_the_app_routes_them() {
    let app = TestApp::with_settings(|settings| settings.exempt.prefixes = list(&["/api"])).await;
    app.turn_on().await;
    app.get("/%61pi/x").await.is_served();
    // An encoded slash is none, so these are one segment that only begins like the prefix.
    app.get("/api%2Fx").await.is_refused();
    app.get("/api%2f..%2fshop").await.is_refused();
}

#[actix_web::test]
async fn row_6_an_address_is_served() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.addresses = list(&["10.0.0.1", "192.168.0.0/16", "2001:db8::/32"]);
    })
    .await;
    app.turn_on().await;
    for address in [
        "10.0.0.1",
        "192.168.255.255",
        "2001:db8:1::7",
        "::ffff:10.0.0.1",
    ] {
        app.get("/").from(address).await.is_served();
    }
    for address in [
        "10.0.0.2",
        "10.0.0.15",
        "192.169.0.0",
        "2001:db9::1",
        "::a00:1",
    ] {
        app.get("/").from(address).await.is_refused();
    }
    // Nobody knows where it comes from.
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn row_6_a_pattern_must_match_the_whole_address() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.address_patterns = list(&["10.0.0.1", r"172\.16\..*|fe80::.*"]);
    })
    .await;
    app.turn_on().await;
    for address in ["10.0.0.1", "172.16.9.9", "fe80::1", "::ffff:10.0.0.1"] {
        app.get("/").from(address).await.is_served();
    }
    for address in ["10.0.0.15", "110.0.0.1", "172.160.0.1", "2001:fe80::1"] {
        app.get("/").from(address).await.is_refused();
    }
}

#[actix_web::test]
async fn row_7_a_predicate_of_the_app_lets_through() {
    let app = TestApp::with_builder(|builder| {
        builder
            .exempt_if("never", |_| false)
            .exempt_if("monitoring", |request| {
                request.headers().contains_key("x-monitor")
            })
    })
    .await;
    app.turn_on().await;
    app.get("/").header("X-Monitor", "1").await.is_served();
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn row_7_an_api_key_in_the_header_lets_through() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.api_key = api_key(Some("X-Maintenance-Key"), None);
    })
    .await;
    app.turn_on().await;
    let with = |key: &str| app.get("/").header("X-Maintenance-Key", key);
    with(KEY).await.is_served();
    with("another-key-entirely").await.is_served();
    with("wrong")
        .header("X-Maintenance-Key", KEY)
        .await
        .is_served();
    for wrong in [
        "",
        "open-sesame-4",
        "open-sesame-423",
        "OPEN-SESAME-42",
        "\u{fe}",
    ] {
        with(wrong).await.is_refused();
    }
    app.get("/")
        .header("X-Maintenance-Keys", KEY)
        .await
        .is_refused();
    app.get("/?api_key=open-sesame-42").await.is_refused();
}

#[actix_web::test]
async fn row_7_an_api_key_in_the_query_lets_through() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.api_key = api_key(None, Some("api_key"));
    })
    .await;
    app.turn_on().await;
    app.get("/?api_key=open-sesame-42").await.is_served();
    app.get("/?a=1&api_key=open%2Dsesame-42&b")
        .await
        .is_served();
    for query in [
        "api_key",
        "api_key=",
        "api_key=open-sesame",
        "key=open-sesame-42",
        "%ff=%ff&&=",
    ] {
        app.get(&format!("/?{query}")).await.is_refused();
    }
    app.get("/")
        .header("X-Maintenance-Key", KEY)
        .await
        .is_refused();
}

#[actix_web::test]
async fn row_7_an_api_key_is_never_logged() {
    let log = Log::collect();
    let app = TestApp::with_settings(|settings| {
        settings.exempt.api_key = api_key(Some("X-Maintenance-Key"), Some("api_key"));
    })
    .await;
    app.turn_on().await;
    app.get("/")
        .header("X-Maintenance-Key", KEY)
        .await
        .is_served();
    app.get("/?api_key=open-sesame-42").await.is_served();
    app.get("/?api_key=almost-sesame-4").await.is_refused();
    let lines = log.lines();
    assert!(
        lines.iter().any(|line| line.contains("api-key")),
        "{lines:?}"
    );
    for line in lines {
        assert!(!line.contains("sesame"), "{line}");
        assert!(!line.contains("another-key"), "{line}");
    }
}

#[actix_web::test]
async fn row_7_with_the_tests_setting_nobody_is_refused_under_test() {
    let app = async |setting: bool, under_test: bool| {
        let app = TestApp::with_builder(|builder| {
            builder
                .configure(move |settings| settings.exempt.tests = setting)
                .tests(under_test)
        })
        .await;
        app.turn_on().await;
        app.get("/").await
    };
    app(true, true).await.is_served();
    app(true, false).await.is_refused();
    app(false, true).await.is_refused();
}

/// What each kind of visitor gets while a rule is on: anonymous, user, staff, superuser.
async fn by_role(app: &TestApp) -> [bool; 4] {
    let user = app.log_in_user("bob").await;
    let staff = app.log_in_staff("sue").await;
    let superuser = app.log_in_superuser("ada").await;
    app.turn_on().await;
    let served = |answer: Answer| answer.status == 200;
    [
        served(app.get("/").await),
        served(app.get("/").by(&user).await),
        served(app.get("/").by(&staff).await),
        served(app.get("/").by(&superuser).await),
    ]
}

#[actix_web::test]
async fn row_8_anonymous_visitors_are_served() {
    let app = TestApp::with_settings(|settings| settings.exempt.anonymous = true).await;
    assert_eq!(by_role(&app).await, [true, false, false, false]);
}

#[actix_web::test]
async fn row_8_authenticated_visitors_are_served_whoever_they_are() {
    let app = TestApp::with_settings(|settings| settings.exempt.authenticated = true).await;
    assert_eq!(by_role(&app).await, [false, true, true, true]);
}

#[actix_web::test]
async fn row_8_staff_is_served() {
    let app = TestApp::with_settings(|settings| settings.exempt.staff = true).await;
    assert_eq!(by_role(&app).await, [false, false, true, false]);
}

#[actix_web::test]
async fn row_8_superusers_are_served() {
    let app = TestApp::with_settings(|settings| settings.exempt.superusers = true).await;
    assert_eq!(by_role(&app).await, [false, false, false, true]);
}

#[actix_web::test]
async fn nobody_is_asked_who_they_are_unless_it_matters() {
    let asked = Arc::new(AtomicUsize::new(0));
    let app = TestApp::with_builder(|builder| {
        let asked = Arc::clone(&asked);
        builder
            .configure(|settings| {
                settings.exempt.superusers = true;
                settings.exempt.routes = list(&["health"]);
                settings.forced_on.routes = list(&["closed"]);
                settings.exempt.paths = list(&["/about"]);
                settings.exempt.addresses = list(&["10.0.0.1"]);
                settings.exempt.api_key = api_key(Some("X-Maintenance-Key"), None);
            })
            .exempt_if("monitoring", |request| {
                request.headers().contains_key("x-monitor")
            })
            .identity(move |_| {
                asked.fetch_add(1, Ordering::Relaxed);
                Visitor::anonymous()
            })
    })
    .await;
    app.get("/").await.is_served();
    app.get("/closed").await.is_refused();
    app.turn_on().await;
    app.get("/health").await.is_served();
    app.get("/closed").await.is_refused();
    app.get("/robots.txt").await.is_served();
    app.get("/about").await.is_served();
    app.get("/").from("10.0.0.1").await.is_served();
    app.get("/").header("X-Monitor", "1").await.is_served();
    app.get("/")
        .header("X-Maintenance-Key", KEY)
        .await
        .is_served();
    assert_eq!(asked.load(Ordering::Relaxed), 0, "a cheaper rule decided");
    app.get("/").await.is_refused();
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

#[actix_web::test]
async fn nobody_is_asked_who_they_are_when_no_rule_needs_it() {
    let app = TestApp::with_builder(|builder| {
        builder.identity(|_| -> Visitor { panic!("no rule needs to know who is asking") })
    })
    .await;
    app.turn_on().await;
    app.get("/").await.is_refused();
}

#[actix_web::test]
async fn rows_5_to_7_dearer_rules_are_not_asked_when_a_cheaper_one_decides() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| {
                settings.exempt.paths = list(&["/about"]);
                settings.exempt.addresses = list(&["10.0.0.1"]);
            })
            .client_address(|request| {
                assert_ne!(request.path(), "/about", "the path decides");
                request.peer_addr().map(|peer| peer.ip())
            })
            .exempt_if("predicate", |request| {
                let peer = request.peer_addr().map(|peer| peer.ip().to_string());
                assert_ne!(peer.as_deref(), Some("10.0.0.1"), "the address decides");
                false
            })
    })
    .await;
    app.turn_on().await;
    app.get("/about").await.is_served();
    app.get("/shop").from("10.0.0.1").await.is_served();
    app.get("/shop").from("10.0.0.2").await.is_refused();
}

#[actix_web::test]
async fn every_row_tells_its_name_in_the_log() {
    let log = Log::collect();
    let app = TestApp::with_settings(|settings| {
        settings.exempt.paths = list(&["/about"]);
        settings.exempt.prefixes = list(&["/api"]);
        settings.exempt.addresses = list(&["10.0.0.1"]);
        settings.exempt.superusers = true;
    })
    .await;
    let superuser = app.log_in_superuser("ada").await;
    app.turn_on().await;
    app.get("/about").await.is_served();
    app.get("/api").await.is_served();
    app.get("/robots.txt").await.is_served();
    app.get("/").from("10.0.0.1").await.is_served();
    app.get("/").by(&superuser).await.is_served();
    app.get("/").await.is_refused();
    let lines = log.lines().join("\n");
    for rule in [
        "exempt-path",
        "exempt-prefix",
        "robots-txt",
        "exempt-address",
        "superuser",
        "no-exemption",
    ] {
        assert!(
            lines.contains(&format!("rule=\"{rule}\"")),
            "{rule}: {lines}"
        );
    }
}

#[actix_web::test]
async fn paths_and_prefixes_ignore_case_where_that_is_set() {
    for (ignore_case, is_open) in [(false, false), (true, true)] {
        let app = TestApp::with_settings(move |settings| {
            settings.exempt.ignore_case = ignore_case;
            settings.exempt.paths = vec!["/About".to_owned()];
            settings.exempt.prefixes = vec!["/Api".to_owned()];
        })
        .await;
        app.turn_on().await;
        for path in ["/about", "/ABOUT", "/api", "/aPI/x"] {
            let answer = app.get(path).await;
            assert_eq!(answer.status == 200, is_open, "{path}: {answer:?}");
        }
        for path in ["/About", "/Api/x"] {
            app.get(path).await.is_served();
        }
        // Whole segments and whole paths, as ever.
        for path in ["/apix", "/about/x"] {
            app.get(path).await.is_refused();
        }
    }
}
