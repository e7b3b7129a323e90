//! Settings as real processes meet them: working directory, file, environment, builder.

use std::fs;

use actix_maintenance_mode::{Maintenance, Settings};
use actix_web::{
    App,
    test::{TestRequest, call_service, init_service},
    web,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::child::{Role, report};

/// Loads the settings and tells them.
pub(crate) fn child_loads() {
    report(&match Settings::load() {
        Ok(settings) => json!({
            "store": settings.store,
            "status": settings.response.status,
            "retry_after": settings.response.retry_after.as_secs(),
            "superusers": settings.exempt.superusers,
            "prefixes": settings.exempt.prefixes,
            "forced": settings.forced.map(|forced| forced.as_str()),
        }),
        Err(error) => json!({
            "error": error.to_string(),
            "keys": error.faults().iter().map(|fault| fault.key()).collect::<Vec<_>>(),
        }),
    });
}

/// Builds maintenance as an app does and tells how it refuses.
pub(crate) async fn child_builds() {
    let built = Maintenance::builder()
        .store("memory:")
        .configure(|settings| settings.response.status = 555)
        .build()
        .await;
    let maintenance = match built {
        Ok(maintenance) => maintenance,
        Err(error) => return report(&json!({"error": error.to_string()})),
    };
    maintenance.turn_on().await.unwrap();
    let app = init_service(
        App::new()
            .route("/", web::get().to(|| async { "hello" }))
            .wrap(maintenance.middleware()),
    )
    .await;
    let refusal = call_service(&app, TestRequest::get().uri("/").to_request()).await;
    report(&json!({
        "store": maintenance.status().store.url,
        "status": refusal.status().as_u16(),
        "retry_after": refusal.headers().get("retry-after").unwrap().to_str().unwrap(),
    }));
}

fn folder_with(settings: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("maintenance.toml"), settings).unwrap();
    folder
}

#[track_caller]
fn one(role: Role) -> Value {
    let mut reports = role.run();
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

const FILE: &str = r#"
    store = "file:from-file.state"

    [exempt]
    superusers = true
    prefixes = ["/static"]

    [response]
    status = 500
    retry_after = "2m"
"#;

#[test]
fn without_a_file_everything_has_its_default() {
    let folder = tempfile::tempdir().unwrap();
    let settings = one(Role::new("load-settings").in_folder(folder.path()));
    assert_eq!(
        settings,
        json!({
            "store": "file:maintenance.state", "status": 503, "retry_after": 3600,
            "superusers": false, "prefixes": [], "forced": null
        })
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_file_in_the_working_directory_is_read() {
    let folder = folder_with(FILE);
    let settings = one(Role::new("load-settings").in_folder(folder.path()));
    assert_eq!(
        settings,
        json!({
            "store": "file:from-file.state", "status": 500, "retry_after": 120,
            "superusers": true, "prefixes": ["/static"], "forced": null
        })
    );
}

#[test]
fn the_named_file_is_read_instead() {
    let folder = folder_with(FILE);
    let elsewhere = tempfile::tempdir().unwrap();
    let named = elsewhere.path().join("other.toml");
    fs::write(&named, "[response]\nstatus = 502\n").unwrap();
    for path in [named.as_path(), "other.toml".as_ref()] {
        let cwd = if path.is_absolute() {
            folder.path()
        } else {
            elsewhere.path()
        };
        let settings = one(Role::new("load-settings")
            .in_folder(cwd)
            .env("MAINTENANCE_SETTINGS", path));
        assert_eq!(settings["status"], 502);
        assert_eq!(settings["store"], "file:maintenance.state");
    }
}

#[test]
fn a_named_file_that_is_missing_stops_the_start() {
    // The file in the working directory is no substitute.
    let folder = folder_with(FILE);
    let told = one(Role::new("load-settings")
        .in_folder(folder.path())
        .env("MAINTENANCE_SETTINGS", "missing.toml")
        .env("MAINTENANCE_RESPONSE__STATUS", "200"));
    let error = told["error"].as_str().unwrap();
    let path = folder.path().join("missing.toml");
    assert!(error.contains(path.to_str().unwrap()), "{error}");
    // And it is not the only fault that is told.
    assert_eq!(told["keys"], json!(["", "response.status"]), "{error}");

    let told = one(Role::new("build")
        .in_folder(folder.path())
        .env("MAINTENANCE_SETTINGS", "missing.toml"));
    assert!(
        told["error"].as_str().unwrap().contains("missing.toml"),
        "{told}"
    );
}

#[test]
fn the_environment_wins_over_the_file() {
    let folder = folder_with(FILE);
    let settings = one(Role::new("load-settings")
        .in_folder(folder.path())
        .env("MAINTENANCE_STORE", "memory:")
        .env("MAINTENANCE_FORCED", "on")
        .env("MAINTENANCE_RESPONSE__STATUS", "504")
        .env("MAINTENANCE_EXEMPT__PREFIXES", "/a,/b"));
    assert_eq!(
        settings,
        json!({
            "store": "memory:", "status": 504, "retry_after": 120,
            "superusers": true, "prefixes": ["/a", "/b"], "forced": "on"
        })
    );
}

#[test]
fn the_builder_wins_over_both() {
    let folder = folder_with(FILE);
    let built = one(Role::new("build")
        .in_folder(folder.path())
        .env("MAINTENANCE_STORE", "file:from-environment.state")
        .env("MAINTENANCE_RESPONSE__STATUS", "504")
        .env("MAINTENANCE_RESPONSE__RETRY_AFTER", "77"));
    assert_eq!(
        built,
        json!({"store": "memory:", "status": 555, "retry_after": "77"})
    );
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["maintenance.toml"], "a store that lost was used");
}

#[test]
fn every_fault_of_file_and_environment_is_told_at_once() {
    let folder = folder_with(
        "admin_pth = \"/x\"\n[exempt]\naddresses = [\"10.0.0.0/33\", \"nobody\"]\n\
         [response]\nstatus = 200\n",
    );
    for role in ["load-settings", "build"] {
        let told = one(Role::new(role)
            .in_folder(folder.path())
            .env("MAINTENANCE_FORCED", "maybe")
            .env("MAINTENANCE_EXEMPT__SUPERUSER", "true"));
        let error = told["error"].as_str().unwrap();
        for part in [
            "`admin_pth`, did you mean `admin_path`?",
            "10.0.0.0/33",
            "nobody",
            "`response.status` is `200`",
            "MAINTENANCE_FORCED",
            "maybe",
            "`exempt.superuser`, did you mean `exempt.superusers`",
        ] {
            assert!(error.contains(part), "{part} is not in {error}");
        }
        assert_eq!(error.lines().count(), 7, "{error}");
    }
}

#[test]
fn faults_of_languages_and_templates_are_told_with_the_others() {
    let folder = folder_with(
        "[exempt]\naddresses = [\"nope\"]\n[response]\ntemplate = \"other.html\"\n\
         [language]\ndefault = \"xx\"\nforce = \"deutsch\"\n",
    );
    let told = one(Role::new("build").in_folder(folder.path()));
    let error = told["error"].as_str().unwrap();
    for part in [
        "nope",
        "other.html",
        "`language.default` is `xx`",
        "`language.force` is `deutsch`",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    assert_eq!(error.lines().count(), 5, "{error}");
}
