//! What a refused visitor gets, header by header and form by form.

use actix_maintenance_mode::{ResponseFormat, settings::FormatSetting};
use actix_web::{HttpResponse, http::Method};
use serde_json::{Map, Value, json};

use crate::test_app::{Answer, TestApp};

const MESSAGE: &str = "We are working on this site. Please try again later.";

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn form_of(answer: &Answer) -> &str {
    match answer.header("content-type") {
        Some("text/html; charset=utf-8") => "html",
        Some("application/json") => "json",
        Some("application/problem+json") => "problem",
        Some("text/plain; charset=utf-8") => "text",
        other => panic!("no such form: {other:?}"),
    }
}

#[track_caller]
fn has_form(answer: &Answer, form: &str) {
    answer.is_refused();
    assert_eq!(form_of(answer), form, "{answer:?}");
    let looks_like = match form {
        "html" => "<!doctype html>",
        "text" => "We are",
        _ => "{",
    };
    assert!(answer.text().starts_with(looks_like), "{answer:?}");
}

#[actix_web::test]
async fn accept_chooses_the_form() {
    let app = TestApp::start().await;
    app.turn_on().await;
    has_form(&app.get("/").await, "html");
    for (accept, form) in [
        ("*/*", "html"),
        ("text/html", "html"),
        (
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
            "html",
        ),
        ("application/json", "json"),
        ("APPLICATION/JSON", "json"),
        ("application/json;charset=utf-8", "json"),
        ("application/json, text/plain, */*", "json"),
        ("application/vnd.api+json", "json"),
        ("text/html;q=0.5, application/json", "json"),
        ("text/html, application/json;q=0.5", "html"),
        ("application/json;q=0, */*", "html"),
        ("text/html;q=0, application/json;q=0, */*", "problem"),
        ("*/*;q=0", "text"),
        ("application/problem+json", "problem"),
        (
            "application/problem+json, application/json;q=0.9",
            "problem",
        ),
        ("application/json, application/problem+json;q=0.9", "json"),
        ("text/plain", "text"),
        ("text/plain, text/html;q=0.9", "text"),
        ("text/css,*/*;q=0.1", "text"),
        (
            "image/avif,image/webp,image/png,image/svg+xml,image/*;q=0.8,*/*;q=0.5",
            "text",
        ),
        ("image/png", "text"),
        ("application/octet-stream", "text"),
        ("text/html;q=0, */*", "json"),
        ("application/json;q=0, text/css;q=0, */*", "html"),
        ("nonsense", "html"),
        ("", "html"),
    ] {
        let answer = app.get("/").accept(accept).await;
        assert_eq!(form_of(&answer), form, "Accept: {accept}");
        has_form(&answer, form);
    }
}

#[actix_web::test]
async fn several_accept_lines_are_one_list() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let answer = app
        .get("/")
        .accept("text/html;q=0.5")
        .accept("application/json")
        .await;
    has_form(&answer, "json");
}

#[actix_web::test]
async fn subresources_get_short_text_and_no_page() {
    let app = TestApp::start().await;
    app.turn_on().await;
    for destination in [
        "script",
        "style",
        "image",
        "font",
        "audio",
        "video",
        "track",
        "manifest",
        "worker",
        "serviceworker",
        "sharedworker",
        "xslt",
        "report",
        "something-new",
    ] {
        for accept in ["*/*", "text/html", "application/json"] {
            let answer = app
                .get("/a")
                .accept(accept)
                .header("Sec-Fetch-Dest", destination)
                .await;
            has_form(&answer, "text");
            assert!(answer.body.len() < 200);
        }
    }
    for destination in ["document", "iframe", "frame"] {
        let answer = app
            .get("/a")
            .accept("*/*")
            .header("Sec-Fetch-Dest", destination)
            .await;
        has_form(&answer, "html");
    }
    let fetch = |accept: &str| {
        app.get("/a")
            .accept(accept)
            .header("Sec-Fetch-Dest", "empty")
    };
    has_form(&fetch("*/*").await, "json");
    has_form(&fetch("text/html").await, "html");
    has_form(&fetch("application/json").await, "json");
}

#[actix_web::test]
async fn the_json_body_has_just_these_members() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let answer = app.get("/").accept("application/json").await;
    assert_eq!(
        answer.json(),
        json!({
            "maintenance_mode": true,
            "mode": "site",
            "phase": "offline",
            "message": MESSAGE,
            "retry_after": 3600,
            "until": null,
        })
    );
}

