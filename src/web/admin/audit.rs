//! `/audit`: who did what, as far as the caller may see it.

use std::{io, sync::Arc};

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use serde::Serialize;

use super::{
    answer::{document, faulty},
    answering::Answer,
    authorize::may_see,
    visible::{Told, Visible},
};
use crate::{
    core::audit::AuditEntry,
    web::{maintenance::Maintenance, request::query_pairs},
};

/// How many entries are told where nobody says how many.
const USUAL: usize = 100;
const MOST: usize = 1000;

#[derive(Debug, Serialize)]
struct Audit {
    audit: Visible<Vec<AuditEntry>>,
}

impl Told for Audit {}

pub(super) async fn audit(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let (_, sight) = may_see(&request, &maintenance).await?;
    let asked = Asked::read(request.query_string())
        .map_err(|faults| faulty(&request, &maintenance, &faults))?;
    let last = asked.last;
    let sees = sight.sees_of_audit();
    let fits = move |entry: &AuditEntry| asked.fits(entry) && sees(entry);
    let entries = told(&request, &maintenance, last, fits).await?;
    let audit = sight.audit(entries, last);
    Ok(document(StatusCode::OK, &Audit { audit }))
}

/// The latest entries of this process's file that fit, so many at most. The file is read where nothing
/// else waits. `None`: there is no file.
pub(super) async fn latest(
    maintenance: &Maintenance,
    most: usize,
    fits: impl Fn(&AuditEntry) -> bool + Send + 'static,
) -> Option<io::Result<Vec<AuditEntry>>> {
    let audit = Arc::clone(&maintenance.engine.shared.audit);
    match web::block(move || audit.latest(most, fits)).await {
        Ok(latest) => latest,
        Err(error) => Some(Err(io::Error::other(error))),
    }
}

async fn told(
    request: &HttpRequest,
    maintenance: &Maintenance,
    most: usize,
    fits: impl Fn(&AuditEntry) -> bool + Send + 'static,
) -> Result<Vec<AuditEntry>, HttpResponse> {
    let refused = |status, title: &str, detail: &str| {
        let responses = &maintenance.front.responses;
        responses.notice(request.headers(), status, title, detail)
    };
    match latest(maintenance, most, fits).await {
        None => Err(refused(
            StatusCode::CONFLICT,
            "No audit",
            "No file is kept of who did what: the setting `audit.file` names none.",
        )),
        Some(Ok(entries)) => Ok(entries),
        Some(Err(error)) => Err(refused(
            StatusCode::SERVICE_UNAVAILABLE,
            "Not read",
            &format!("The file of the audit cannot be read: {error}."),
        )),
    }
}

/// Which entries somebody asks for.
struct Asked {
    mode: Option<String>,
    last: usize,
}

impl Asked {
    fn read(query: &str) -> Result<Self, Vec<String>> {
        let mut asked = Self {
            mode: None,
            last: USUAL,
        };
        let mut faults = Vec::new();
        for (name, value) in query_pairs(query) {
            match name.as_str() {
                "mode" => asked.mode = Some(value),
                "last" => match value.parse() {
                    Ok(last) if (1..=MOST).contains(&last) => asked.last = last,
                    _ => faults.push(format!("`last`: give a number from 1 to {MOST}")),
                },
                _ => faults.push(
                    "there is a parameter that is not known; known are mode and last".to_owned(),
                ),
            }
        }
        if faults.is_empty() {
            Ok(asked)
        } else {
            Err(faults)
        }
    }

    fn fits(&self, entry: &AuditEntry) -> bool {
        let is_of = |mode: &String| entry.mode.as_ref() == Some(mode);
        self.mode.as_ref().is_none_or(is_of)
    }
}
