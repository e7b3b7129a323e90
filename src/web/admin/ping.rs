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
    core::snapshot::Snapshot,
    engine::shared::{Shared, query_pairs},
    web::{
        maintenance::Maintenance,
        permission::Permission,
        refusal::response::{RefusalMarker, X_MAINTENANCE_MODE},
    },
};

/// Whether the site is closed, and the modes that somebody may see.
pub(crate) fn ping_document(
    shared: &Shared,
    snapshot: &Snapshot,
    now: Timestamp,
    visible: &[String],
) -> Value {
    let closed = snapshot.closed_mode(now);
    document(
        shared,
        snapshot,
        snapshot.foremost_mode(now),
        closed,
        now,
        visible,
    )
}

/// Tells of one mode, and whether it is the one that closes what is asked for.
fn document(
    shared: &Shared,
    snapshot: &Snapshot,
    mode: usize,
    closed: Option<usize>,
    now: Timestamp,
    visible: &[String],
) -> Value {
    let standing = snapshot.modes[mode].standing(now);
    let mut document = json!({
        "maintenance_mode": closed.is_some(),
        "phase": standing.phase,
        "retry_after": retry_after(shared, snapshot, closed, now).unwrap_or(0),
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
fn retry_after(
    shared: &Shared,
    snapshot: &Snapshot,
    closed: Option<usize>,
    now: Timestamp,
) -> Option<u64> {
    let mode = closed?;
    let standing = snapshot.modes[mode].standing(now);
    shared
        .responses
        .retry_after(mode, standing.phase, standing.until, now)
}

/// What anybody may know: whether the site is closed. With the status of a refusal while it is, so
/// that a program need not read the body. With `?mode=` it is about that mode alone.
pub(super) async fn ping(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let shared = &maintenance.shared;
    // Before the snapshot is read: what is told is what is, when it is sent.
    let visible = caller(&request, &maintenance, Permission::See).await.modes;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let asked = query_pairs(request.query_string())
        .into_iter()
        .find_map(|(name, value)| (name == "mode").then_some(value));
    let (mode, closed) = match asked {
        None => (snapshot.foremost_mode(now), snapshot.closed_mode(now)),
        Some(key) => {
            let known = snapshot.modes.iter().position(|mode| *mode.key == *key);
            let Some(mode) = known else {
                // Which modes there are is not for everybody.
                return shared.responses.notice(
                    request.headers(),
                    StatusCode::NOT_FOUND,
                    "No such mode",
                    "There is no mode of this name.",
                );
            };
            let is_closed = snapshot.modes[mode].phase(now).is_maintenance();
            (mode, is_closed.then_some(mode))
        }
    };
    let is_closed = closed.is_some();
    let status = closed.map_or(StatusCode::OK, |mode| shared.responses.status(mode));
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store"));
    if is_closed {
        response.insert_header((X_MAINTENANCE_MODE, "1"));
        if let Some(seconds) = retry_after(shared, &snapshot, closed, now) {
            response.insert_header((RETRY_AFTER, seconds));
        }
    }
    let mut response = response.json(document(shared, &snapshot, mode, closed, now, &visible));
    if is_closed {
        response.extensions_mut().insert(RefusalMarker);
    }
    response
}
