//! The answers of the JSON API.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{
            ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap,
            VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    middleware::DefaultHeaders,
};
use serde::Serialize;
use serde_json::Value;

use super::{
    body::Unreadable,
    visible::{SeenStatus, Told, Visibility},
};
use crate::{
    core::{overlap::Closed, secret::Secret, text::sentence},
    engine::{change_error::ChangeError, changes::Change},
    web::{
        maintenance::Maintenance,
        refusal::{
            data::problem_details,
            negotiate::{ResponseFormat, negotiate},
        },
    },
};

/// For answers that are no pages, or that bring all they need along: a style of their own and an
/// empty icon.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What a change that was made, or was not needed, leads to, as far as its maker may see it.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    /// `false`: it was so already.
    changed: bool,
    /// The id of the window that was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    window: Option<String>,
    /// What may not have been meant so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    /// By which whoever asked to hold the mode renews that: told to nobody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    held: Option<HoldId>,
    /// By what the mode is closed all the same at the time of the window that was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    still_closed: Option<Closed>,
    #[serde(flatten)]
    status: SeenStatus,
}

/// By what whoever holds a mode is known.
#[derive(Debug, Serialize)]
struct HoldId {
    id: Secret,
}

impl Told for Changed {}

impl Changed {
    pub(super) fn new(change: Change, sight: &Visibility) -> Self {
        Self {
            changed: change.changed,
            window: None,
            warnings: Vec::new(),
            held: None,
            still_closed: None,
            status: sight.status_if_any(change.status),
        }
    }

    pub(super) fn with_window(mut self, id: String) -> Self {
        self.window = Some(id);
        self
    }

    pub(super) fn with_hold(mut self, id: Option<Secret>) -> Self {
        self.held = id.map(|id| HoldId { id });
        self
    }

    pub(super) fn with_still_closed(mut self, closed: Option<Closed>) -> Self {
        self.still_closed = closed;
        self
    }

    pub(super) fn with_warnings(mut self, warnings: impl IntoIterator<Item = String>) -> Self {
        self.warnings.extend(warnings);
        self
    }
}

/// Sends a document. The only place of the admin scope that does: it takes what is told to the
/// caller, and nothing else.
pub(super) fn document(status: StatusCode, document: &impl Told) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(document)
}

/// What every answer of the scope has, whoever makes it. What brings a policy of its own keeps it.
pub(super) fn headers_of_all() -> DefaultHeaders {
    DefaultHeaders::new()
        .add((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .add((X_FRAME_OPTIONS, "DENY"))
        .add((CONTENT_SECURITY_POLICY, POLICY))
}

/// A body with faults, all of which are told.
pub(super) fn faulty(
    request: &HttpRequest,
    maintenance: &Maintenance,
    faults: &[String],
) -> HttpResponse {
    let detail = format!("{} Nothing was changed.", as_sentences(faults));
    problem(
        request,
        maintenance,
        StatusCode::BAD_REQUEST,
        "Not understood",
        &detail,
        faults,
    )
}

fn as_sentences(faults: &[String]) -> String {
    let sentences: Vec<String> = faults.iter().map(|fault| format!("{fault}.")).collect();
    sentences.join(" ")
}

/// Tells why a change was not made.
pub(super) fn not_changed(
    request: &HttpRequest,
    maintenance: &Maintenance,
    error: &ChangeError,
) -> HttpResponse {
    let (status, title) = super::kind_of(error);
    let members = [("code", error.code().into())];
    problem_with(
        request,
        maintenance,
        status,
        title,
        &sentence(error),
        members,
    )
}

/// What went wrong, in the form that the client asks for; to a program that says nothing of it, as
/// curl does, a problem and no page.
pub(super) fn refusal(
    request: &HttpRequest,
    maintenance: &Maintenance,
    status: StatusCode,
    title: &str,
    detail: &str,
) -> HttpResponse {
    let is_program = matches!(*request.method(), Method::PUT | Method::DELETE)
        || request.headers().contains_key(AUTHORIZATION);
    if is_program {
        problem(request, maintenance, status, title, detail, &[])
    } else {
        let responses = &maintenance.front.responses;
        responses.notice(request.headers(), status, title, detail)
    }
}

/// What went wrong: problem details (RFC 9457), unless the client asks for another form by name.
///
/// A program that says nothing of what it takes, as curl does, takes a problem sooner than a page.
pub(super) fn problem(
    request: &HttpRequest,
    maintenance: &Maintenance,
    status: StatusCode,
    title: &str,
    detail: &str,
    faults: &[String],
) -> HttpResponse {
    let faults = (!faults.is_empty()).then(|| ("faults", faults.into()));
    problem_with(request, maintenance, status, title, detail, faults)
}

/// Tells why a body was not read.
pub(super) fn unread(
    request: &HttpRequest,
    maintenance: &Maintenance,
    unreadable: &Unreadable,
) -> HttpResponse {
    let detail = format!("{unreadable} Nothing was changed.");
    problem(
        request,
        maintenance,
        unreadable.status(),
        "Not understood",
        &detail,
        &[],
    )
}

/// The same, with further members.
fn problem_with(
    request: &HttpRequest,
    maintenance: &Maintenance,
    status: StatusCode,
    title: &str,
    detail: &str,
    members: impl IntoIterator<Item = (&'static str, Value)>,
) -> HttpResponse {
    let responses = &maintenance.front.responses;
    if names_another_form(request.headers()) {
        return responses.notice(request.headers(), status, title, detail);
    }
    let mut problem = problem_details(status, detail);
    for (name, value) in members {
        problem.insert(name.to_owned(), value);
    }
    HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, ResponseFormat::Problem.content_type()))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((VARY, "Accept"))
        .body(Value::Object(problem).to_string())
}

fn names_another_form(headers: &HeaderMap) -> bool {
    match negotiate(headers) {
        ResponseFormat::Json | ResponseFormat::Problem => false,
        ResponseFormat::Text => true,
        ResponseFormat::Html => headers.get_all(ACCEPT).any(|line| {
            line.as_bytes()
                .windows(4)
                .any(|part| part.eq_ignore_ascii_case(b"html") || part == b"text")
        }),
    }
}
