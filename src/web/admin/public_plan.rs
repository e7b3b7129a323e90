//! `/plan.json` and `/plan.ics`: what is planned, for everybody.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LANGUAGE, CONTENT_TYPE, VARY},
    web,
};

use super::{answering::Answer, not_found};
use crate::web::{
    entity_tag::{IsKnown, unless_known},
    maintenance::Maintenance,
    public_plan::Form,
};

pub(super) async fn as_json(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    answer(&request, &maintenance, Form::Json).await
}

pub(super) async fn as_calendar(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    answer(&request, &maintenance, Form::Calendar).await
}

async fn answer(request: &HttpRequest, maintenance: &web::Data<Maintenance>, form: Form) -> Answer {
    let front = &maintenance.front;
    let Some(plan) = &front.plan_for_all else {
        return Err(not_found(request.clone(), maintenance.clone()).await);
    };
    let shared = &maintenance.engine.shared;
    let snapshot = shared.published.snapshot();
    let languages = &front.responses.languages;
    let catalogue = languages.get(languages.of_request(request));
    let document = plan.document(&snapshot, shared.clock.now(), form, catalogue);
    let (mut response, IsKnown(is_known)) = unless_known(request, &document.tag);
    // Asked for anew each time: what is planned may be called off at any time.
    response.insert_header((CACHE_CONTROL, "no-cache"));
    if form == Form::Calendar && languages.are_negotiated() {
        response.insert_header((VARY, "Accept-Language"));
    }
    if is_known {
        return Ok(response.finish());
    }
    match form {
        Form::Json => response.insert_header((CONTENT_TYPE, "application/json")),
        Form::Calendar => response
            .insert_header((CONTENT_TYPE, "text/calendar; charset=utf-8"))
            .insert_header((CONTENT_LANGUAGE, catalogue.header.clone()))
            .insert_header((CONTENT_DISPOSITION, "inline; filename=\"maintenance.ics\"")),
    };
    let response: HttpResponse = response.body(document.bytes);
    Ok(response)
}
