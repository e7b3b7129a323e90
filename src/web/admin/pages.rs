//! The dashboard and its forms, for people.

mod cancel;
mod page;
mod plan;
mod switch;

use std::{collections::HashMap, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION},
    },
    web,
};

use self::page::Page;
use super::{
    answering::Answer,
    view::{Dashboard, More},
};
use crate::{
    core::{state::Switch, status::whole::Status},
    web::maintenance::Maintenance,
};

pub(crate) use self::{
    cancel::cancel,
    plan::plan,
    switch::{ask_to_switch, switch},
};

/// How long a page waits for the store to tell of nodes and tasks.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

pub(super) async fn dashboard(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let page = Page::open(&request, &maintenance).await?;
    let history = page.sight.history(maintenance.history());
    let snapshot = maintenance.engine.shared.published.snapshot();
    let deadlines = snapshot.modes.iter().filter_map(|mode| {
        let Switch::Pending(drain) = &mode.state.switch else {
            return None;
        };
        Some((mode.key.as_ref().to_owned(), drain.deadline?))
    });
    let more = More {
        history: &history,
        deadlines: deadlines.collect::<HashMap<_, _>>(),
        switchable: &page.switchable,
    };
    let shown = Dashboard::new(&page.status, &more, &page.reader);
    Ok(page.answer("dashboard", StatusCode::OK, &shown))
}

/// Where the dashboard is for whoever sends this request.
pub(super) fn dashboard_of(request: &HttpRequest, maintenance: &Maintenance) -> String {
    let front = &maintenance.front;
    front.public(request, &format!("{}/", front.admin_path))
}

fn see_other(request: &HttpRequest, maintenance: &Maintenance) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, dashboard_of(request, maintenance)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// What is, with the nodes and tasks of now. A store that is slow does not keep the page: whoever
/// looks may be looking because of it.
async fn status(maintenance: &Maintenance) -> Status {
    let known = maintenance.status_without_request();
    if known.store.error.is_some() {
        return known;
    }
    match tokio::time::timeout(LONGEST_WAIT, maintenance.ask_status_without_request()).await {
        Ok(Ok(status)) => status,
        Ok(Err(_)) | Err(_) => known,
    }
}