#[actix_web::test]
async fn the_problem_body_has_these_members_and_those_of_the_standard() {
    let app = TestApp::with_settings(|settings| settings.response.status = 502).await;
    app.turn_on().await;
    let answer = app.get("/").accept("application/problem+json").await;
    assert_eq!(answer.status, 502);
    assert_eq!(
        answer.json(),
        json!({
            "type": "about:blank",
            "title": "Bad Gateway",
            "status": 502,
            "detail": MESSAGE,
            "maintenance_mode": true,
            "mode": "site",
            "phase": "offline",
            "message": MESSAGE,
            "retry_after": 3600,
            "until": null,
        })
    );
}

#[actix_web::test]
async fn the_text_is_the_message() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let answer = app.get("/").accept("text/plain").await;
    assert_eq!(answer.text(), format!("{MESSAGE}\n"));
}

#[actix_web::test]
async fn a_reason_is_never_shown_to_visitors() {
    let app = TestApp::start().await;
    app.maintenance
        .turn_on()
        .reason("the leak")
        .by("ada")
        .await
        .unwrap();
    for accept in [
        "text/html",
        "application/json",
        "application/problem+json",
        "text/plain",
    ] {
        let answer = app.get("/").accept(accept).await;
        assert!(!answer.text().contains("the leak"), "{answer:?}");
        assert!(!answer.text().contains("\"ada\""), "{answer:?}");
    }
}

#[actix_web::test]
async fn the_message_is_the_switchs_else_the_settings_else_a_general_one() {
    let app = TestApp::with_settings(|settings| {
        settings.response.message = Some("Upgrading the shop.".to_owned());
    })
    .await;
    app.turn_on().await;
    assert_eq!(
        app.get("/").accept("text/plain").await.text(),
        "Upgrading the shop.\n"
    );
    app.turn_off().await;
    app.maintenance
        .turn_on()
        .message("Moving house.")
        .await
        .unwrap();
    for accept in [
        "text/plain",
        "text/html",
        "application/json",
        "application/problem+json",
    ] {
        let answer = app.get("/").accept(accept).await;
        assert!(answer.text().contains("Moving house."), "{answer:?}");
    }
}

#[actix_web::test]
async fn a_new_message_is_seen_at_once() {
    let app = TestApp::start().await;
    for number in 0..5 {
        let message = format!("Step {number}.");
        app.maintenance.turn_off().await.unwrap();
        app.maintenance.turn_on().message(&message).await.unwrap();
        for accept in ["text/html", "application/json"] {
            // Twice, as the second may come from what is kept.
            for _ in 0..2 {
                let answer = app.get("/").accept(accept).await;
                assert!(answer.text().contains(&message), "{answer:?}");
            }
        }
    }
}

#[actix_web::test]
async fn no_client_gets_the_form_of_another() {
    let app = TestApp::start().await;
    app.turn_on().await;
    for _ in 0..3 {
        has_form(&app.get("/").accept("text/html").await, "html");
        has_form(&app.get("/").accept("application/json").await, "json");
        has_form(
            &app.get("/").accept("application/problem+json").await,
            "problem",
        );
        has_form(
            &app.get("/")
                .accept("text/html")
                .header("Sec-Fetch-Dest", "style")
                .await,
            "text",
        );
        has_form(&app.get("/").await, "html");
    }
    // More kinds of clients than anybody remembers.
    for number in 0..100 {
        let (accept, form) = match number % 2 {
            0 => (format!("application/json, x/y{number}"), "json"),
            _ => (format!("text/html, x/y{number}"), "html"),
        };
        has_form(&app.get("/").accept(&accept).await, form);
        let long = format!("{accept}, {}", "x/z, ".repeat(500));
        has_form(&app.get("/").accept(&long).await, form);
    }
}

#[actix_web::test]
async fn any_error_status_can_be_set() {
    for status in [400, 403, 418, 500, 503, 599] {
        let app = TestApp::with_settings(move |settings| settings.response.status = status).await;
        app.turn_on().await;
        for accept in ["text/html", "application/json"] {
            let answer = app.get("/").accept(accept).await;
            assert_eq!(answer.status, status);
            answer.is_refused_somehow();
        }
    }
}

