//! The page that asks before it cancels a window.

use actix_web::{
    HttpRequest,
    http::{Method, StatusCode},
    web,
};
use serde::Serialize;

use super::{page::Page, see_other};
use crate::{
    core::status::{modes::ModeStatus, whole::Status, windows::PlannedWindow},
    engine::change_error::ChangeError,
    web::{
        admin::{
            answering::Answer,
            authorize::{authorize, authorize_change},
            form::Form,
            not_changed, not_found,
            view::{is_open, title_of},
        },
        maintenance::Maintenance,
        permission::Permission,
    },
};

/// Asks whether a window is to be cancelled, and cancels it.
pub(crate) async fn cancel(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let form = Form::read(&request, &body).unwrap_or_default();
    let id = form.get("id").unwrap_or_default();
    let Some(mode) = maintenance.engine.mode_of_window(id) else {
        // Only those who may cancel windows learn which there are.
        authorize(&request, &maintenance, Permission::Toggle, None).await?;
        let error = ChangeError::UnknownWindow(id.to_owned());
        return Err(not_changed(&maintenance, &request, &error));
    };
    if request.method() == Method::POST {
        let what = "cancel a window";
        let caller = authorize_change(&request, &maintenance, Some(&mode), what).await?;
        let mut cancel = maintenance.cancel_window(id).by(caller.by());
        if form.get("only") == Some("next") {
            cancel = cancel.only_next();
        }
        let change = cancel.await;
        change.map_err(|error| not_changed(&maintenance, &request, &error))?;
        return Ok(see_other(&request, &maintenance));
    }
    let page = Page::open(&request, &maintenance).await?;
    let found = window(&page.status, id).filter(|(mode, _)| page.switchable.contains(&mode.key));
    let Some((mode, window)) = found else {
        return Ok(not_found(request, maintenance).await);
    };
    let reader = &page.reader;
    let consequence = if is_open(window, reader.now) {
        "consequence_cancel_open"
    } else {
        "consequence_cancel"
    };
    let title = title_of(window, reader);
    let asked = CancelAsked {
        id: window.id.clone(),
        question: reader.filled("confirm_cancel", "title", &title),
        mode: mode.label.clone(),
        start: window.start.map(|start| reader.instant(start).text),
        end: window.end.map(|end| reader.instant(end).text),
        consequence: reader.text(consequence).to_owned(),
        repeats: window.repeats.is_some(),
    };
    Ok(page.answer("cancel", StatusCode::OK, &asked))
}

#[derive(Debug, Serialize)]
pub(super) struct CancelAsked {
    pub(super) id: String,
    pub(super) question: String,
    pub(super) mode: String,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
    pub(super) consequence: String,
    pub(super) repeats: bool,
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
