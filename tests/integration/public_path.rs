//! Behind a proxy that strips a prefix, every path that visitors get has it.

use actix_maintenance_mode::{Maintenance, Settings};

use crate::test_app::{Answer, TestApp};

const PROXY: &str = "10.0.0.1";

#[track_caller]
fn leads_to(answer: &Answer, target: &str) {
    assert!(matches!(answer.status, 302 | 303), "{answer:?}");
    assert_eq!(answer.header("location"), Some(target));
}

#[actix_web::test]
async fn all_paths_have_the_prefix_that_the_settings_name() {
    let app = TestApp::with_settings(|settings| {
        settings.public_path = Some("/shop/".to_owned());
        settings.login_url = Some("/log-in".to_owned());
    })
    .await;
    let script = "/shop/maintenance-mode/static/maintenance.js";
    assert_eq!(app.maintenance.script_url(), script);
    assert_eq!(app.maintenance.live_url(), "/shop/maintenance-mode/live");

    let login = app.get("/maintenance-mode/").accept("text/html").await;
    leads_to(&login, "/shop/log-in?next=/shop/maintenance-mode/");
    let alice = app.log_in_superuser("alice").await;
    let page = app.get("/maintenance-mode/").by(&alice).await;
    let text = page.text();
    for (before, rest) in [("href=\"", text), ("src=\"", text), ("action=\"", text)] {
        for part in rest.split(before).skip(1) {
            let own = part.starts_with('#') || part.starts_with("data:");
            assert!(own || part.starts_with("/shop/"), "{before}{part:.60}");
        }
    }
    assert!(
        text.contains("data-base=\"/shop/maintenance-mode\""),
        "{text}"
    );

    let on = async |form: &str| app.post("/maintenance-mode/on").by(&alice).form(form).await;
    leads_to(&on("").await, "/shop/");
    leads_to(&on("next=/about?x=1").await, "/shop/about?x=1");
    leads_to(&on("next=/shop/about").await, "/shop/about");
    leads_to(&on("next=//evil.example").await, "/shop/");
    let page = app.get("/").await;
    assert!(
        page.text().contains(&format!("src=\"{script}\"")),
        "{}",
        page.text()
    );
    let api = app.get("/maintenance-mode/openapi.json").await.json();
    assert_eq!(api["servers"][0]["url"], "/shop/maintenance-mode");
}

#[actix_web::test]
async fn a_redirect_to_a_path_of_the_app_has_it_too() {
    for (target, location) in [
        ("/closed-page", "/shop/closed-page"),
        ("https://status.example.com/", "https://status.example.com/"),
    ] {
        let app = TestApp::with_settings(move |settings| {
            settings.public_path = Some("/shop".to_owned());
            settings.response.redirect = Some(target.to_owned());
        })
        .await;
        app.turn_on().await;
        leads_to(&app.get("/").accept("text/html").await, location);
    }
}

#[actix_web::test]
async fn a_trusted_proxy_says_what_it_strips_and_nobody_else() {
    let app = TestApp::with_settings(|settings| {
        settings.public_path = Some("/shop".to_owned());
        settings.client.trusted_proxies = vec![PROXY.to_owned()];
    })
    .await;
    app.turn_on().await;
    let script = async |from: &str, prefix: &str| {
        let page = app.get("/").from(from).header("X-Forwarded-Prefix", prefix);
        let page = page.await;
        let (_, rest) = page.text().split_once("<script src=\"").unwrap();
        let (path, _) = rest.split_once("/maintenance-mode/").unwrap();
        path.to_owned()
    };
    for _ in 0..2 {
        assert_eq!(script(PROXY, "/store").await, "/store");
        assert_eq!(script(PROXY, "/a/b/").await, "/a/b");
        assert_eq!(script(PROXY, "/outer, /inner").await, "/outer/inner");
        assert_eq!(script(PROXY, "/").await, "", "it strips nothing");
        assert_eq!(script("10.0.0.2", "/store").await, "/shop");
    }
    // It goes into links, so it must not lead elsewhere.
    for evil in [
        "//evil.example",
        "https://evil.example",
        "/a/../..",
        "/\"><b>",
        "/a b",
        "/a\\b",
    ] {
        assert_eq!(script(PROXY, evil).await, "/shop", "{evil}");
    }
    // Somebody who sends a new one each time fills nothing.
    for number in 0..600 {
        let prefix = format!("/p{number}");
        assert_eq!(script(PROXY, &prefix).await, prefix);
    }
}

#[actix_web::test]
async fn a_prefix_that_is_none_stops_the_start() {
    for path in ["shop", "/", "//shop", "/a b", "https://example.com/shop"] {
        let mut settings = Settings::default();
        settings.public_path = Some(path.to_owned());
        let started = Maintenance::builder()
            .settings(settings)
            .store("memory:")
            .build()
            .await;
        let error = started.unwrap_err().to_string();
        assert!(
            error.contains("public_path") && error.contains("\"/shop\""),
            "{error}"
        );
    }
}
