//! What becomes of a request is told as it then happens: by the handle, and by `/explain` with the
//! app's own routes.

use actix_maintenance_mode::{Inquiry, Outcome, Role};
use actix_web::http::Method;
use serde_json::{Value, json};

use crate::test_app::{LoggedIn, TestApp, maintenance};

const EXPLAIN: &str = "/maintenance-mode/explain";

async fn app() -> (TestApp, LoggedIn) {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.routes = vec!["health".to_owned(), "/shop/{item}".to_owned()];
        settings.exempt.prefixes = vec!["/static".to_owned()];
        settings.exempt.addresses = vec!["192.0.2.0/24".to_owned()];
        settings.exempt.staff = true;
        settings.forced_on.routes = vec!["closed".to_owned()];
    })
    .await;
    let ada = app.log_in_superuser("ada").await;
    (app, ada)
}

async fn explained(app: &TestApp, who: &LoggedIn, query: &str) -> Value {
    let answer = app.get(&format!("{EXPLAIN}?{query}")).by(who).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

#[actix_web::test]
async fn what_is_told_is_what_happens() {
    let (app, ada) = app().await;
    let staff = app.log_in_staff("sam").await;
    let user = app.log_in_user("bob").await;
    for on in [false, true] {
        if on {
            app.turn_on().await;
        }
        for path in [
            "/",
            "/health",
            "/%68ealth",
            "/closed",
            "/shop/1",
            "/shop/1/2",
            "/static/shop.css",
            "/staticx",
            "/robots.txt",
            "/maintenance-mode/ping",
            "/a%20b?x=/static",
        ] {
            for (role, visitor) in [
                ("anonymous", None),
                ("authenticated", Some(&user)),
                ("staff", Some(&staff)),
                ("superuser", Some(&ada)),
            ] {
                for address in ["192.0.2.7", "198.51.100.7"] {
                    let mut visit = app.get(path).from(address);
                    if let Some(visitor) = visitor {
                        visit = visit.by(visitor);
                    }
                    let answer = visit.await;
                    let is_refused = answer.header("x-maintenance-mode").is_some();
                    let is_ping = path.ends_with("/ping");
                    let asked = path.replace('%', "%25");
                    let query = format!("path={asked}&role={role}&address={address}");
                    let told = explained(&app, &ada, &query).await;
                    let expected = if is_refused && !is_ping {
                        "refuse"
                    } else {
                        "pass"
                    };
                    assert_eq!(told["outcome"], expected, "{query}: {told}");
                    assert_eq!(told["not_known"], json!([]), "{query}");
                }
            }
        }
    }
}

#[actix_web::test]
async fn the_rule_the_mode_and_the_phase_are_told() {
    let (app, ada) = app().await;
    let told = explained(&app, &ada, "path=/").await;
    assert_eq!(
        told,
        json!({
            "outcome": "pass",
            "rule": "online",
            "mode": null,
            "phase": "online",
            "logout": false,
            "waits": null,
            "why": "No mode is pending or offline.",
            "not_known": [],
        })
    );
    app.turn_on().await;
    for (query, outcome, rule, why) in [
        (
            "path=/&address=::1",
            "refuse",
            "no-exemption",
            "No exemption holds.",
        ),
        ("path=/health", "pass", "forced-off-route", "exempt.routes"),
        (
            "path=/closed",
            "refuse",
            "forced-on-route",
            "forced_on.routes",
        ),
        ("path=/static/x", "pass", "exempt-prefix", "exempt.prefixes"),
        (
            "path=/&address=192.0.2.1",
            "pass",
            "exempt-address",
            "exempt.addresses",
        ),
        (
            "path=/&address=::1&role=staff",
            "pass",
            "staff",
            "exempt.staff",
        ),
        (
            "path=/maintenance-mode/on&method=POST",
            "pass",
            "admin-scope",
            "admin scope",
        ),
    ] {
        let told = explained(&app, &ada, query).await;
        assert_eq!(
            (&told["outcome"], &told["rule"], &told["phase"]),
            (&json!(outcome), &json!(rule), &json!("offline")),
            "{query}: {told}"
        );
        assert_eq!(told["mode"], "site");
        let words = told["why"].as_str().unwrap();
        assert!(words.contains(why), "{query}: {words}");
        assert_eq!(told["not_known"], json!([]), "{query}");
    }
}

#[actix_web::test]
async fn what_only_a_request_shows_is_said() {
    let app = TestApp::with_builder(|builder| {
        builder
            .exempt_if("partner", |_| true)
            .already_in_if(|_| false)
            .configure(|settings| {
                settings.exempt.addresses = vec!["192.0.2.1".to_owned()];
                settings.exempt.api_key = Some(Default::default());
                if let Some(api_key) = &mut settings.exempt.api_key {
                    api_key.keys = vec!["a-long-secret".to_owned()];
                }
                settings.response.redirect = Some("https://status.example/".to_owned());
            })
    })
    .await;
    let not_known = |path: &str| {
        let told = app.maintenance.explain(&Inquiry::new("GET", path).unwrap());
        (told.outcome, told.not_known.join("\n"))
    };
    assert_eq!(not_known("/"), (Outcome::Pass, String::new()));
    app.maintenance.turn_on().drain().await.unwrap();
    let (outcome, told) = not_known("/");
    assert_eq!(outcome, Outcome::Refuse);
    for part in [
        "host",
        "exempt.addresses",
        "`partner`",
        "API key",
        "already in",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    assert!(!told.contains("a-long-secret"), "{told}");
    // What a cheaper rule decides does not depend on any of it.
    assert_eq!(not_known("/robots.txt"), (Outcome::Pass, String::new()));

    let inside = Inquiry::new("GET", "https://shop.example/x")
        .unwrap()
        .address("198.51.100.1".parse().unwrap())
        .role(Role::Authenticated);
    let told = app.maintenance.explain(&inside).not_known.join("\n");
    assert!(
        told.contains("already-in") && !told.contains("exempt.addresses"),
        "{told}"
    );
    assert!(!told.contains("host"), "{told}");
}

#[actix_web::test]
async fn without_the_app_its_routes_are_told_as_far_as_the_settings_tell() {
    let maintenance = maintenance(|builder| {
        builder.configure(|settings| {
            settings.exempt.routes = vec!["health".to_owned(), "/shop/{item}".to_owned()];
        })
    })
    .await;
    maintenance.turn_on().await.unwrap();
    let explained = |path: &str| maintenance.explain(&Inquiry::new("GET", path).unwrap());
    let shop = explained("/shop/1");
    assert_eq!(
        (shop.outcome, shop.rule.name()),
        (Outcome::Pass, "forced-off-route")
    );
    assert!(shop.not_known[0].contains("/shop/{item}"), "{shop:?}");
    let health = explained("/health");
    assert_eq!(
        (health.outcome, health.rule.name()),
        (Outcome::Refuse, "no-exemption")
    );
    assert!(
        health.not_known[0].contains("names in `exempt.routes`"),
        "{health:?}"
    );
    assert!(health.not_known[1].contains("running app"), "{health:?}");
}

#[actix_web::test]
async fn a_wrapped_resource_may_refuse_what_passes() {
    let (app, ada) = app().await;
    let _wrapper = app.maintenance.forced_on();
    let told = explained(&app, &ada, "path=/").await;
    assert!(
        told["not_known"][0].as_str().unwrap().contains("forced_on"),
        "{told}"
    );
    let told = explained(&app, &ada, "path=/closed").await;
    assert_eq!(told["not_known"], json!([]));
}

#[actix_web::test]
async fn a_log_out_on_the_way_is_told() {
    let app = TestApp::with_settings(|settings| {
        settings.exempt.authenticated = true;
        settings.logout.authenticated = true;
    })
    .await;
    app.turn_on().await;
    let inquiry = Inquiry::new("GET", "/").unwrap().role(Role::Authenticated);
    let told = app.maintenance.explain(&inquiry);
    assert!(told.logout && told.outcome == Outcome::Refuse, "{told:?}");
    assert!(told.why.contains("logged out first"), "{told:?}");
}

#[actix_web::test]
async fn a_question_that_makes_no_sense_is_answered_with_all_its_faults() {
    let (app, ada) = app().await;
    let query = "role=root&address=office&colour=red&method=GET&method=GET";
    let answer = app
        .get(&format!("{EXPLAIN}?{query}"))
        .by(&ada)
        .accept("application/json")
        .await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.header("content-type"),
        Some("application/problem+json")
    );
    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
    for part in [
        "`role`",
        "`address`",
        "`method` is there twice",
        "not known",
        "`path` is missing",
    ] {
        assert!(detail.contains(part), "{part}: {detail}");
    }
    for query in [
        "path=shop",
        "path=%00",
        "path=/%ff",
        "path=%ff",
        "path=/&host=",
        "",
        "%",
    ] {
        let answer = app.get(&format!("{EXPLAIN}?{query}")).by(&ada).await;
        assert!([200, 400].contains(&answer.status), "{query}: {answer:?}");
    }
}

#[actix_web::test]
async fn only_those_who_may_see_are_told() {
    let (app, _) = app().await;
    let bob = app.log_in_user("bob").await;
    for path in [
        "/explain?path=/",
        "/explain/?path=/",
        "/history",
        "/history/",
    ] {
        let path = format!("/maintenance-mode{path}");
        assert_eq!(app.get(&path).by(&bob).await.status, 403, "{path}");
        assert_eq!(app.get(&path).await.status, 403, "{path}");
        assert_eq!(app.request(Method::POST, &path).await.status, 405, "{path}");
    }
}

#[actix_web::test]
async fn the_history_is_read() {
    let (app, ada) = app().await;
    app.maintenance
        .turn_on()
        .by("deploy")
        .reason("release")
        .await
        .unwrap();
    app.turn_off().await;
    for path in ["/maintenance-mode/history", "/maintenance-mode/history/"] {
        let answer = app.get(path).by(&ada).await;
        assert_eq!(answer.status, 200);
        let periods = answer.json()["history"].clone();
        assert_eq!(periods.as_array().unwrap().len(), 1);
        assert_eq!(periods[0]["by"], "deploy");
        assert_eq!(periods[0]["ended"], "off");
    }
}
