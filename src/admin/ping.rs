//! `/ping`: what anybody may know.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, RETRY_AFTER},
    },
    web,
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::authorize::caller;
use crate::{
    maintenance::Maintenance,
    permission::Permission,
    response::{RefusalMarker, X_MAINTENANCE_MODE},
    shared::Shared,
    snapshot::Snapshot,
};

/// Whether the site is closed, and the modes that somebody may see.
pub(crate) fn ping_document(
    shared: &Shared,
    snapshot: &Snapshot,
    now: Timestamp,
    visible: &[String],
) -> Value {
    let standing = snapshot.modes[snapshot.foremost_mode(now)].standing(now);
    let mut document = json!({
        "maintenance_mode": snapshot.closed_mode(now).is_some(),
        "phase": standing.phase,
        "retry_after": retry_after(shared, snapshot, now).unwrap_or(0),
    });
    if let Some(start) = standing.start {
        document["start"] = json!(start);
    }
    if !visible.is_empty() {
        let mut modes = snapshot.mode_statuses(now);
        modes.retain(|mode| visible.contains(&mode.key));
        document["modes"] = json!(modes);
    }
    document
}

/// In how many seconds the site may be open again, if it is closed and that is said.
fn retry_after(shared: &Shared, snapshot: &Snapshot, now: Timestamp) -> Option<u64> {
    let mode = snapshot.closed_mode(now)?;
    let standing = snapshot.modes[mode].standing(now);
    shared
        .responses
        .retry_after(mode, standing.phase, standing.until, now)
}

/// What anybody may know: whether the site is closed. With the status of a refusal while it is, so
/// that a program need not read the body.
pub(super) async fn ping(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let shared = &maintenance.shared;
    // Before the snapshot is read: what is told is what is, when it is sent.
    let visible = caller(&request, &maintenance, Permission::See).await.modes;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let closed = snapshot.closed_mode(now);
    let is_closed = closed.is_some();
    let status = closed.map_or(StatusCode::OK, |mode| shared.responses.status(mode));
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store"));
    if is_closed {
        response.insert_header((X_MAINTENANCE_MODE, "1"));
        if let Some(seconds) = retry_after(shared, &snapshot, now) {
            response.insert_header((RETRY_AFTER, seconds));
        }
    }
    let mut response = response.json(ping_document(shared, &snapshot, now, &visible));
    if is_closed {
        response.extensions_mut().insert(RefusalMarker);
    }
    response
}
