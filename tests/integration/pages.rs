//! The page that people see: the embedded one, and those of a team's own.

use std::{fs, path::Path};

use actix_web::http::Method;
use serde_json::json;
use tempfile::TempDir;
use tera::{Kwargs, Tera};

#[cfg(target_os = "linux")]
use crate::child;
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
    // For when the script does not run, for whatever reason: where it runs, it stops the refresh.
    assert!(!answer.text().contains("noscript"));
    let script = "<script src=\"/maintenance-mode/static/maintenance.js\" data-refused \
                  data-dashboard=\"To the maintenance dashboard\" defer></script>";
    assert!(answer.text().contains(script), "{}", answer.text());

    let app = TestApp::with_settings(|settings| settings.response.script = false).await;
    let soon = std::time::Duration::from_secs(7);
    app.maintenance.turn_on().lasting(soon).await.unwrap();
    let answer = app.get("/").await;
    assert!((1..=7).contains(&refresh(answer.text())));
    assert!(!answer.text().contains("script"), "{}", answer.text());
}

#[actix_web::test]
async fn what_was_sent_is_said_to_be_lost_and_is_not_sent_again() {
    let words = "What you sent was not saved. Go back and send it again.";
    let app = TestApp::start().await;
    app.turn_on().await;
    for _ in 0..2 {
        let page = app.post("/").accept("text/html").await;
        page.is_refused();
        assert!(
            page.text()
                .contains(&format!("<p><strong>{words}</strong></p>"))
        );
        assert!(page.text().contains(&format!("data-not-saved=\"{words}\"")));
        // Nothing that goes on by itself, or by a click, where only the way back helps.
        for part in ["http-equiv", "<a ", "tries again"] {
            assert!(!page.text().contains(part), "{part}: {}", page.text());
        }
        // One is kept for each of the two.
        let page = app.get("/").await;
        assert!(!page.text().contains("not saved") && page.text().contains("http-equiv"));
    }
    let text = app.post("/").accept("text/plain").await;
    assert_eq!(text.text().lines().last(), Some(words));
    let german = app.request(Method::DELETE, "/").accept("text/html");
    let german = german.header("Accept-Language", "de").await;
    assert!(
        german.text().contains("wurde nicht gespeichert"),
        "{}",
        german.text()
    );
}

