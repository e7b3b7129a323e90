//! What the app's own code and templates do wrong leaves the state and the status as they were.

use std::fs;

use actix_maintenance_mode::{Maintenance, ModeStatus, PastPeriod, Status};
use serde_json::Map;
use tempfile::TempDir;

use crate::{log::Log, test_app::TestApp};

/// What is, apart from what only grows older.
fn what_is(maintenance: &Maintenance) -> (u64, Vec<ModeStatus>, Vec<PastPeriod>) {
    let Status {
        generation, modes, ..
    } = maintenance.status();
    (generation, modes, maintenance.history())
}

#[actix_web::test]
async fn a_page_that_cannot_be_rendered_changes_nothing() {
    let folder = TempDir::new().unwrap();
    // It fails for some visitors only, so that no look at the start finds it.
    let page = "{% if fails %}{{ nothing_of_that_name }}{% endif %}<p>closed</p>";
    fs::write(folder.path().join("503.html"), page).unwrap();
    let path = folder.path().to_owned();
    let log = Log::collect();
    let app = TestApp::with_builder(|builder| {
        builder
            .configure(|settings| settings.response.templates_dir = Some(path))
            .response_context_with(|request, _| {
                let fails = request.headers().contains_key("fails");
                Map::from_iter([("fails".to_owned(), fails.into())])
            })
    })
    .await;
    app.maintenance
        .turn_on()
        .by("ada")
        .reason("7")
        .await
        .unwrap();
    let before = what_is(&app.maintenance);
    for _ in 0..3 {
        let failed = app.get("/").header("fails", "1").await;
        failed.is_refused();
        assert!(!failed.text().contains("<p>closed</p>"), "{failed:?}");
        let answer = app.get("/").await;
        answer.is_refused();
        assert!(answer.text().contains("<p>closed</p>"), "{answer:?}");
    }
    assert_eq!(what_is(&app.maintenance), before);
    assert!(
        log.lines()
            .iter()
            .any(|line| line.contains("nothing_of_that_name"))
    );
    app.maintenance.turn_off().await.unwrap();
    app.get("/").await.is_served();
}

#[actix_web::test]
async fn a_hook_that_panics_changes_nothing() {
    let app = TestApp::with_builder(|builder| {
        builder
            .before_change(async |_| -> Result<(), String> { panic!("before") })
            .after_entering(async |_| -> () { panic!("entering") })
            .after_leaving(async |_| -> () { panic!("leaving") })
    })
    .await;
    let maintenance = &app.maintenance;
    let turn_on = || maintenance.turn_on().by("ada").reason("7").message("Soon.");
    turn_on().await.unwrap();
    let (generation, modes, history) = what_is(maintenance);
    assert_eq!(modes[0].by.as_deref(), Some("ada"));
    assert_eq!(modes[0].message.as_deref(), Some("Soon."));
    assert_eq!(history.len(), 1);
    // The same again panics again, and changes nothing.
    assert!(!turn_on().await.unwrap().changed);
    assert_eq!(what_is(maintenance), (generation, modes, history));
    app.get("/").await.is_refused();
    maintenance.turn_off().by("bob").await.unwrap();
    app.get("/").await.is_served();
    let (_, modes, history) = what_is(maintenance);
    assert_eq!(modes[0].by, None);
    assert_eq!(history[0].ended_by.as_deref(), Some("bob"));
}
