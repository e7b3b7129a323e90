//! A small shop that is taken out of service and brought back.
//!
//! `cargo run --example demo` prints where to look and what to try.

use std::{env, error::Error, io, net::SocketAddr, path::Path, process::ExitCode};

use actix_maintenance_mode::{Maintenance, Settings};
use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{
    App, HttpServer, Resource, Route,
    cookie::Key,
    guard,
    middleware::DefaultHeaders,
    web::{self, Data},
};
#[cfg(feature = "metrics")]
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tera::Tera;
use tracing_subscriber::{
    filter::{LevelFilter, Targets},
    fmt,
    prelude::*,
};

mod account;
mod items;
mod pages;
mod slow;

/// What is on disk: the settings of the demo, and the files that it serves.
const FOLDER: &str = env!("CARGO_MANIFEST_DIR");

#[actix_web::main]
async fn main() -> ExitCode {
    // The crate tells what it does by `tracing`; `RUST_LOG=actix_maintenance_mode=debug` tells more.
    let told = env::var("RUST_LOG").ok().and_then(|it| it.parse().ok());
    let told = told.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO));
    tracing_subscriber::registry()
        .with(fmt::layer().with_writer(io::stderr).with_filter(told))
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("The demo cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let address = address()?;
    let key = session_key()?;
    // Before maintenance begins to count.
    #[cfg(feature = "metrics")]
    let exporter = Data::new(PrometheusBuilder::new().install_recorder()?);
    // Made once, outside of the factory below, which runs once for each worker.
    let maintenance = Maintenance::builder().settings(settings()?).build().await?;
    let mut tera = Tera::default();
    maintenance.register_tera_function(&mut tera);
    tera.add_raw_templates(pages::TEMPLATES.iter().copied())?;
    let tera = Data::new(tera);
    let items = Data::new(items::Items::default());

    let handle = maintenance.clone();
    let server = HttpServer::new(move || {
        let sessions = SessionMiddleware::builder(CookieSessionStore::default(), key.clone())
            // Over plain HTTP, as here on this machine, browsers do not send secure cookies back.
            // An app on the internet has TLS and leaves this out.
            .cookie_secure(false)
            .build();
        let app = App::new()
            // For the extractor `MaintenanceFlag` and for `/whoami`.
            .app_data(Data::new(maintenance.clone()))
            .app_data(tera.clone())
            .app_data(items.clone());
        #[cfg(feature = "metrics")]
        let app = app.app_data(exporter.clone());
        app.service(maintenance.admin())
            .configure(|config| routes(config, &maintenance))
            // The last one wrapped is the outermost, and a request meets it first. Maintenance goes
            // inside of the sessions, because it asks them who the visitor is. It goes inside of
            // whatever completes responses, too, so that refusals get these headers as well.
            .wrap(maintenance.middleware())
            .wrap(sessions)
            .wrap(DefaultHeaders::new().add(("X-Content-Type-Options", "nosniff")))
    })
    // A graceful stop (SIGTERM) gives requests this many seconds; Ctrl-C stops at once.
    .shutdown_timeout(10)
    // A visitor who goes away while their request waits for the reopening frees their place at once.
    .h1_allow_half_closed(false)
    .bind(address)
    .map_err(|error| format!("cannot listen on {address}: {error}; set DEMO_ADDR to another"))?;

    for address in server.addrs() {
        welcome(address, &handle);
    }
    server.run().await?;
    // Else the others would wait for this node until its lease lapses.
    handle.leave().await;
    Ok(())
}

fn routes(config: &mut web::ServiceConfig, maintenance: &Maintenance) {
    config
        .service(resource("/", get().to(pages::home)))
        .service(resource("/about", get().to(pages::about)))
        .service(resource("/shop/{item}", get().to(pages::shop)))
        .service(resource("/admin", get().to(pages::admin)))
        .service(resource("/admin/{rest:.*}", get().to(pages::admin_part)))
        .service(resource("/login/{role}", get().to(account::login)))
        .service(resource("/logout", get().to(account::logout)))
        .service(resource("/whoami", get().to(account::whoami)))
        .service(
            web::resource("/api/items")
                .route(get().to(items::list))
                .route(web::post().to(items::add)),
        )
        .service(resource("/slow", get().to(slow::slow)))
        .service(resource("/stream", get().to(slow::stream)))
        .configure(metrics)
        // The settings let it through by its name.
        .service(resource("/health", get().to(async || "ok")).name("health"))
        // Refused always, whatever the settings and the state are.
        .service(
            resource("/closed", get().to(async || "Nobody sees this."))
                .name("closed")
                .wrap(maintenance.forced_on()),
        )
        .service(actix_files::Files::new(
            "/static",
            format!("{FOLDER}/static"),
        ));
}

