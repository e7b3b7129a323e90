//! The settings of a project in Django, and what they are here.
//!
//! `cargo run -p recipes --bin from_django` in the folder of the old state file: it is read as it is. All
//! other settings are in the guide, "Coming from django-maintenance-mode".

use std::{env, error::Error};

use actix_maintenance_mode::{Maintenance, settings::Settings};
use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{App, HttpServer, cookie::Key, web};
use serde::Serialize;

const SETTINGS: &str = r#"
    # MAINTENANCE_MODE_STATE_FILE_PATH = "maintenance_mode_state.txt"
    store = "file:maintenance_mode_state.txt"
    # USE_TZ, TIME_ZONE: of times without an offset
    time_zone = "Europe/Rome"

    [exempt]
    # MAINTENANCE_MODE_IGNORE_ADMIN_SITE = True
    admin_site = "/admin"
    # MAINTENANCE_MODE_IGNORE_SUPERUSER = True
    superusers = true
    # MAINTENANCE_MODE_IGNORE_IP_ADDRESSES = ("192.168.0.",): whole addresses and networks here
    addresses = ["192.168.0.0/24"]
    # MAINTENANCE_MODE_IGNORE_URLS = (r"^/api/health$",)
    patterns = ["^/api/health$"]

    [logout]
    # MAINTENANCE_MODE_LOGOUT_AUTHENTICATED_USER = True, …_SUPERUSER = False
    authenticated = true
    superusers = false

    [response]
    # MAINTENANCE_MODE_RETRY_AFTER = 600
    retry_after = 600
"#;

/// `MAINTENANCE_MODE_GET_CONTEXT`: for the template, and in the body for programs.
#[derive(Serialize)]
struct Context {
    support: &'static str,
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let context = serde_json::to_value(Context {
        support: "help@example.com",
    })?;
    let maintenance = Maintenance::builder()
        .settings(Settings::from_toml(SETTINGS)?)
        .response_context(context.as_object().cloned().unwrap_or_default())
        .build()
        .await?;
    let key = Key::generate();
    let server = HttpServer::new(move || {
        App::new()
            .service(maintenance.admin())
            .route("/", web::get().to(async || "the shop"))
            .route("/api/health", web::get().to(async || "ok"))
            .wrap(maintenance.middleware())
            .wrap(SessionMiddleware::new(
                CookieSessionStore::default(),
                key.clone(),
            ))
    });
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let server = server.workers(1).bind(address)?;
    println!("listens on {}", server.addrs()[0]);
    Ok(server.run().await?)
}