#[actix_web::test]
async fn retry_after_is_as_set_and_zero_is_none() {
    for (seconds, header, member) in [
        (3600, Some("3600"), json!(3600)),
        (1, Some("1"), json!(1)),
        (0, None, json!(null)),
    ] {
        let app = TestApp::with_settings(move |settings| {
            settings.response.retry_after = std::time::Duration::from_secs(seconds);
        })
        .await;
        app.turn_on().await;
        let answer = app.get("/").accept("application/json").await;
        assert_eq!(answer.header("retry-after"), header);
        assert_eq!(answer.json()["retry_after"], member);
        assert_eq!(app.get("/").await.header("retry-after"), header);
    }
}

#[actix_web::test]
async fn caches_are_told_what_it_depends_on_and_not_to_keep_it() {
    let app = TestApp::start().await;
    app.turn_on().await;
    for accept in ["text/html", "application/json", "image/png"] {
        let answer = app
            .get("/")
            .accept(accept)
            .header("If-None-Match", "*")
            .header("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")
            .header("Range", "bytes=0-1")
            .await;
        answer.is_refused();
        let vary = answer.header("vary").unwrap().to_ascii_lowercase();
        assert!(
            vary.split(',').any(|name| name.trim() == "accept"),
            "{vary}"
        );
    }
}

#[actix_web::test]
async fn head_gets_the_headers_of_get() {
    let app = TestApp::start().await;
    app.turn_on().await;
    for accept in ["text/html", "application/json", "image/png"] {
        let (get, head) = (
            app.get("/").accept(accept).await,
            app.head("/").accept(accept).await,
        );
        head.is_refused();
        for name in ["content-type", "retry-after", "vary"] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
    }
}

async fn redirecting() -> TestApp {
    let app = TestApp::with_settings(|settings| {
        settings.response.redirect = Some("https://status.example.com/shop?a=1".to_owned());
    })
    .await;
    app.turn_on().await;
    app
}

#[actix_web::test]
async fn a_redirect_is_for_pages_by_get_and_head() {
    let app = redirecting().await;
    for answer in [
        app.get("/").await,
        app.head("/").await,
        app.get("/").accept("text/html").await,
    ] {
        assert_eq!(answer.status, 302);
        assert_eq!(
            answer.header("location"),
            Some("https://status.example.com/shop?a=1")
        );
        assert_eq!(answer.header("retry-after"), None);
        assert_eq!(answer.header("vary"), Some("Accept"));
        answer.is_refused_somehow();
    }
}

#[actix_web::test]
async fn nobody_else_is_redirected() {
    let app = redirecting().await;
    for method in [
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ] {
        let answer = app.request(method, "/").await;
        answer.is_refused();
        assert_eq!(answer.header("location"), None);
    }
    for accept in [
        "application/json",
        "application/problem+json",
        "text/plain",
        "image/png",
    ] {
        let answer = app.get("/").accept(accept).await;
        answer.is_refused();
        assert_eq!(answer.header("location"), None);
    }
    app.get("/")
        .header("Sec-Fetch-Dest", "script")
        .await
        .is_refused();
    app.get("/")
        .header("Sec-Fetch-Dest", "empty")
        .await
        .is_refused();
}

#[actix_web::test]
async fn a_fixed_format_ignores_what_the_client_asks_for() {
    for (setting, form) in [
        (FormatSetting::Html, "html"),
        (FormatSetting::Json, "json"),
        (FormatSetting::Problem, "problem"),
        (FormatSetting::Text, "text"),
    ] {
        let app = TestApp::with_settings(move |settings| settings.response.format = setting).await;
        app.turn_on().await;
        for accept in ["text/html", "application/json", "image/png", "*/*"] {
            has_form(&app.get("/").accept(accept).await, form);
        }
        has_form(&app.get("/").header("Sec-Fetch-Dest", "image").await, form);
    }
}

#[actix_web::test]
async fn a_closure_chooses_the_form() {
    let app = TestApp::with_builder(|builder| {
        builder.response_format(|request| {
            if request.path().starts_with("/api/") {
                ResponseFormat::Json
            } else {
                ResponseFormat::Html
            }
        })
    })
    .await;
    app.turn_on().await;
    has_form(&app.get("/api/items").accept("text/html").await, "json");
    has_form(&app.get("/").accept("application/json").await, "html");
}

