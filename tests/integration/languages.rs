//! Visitors are answered in a language that they read.

use std::fs;

use actix_maintenance_mode::{Maintenance, Settings};
use tempfile::TempDir;

use crate::test_app::TestApp;

const LANGUAGES: [(&str, &str); 8] = [
    ("en", "Down for maintenance"),
    ("de", "Wartungsarbeiten"),
    ("fr", "Site en maintenance"),
    ("es", "En mantenimiento"),
    ("it", "Sito in manutenzione"),
    ("pt", "Site em manutenção"),
    ("zh", "网站维护中"),
    ("ja", "メンテナンス中です"),
];

const JSON: &str = "application/json";

#[actix_web::test]
async fn the_page_is_in_the_language_that_the_browser_prefers() {
    let app = TestApp::start().await;
    app.turn_on().await;
    // Twice, as the second time the page is one that was kept.
    for (tag, title) in LANGUAGES.into_iter().chain(LANGUAGES) {
        let accepted = format!("nl, {tag};q=0.5");
        let answer = app.get("/").header("Accept-Language", accepted).await;
        answer.is_refused();
        assert_eq!(answer.header("content-language"), Some(tag));
        assert_eq!(answer.header("vary"), Some("Accept, Accept-Language"));
        let page = answer.text();
        assert!(page.contains(&format!("<html lang=\"{tag}\"")), "{page}");
        assert!(page.contains(&format!("<h1>{title}</h1>")), "{page}");
        assert!(page.contains(&format!("<title>{title}</title>")), "{page}");
    }
    let answer = app.get("/").await;
    assert_eq!(answer.header("content-language"), Some("en"));
}

#[actix_web::test]
async fn json_problems_and_text_are_in_that_language_too() {
    let app = TestApp::start().await;
    app.turn_on().await;
    let message =
        "Wir arbeiten gerade an dieser Website. Bitte versuchen Sie es später noch einmal.";
    for (kind, member) in [
        (JSON, Some("message")),
        ("application/problem+json", Some("detail")),
        ("text/plain", None),
    ] {
        let answer = app
            .get("/")
            .accept(kind)
            .header("Accept-Language", "de-CH, fr;q=0.5")
            .await;
        answer.is_refused();
        assert_eq!(answer.header("content-language"), Some("de"), "{kind}");
        match member {
            Some(member) => assert_eq!(answer.json()[member], message),
            None => assert_eq!(answer.text().trim_end(), message),
        }
    }
}

#[actix_web::test]
async fn an_operators_message_is_shown_as_it_is_written() {
    let app = TestApp::start().await;
    app.maintenance
        .turn_on()
        .message("Back at noon.")
        .lasting(std::time::Duration::from_secs(3600))
        .await
        .unwrap();
    for (tag, title) in LANGUAGES {
        let page = app.get("/").header("Accept-Language", tag).await;
        assert!(
            page.text().contains(">Back at noon.</p>"),
            "{}",
            page.text()
        );
        assert!(page.text().contains(title), "{}", page.text());
        assert!(!page.text().contains("{time}"), "{}", page.text());
        let json = app
            .get("/")
            .accept(JSON)
            .header("Accept-Language", tag)
            .await;
        assert_eq!(json.json()["message"], "Back at noon.");
        assert_eq!(
            json.header("content-language"),
            None,
            "nobody knows which it is"
        );
        let text = app
            .get("/")
            .accept("text/plain")
            .header("Accept-Language", tag)
            .await;
        assert!(
            text.text().starts_with("Back at noon.\n"),
            "{}",
            text.text()
        );
        assert!(!text.text().contains("{time}"), "{}", text.text());
    }
    let german = app
        .get("/")
        .accept("text/plain")
        .header("Accept-Language", "de")
        .await;
    assert!(
        german.text().contains("Voraussichtlich sind wir um 2"),
        "{}",
        german.text()
    );
}

#[actix_web::test]
async fn the_flag_tells_the_message_in_that_language_too() {
    let app = TestApp::with_settings(|settings| settings.exempt.anonymous = true).await;
    app.turn_on().await;
    let answer = app.get("/flag").header("Accept-Language", "fr").await;
    answer.is_served();
    assert_eq!(
        answer.json()["maintenance"]["message"],
        "Nous intervenons sur ce site. Merci de réessayer plus tard."
    );
    let flag = app.maintenance.flag();
    assert!(
        flag.maintenance
            .message
            .starts_with("We are working on this site.")
    );
}

