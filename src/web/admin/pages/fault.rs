//! Why a form was not taken: it comes again with what was written, the reason, and a way on.

use actix_web::{HttpRequest, http::StatusCode};
use serde::Serialize;

use super::page::Page;
use crate::{
    core::text::sentence,
    engine::change_error::ChangeError,
    web::{
        admin::{
            form::Form,
            kind_of, origin,
            view::{Long, Shown},
        },
        maintenance::Maintenance,
        refusal::negotiate::{ResponseFormat, negotiate},
    },
};

/// What stands above a form that was not taken.
#[derive(Debug, Serialize)]
pub(crate) struct Fault {
    text: String,
    /// What the mode is by now, if that is the reason.
    now: Option<Now>,
    /// Where to log in.
    log_in: Option<String>,
    #[serde(skip)]
    pub(super) status: StatusCode,
}

#[derive(Debug, Serialize)]
struct Now {
    phase_name: String,
    until: Option<Shown>,
    by: Option<String>,
    reason: Option<Long>,
    message: Option<Long>,
}

/// Whether a form comes from a page of the scope, so that it can come again. A program gets an
/// answer and no form; and what another site sends is not shown to anybody.
pub(crate) fn comes_again(request: &HttpRequest, form: &Form, maintenance: &Maintenance) -> bool {
    form.get("again").is_some()
        && negotiate(request.headers()) == ResponseFormat::Html
        && origin::check(request, &maintenance.front).is_ok()
}

impl Fault {
    /// Something is written that cannot be meant.
    pub(super) fn of_text(text: String) -> Self {
        Self {
            text,
            now: None,
            log_in: None,
            status: StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    pub(super) fn of_change(page: &Page<'_>, mode: &str, error: &ChangeError) -> Self {
        let reader = &page.reader;
        let (status, _) = match error {
            // It is what was written, and no matter of the request.
            ChangeError::Park { .. } | ChangeError::Plan(_) | ChangeError::Text(_) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "")
            }
            _ => {
                let (status, title) = kind_of(error);
                (status, title)
            }
        };
        let fault = Self {
            status,
            ..Self::of_text(format!("{}: {}", reader.text("not_done"), sentence(error)))
        };
        let (ChangeError::Outdated { .. }, Some(seen)) = (error, page.status.mode(mode)) else {
            return fault;
        };
        Self {
            text: reader.filled("outdated", "mode", &seen.label),
            now: Some(Now {
                phase_name: reader.phase_name(seen).to_owned(),
                until: seen.until.map(|until| reader.instant(until)),
                by: seen.by.clone(),
                reason: seen.reason.as_deref().map(Long::new),
                message: seen.message.as_deref().map(Long::new),
            }),
            ..fault
        }
    }

    /// Whether the mode is something else than what the form was made for.
    pub(super) fn is_outdated(&self) -> bool {
        self.now.is_some()
    }

    /// Whoever sends the form may not do it: by now, they may have been logged out.
    pub(super) fn not_allowed(page: &Page<'_>) -> Self {
        let is_known = page.caller.is_authenticated();
        let text = if is_known { "only_see" } else { "logged_out" };
        let front = &page.maintenance.front;
        Self {
            log_in: front
                .login_url
                .as_deref()
                .filter(|_| !is_known)
                .map(|login| {
                    // A path is one of this app; anything else is elsewhere.
                    if login.starts_with('/') && !login.starts_with("//") {
                        front.public(page.request, login)
                    } else {
                        login.to_owned()
                    }
                }),
            status: StatusCode::FORBIDDEN,
            ..Self::of_text(page.reader.text(text).to_owned())
        }
    }
}
