//! What the admin scope's pages load: embedded files, and those of the app's folder in their place.

use std::fs;

use crate::test_app::TestApp;

const SCRIPT: &str = "/maintenance-mode/static/maintenance.js";

#[actix_web::test]
async fn the_script_is_small_and_served_during_maintenance_as_before() {
    let app = TestApp::start().await;
    for on in [false, true] {
        if on {
            app.turn_on().await;
        }
        let answer = app.get(SCRIPT).await;
        assert_eq!(answer.status, 200);
        assert!(answer.body.len() < 4096, "{} bytes", answer.body.len());
        let is_code = |line: &str| !line.is_empty() && !line.starts_with([' ', '/']);
        assert!(answer.text().lines().all(is_code), "{}", answer.text());
        assert_eq!(
            answer.header("content-type"),
            Some("text/javascript; charset=utf-8")
        );
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("cache-control"), Some("no-cache"));
        let tag = answer.header("etag").unwrap().to_owned();
        for (known, status) in [(tag.as_str(), 304), ("\"other\"", 200)] {
            let again = app.get(SCRIPT).header("If-None-Match", known).await;
            assert_eq!(again.status, status);
            assert_eq!(again.header("etag"), Some(tag.as_str()));
        }
    }
}

#[actix_web::test]
async fn the_script_needs_nothing_that_a_strict_policy_forbids() {
    let app = TestApp::start().await;
    let answer = app.get(SCRIPT).await;
    let script = answer.text();
    for part in [
        "eval(",
        "new Function",
        "innerHTML",
        "document.write",
        ".style",
        "import",
        "http:",
        "https:",
    ] {
        assert!(!script.contains(part), "{part}");
    }
}

#[actix_web::test]
async fn the_refusal_page_loads_it_and_says_what_it_is() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let page = app.get("/").accept("text/html").await;
    page.is_refused();
    assert!(
        page.text().contains(SCRIPT) && page.text().contains("data-refused"),
        "{page:?}"
    );
}

#[actix_web::test]
async fn a_folder_of_the_app_replaces_files_by_name_and_shows_nothing_else() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("static");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("maintenance.js"), "// ours").unwrap();
    fs::write(folder.join("extra.css"), "a{}").unwrap();
    fs::write(folder.join(".hidden"), "secret").unwrap();
    fs::write(outside.path().join("secret"), "secret").unwrap();
    let app =
        TestApp::with_settings(move |settings| settings.admin.static_dir = Some(folder)).await;
    let ours = app.get(SCRIPT).await;
    assert_eq!((ours.status, ours.text()), (200, "// ours"));
    assert_eq!(ours.header("cache-control"), Some("no-cache"));
    assert_eq!(ours.header("x-content-type-options"), Some("nosniff"));
    let tag = ours.header("etag").unwrap();
    let again = app.get(SCRIPT).header("If-None-Match", tag).await;
    assert_eq!(again.status, 304);
    let extra = app.get("/maintenance-mode/static/extra.css").await;
    assert_eq!(
        extra.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let embedded = app.get("/maintenance-mode/static/dashboard.css").await;
    assert_eq!(embedded.status, 200);
    for name in [
        "../secret",
        "..%2Fsecret",
        "%2e%2e%2fsecret",
        ".hidden",
        "%00",
        "..",
        "nothing.js",
    ] {
        let answer = app.get(&format!("/maintenance-mode/static/{name}")).await;
        assert_eq!(answer.status, 404, "{name}");
        assert!(!answer.text().contains("secret"), "{name}");
    }
    assert_eq!(app.post(SCRIPT).await.status, 405);
}