/// Figures for Prometheus, with the feature `metrics`.
#[cfg(feature = "metrics")]
fn metrics(config: &mut web::ServiceConfig) {
    let show = async |exporter: Data<PrometheusHandle>| exporter.render();
    // The settings let it through by its name.
    config.service(resource("/metrics", get().to(show)).name("metrics"));
}

#[cfg(not(feature = "metrics"))]
fn metrics(_: &mut web::ServiceConfig) {}

fn resource(path: &str, route: Route) -> Resource {
    web::resource(path).route(route)
}

/// GET, and HEAD as GET: actix leaves the body out by itself.
fn get() -> Route {
    web::route().guard(guard::Any(guard::Get()).or(guard::Head()))
}

/// The settings file that is given, alone; else the demo's own. The environment wins over either.
fn settings() -> Result<Settings, Box<dyn Error>> {
    let is_named = env::var_os("MAINTENANCE_SETTINGS").is_some_and(|path| !path.is_empty());
    let is_here = Path::new("maintenance.toml").symlink_metadata().is_ok();
    Ok(if is_named || is_here {
        Settings::load()?
    } else {
        Settings::from_file(format!("{FOLDER}/maintenance.toml"))?
    })
}

fn address() -> Result<SocketAddr, String> {
    let text = env::var("DEMO_ADDR").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    text.parse().map_err(|_| {
        format!("DEMO_ADDR is `{text}`: give an address and a port, such as 127.0.0.1:8080")
    })
}

/// The key of the session cookies: that in `DEMO_KEY`, else one that is no secret.
///
/// Whoever likes can log in to the demo as a superuser, so there is nothing to protect by a secret
/// key, and with the same key at each start log-ins outlive a restart. A real app needs a secret
/// one: this is the line not to copy.
fn session_key() -> Result<Key, String> {
    match env::var("DEMO_KEY") {
        Ok(key) => Key::try_from(key.as_bytes())
            .map_err(|_| "DEMO_KEY is too short: give 64 characters or more".to_owned()),
        Err(_) => Ok(Key::from(&[b'0'; 64])),
    }
}

fn welcome(address: SocketAddr, maintenance: &Maintenance) {
    let status = maintenance.status();
    let state = if status.maintenance_mode { "on" } else { "off" };
    let site = format!("http://{address}");
    println!(
        "\
The shop is open at {site}/

Maintenance mode is {state}; its state is kept in {store}.

Look:  log in as a superuser at {site}/login/superuser
       and open the dashboard, {site}/maintenance-mode/
       Keep {site}/about open in another window: it notices by itself.
Try:   curl -c cookies {site}/login/superuser
       curl -i -b cookies -X POST {site}/maintenance-mode/on
       curl -i {site}/
       curl -i -H 'Accept: application/json' {site}/api/items
       curl -i {site}/health
       curl -i -b cookies -X POST {site}/maintenance-mode/off
       curl -i -b cookies -X POST -d over=2m {site}/maintenance-mode/off     (opens gently)
       curl -b cookies -H 'Content-Type: application/json' -d '{{\"name\": \"auditor\", \"for\": \"1h\"}}' \\
           {site}/maintenance-mode/grants     (a link by which somebody may look in)
       curl -i -b cookies -X POST '{site}/maintenance-mode/on?mode=read-only'
       curl -i -d name=Shelf {site}/api/items
Shell: in this folder, the program `maintenance` does it, too:
       cargo run --features cli -- --settings examples/demo/maintenance.toml status
       cargo run --features cli -- --settings examples/demo/maintenance.toml on --drain
       and on --park 20s: {site}/ loads until you say off, and shows no error

To let superusers see the site during maintenance, start the demo with
       MAINTENANCE_EXEMPT__SUPERUSERS=true cargo run --example demo
or copy examples/demo/maintenance.toml here and change it. Ctrl-C stops the demo.",
        store = status.store.url,
    );
}
