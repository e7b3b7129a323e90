//! `/openapi.json`: what the JSON API is, for programs (OpenAPI 3.1).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderValue},
    },
    web,
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{answer, visible::Told};
use crate::web::maintenance::Maintenance;

const DOCUMENT: &str = include_str!("openapi.json");

/// The description, which tells nothing of any mode.
#[derive(Serialize)]
#[serde(transparent)]
struct Description(Value);

impl Told for Description {}

/// Anybody may read it: it tells nothing of this site but where its admin scope is, which whoever
/// asks knows.
pub(super) async fn openapi(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let front = &maintenance.front;
    match document(&front.public(&request, &front.admin_path)) {
        Ok(document) => {
            let mut response = answer::document(StatusCode::OK, &Description(document));
            let headers = response.headers_mut();
            headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            response
        }
        Err(error) => {
            tracing::error!(%error, "the description of the JSON API is not valid");
            HttpResponse::InternalServerError().finish()
        }
    }
}

fn document(admin_path: &str) -> Result<Value, serde_json::Error> {
    let mut document: Value = serde_json::from_str(DOCUMENT)?;
    document["servers"] = json!([{ "url": admin_path }]);
    document["info"]["version"] = json!(env!("CARGO_PKG_VERSION"));
    Ok(document)
}

#[cfg(test)]
#[path = "openapi_tests.rs"]
mod tests;
