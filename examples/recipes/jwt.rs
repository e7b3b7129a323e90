//! Who is asking is in a token (JWT), not in a session.
//!
//! `cargo run -p recipes --bin jwt`, and then, with a token that the secret has signed:
//! `curl -X POST -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/maintenance-mode/on`.

use std::{env, error::Error, sync::Arc};

use actix_maintenance_mode::{Maintenance, ResponseFormat, Visitor};
use actix_web::{App, HttpRequest, HttpServer, web};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

/// What the app's tokens say. Their age (`exp`) is checked by the library.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    roles: Vec<String>,
}

/// A token that is missing, forged or too old is nobody's.
fn visitor(request: &HttpRequest, key: &DecodingKey) -> Visitor {
    let token = request
        .headers()
        .get("authorization")
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let validation = Validation::new(Algorithm::HS256);
    match token.and_then(|token| decode::<Claims>(token, key, &validation).ok()) {
        Some(token) => {
            let has = |role: &str| token.claims.roles.iter().any(|it| it == role);
            Visitor::user(token.claims.sub)
                .with_staff(has("staff"))
                .with_superuser(has("superuser"))
        }
        None => Visitor::anonymous(),
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let secret = env::var("JWT_SECRET")?;
    let key = Arc::new(DecodingKey::from_secret(secret.as_bytes()));
    let maintenance = Maintenance::builder()
        .configure(|settings| settings.exempt.staff = true)
        .identity(move |request| visitor(request, &key))
        // The callers are programs: JSON, whatever they ask for.
        .response_format(|_| ResponseFormat::Json)
        .build()
        .await?;
    let server = HttpServer::new(move || {
        App::new()
            .service(maintenance.admin())
            .route("/orders", web::get().to(async || "[]"))
            .wrap(maintenance.middleware())
    });
    let address = env::var("ADDRESS").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let server = server.workers(1).bind(address)?;
    println!("listens on {}", server.addrs()[0]);
    Ok(server.run().await?)
}
