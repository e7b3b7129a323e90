//! `/preview`: what visitors would get, before they get it.

use actix_maintenance_mode::{
    Permission,
    settings::{Access, FormatSetting, ModeSettings},
};

use crate::test_app::{Answer, LoggedIn, TestApp};

const PREVIEW: &str = "/maintenance-mode/preview";

async fn app() -> (TestApp, LoggedIn) {
    let app = TestApp::start().await;
    let alice = app.log_in_superuser("alice").await;
    (app, alice)
}

async fn seen(app: &TestApp, who: &LoggedIn, query: &str) -> Answer {
    app.get(&format!("{PREVIEW}{query}"))
        .accept("text/html")
        .by(who)
        .await
}

/// It is what it is, whoever looks at it takes nothing for closed by it, and nobody keeps it.
#[track_caller]
fn is_a_preview(answer: &Answer, kind: &str) {
    answer.is_served();
    assert!(
        answer.header("content-type").unwrap().starts_with(kind),
        "{answer:?}"
    );
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("retry-after"), None);
    assert_eq!(answer.header("x-frame-options"), Some("SAMEORIGIN"));
    let policy = answer.header("content-security-policy").unwrap();
    for part in ["script-src 'none'", "frame-ancestors 'self'", "sandbox"] {
        assert!(policy.contains(part), "{policy}");
    }
}

#[actix_web::test]
async fn it_is_what_visitors_get_in_each_language_and_form() {
    let (app, alice) = app().await;
    let closed = TestApp::start().await;
    closed.turn_on().await;
    for (language, title) in [
        ("en", "Down for maintenance"),
        ("de", "Wartungsarbeiten"),
        ("ja", "メンテナンス中"),
    ] {
        for (format, kind) in [
            ("html", "text/html"),
            ("json", "application/json"),
            ("problem", "application/problem+json"),
            ("text", "text/plain"),
        ] {
            let query = format!("?mode=site&language={language}&format={format}");
            let ahead = seen(&app, &alice, &query).await;
            is_a_preview(&ahead, kind);
            let refused = closed.get("/").accept(kind);
            let refused = refused.header("Accept-Language", language).await;
            refused.is_refused();
            match format {
                // It looks again at another time, and by a script.
                "html" => {
                    assert!(ahead.text().contains(title), "{query}: {}", ahead.text());
                    assert!(
                        refused.text().contains(title),
                        "{query}: {}",
                        refused.text()
                    );
                    assert!(!ahead.text().contains("<script"), "{}", ahead.text());
                    assert!(ahead.text().contains("prefers-color-scheme: dark"));
                }
                _ => assert_eq!(ahead.text(), refused.text(), "{query}"),
            }
        }
    }
    assert!(!app.maintenance.is_on(), "nothing is switched");
}

#[actix_web::test]
async fn without_a_form_it_is_as_the_settings_and_accept_say() {
    let (app, alice) = app().await;
    let ask = async |app: &TestApp, who: &LoggedIn, accept: &str| {
        app.get(PREVIEW).accept(accept).by(who).await
    };
    is_a_preview(&ask(&app, &alice, "text/html").await, "text/html");
    let json = ask(&app, &alice, "application/json").await;
    is_a_preview(&json, "application/json");
    let app =
        TestApp::with_settings(|settings| settings.response.format = FormatSetting::Text).await;
    let alice = app.log_in_superuser("alice").await;
    is_a_preview(&ask(&app, &alice, "text/html").await, "text/plain");
}

#[actix_web::test]
async fn it_is_of_the_mode_that_is_asked_for_and_may_be_seen() {
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| {
                let mut shop = ModeSettings::new("shop");
                shop.message = Some("The shop is closed.".to_owned());
                let mut vault = ModeSettings::new("vault");
                vault.access = Access::ReadOnly;
                settings.modes = vec![shop, vault];
            })
            .permission(Permission::See, |visitor, mode| {
                visitor.superuser || visitor.staff && mode == "shop"
            })
    })
    .await;
    let (alice, bob) = (
        app.log_in_superuser("alice").await,
        app.log_in_staff("bob").await,
    );
    let text = async |who: &LoggedIn, mode: &str| {
        seen(&app, who, &format!("?mode={mode}&format=text")).await
    };
    for who in [&alice, &bob] {
        assert_eq!(text(who, "shop").await.text(), "The shop is closed.\n");
        // The default one.
        let default = seen(&app, who, "?format=text").await;
        assert_eq!(default.text(), "The shop is closed.\n");
    }
    let vault = text(&alice, "vault").await;
    assert!(
        vault.text().contains("You can read everything"),
        "{vault:?}"
    );
    // As a mode that there is not.
    let (hidden, none) = (text(&bob, "vault").await, text(&bob, "nothing").await);
    assert_eq!((hidden.status, none.status), (404, 404));
    assert_eq!(hidden.text(), none.text());
}

