//! Answers to the probes of an orchestrator.

use actix_web::{HttpResponse, http::StatusCode, web};
use serde::Deserialize;

use crate::{core::phase::Phase, web::maintenance::Maintenance};

/// What a probe asks about.
#[derive(Debug, Deserialize)]
pub(crate) struct Probe {
    mode: Option<String>,
}

/// The process runs and answers, whatever maintenance is.
pub(crate) async fn live() -> HttpResponse {
    answer(StatusCode::OK, "live")
}

/// Whether traffic should come here.
pub(crate) async fn ready(
    maintenance: web::Data<Maintenance>,
    probe: web::Query<Probe>,
) -> HttpResponse {
    let shared = &maintenance.shared;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let is_closed = match &probe.mode {
        Some(key) => match snapshot.mode(key) {
            Some(mode) => mode.phase(now) == Phase::Offline,
            None => return answer(StatusCode::NOT_FOUND, "there is no such mode"),
        },
        None => snapshot.closes_all(now),
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
