//! Behind nginx, which tells the client's address, and answers by itself while the app is closed or down.
//!
//! `cargo run -p recipes --bin behind_nginx` in a folder of its own. With the settings below in its
//! `maintenance.toml`, `maintenance export nginx --app 127.0.0.1:8080` writes the rules for nginx.

use std::{env, error::Error};

use actix_maintenance_mode::{Maintenance, settings::Settings};
use actix_web::{App, HttpRequest, HttpServer, web};

const SETTINGS: &str = r#"
    [client]
    # Only nginx, on this machine, is believed about whom it asks for. It must set the header itself:
    # proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    trusted_proxies = ["127.0.0.1", "::1"]

    [exempt]
    # The office sees the closed site.
    addresses = ["192.0.2.0/24"]

    [web_server]
    # There exactly while the site is offline: nginx then need not ask the app.
    flag = "maintenance.flag"
    # The page, also for when the app is down.
    page = "maintenance.html"
"#;

/// What the rules make of the client's address.
async fn whoami(request: HttpRequest, maintenance: web::Data<Maintenance>) -> String {
    match maintenance.client_address(&request) {
        Some(address) => address.to_string(),
        None => "unknown".to_owned(),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // A real app has them in `maintenance.toml`, where the program `maintenance` reads them, too.
    let settings = Settings::from_toml(SETTINGS)?;
    let maintenance = Maintenance::builder().settings(settings).build().await?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(maintenance.clone()))
            .service(maintenance.admin())
            .route("/whoami", web::get().to(whoami))
            .wrap(maintenance.middleware())
    });
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let server = server.workers(1).bind(address)?;
    println!("listens on {}", server.addrs()[0]);
    Ok(server.run().await?)
}
