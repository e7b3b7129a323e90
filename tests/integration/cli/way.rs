//! The ways on which the program reaches a site.

use std::{cell::RefCell, fs, path::Path};

use actix_maintenance_mode::{Maintenance, settings::TokenSettings};
use actix_web::App;
use serde_json::json;

use crate::{
    child::{Child, Role, report},
    test_server::TestServer,
};

/// A way to a site.
pub(crate) trait Way: Default {
    /// What the history says of who comes on it, up to the machine.
    const BY: &'static str;

    /// What the environment of `maintenance` says of it.
    fn variables(&self, folder: &Path) -> Vec<(&'static str, String)>;
}

/// By the settings of the folder and their store.
#[derive(Default)]
pub(crate) struct ByStore;

impl Way for ByStore {
    const BY: &'static str = "alice@";

    fn variables(&self, _: &Path) -> Vec<(&'static str, String)> {
        Vec::new()
    }
}

/// By the API of an app that runs in the folder. It wraps no middleware, so that it is no node: what is
/// told of nodes is then the same as where no app runs.
#[derive(Default)]
pub(crate) struct BySite {
    site: RefCell<Option<Site>>,
}

/// An app that runs, and what its settings were when it started.
struct Site {
    settings: Option<String>,
    url: String,
    token: String,
    _process: Child,
}

impl Way for BySite {
    const BY: &'static str = "token alice";

    /// Starts the app, or starts it anew where it has other settings now.
    fn variables(&self, folder: &Path) -> Vec<(&'static str, String)> {
        let settings = fs::read_to_string(folder.join("maintenance.toml")).ok();
        let mut site = self.site.borrow_mut();
        if site.as_ref().is_none_or(|site| site.settings != settings) {
            *site = None;
            *site = Some(Site::start(folder, settings));
        }
        let site = site.as_ref().unwrap();
        vec![
            ("MAINTENANCE_URL", site.url.clone()),
            ("MAINTENANCE_TOKEN", site.token.clone()),
        ]
    }
}

impl Site {
    fn start(folder: &Path, settings: Option<String>) -> Self {
        let (token, secret) = TokenSettings::generate("alice").unwrap();
        let tokens = format!(
            "[{{ name = \"alice\", hash = \"{}\", toggle = true, see = true }}]",
            token.hash
        );
        let mut process = Role::new("site")
            .in_folder(folder)
            .env("MAINTENANCE_ADMIN__TOKENS", tokens)
            .start();
        let told = process.next().expect("the app starts");
        Self {
            settings,
            url: format!(
                "http://{}/maintenance-mode/",
                told["address"].as_str().unwrap()
            ),
            token: secret,
            _process: process,
        }
    }
}

/// The app, as a process of its own: it serves its admin scope and nothing else.
pub(crate) async fn child_is_a_site() {
    let maintenance = Maintenance::builder().build().await.unwrap();
    let server = TestServer::start(move || App::new().service(maintenance.admin()));
    report(&json!({ "address": server.address }));
    std::future::pending::<()>().await;
}
