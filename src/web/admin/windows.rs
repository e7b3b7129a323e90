//! `POST /windows` and `DELETE /windows/{id}`: plans and cancels, for programs.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    answer::{Changed, faulty, not_changed},
    authorize::authorize_change,
    body::Members,
    modes::unread,
};
use crate::{
    engine::{shared::query_pairs, windows::PlanWindow},
    web::maintenance::Maintenance,
};

const PLAN: &str = "plan maintenance";
const CANCEL: &str = "cancel planned maintenance";

/// What a body says of a window. Its times are read when it is planned, as its zone counts for them.
#[derive(Debug)]
struct Wishes {
    start: Option<String>,
    end: Option<String>,
    lasting: Option<Duration>,
    repeats: Option<String>,
    zone: Option<String>,
    title: Option<String>,
    message: Option<String>,
    reason: Option<String>,
}

pub(super) async fn plan(
    request: HttpRequest,
    body: Result<web::Bytes, actix_web::Error>,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let mut members = Members::read(&request, body);
    let mode = match &mut members {
        Ok(members) => members.text("mode"),
        Err(_) => None,
    };
    let mode = mode.unwrap_or_else(|| maintenance.first_mode());
    let by = match authorize_change(&request, &maintenance, Some(&mode), PLAN).await {
        Ok(by) => by,
        Err(response) => return response,
    };
    if let Err(error) = maintenance.find_mode(&mode) {
        return not_changed(&request, &maintenance, &error);
    }
    let wishes = match members.map(Wishes::read) {
        Ok(Ok(wishes)) => wishes,
        Ok(Err(faults)) => return faulty(&request, &maintenance, &faults),
        Err(unreadable) => return unread(&request, &maintenance, &unreadable),
    };
    let plan = maintenance.plan_window().mode(mode).by(by.by());
    match wishes.add_to(plan).await {
        Ok(planned) => {
            let mut changed = Changed::new(planned.change);
            changed.window = Some(planned.id);
            changed.warnings = planned.warnings;
            changed.answer(&request, &maintenance, by).await
        }
        Err(error) => not_changed(&request, &maintenance, &error),
    }
}

pub(super) async fn cancel(
    request: HttpRequest,
    id: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let mode = maintenance.mode_of_window(&id);
    let by = match authorize_change(&request, &maintenance, mode.as_deref(), CANCEL).await {
        Ok(by) => by,
        Err(response) => return response,
    };
    let mut cancel = maintenance.cancel_window(id.as_str()).by(by.by());
    match only_next(request.query_string()) {
        Ok(true) => cancel = cancel.only_next(),
        Ok(false) => {}
        Err(fault) => return faulty(&request, &maintenance, &[fault]),
    }
    match cancel.await {
        Ok(change) => {
            Changed::new(change)
                .answer(&request, &maintenance, by)
                .await
        }
        Err(error) => not_changed(&request, &maintenance, &error),
    }
}

/// Whether only the next occurrence is meant. What is not understood must not cancel all of them.
fn only_next(query: &str) -> Result<bool, String> {
    let mut only_next = false;
    for (name, value) in query_pairs(query) {
        only_next = match (name.as_str(), value.as_str()) {
            ("only_next", "true") => true,
            ("only_next", "false") => false,
            ("only_next", _) => return Err("`only_next`: give true or false".to_owned()),
            _ => {
                return Err("there is a parameter that is not known; known is only_next".to_owned());
            }
        };
    }
    Ok(only_next)
}

impl Wishes {
    fn read(mut members: Members) -> Result<Self, Vec<String>> {
        let wishes = Self {
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
            Ok(wishes)
        } else {
            Err(faults)
        }
    }

    fn add_to(self, mut plan: PlanWindow) -> PlanWindow {
        fn said(
            plan: PlanWindow,
            text: Option<String>,
            add: fn(PlanWindow, String) -> PlanWindow,
        ) -> PlanWindow {
            match text {
                Some(text) => add(plan, text),
                None => plan,
            }
        }
        plan = said(plan, self.start, PlanWindow::start_local);
        plan = said(plan, self.end, PlanWindow::end_local);
        plan = said(plan, self.repeats, PlanWindow::repeats);
        plan = said(plan, self.zone, PlanWindow::zone);
        plan = said(plan, self.title, PlanWindow::title);
        plan = said(plan, self.message, PlanWindow::message);
        plan = said(plan, self.reason, PlanWindow::reason);
        match self.lasting {
            Some(duration) => plan.lasting(duration),
            None => plan,
        }
    }
}
