//! The commands in an app's own command line, with the app's own builder.

use std::{process::ExitCode, sync::atomic::Ordering};

use actix_maintenance_mode::{Maintenance, cli, settings::Settings};
use clap::Parser;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    child::{Role, report},
    store_failures::Server,
};

#[derive(Debug, Parser)]
enum Shop {
    /// Take the shop out of service and bring it back
    Maintenance(cli::Arguments),
}

async fn shop(folder: &TempDir, arguments: &[&str]) -> ExitCode {
    let store = folder.path().join("of-the-app");
    let builder = Maintenance::builder()
        .settings(Settings::default())
        .store(format!("file:{}", store.display()));
    let line = ["shop", "maintenance"].iter().chain(arguments);
    let Shop::Maintenance(arguments) = Shop::parse_from(line);
    arguments.run_with(builder).await
}

#[actix_web::test]
async fn the_apps_builder_decides_and_the_options_win() {
    let folder = TempDir::new().unwrap();
    assert_eq!(shop(&folder, &["on"]).await, ExitCode::SUCCESS);
    assert!(folder.path().join("of-the-app").exists());
    assert_eq!(
        shop(&folder, &["status", "--exit-code"]).await,
        ExitCode::from(12)
    );
    assert_eq!(
        shop(&folder, &["--mode", "nonsense", "off"]).await,
        ExitCode::from(2)
    );
    assert_eq!(
        shop(&folder, &["during", "--", "sh", "-c", "exit 7"]).await,
        ExitCode::from(7)
    );

    let other = format!("file:{}", folder.path().join("other").display());
    assert_eq!(
        shop(&folder, &["status", "--exit-code", "--store", &other]).await,
        ExitCode::SUCCESS
    );
}

#[test]
fn its_help_names_the_app() {
    let error = Shop::try_parse_from(["shop", "maintenance", "--help"]).unwrap_err();
    let help = error.to_string();
    assert!(help.contains("Usage: shop maintenance <COMMAND>"), "{help}");
    let error = Shop::try_parse_from(["shop", "maintenance", "on", "--help"]).unwrap_err();
    assert!(
        error.to_string().contains("Usage: shop maintenance on"),
        "{error}"
    );
}

/// Not a test by itself: says `on` at a server that takes the change and is not heard of any more.
pub(crate) async fn child_asks_a_server_that_falls_silent() {
    let server = Server::new();
    server.falls_silent.store(true, Ordering::SeqCst);
    let builder = Maintenance::builder()
        .settings(Settings::default())
        .custom_store(server);
    let Shop::Maintenance(arguments) = Shop::parse_from(["shop", "maintenance", "on"]);
    let code = arguments.run_with(builder).await;
    report(&json!(code == ExitCode::from(3)));
}

#[test]
fn a_command_that_does_not_know_says_so_and_what_to_do() {
    let (reports, text) = Role::new("ask-and-hear-nothing")
        .start()
        .finish_with_errors();
    assert_eq!(reports, [Value::Bool(true)], "the exit code is 3: {text}");
    assert!(text.contains("it is not known whether"), "{text}");
    assert!(text.contains("it may have been changed"), "{text}");
    assert!(text.contains("`maintenance status`"), "{text}");
}