#[actix_web::test]
async fn newcomers_to_a_closing_site_are_told_so_in_their_language() {
    let app = TestApp::start().await;
    let inside = app.log_in_user("anna").await;
    app.get("/").by(&inside).await.is_served();
    app.maintenance.turn_on().drain().await.unwrap();
    let answer = app.get("/").header("Accept-Language", "it").await;
    answer.is_refused();
    assert!(answer.text().contains("<h1>Chiusura per manutenzione</h1>"));
    assert!(
        answer
            .text()
            .contains("Il sito sta chiudendo per manutenzione.")
    );
}

#[actix_web::test]
async fn settings_choose_the_language_of_those_who_do_not_and_of_all() {
    let app = TestApp::with_settings(|settings| settings.language.default = "fr".to_owned()).await;
    app.turn_on().await;
    let of = async |app: &TestApp, accepted: &str| {
        let answer = app.get("/").header("Accept-Language", accepted).await;
        (
            answer.header("content-language").unwrap().to_owned(),
            answer.header("vary").unwrap().to_owned(),
        )
    };
    let negotiated = |tag: &str| (tag.to_owned(), "Accept, Accept-Language".to_owned());
    assert_eq!(of(&app, "nl").await, negotiated("fr"));
    assert_eq!(of(&app, "ja").await, negotiated("ja"));

    let app =
        TestApp::with_settings(|settings| settings.language.force = Some("es".to_owned())).await;
    app.turn_on().await;
    assert_eq!(of(&app, "ja").await, ("es".to_owned(), "Accept".to_owned()));
}

#[actix_web::test]
async fn an_app_chooses_by_its_own_means() {
    let app = TestApp::with_builder(|builder| {
        builder.language(|request| request.path().strip_prefix('/').map(str::to_owned))
    })
    .await;
    app.turn_on().await;
    for (path, tag) in [("/ja", "ja"), ("/it-CH", "it"), ("/shop", "de")] {
        let answer = app.get(path).header("Accept-Language", "de").await;
        assert_eq!(answer.header("content-language"), Some(tag), "{path}");
    }
}

#[actix_web::test]
async fn an_app_adds_languages_and_changes_words() {
    let folder = TempDir::new().unwrap();
    let dutch = "name = 'Nederlands'\n[refusal]\noffline_title = 'Even dicht'\n";
    fs::write(folder.path().join("nl.toml"), dutch).unwrap();
    fs::write(folder.path().join("README.md"), "not a catalogue").unwrap();
    let path = folder.path().to_owned();
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(move |settings| settings.language.folder = Some(path))
            .language_catalogue(
                "ar",
                "direction = 'rtl'\n[refusal]\noffline_title = 'الموقع قيد الصيانة'",
            )
            .language_catalogue("en", "[refusal]\noffline_title = 'Back in a moment'")
    })
    .await;
    folder.close().unwrap();
    app.turn_on().await;
    for (accepted, html, title) in [
        ("nl-BE", "<html lang=\"nl\" dir=\"ltr\">", "Even dicht"),
        (
            "ar-EG",
            "<html lang=\"ar\" dir=\"rtl\">",
            "الموقع قيد الصيانة",
        ),
        ("en", "<html lang=\"en\" dir=\"ltr\">", "Back in a moment"),
    ] {
        let answer = app.get("/").header("Accept-Language", accepted).await;
        assert!(answer.text().contains(html), "{}", answer.text());
        assert!(answer.text().contains(title), "{}", answer.text());
    }
}

#[actix_web::test]
async fn a_language_that_is_not_there_stops_the_start() {
    let build = async |edit: fn(&mut Settings)| {
        Maintenance::builder()
            .settings(Settings::default())
            .store("memory:")
            .configure(edit)
            .build()
            .await
            .expect_err("the start is stopped")
            .to_string()
    };
    let error = build(|settings| settings.language.force = Some("tlh".to_owned())).await;
    assert!(
        error.contains("language.force") && error.contains("tlh"),
        "{error}"
    );
    let error = build(|settings| {
        settings.language.folder = Some("no-such-folder".into());
        settings.response.status = 200;
    })
    .await;
    assert!(error.starts_with("2 faults"), "{error}");
}
