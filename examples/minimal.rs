//! The smallest app with maintenance mode.

use actix_maintenance_mode::Maintenance;
use actix_session::{SessionMiddleware, storage::CookieSessionStore};
use actix_web::{App, HttpServer, cookie::Key, web};

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let maintenance = Maintenance::builder().build().await?;
    // A real app reads a secret key from its configuration, so that sessions outlive a restart.
    let key = Key::generate();
    HttpServer::new(move || {
        App::new()
            .service(maintenance.admin())
            .route("/", web::get().to(|| async { "Hello" }))
            // The last one wrapped is the outermost: sessions outside, maintenance inside.
            .wrap(maintenance.middleware())
            .wrap(SessionMiddleware::new(
                CookieSessionStore::default(),
                key.clone(),
            ))
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}
