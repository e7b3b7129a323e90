//! The answers of the JSON API.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{ACCEPT, AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderMap, VARY},
    },
};
use serde::Serialize;
use serde_json::Value;

use super::authorize::{Authorized, caller};
use crate::{
    core::snapshot::Status,
    engine::changes::{Change, ChangeError},
    web::{
        maintenance::Maintenance,
        permission::Permission,
        refusal::{
            negotiate::{ResponseFormat, negotiate},
            response::{problem_details, sentence},
        },
    },
};

/// What a change that was made, or was not needed, leads to.
#[derive(Debug, Serialize)]
pub(super) struct Changed {
    /// `false`: it was so already.
    pub(super) changed: bool,
    /// The id of the window that was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) window: Option<String>,
    /// What may not have been meant so.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) warnings: Vec<String>,
    #[serde(flatten)]
    pub(super) status: Status,
}

impl Changed {
    pub(super) fn new(change: Change) -> Self {
        Self {
            changed: change.changed,
            window: None,
            warnings: Vec::new(),
            status: change.status,
        }
    }

    /// The answer to whoever made the change: the modes that they may see or have switched.
    pub(super) async fn answer(
        mut self,
        request: &HttpRequest,
        maintenance: &Maintenance,
        by: Authorized,
    ) -> HttpResponse {
        let mut visible = caller(request, maintenance, Permission::See).await.modes;
        visible.extend(by.modes);
        self.status = self.status.only(&visible);
        HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(self)
    }
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
    problem(request, maintenance, status, title, &sentence(error), &[])
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
        let responses = &maintenance.shared.responses;
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
    let responses = &maintenance.shared.responses;
    if names_another_form(request.headers()) {
        return responses.notice(request.headers(), status, title, detail);
    }
    let mut problem = problem_details(status, detail);
    if !faults.is_empty() {
        problem.insert("faults".to_owned(), faults.into());
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
