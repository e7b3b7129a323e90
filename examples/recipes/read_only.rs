//! Reading goes on while the database is migrated; what would write is refused.
//!
//! `cargo run -p recipes --bin read_only`, and then `curl -X POST http://127.0.0.1:8080/migrate` in one
//! terminal and `curl http://127.0.0.1:8080/items` in another.

use std::{env, error::Error, time::Duration};

use actix_maintenance_mode::{ChangeError, Maintenance, settings::Access};
use actix_web::{App, HttpResponse, HttpServer, rt, web};

/// The app's own migration.
async fn migrate_the_database() {
    rt::time::sleep(Duration::from_millis(500)).await;
}

/// A real app does this in its deploy job, or from the shell: `maintenance during -- ./migrate`.
async fn migrate(maintenance: web::Data<Maintenance>) -> HttpResponse {
    let migrated: Result<(), ChangeError> = maintenance
        .while_on()
        .reason("new columns")
        .message("You can look around; buying works again in a minute.")
        // One migration at a time, in all processes.
        .exclusive()
        .run(migrate_the_database())
        .await;
    match migrated {
        Ok(()) => HttpResponse::Ok().body("migrated"),
        Err(error) => HttpResponse::Conflict().body(error.to_string()),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let maintenance = Maintenance::builder()
        .mode("database", |mode| {
            mode.configure(|settings| {
                settings.label = Some("The database".to_owned());
                settings.access = Access::ReadOnly;
                // A search reads, though it is a POST.
                settings.read_only.allow.paths = vec!["/search".to_owned()];
            })
        })
        .configure(|settings| settings.exempt.paths.push("/migrate".to_owned()))
        .build()
        .await?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(maintenance.clone()))
            .service(maintenance.admin())
            .route("/migrate", web::post().to(migrate))
            .route("/items", web::get().to(async || "[]"))
            .route("/items", web::post().to(async || "added"))
            .route("/search", web::post().to(async || "nothing found"))
            .wrap(maintenance.middleware())
    });
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let server = server.workers(1).bind(address)?;
    println!("listens on {}", server.addrs()[0]);
    Ok(server.run().await?)
}
