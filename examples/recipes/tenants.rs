//! A mode for each tenant, found by the host: one is moved, and the others notice nothing.
//!
//! `cargo run -p recipes --bin tenants`, and then
//! `curl -H 'Host: blue.example' http://127.0.0.1:8080/` and the same for `red.example`.

use std::{env, error::Error};

use actix_maintenance_mode::{Builder, Maintenance, Permission};
use actix_web::{App, HttpServer, web};

/// A real app reads them from its configuration.
const TENANTS: [&str; 2] = ["blue", "red"];

fn tenants(builder: Builder) -> Builder {
    // The mode of the whole site comes first: it is what a switch without a mode means.
    let builder = builder.mode("site", |mode| mode);
    TENANTS.iter().fold(builder, |builder, tenant| {
        builder.mode(*tenant, |mode| {
            mode.configure(move |settings| {
                settings.label = Some(format!("The shop of {tenant}"));
                settings.applies_to.hosts = vec![format!("{tenant}.example")];
                settings.message = Some("We move your shop to a new machine.".to_owned());
            })
        })
    })
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let maintenance = tenants(Maintenance::builder())
        // A tenant's own staff may close their shop, and see nothing of the others.
        .permission(Permission::Toggle, |visitor, mode| {
            visitor.superuser || (visitor.staff && visitor.id.as_deref() == Some(mode))
        })
        .permission(Permission::See, |visitor, mode| {
            visitor.superuser || (visitor.staff && visitor.id.as_deref() == Some(mode))
        })
        .build()
        .await?;
    // The job that moves a tenant does this around its work.
    if let Ok(tenant) = env::var("MOVE_TENANT") {
        maintenance
            .turn_on()
            .mode(tenant)
            .reason("new machine")
            .await?;
    }
    let server = HttpServer::new(move || {
        App::new()
            .service(maintenance.admin())
            .route("/", web::get().to(async || "a shop"))
            .wrap(maintenance.middleware())
    });
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let server = server.workers(1).bind(address)?;
    println!("listens on {}", server.addrs()[0]);
    Ok(server.run().await?)
}
