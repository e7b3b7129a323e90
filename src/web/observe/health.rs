//! Answers to the probes of an orchestrator.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use crate::{
    core::phase::Phase,
    web::{
        admin::{probed_mode, sight},
        maintenance::Maintenance,
        request::query_pairs,
    },
};

/// The process runs and answers, whatever maintenance is.
pub(crate) async fn live() -> HttpResponse {
    answer(StatusCode::OK, "live")
}

/// Whether traffic should come here. `?mode=` as for `/ping`; with `?report=required` a node is not
/// ready while it cannot report to the others.
pub(crate) async fn ready(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let shared = &maintenance.engine.shared;
    let sight = sight(&request, &maintenance).await;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let needs_report = query_pairs(request.query_string())
        .iter()
        .any(|(name, value)| name == "report" && value == "required");
    if needs_report && shared.own_node.unreported().is_some() {
        return answer(
            StatusCode::SERVICE_UNAVAILABLE,
            "this node cannot report to the others",
        );
    }
    let is_closed = match probed_mode(&request, &maintenance, &snapshot, &sight) {
        Ok(Some(mode)) => snapshot.modes[mode].phase(now) == Phase::Offline,
        Ok(None) => snapshot.closes_all(now),
        Err(_) => return answer(StatusCode::NOT_FOUND, "there is no such mode"),
    };
    if is_closed {
        answer(StatusCode::SERVICE_UNAVAILABLE, "in maintenance")
    } else {
        answer(StatusCode::OK, "ready")
    }
}

fn answer(status: StatusCode, text: &'static str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header(("Cache-Control", "no-store"))
        .content_type("text/plain; charset=utf-8")
        .body(text)
}