#[actix_web::test]
async fn while_it_is_closed_it_is_what_visitors_get_now() {
    let (app, alice) = app().await;
    app.maintenance
        .turn_on()
        .message("Back at noon.")
        .until(jiff::Timestamp::now() + jiff::SignedDuration::from_hours(1))
        .await
        .unwrap();
    let ahead = seen(&app, &alice, "?format=json").await;
    is_a_preview(&ahead, "application/json");
    let refused = app.get("/").accept("application/json").await;
    for member in ["mode", "phase", "message", "until"] {
        assert_eq!(ahead.json()[member], refused.json()[member], "{member}");
    }
}

#[actix_web::test]
async fn texts_come_by_a_form_and_never_by_a_link() {
    let (app, alice) = app().await;
    let fields = "mode=site&message=Back+%3Cat%3E+noon.&for=30m&language=en&format=html";
    let page = app
        .post(PREVIEW)
        .accept("text/html")
        .by(&alice)
        .form(fields)
        .await;
    is_a_preview(&page, "text/html");
    for part in ["Back &lt;at&gt; noon.", "We expect to be back"] {
        assert!(page.text().contains(part), "{}", page.text());
    }
    let link = seen(&app, &alice, "?mode=site&message=PWNED&language=de").await;
    assert!(!link.text().contains("PWNED"), "{}", link.text());
    assert!(!app.maintenance.is_on(), "nothing is switched");
}

#[actix_web::test]
async fn what_cannot_be_shown_is_said() {
    let (app, alice) = app().await;
    for (query, status, part) in [
        ("?mode=nothing", 404, "nothing at this address"),
        ("?format=xml", 400, "html, json, problem or text"),
        ("?language=tlh", 400, "there are en"),
    ] {
        let answer = seen(&app, &alice, query).await;
        assert_eq!(answer.status, status, "{query}");
        assert!(answer.text().contains(part), "{query}: {}", answer.text());
    }
    let json = app.post(PREVIEW).by(&alice);
    assert_eq!(json.body("application/json", "{}").await.status, 415);
    let wrong = app.post(PREVIEW).by(&alice).form("for=soon").await;
    assert_eq!(wrong.status, 400);
    // Only for those who may see.
    let bob = app.log_in_user("bob").await;
    assert_eq!(app.get(PREVIEW).await.status, 403);
    assert_eq!(app.get(PREVIEW).by(&bob).await.status, 403);
    assert_eq!(app.post(PREVIEW).form("message=x").await.status, 403);
}

#[actix_web::test]
async fn a_redirect_is_told_and_not_followed() {
    let app = TestApp::with_settings(|settings| {
        settings.response.redirect = Some("https://status.example/".to_owned());
    })
    .await;
    let alice = app.log_in_superuser("alice").await;
    let page = seen(&app, &alice, "?format=html").await;
    is_a_preview(&page, "text/html");
    assert_eq!(page.header("location"), None);
    assert!(page.text().contains("https://status.example/"));
}

#[actix_web::test]
async fn the_dialog_that_closes_a_mode_asks_the_same_address() {
    let (app, alice) = app().await;
    let form = app
        .get("/maintenance-mode/switch?mode=site&to=on")
        .header("Accept-Language", "fr")
        .accept("text/html")
        .by(&alice)
        .await;
    for part in [
        &format!("formaction=\"{PREVIEW}\""),
        "<option value=\"fr\" selected>Français</option>",
        "<option value=\"ja\">日本語</option>",
        "<option value=\"problem\">",
        "<option value=\"dark\">",
    ] {
        assert!(form.text().contains(part), "{part}: {}", form.text());
    }
    // Where all are answered in one language there is none to choose.
    let app = TestApp::with_settings(|settings| settings.language.force = Some("de".into())).await;
    let alice = app.log_in_superuser("alice").await;
    let form = app.get("/maintenance-mode/switch?mode=site&to=on");
    let form = form.accept("text/html").by(&alice).await;
    assert!(!form.text().contains("name=\"language\""));
    assert!(form.text().contains("name=\"format\""));
}
