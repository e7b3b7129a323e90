//! The page that people see: the embedded one, and those of a team's own.

use std::{fs, path::Path};

use serde_json::json;
use tempfile::TempDir;

use crate::{log::Log, test_app::TestApp};

fn folder_with(files: &[(&str, &str)]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

async fn app_with_templates(folder: &Path) -> TestApp {
    let folder = folder.to_owned();
    TestApp::with_settings(move |settings| settings.response.templates_dir = Some(folder)).await
}

#[actix_web::test]
async fn the_embedded_page_is_small_and_loads_nothing() {
    let app = TestApp::with_settings(|settings| settings.response.script = false).await;
    app.turn_on().await;
    let answer = app.get("/").await;
    let page = answer.text();
    assert!(page.len() <= 6 * 1024, "{} bytes", page.len());
    assert!(page.starts_with("<!doctype html>\n<html lang=\"en\" dir=\"ltr\">"));
    assert_eq!(page.matches("<h1").count(), 1);
    assert_eq!(page.matches("</h1>").count(), 1);
    assert_eq!(page.matches("<main").count(), 1);
    assert!(page.contains("<meta name=\"viewport\" content=\"width=device-width"));
    assert!(page.contains("prefers-color-scheme: dark"));
    for loads in [
        "src=", "url(", "@import", "<script", "http:", "https:", "//",
    ] {
        assert!(!page.contains(loads), "{loads}");
    }
    for link in page.split("<link ").skip(1) {
        assert!(link.contains("href=\"data:,\""), "{link}");
    }
}

#[actix_web::test]
async fn the_page_looks_again_by_itself() {
    let refresh = |page: &str| -> u64 {
        let (_, rest) = page
            .split_once("<meta http-equiv=\"refresh\" content=\"")
            .unwrap_or_else(|| panic!("{page}"));
        rest.split_once('"').unwrap().0.parse().unwrap()
    };
    let app = TestApp::start().await;
    app.turn_on().await;
    let answer = app.get("/").await;
    assert!((30..=60).contains(&refresh(answer.text())));
    // With JavaScript the script does it, which comes from the admin scope.
    assert!(answer.text().contains("<noscript><meta "));
    let script =
        "<script src=\"/maintenance-mode/static/maintenance.js\" data-refused defer></script>";
    assert!(answer.text().contains(script), "{}", answer.text());

    let app = TestApp::with_settings(|settings| settings.response.script = false).await;
    let soon = std::time::Duration::from_secs(7);
    app.maintenance.turn_on().lasting(soon).await.unwrap();
    let answer = app.get("/").await;
    assert!((1..=7).contains(&refresh(answer.text())));
    assert!(!answer.text().contains("script"), "{}", answer.text());
}

#[actix_web::test]
async fn the_message_is_escaped() {
    let app = TestApp::start().await;
    let message = "<script>alert('x')</script> & \"<b onload=x>\"";
    app.maintenance.turn_on().message(message).await.unwrap();
    let page = app.get("/").await;
    assert!(!page.text().contains("<script>"), "{}", page.text());
    assert!(!page.text().contains("<b "), "{}", page.text());
    assert!(page.text().contains("&lt;script&gt;"));
    let body = app.get("/").accept("application/json").await.json();
    assert_eq!(body["message"], message, "JSON needs no escapes of HTML");
}

#[actix_web::test]
async fn a_page_of_the_teams_own_replaces_the_embedded_one() {
    let folder = folder_with(&[
        (
            "503.html",
            "{% extends \"site/base.html\" %}{% block main %}{{ maintenance.message }}|{{ maintenance.mode }}|{{ maintenance.label }}|{{ maintenance.phase }}|{{ maintenance.retry_after }}|{{ contact }}{% endblock %}",
        ),
        (
            "site/base.html",
            "<main>{% block main %}{% endblock %}</main>",
        ),
        ("notes.txt", "{{ no template"),
    ]);
    let path = folder.path().to_owned();
    let app = TestApp::with_builder(move |builder| {
        builder
            .configure(|settings| settings.response.templates_dir = Some(path))
            .response_context(json!({ "contact": "a<b" }).as_object().unwrap().clone())
    })
    .await;
    app.maintenance.turn_on().message("<i>").await.unwrap();
    let answer = app.get("/").await;
    answer.is_refused();
    assert_eq!(
        answer.text(),
        "<main>&lt;i&gt;|site|Whole site|offline|3600|a&lt;b</main>"
    );
}

#[actix_web::test]
async fn a_page_of_another_name_can_be_chosen() {
    let folder = folder_with(&[("pages/closed.html", "closed by {{ maintenance.mode }}")]);
    let path = folder.path().to_owned();
    let app = TestApp::with_settings(move |settings| {
        settings.response.templates_dir = Some(path);
        settings.response.template = "pages/closed.html".to_owned();
    })
    .await;
    app.turn_on().await;
    assert_eq!(app.get("/").await.text(), "closed by site");
}

#[actix_web::test]
async fn a_context_per_request_reaches_the_page() {
    let folder = folder_with(&[("503.html", "{{ path }}: {{ maintenance.mode }}")]);
    let path = folder.path().to_owned();
    let app = TestApp::with_builder(move |builder| {
        builder
            .configure(|settings| settings.response.templates_dir = Some(path))
            .response_context_with(|request, _| {
                let context = json!({ "path": request.path(), "maintenance": "replaced" });
                context.as_object().unwrap().clone()
            })
    })
    .await;
    app.turn_on().await;
    assert!(app.get("/a").await.text().ends_with("a: site"));
    let page = app.get("/%3Cb%3E").await;
    assert!(!page.text().contains('<'), "{}", page.text());
}

#[actix_web::test]
async fn a_page_that_fails_to_render_is_replaced_by_the_embedded_one() {
    let folder = folder_with(&[("503.html", "{{ nobody.defined.this }}")]);
    let log = Log::collect();
    let app = app_with_templates(folder.path()).await;
    app.maintenance
        .turn_on()
        .message("Moving house.")
        .await
        .unwrap();
    let answer = app.get("/").await;
    answer.is_refused();
    assert!(
        answer.text().contains("<h1>Down for maintenance</h1>"),
        "{}",
        answer.text()
    );
    assert!(answer.text().contains("Moving house."));
    let warnings = log.warnings();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("503.html"), "{warnings:?}");
    app.get("/").accept("application/json").await.is_refused();
}

#[actix_web::test]
async fn a_page_that_cannot_be_understood_or_found_stops_the_start() {
    let broken = folder_with(&[("503.html", "{% if %}")]);
    let path = broken.path().to_owned();
    let error = build_with(move |settings| settings.response.templates_dir = Some(path)).await;
    assert!(error.contains("503.html"), "{error}");

    let error = build_with(|settings| settings.response.template = "nope.html".to_owned()).await;
    assert!(
        error.contains("nope.html") && error.contains("templates_dir"),
        "{error}"
    );
}

async fn build_with(
    edit: impl FnOnce(&mut actix_maintenance_mode::Settings) + Send + 'static,
) -> String {
    actix_maintenance_mode::Maintenance::builder()
        .settings(actix_maintenance_mode::Settings::default())
        .store("memory:")
        .configure(edit)
        .build()
        .await
        .expect_err("the start is stopped")
        .to_string()
}

#[actix_web::test]
async fn pages_are_read_at_the_start_and_need_no_folder_afterwards() {
    let folder = folder_with(&[("503.html", "ours")]);
    let app = app_with_templates(folder.path()).await;
    folder.close().unwrap();
    app.turn_on().await;
    assert_eq!(app.get("/").await.text(), "ours");
}
