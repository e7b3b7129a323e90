//! The dashboard and its forms, for people.

mod cancel;
mod change;
mod fault;
mod grant;
mod page;
mod plan;
mod preview;
mod switch;
mod zones;

use std::collections::HashMap;

use actix_web::{HttpRequest, http::StatusCode, web};
use jiff::Timestamp;

use self::page::{Page, dashboard_of};
pub(super) use self::{
    cancel::cancel,
    change::change,
    fault::comes_again,
    grant::{grant, revoke},
    plan::plan,
    preview::preview,
    switch::{SwitchAgain, ask_to_switch, switch, switch_again},
};
use super::{
    answering::Answer,
    audit::latest,
    form::Form,
    grants::listed,
    view::{Dashboard, HistoryAsked, More, audit::SHOWN},
};
use crate::{
    core::{
        mode_view::ModeView,
        overlap::{Closed, closed_besides},
        state::Switch,
        status::windows::PlannedWindow,
    },
    web::maintenance::Maintenance,
};

pub(super) async fn dashboard(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let page = Page::open(&request, &maintenance).await?;
    let history = maintenance.history();
    let stored = history.len();
    let history = page.sight.history(history);
    let query = Form::of_query(&request);
    let snapshot = maintenance.engine.shared.published.snapshot();
    let whole = snapshot.modes_of_everything();
    let whole: Vec<String> = whole
        .filter(|key| page.sight.has(key))
        .map(str::to_owned)
        .collect();
    let deadlines = snapshot.modes.iter().filter_map(|mode| {
        let Switch::Pending(drain) = &mode.state.switch else {
            return None;
        };
        Some((mode.key.as_ref().to_owned(), drain.deadline?))
    });
    let besides = page.status.modes.iter().filter_map(|mode| {
        let view = snapshot.mode(&mode.key)?;
        Some(closed_besides_each(view, &mode.windows, page.reader.now))
    });
    let audit = latest(&maintenance, SHOWN, page.sight.sees_of_audit()).await;
    let audit = audit.and_then(Result::ok);
    let audit = audit.map(|entries| page.sight.audit(entries, SHOWN));
    let dashboard = dashboard_of(&request, &maintenance);
    let more = More {
        history: &history,
        asked: HistoryAsked {
            mode: query.get("history"),
            page: query
                .get("page")
                .and_then(|page| page.parse().ok())
                .unwrap_or(1),
            stored,
            base: dashboard.trim_end_matches('/'),
        },
        audit: audit.as_ref(),
        whole: &whole,
        deadlines: deadlines.collect::<HashMap<_, _>>(),
        switchable: &page.switchable,
        grants: &listed(&maintenance, &page.switchable),
        besides: besides.flatten().collect(),
    };
    let shown = Dashboard::new(&page.status, &more, &page.reader);
    Ok(page.answer("dashboard", StatusCode::OK, &shown))
}

/// How often a page works out when a window that repeats opens, at most, to compare it with others.
const MOST_COMPARED: usize = 2000;

/// By what a mode is closed beside each of its windows. Where very many repeat, only those that come
/// next are looked at: the page that cancels one tells of it in any case.
fn closed_besides_each(
    mode: &ModeView,
    windows: &[PlannedWindow],
    now: Timestamp,
) -> Vec<(String, Closed)> {
    let repeat = windows.iter().filter(|window| window.repeats.is_some());
    let most = MOST_COMPARED / repeat.count().max(1);
    let next = windows.iter().take(most);
    next.filter_map(|window| {
        let closed = closed_besides(mode, &window.id, now)?;
        Some((window.id.clone(), closed))
    })
    .collect()
}
