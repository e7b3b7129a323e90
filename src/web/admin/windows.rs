//! `POST /windows`, `PATCH` and `DELETE /windows/{id}`: plans, changes and cancels, for programs.

use actix_web::{HttpRequest, http::StatusCode, web};

use super::{
    answer::{Changed, document, faulty, not_changed, unread},
    answering::Answer,
    authorize::{authorize_change, sight},
    body::Members,
};
use crate::{
    core::overlap::closed_besides,
    engine::{change_error::ChangeError, window_change::ChangeWindow, window_said::WindowSaid},
    web::{maintenance::Maintenance, request::boolean_of_query},
};

const PLAN: &str = "plan maintenance";
const CHANGE: &str = "change planned maintenance";
const CANCEL: &str = "cancel planned maintenance";

pub(super) async fn plan(
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let mut members = Members::read(&request, body);
    let mode = match &mut members {
        Ok(members) => members.text("mode"),
        Err(_) => None,
    };
    let mode = mode.unwrap_or_else(|| maintenance.engine.default_mode());
    let caller = authorize_change(&request, &maintenance, Some(&mode), PLAN).await?;
    let refused = |error| not_changed(&request, &maintenance, &error);
    maintenance.engine.find_mode(&mode).map_err(refused)?;
    let members = members.map_err(|unreadable| unread(&request, &maintenance, &unreadable))?;
    let said = said(members).map_err(|faults| faulty(&request, &maintenance, &faults))?;
    if !said.says_when() {
        if let Some(forced) = maintenance.engine.shared.published.snapshot().forced {
            return Err(refused(ChangeError::Forced(forced)));
        }
        let fault = "say when: give `start`, `end` or `for`".to_owned();
        return Err(faulty(&request, &maintenance, &[fault]));
    }
    let plan = caller
        .asks(&maintenance)
        .plan_window()
        .mode(mode)
        .by(caller.by());
    let planned = said.plan(plan).await.map_err(refused)?;
    let sight = sight(&request, &maintenance).await;
    let changed = Changed::new(planned.change, &sight)
        .with_window(planned.id)
        .with_warnings(planned.warnings);
    Ok(document(StatusCode::OK, &changed))
}

/// Says one of the texts.
type Say = fn(ChangeWindow, String) -> ChangeWindow;

/// A member that is there counts: `null` takes away what was said, or the end.
pub(super) async fn change(
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
    id: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let mode = maintenance.engine.mode_of_window(&id);
    let caller = authorize_change(&request, &maintenance, mode.as_deref(), CHANGE).await?;
    let members = Members::read(&request, body)
        .map_err(|unreadable| unread(&request, &maintenance, &unreadable))?;
    let mut change = caller
        .asks(&maintenance)
        .change_window(id.as_str())
        .by(caller.by());
    if members.is_null("end") {
        change = change.without_end();
    }
    let texts: [(&str, Say); 3] = [
        ("title", ChangeWindow::title),
        ("message", ChangeWindow::message),
        ("reason", ChangeWindow::reason),
    ];
    for (name, say) in texts {
        if members.is_null(name) {
            change = say(change, String::new());
        }
    }
    let said = said(members).map_err(|faults| faulty(&request, &maintenance, &faults))?;
    let planned = said
        .change(change)
        .await
        .map_err(|error| not_changed(&request, &maintenance, &error))?;
    let sight = sight(&request, &maintenance).await;
    let changed = Changed::new(planned.change, &sight)
        .with_window(planned.id)
        .with_warnings(planned.warnings);
    Ok(document(StatusCode::OK, &changed))
}

pub(super) async fn cancel(
    request: HttpRequest,
    id: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let mode = maintenance.engine.mode_of_window(&id);
    let caller = authorize_change(&request, &maintenance, mode.as_deref(), CANCEL).await?;
    let mut cancel = caller
        .asks(&maintenance)
        .cancel_window(id.as_str())
        .by(caller.by());
    let only_next = boolean_of_query(request.query_string(), "only_next");
    if only_next.map_err(|fault| faulty(&request, &maintenance, &[fault]))? {
        cancel = cancel.only_next();
    }
    let sight = sight(&request, &maintenance).await;
    // Looked at before: afterwards nobody knows when the window would have been.
    let seen = mode.filter(|mode| sight.has(mode));
    let still_closed = seen.and_then(|mode| {
        let shared = &maintenance.engine.shared;
        let snapshot = shared.published.snapshot();
        closed_besides(snapshot.mode(&mode)?, &id, shared.clock.now())
    });
    let change = cancel
        .await
        .map_err(|error| not_changed(&request, &maintenance, &error))?;
    let changed = Changed::new(change, &sight).with_still_closed(still_closed);
    Ok(document(StatusCode::OK, &changed))
}

/// What a body says of a window.
fn said(mut members: Members) -> Result<WindowSaid, Vec<String>> {
    let said = WindowSaid {
        start: members.text("start"),
        end: members.text("end"),
        lasting: members.duration("for"),
        repeats: members.text("repeats"),
        zone: members.text("zone"),
        title: members.text("title"),
        message: members.text("message"),
        reason: members.text("reason"),
    };
    let faults = members.into_faults();
    if faults.is_empty() {
        Ok(said)
    } else {
        Err(faults)
    }
}
