//! `/ping`: what anybody may know.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
    web,
};
use serde_json::json;

use super::authorize::caller;
use crate::{
    maintenance::Maintenance,
    permission::Permission,
    response::{RefusalMarker, X_MAINTENANCE_MODE},
};

/// What anybody may know: whether the site is closed. With the status of a refusal while it is, so
/// that a program need not read the body.
pub(super) async fn ping(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let shared = &maintenance.shared;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let closed = snapshot.closed_mode(now);
    let mode = snapshot.foremost_mode(now);
    let standing = snapshot.modes[mode].standing(now);
    let retry_after = closed.and_then(|_| {
        shared
            .responses
            .retry_after(mode, standing.phase, standing.until, now)
    });
    let mut body = json!({
        "maintenance_mode": closed.is_some(),
        "phase": standing.phase,
        "retry_after": retry_after.unwrap_or(0),
    });
    if let Some(start) = standing.start {
        body["start"] = json!(start);
    }
    let visible = caller(&request, &maintenance, Permission::See).await.modes;
    if !visible.is_empty() {
        let mut modes = snapshot.mode_statuses(now);
        modes.retain(|mode| visible.contains(&mode.key));
        body["modes"] = json!(modes);
    }
    let status = match closed {
        None => StatusCode::OK,
        Some(mode) => shared.responses.status(mode),
    };
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store"));
    if closed.is_some() {
        response.insert_header((X_MAINTENANCE_MODE, "1"));
        if let Some(seconds) = retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
    }
    let mut response = response.json(body);
    if closed.is_some() {
        response.extensions_mut().insert(RefusalMarker);
    }
    response
}
