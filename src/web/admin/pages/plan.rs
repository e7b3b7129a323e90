//! The page on which a window is planned.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{Method, StatusCode},
    web,
};
use jiff::{
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use serde::Serialize;

use super::fault::Fault;
use super::page::{Choice, Page, see_other};
use super::{fault::comes_again, zones};
use crate::web::admin::{
    answering::Answer, authorize::authorize_change, form::Form, not_changed, not_found,
};
use crate::{engine::change_error::ChangeError, web::maintenance::Maintenance};

/// The form of a window: `GET` shows it, `POST` plans the window or shows what is wrong with it.
pub(in crate::web::admin) async fn plan(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let form = Form::read(&request, &body).map_err(|unreadable| {
        maintenance.front.responses.notice(
            request.headers(),
            unreadable.status(),
            "Not understood",
            &format!("{unreadable} Nothing was changed."),
        )
    })?;
    let mut fault = None;
    let comes_again = comes_again(&request, &form, &maintenance);
    if request.method() == Method::POST {
        let key = form.get("mode").map(str::to_owned);
        let key = key.unwrap_or_else(|| maintenance.engine.default_mode());
        let what = "plan a window";
        let caller = match authorize_change(&request, &maintenance, Some(&key), what).await {
            Ok(caller) => caller,
            Err(refused) if !comes_again => return Err(refused),
            Err(_) => {
                let page = Page::for_anybody(&request, &maintenance).await;
                let fault = Fault::not_allowed(&page);
                return Err(again(&page, &form, fault));
            }
        };
        match planned(&caller.asks(&maintenance), &form, &key, caller.by()).await {
            Ok(()) => return Ok(see_other(&request, &maintenance)),
            Err(PlanError::Form(message)) => fault = Some(message),
            Err(PlanError::Change(
                ChangeError::Plan(message)
                | ChangeError::Text(message)
                | ChangeError::Full(message),
            )) => {
                fault = Some(PlanFault::Text(message));
            }
            Err(PlanError::Change(error)) if comes_again => {
                let page = Page::of(&request, &maintenance, caller).await;
                let fault = Fault::of_change(&page, &key, &error);
                return Err(again(&page, &form, fault));
            }
            Err(PlanError::Change(error)) => {
                return Err(not_changed(&maintenance, &request, &error));
            }
        }
    }
    let page = Page::open(&request, &maintenance).await?;
    if page.switchable.is_empty() {
        return Ok(not_found(request, maintenance).await);
    }
    let fault = fault.map(|fault| {
        Fault::of_text(match fault {
            PlanFault::Key(key) => page.reader.text(key).to_owned(),
            PlanFault::Text(message) => {
                format!("{}: {message}", page.reader.text("not_planned"))
            }
        })
    });
    Ok(match fault {
        Some(fault) => again(&page, &form, fault),
        None => page.answer("plan", StatusCode::OK, &PlanAsked::new(&page, &form, None)),
    })
}

/// The form again, with what was written.
pub(super) fn again(page: &Page<'_>, form: &Form, fault: Fault) -> HttpResponse {
    let status = fault.status;
    page.answer("plan", status, &PlanAsked::new(page, form, Some(fault)))
}

pub(super) enum PlanError {
    Form(PlanFault),
    Change(ChangeError),
}

/// What is wrong with a form.
pub(super) enum PlanFault {
    /// A text of the catalogue.
    Key(&'static str),
    Text(String),
}

pub(super) async fn planned(
    maintenance: &Maintenance,
    form: &Form,
    mode: &str,
    by: String,
) -> Result<(), PlanError> {
    let (start, end) = (form.get("start"), form.get("end"));
    let mut plan = maintenance.plan_window().mode(mode).by(by);
    if let Some(zone) = form.get("zone") {
        plan = plan.zone(zone);
    }
    if let Some(start) = start {
        plan = plan.start_local(start);
    }
    match form.get("repeat") {
        None => {
            if let Some(end) = end {
                plan = plan.end_local(end);
            }
        }
        Some(rhythm) => {
            let (cron, lasts) = repeated(rhythm, start, end)
                .ok_or(PlanError::Form(PlanFault::Key("repeat_needs_end")))?;
            plan = plan.repeats(cron).lasting(lasts);
        }
    }
    if let Some(title) = form.get("title") {
        plan = plan.title(title);
    }
    if let Some(message) = form.get("message") {
        plan = plan.message(message);
    }
    if let Some(reason) = form.get("reason") {
        plan = plan.reason(reason);
    }
    plan.await.map(|_| ()).map_err(PlanError::Change)
}

/// When and for how long a window opens that repeats like its first time.
pub(super) fn repeated(
    rhythm: &str,
    start: Option<&str>,
    end: Option<&str>,
) -> Option<(String, Duration)> {
    let start: DateTime = start?.parse().ok()?;
    let end: DateTime = end?.parse().ok()?;
    let lasts = start.duration_until(end);
    let lasts = Duration::try_from(lasts).ok()?;
    if lasts.is_zero() {
        return None;
    }
    let (minute, hour) = (start.minute(), start.hour());
    let cron = match rhythm {
        "daily" => format!("{minute} {hour} * * *"),
        "weekly" => {
            let weekday = start.weekday().to_sunday_zero_offset();
            format!("{minute} {hour} * * {weekday}")
        }
        "monthly" => format!("{minute} {hour} {} * *", start.day()),
        _ => return None,
    };
    Some((cron, lasts))
}

#[derive(Debug, Serialize)]
pub(super) struct PlanAsked {
    pub(super) fault: Option<Fault>,
    pub(super) zones: Vec<Choice>,
    pub(super) zone_note: String,
    pub(super) modes: Vec<Choice>,
    pub(super) rhythms: Vec<Choice>,
    pub(super) title: String,
    pub(super) start: String,
    pub(super) end: String,
    pub(super) message: String,
    pub(super) reason: String,
    pub(super) least: String,
}

impl PlanAsked {
    pub(super) fn new(page: &Page<'_>, form: &Form, fault: Option<Fault>) -> Self {
        let reader = &page.reader;
        let chosen = form.get("mode");
        let zone = form.get("zone");
        let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let modes = page.status.modes.iter();
        let rhythm = form.get("repeat").unwrap_or_default();
        let mut modes: Vec<Choice> = modes
            .filter(|mode| page.switchable.contains(&mode.key))
            .map(|mode| Choice {
                value: mode.key.clone(),
                text: mode.label.clone(),
                is_chosen: chosen == Some(mode.key.as_str()),
            })
            .collect();
        // To somebody who sees no mode any more, the one that they wrote themselves.
        if let (true, Some(chosen)) = (modes.is_empty(), chosen) {
            modes.push(Choice {
                value: chosen.to_owned(),
                text: chosen.to_owned(),
                is_chosen: true,
            });
        }
        Self {
            fault,
            zones: zones::offered(page, zone),
            zone_note: zones::note(page, &zones::of_form(page, zone)),
            modes,
            rhythms: [
                ("", "repeat_never"),
                ("daily", "repeat_daily"),
                ("weekly", "repeat_weekly"),
                ("monthly", "repeat_monthly"),
            ]
            .into_iter()
            .map(|(value, key)| Choice {
                value: value.to_owned(),
                text: reader.text(key).to_owned(),
                is_chosen: value == rhythm,
            })
            .collect(),
            title: field("title"),
            start: field("start"),
            end: field("end"),
            message: field("message"),
            reason: field("reason"),
            // In whichever zone the time is, this is past.
            least: reader
                .now
                .to_zoned(TimeZone::fixed(Offset::constant(-12)))
                .strftime("%Y-%m-%dT%H:%M")
                .to_string(),
        }
    }
}