#[actix_web::test]
async fn a_fixed_context_adds_to_the_body_and_replaces_nothing() {
    let app = TestApp::with_builder(|builder| {
        builder.response_context(object(json!({
            "contact": "help@example.com",
            "maintenance_mode": false,
            "message": "replaced",
            "status": 200,
            "type": "replaced",
        })))
    })
    .await;
    app.turn_on().await;
    let body = app.get("/").accept("application/json").await.json();
    assert_eq!(body["contact"], "help@example.com");
    assert_eq!(body["maintenance_mode"], true);
    assert_eq!(body["message"], MESSAGE);
    assert_eq!(
        body["status"], 200,
        "JSON has no member of this name to protect"
    );
    let problem = app.get("/").accept("application/problem+json").await.json();
    assert_eq!(problem["contact"], "help@example.com");
    assert_eq!(problem["status"], 503);
    assert_eq!(problem["type"], "about:blank");
}

#[actix_web::test]
async fn a_context_per_request_is_that_requests_own() {
    let app = TestApp::with_builder(|builder| {
        builder.response_context_with(|request, refusal| {
            object(json!({
                "path": request.path(),
                "told": refusal.message,
                "rule": refusal.rule.name(),
                "message": "replaced",
            }))
        })
    })
    .await;
    app.turn_on().await;
    for path in ["/a", "/b", "/a"] {
        let body = app.get(path).accept("application/json").await.json();
        assert_eq!(body["path"], path);
        assert_eq!(body["told"], MESSAGE);
        assert_eq!(body["message"], MESSAGE);
        assert_eq!(body["rule"], "no-exemption");
    }
}

#[actix_web::test]
async fn a_closure_makes_the_whole_response() {
    let app = TestApp::with_builder(|builder| {
        builder.response_renderer(|request, refusal| {
            HttpResponse::ServiceUnavailable()
                .content_type("application/xml")
                .insert_header(("X-Path", request.path()))
                .body(format!("<closed mode=\"{}\"/>", refusal.mode))
        })
    })
    .await;
    app.turn_on().await;
    let answer = app.get("/shop").await;
    answer.is_refused();
    assert_eq!(answer.text(), "<closed mode=\"site\"/>");
    assert_eq!(answer.header("content-type"), Some("application/xml"));
    assert_eq!(answer.header("x-path"), Some("/shop"));
    assert_eq!(answer.header("retry-after"), Some("3600"), "added");
}

#[actix_web::test]
async fn a_response_of_the_apps_own_is_never_a_success() {
    for status in [200, 201, 204, 206, 304] {
        let app = TestApp::with_builder(move |builder| {
            builder.response_renderer(move |_, _| {
                let status = actix_web::http::StatusCode::from_u16(status).unwrap();
                HttpResponse::build(status).body("fine")
            })
        })
        .await;
        app.turn_on().await;
        let answer = app.get("/").await;
        assert_eq!(answer.status, 503, "instead of {status}");
        answer.is_refused();
    }
}

#[actix_web::test]
async fn a_response_of_the_apps_own_keeps_its_status_and_retry_after() {
    let app = TestApp::with_builder(|builder| {
        builder.response_renderer(|_, _| {
            HttpResponse::TooManyRequests()
                .insert_header(("Retry-After", "7"))
                .insert_header(("Cache-Control", "public, max-age=600"))
                .insert_header(("ETag", "\"1\""))
                .insert_header(("Last-Modified", "Fri, 01 Jan 2100 00:00:00 GMT"))
                .finish()
        })
    })
    .await;
    app.turn_on().await;
    let answer = app.get("/").await;
    assert_eq!(answer.status, 429);
    assert_eq!(answer.header("retry-after"), Some("7"));
    answer.is_refused_somehow();
}

#[actix_web::test]
async fn a_redirect_of_the_apps_own_gets_no_retry_after() {
    let app = TestApp::with_builder(|builder| {
        builder.response_renderer(|_, _| {
            HttpResponse::SeeOther()
                .insert_header(("Location", "/sorry"))
                .finish()
        })
    })
    .await;
    app.turn_on().await;
    let answer = app.get("/").await;
    assert_eq!((answer.status, answer.header("retry-after")), (303, None));
    answer.is_refused_somehow();
}
