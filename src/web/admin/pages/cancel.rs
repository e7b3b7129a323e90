//! The page that asks before it cancels a window.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode},
    web,
};
use jiff::Timestamp;
use serde::Serialize;

use super::fault::Fault;
use super::fault::comes_again;
use super::page::{Page, see_other};
use crate::web::admin::{
    answering::Answer,
    authorize::{authorize, authorize_change},
    form::Form,
    not_changed, not_found,
    view::{closed_text, is_open, title_of},
};
use crate::{
    core::{
        overlap::closed_besides,
        status::{modes::ModeStatus, whole::Status, windows::PlannedWindow},
    },
    engine::change_error::ChangeError,
    web::{maintenance::Maintenance, permission::Permission},
};

/// Asks whether a window is to be cancelled, and cancels it.
pub(in crate::web::admin) async fn cancel(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let form = Form::read(&request, &body).unwrap_or_default();
    let id = form.get("id").unwrap_or_default();
    let comes_again =
        request.method() == Method::POST && comes_again(&request, &form, &maintenance);
    let Some(mode) = maintenance.engine.mode_of_window(id) else {
        // Only those who may cancel windows learn which there are.
        let may = authorize(&request, &maintenance, Permission::Toggle, None).await;
        return Err(match may {
            Ok(caller) if comes_again => {
                let page = Page::of(&request, &maintenance, caller).await;
                let fault = Fault::of_change(&page, "", &unknown(id));
                let status = fault.status;
                page.answer(
                    "cancel",
                    status,
                    &CancelAsked::new(&page, &form, Some(fault)),
                )
            }
            Ok(_) => not_changed(&maintenance, &request, &unknown(id)),
            Err(refused) if !comes_again => refused,
            Err(_) => not_allowed(&request, &maintenance, &form).await,
        });
    };
    if request.method() == Method::POST {
        let what = "cancel a window";
        let caller = match authorize_change(&request, &maintenance, Some(&mode), what).await {
            Ok(caller) => caller,
            Err(refused) if !comes_again => return Err(refused),
            Err(_) => return Err(not_allowed(&request, &maintenance, &form).await),
        };
        let mut cancel = caller.asks(&maintenance).cancel_window(id).by(caller.by());
        if form.get("only") == Some("next") {
            cancel = cancel.only_next();
        }
        return match cancel.await {
            Ok(_) => Ok(see_other(&request, &maintenance)),
            Err(error) if comes_again => {
                let page = Page::of(&request, &maintenance, caller).await;
                let fault = Fault::of_change(&page, &mode, &error);
                let status = fault.status;
                let asked = CancelAsked::new(&page, &form, Some(fault));
                Err(page.answer("cancel", status, &asked))
            }
            Err(error) => Err(not_changed(&maintenance, &request, &error)),
        };
    }
    let page = Page::open(&request, &maintenance).await?;
    let may = page.sight.has(&mode) && page.switchable.contains(&mode);
    if !may || window(&page.status, id).is_none() {
        return Ok(not_found(request.clone(), maintenance.clone()).await);
    }
    let asked = CancelAsked::new(&page, &form, None);
    Ok(page.answer("cancel", StatusCode::OK, &asked))
}

pub(super) fn unknown(id: &str) -> ChangeError {
    ChangeError::UnknownWindow(id.to_owned())
}

/// The form again, to somebody who may not send it by now.
pub(super) async fn not_allowed(
    request: &HttpRequest,
    maintenance: &Maintenance,
    form: &Form,
) -> HttpResponse {
    let page = Page::for_anybody(request, maintenance).await;
    let fault = Fault::not_allowed(&page);
    let status = fault.status;
    let asked = CancelAsked::new(&page, form, Some(fault));
    page.answer("cancel", status, &asked)
}

#[derive(Debug, Serialize)]
pub(super) struct CancelAsked {
    pub(super) fault: Option<Fault>,
    pub(super) id: String,
    pub(super) question: String,
    /// These are of a window that the reader may see.
    pub(super) mode: Option<String>,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
    pub(super) consequence: Option<String>,
    pub(super) repeats: bool,
    pub(super) cancels_all: bool,
}

impl CancelAsked {
    pub(super) fn new(page: &Page<'_>, form: &Form, fault: Option<Fault>) -> Self {
        let reader = &page.reader;
        let id = form.get("id").unwrap_or_default();
        let found = window(&page.status, id);
        let consequence = found.map(|(mode, window)| {
            let snapshot = page.maintenance.engine.shared.published.snapshot();
            let view = snapshot.mode(&mode.key);
            match view.and_then(|view| closed_besides(view, &window.id, reader.now)) {
                Some(closed) => closed_text(&closed, mode, reader),
                None if is_open(window, reader.now) => {
                    reader.text("consequence_cancel_open").to_owned()
                }
                None => reader.text("consequence_cancel").to_owned(),
            }
        });
        let title = found.map(|(_, window)| title_of(window, reader));
        let instant = |instant: Option<Timestamp>| instant.map(|at| reader.instant(at).text);
        Self {
            id: id.to_owned(),
            question: reader.filled("confirm_cancel", "title", title.as_deref().unwrap_or(id)),
            mode: found.map(|(mode, _)| mode.label.clone()),
            start: found.and_then(|(_, window)| instant(window.start)),
            end: found.and_then(|(_, window)| instant(window.end)),
            consequence,
            repeats: match found {
                Some((_, window)) => window.repeats.is_some(),
                // As the form had it.
                None => form.has("only"),
            },
            cancels_all: form.get("only") == Some("all"),
            fault,
        }
    }
}

pub(super) fn window<'a>(
    status: &'a Status,
    id: &str,
) -> Option<(&'a ModeStatus, &'a PlannedWindow)> {
    status.modes.iter().find_map(|mode| {
        let window = mode.windows.iter().find(|window| window.id == id)?;
        Some((mode, window))
    })
}
