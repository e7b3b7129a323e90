//! One switch for many machines, by Redis.
//!
//! Start it twice: `REDIS_URL=redis://127.0.0.1/0?prefix=shop ADDRESS=127.0.0.1:8081 cargo run -p recipes
//! --bin redis_fleet`, and once more with another port. Then `curl -X POST http://127.0.0.1:8081/release`
//! closes both, waits until neither serves anything, does its work, and opens both.

use std::{env, error::Error, time::Duration};

use actix_maintenance_mode::{Maintenance, settings::WhenCutOff};
use actix_web::{App, HttpResponse, HttpServer, web};

/// A real app lets its deploy job do this: `maintenance during --wait -- ./migrate`.
async fn release(maintenance: web::Data<Maintenance>) -> HttpResponse {
    let closed = maintenance
        .turn_on()
        .reason("release")
        .wait_at_most(Duration::from_secs(30))
        .await;
    let answer = match closed {
        // Every live node is closed, nothing is being served but this, and no task runs.
        Ok(_) => HttpResponse::Ok().body("migrated"),
        Err(error) => HttpResponse::Conflict().body(error.to_string()),
    };
    match maintenance.turn_off().await {
        Ok(_) => answer,
        Err(error) => HttpResponse::ServiceUnavailable().body(error.to_string()),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = env::var("REDIS_URL")?;
    let maintenance = Maintenance::builder()
        .store(store)
        .configure(|settings| {
            // A node that loses touch with Redis closes, before the others count it out.
            settings.when_cut_off = WhenCutOff::Close;
        })
        .build()
        .await?;
    let for_workers = maintenance.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(web::Data::new(for_workers.clone()))
            .service(for_workers.admin())
            .route("/release", web::post().to(release))
            .service(
                web::scope("")
                    .route("/", web::get().to(async || "the shop"))
                    .wrap(for_workers.middleware()),
            )
    });
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let server = server.workers(1).bind(address)?;
    println!("listens on {}", server.addrs()[0]);
    server.run().await?;
    // Nobody waits for a node that has ended in good order.
    maintenance.leave().await;
    Ok(())
}