#[actix_web::test]
async fn a_message_keeps_its_lines_and_its_direction() {
    let app = TestApp::start().await;
    let message = "New disks.\nBack at noon.";
    app.maintenance.turn_on().message(message).await.unwrap();
    let page = app.get("/").await;
    let text = page.text();
    assert!(
        text.contains(&format!("<p class=\"message\" dir=\"auto\">{message}</p>")),
        "{text}"
    );
    assert!(
        text.contains(".message { white-space: pre-line }"),
        "{text}"
    );
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
    // What only a request can tell is not known before there is one.
    let folder = folder_with(&[("503.html", "{{ visit.that.nobody.defined }}")]);
    let path = folder.path().to_owned();
    let log = Log::collect();
    let app = TestApp::with_builder(move |builder| {
        builder
            .configure(|settings| settings.response.templates_dir = Some(path))
            .response_context_with(|_, _| serde_json::Map::new())
    })
    .await;
    let maintenance = &app.maintenance;
    maintenance
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
async fn a_variable_that_nobody_defines_is_found_at_the_start() {
    for page in [
        "{{ nobody.defined.this }}",
        "{% if maintenance.until %}{{ untill }}{% endif %}",
        "{% if maintenance.phase == 'pending' %}{{ soon }}{% endif %}",
        "{% if maintenance.not_saved %}{{ lost }}{% endif %}",
        "{{ maintenance_mode(mode='nope') }}",
    ] {
        let folder = folder_with(&[("site/closed.html", page)]);
        let path = folder.path().to_owned();
        let error = build_with(move |settings| {
            settings.response.templates_dir = Some(path);
            settings.response.template = "site/closed.html".to_owned();
        })
        .await;
        let file = folder.path().join("site/closed.html");
        assert!(error.contains(&format!("{}:1:", file.display())), "{error}");
    }
}

#[actix_web::test]
async fn nothing_is_loaded_of_the_apps_folder_that_no_page_reaches() {
    let folder = folder_with(&[
        (
            "503.html",
            "{% extends \"layout/base.html\" %}{% block main %}{% include 'part.html' %}\
             {{ <Card text={maintenance.message} /> }}{# {% include 'broken.html' %} #}\
             <other>{% endblock %}",
        ),
        (
            "layout/base.html",
            "<main>{% block main %}{% endblock %}</main>",
        ),
        (
            "part.html",
            "[{{ maintenance_mode(mode=\"site\") }} {{ maintenance_script() }}]",
        ),
        (
            "cards.html",
            "{% component Card(text) %}<b>{{ text }}</b>{% endcomponent Card %}",
        ),
        (
            "other.html",
            "{% component other() %}{{ x | of_the_app }}{% endcomponent other %}",
        ),
        ("broken.html", "{% if %}"),
        (
            "shop/item.html",
            "{{ item.price | money }} {{ cart() }} {{ x is sold }}",
        ),
    ]);
    fs::write(folder.path().join("bytes.html"), b"\xff\xfe").unwrap();
    let app = app_with_templates(folder.path()).await;
    app.maintenance.turn_on().message("<i>").await.unwrap();
    assert_eq!(
        app.get("/").await.text(),
        "<main>[true /maintenance-mode/static/maintenance.js]<b>&lt;i&gt;</b><other></main>"
    );
}

#[actix_web::test]
async fn a_page_has_what_the_app_registers() {
    let folder = folder_with(&[(
        "503.html",
        "{{ maintenance.message | shout }} {{ year() }} {{ 4 is lucky }}",
    )]);
    let path = folder.path().to_owned();
    let register = |tera: &mut Tera| {
        let shout = |text: String, _: Kwargs, _: &tera::State| text.to_uppercase();
        tera.register_filter("shout", shout);
        tera.register_function("year", |_: Kwargs, _: &tera::State| 2030);
        tera.register_test("lucky", |number: i64, _: Kwargs, _: &tera::State| {
            number == 4
        });
    };
    let of_folder = path.clone();
    let mut apps = vec![
        TestApp::with_builder(move |builder| {
            builder
                .configure(|settings| settings.response.templates_dir = Some(of_folder))
                .template_functions(register)
        })
        .await,
    ];
    // The app's own engine lends them, too, and has pages of its own.
    let mut tera = Tera::default();
    register(&mut tera);
    let lender = tera.clone();
    apps.push(
        TestApp::with_builder(move |builder| {
            builder
                .configure(|settings| settings.response.templates_dir = Some(path))
                .tera(lender)
        })
        .await,
    );
    let page = fs::read_to_string(folder.path().join("503.html")).unwrap();
    tera.add_raw_template("503.html", &page).unwrap();
    apps.push(TestApp::with_builder(|builder| builder.tera(tera)).await);
    for app in apps {
        app.maintenance.turn_on().message("soon").await.unwrap();
        assert_eq!(app.get("/").await.text(), "SOON 2030 true");
    }
    let error = build_with({
        let path = folder.path().to_owned();
        move |settings| settings.response.templates_dir = Some(path)
    })
    .await;
    let file = folder.path().join("503.html");
    assert!(error.contains(&file.display().to_string()), "{error}");
    assert!(error.contains("Unknown filter `shout`"), "{error}");
}

#[actix_web::test]
async fn the_page_knows_the_flag_as_pages_of_the_app_do() {
    let flag = "{% if maintenance_mode %}on{% endif %}";
    let details: Vec<String> = [
        "mode",
        "label",
        "phase",
        "access",
        "read_only",
        "message",
        "since",
        "start",
        "deadline",
        "until",
        "retry_after",
        "pending",
        "scheduled",
        "plan",
    ]
    .iter()
    .map(|name| format!("{{{{ maintenance.{name} is defined }}}}"))
    .collect();
    let page = format!("{flag} {}", details.join(""));
    let folder = folder_with(&[("503.html", &page)]);
    let app = app_with_templates(folder.path()).await;
    app.turn_on().await;
    let expected = format!("on {}", "true".repeat(details.len()));
    assert_eq!(app.get("/").await.text(), expected);
}

#[actix_web::test]
async fn a_page_of_the_admin_scope_is_replaced_alone_or_as_the_base_of_all() {
    let folder = folder_with(&[(
        "maintenance/base.html",
        "<header>Ours</header>{% block title %}{% endblock %}{% block main %}{% endblock %}\
         {% block foot %}{% endblock %}",
    )]);
    let app = app_with_templates(folder.path()).await;
    let alice = app.log_in_superuser("alice").await;
    let page = app.get("/maintenance-mode/").by(&alice).await;
    assert!(
        page.text().starts_with("<header>Ours</header>"),
        "{}",
        page.text()
    );
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

/// How much memory this process has, in KiB.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let (figure, _) = line.unwrap().trim().split_once(' ').unwrap();
    figure.parse().unwrap()
}

#[cfg(target_os = "linux")]
pub(crate) async fn child_refuses_by_a_page_that_fails() {
    let folder = folder_with(&[("503.html", "{{ visit.that.nobody.defined }}")]);
    let path = folder.path().to_owned();
    let app = TestApp::with_builder(move |builder| {
        builder
            .configure(|settings| settings.response.templates_dir = Some(path))
            .response_context_with(|_, _| serde_json::Map::new())
    })
    .await;
    app.turn_on().await;
    for _ in 0..300 {
        app.get("/").await.is_refused();
    }
    let before = resident();
    for _ in 0..3000 {
        app.get("/").await.is_refused();
    }
    child::report(&json!({ "before": before, "after": resident() }));
}

#[cfg(target_os = "linux")]
#[actix_web::test]
async fn a_page_that_fails_leaves_memory_as_it_was() {
    let told = child::Role::new("failing-page").run().remove(0);
    let figure = |name: &str| told[name].as_u64().unwrap();
    let more = figure("after").saturating_sub(figure("before"));
    // Half a KiB for each would be three times as much.
    assert!(more < 512, "{told}");
}
