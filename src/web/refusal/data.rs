//! What programs are told: JSON and problem details (RFC 9457).

use actix_web::{http::StatusCode, web::Bytes};
use serde_json::{Map, Value};

use super::{described::Refusal, words::addition};
use crate::web::refusal::{language::Catalogue, negotiate::ResponseFormat};

pub(super) fn problem(
    status: StatusCode,
    refusal: &Refusal,
    catalogue: &Catalogue,
    extra: Map<String, Value>,
) -> Map<String, Value> {
    let detail = match addition(catalogue, refusal).filter(|_| refusal.read_only) {
        Some(reading_works) => format!("{} {reading_works}", refusal.message),
        None => refusal.message.clone(),
    };
    let mut problem = problem_details(status, &detail);
    for (key, value) in members(refusal, extra) {
        problem.entry(key).or_insert(value);
    }
    problem
}

/// Whether the body is for programs. It repeats the header `Retry-After`, so both must say the same.
pub(super) fn is_data(format: ResponseFormat) -> bool {
    matches!(format, ResponseFormat::Json | ResponseFormat::Problem)
}

/// The members of a JSON body. The app's own come last and do not replace the crate's.
pub(super) fn members(refusal: &Refusal, extra: Map<String, Value>) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("maintenance_mode".to_owned(), Value::Bool(true));
    members.insert("mode".to_owned(), refusal.mode.as_str().into());
    members.insert("phase".to_owned(), refusal.phase.as_str().into());
    if refusal.read_only {
        members.insert("access".to_owned(), refusal.access.as_str().into());
    }
    members.insert("message".to_owned(), refusal.message.as_str().into());
    members.insert("retry_after".to_owned(), refusal.retry_after.into());
    members.insert(
        "until".to_owned(),
        refusal.until.map(|until| until.to_string()).into(),
    );
    for (key, value) in extra {
        members.entry(key).or_insert(value);
    }
    members
}

/// Problem details of the type `about:blank`, whose title is the status in words (RFC 9457,
/// section 4.2.1).
pub(crate) fn problem_details(status: StatusCode, detail: &str) -> Map<String, Value> {
    let mut problem = Map::new();
    problem.insert("type".to_owned(), "about:blank".into());
    problem.insert(
        "title".to_owned(),
        status.canonical_reason().unwrap_or("Maintenance").into(),
    );
    problem.insert("status".to_owned(), status.as_u16().into());
    problem.insert("detail".to_owned(), detail.into());
    problem
}

pub(super) fn json_body(members: Map<String, Value>) -> Bytes {
    Value::Object(members).to_string().into()
}
