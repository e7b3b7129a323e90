//! `/on` and `/off`.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, LOCATION},
    },
    web,
};

use super::{
    authorize::authorize_change,
    form::{Form, LONGEST_TEXT},
    not_changed, prefers_json,
};
use crate::{
    core::schedule::parse_duration,
    engine::changes::{Change, ChangeError},
    web::{
        maintenance::Maintenance, refusal::response::sentence,
        visitor::session_notes::not_waited_for,
    },
};

pub(super) async fn turn_on(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    answer(&request, &body, &maintenance, true).await
}

pub(super) async fn turn_off(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    answer(&request, &body, &maintenance, false).await
}

async fn answer(
    request: &HttpRequest,
    body: &[u8],
    maintenance: &Maintenance,
    on: bool,
) -> HttpResponse {
    let wishes = Form::read(request, body);
    let mode = wishes.as_ref().ok().and_then(|form| form.get("mode"));
    let mode = mode
        .map(str::to_owned)
        .unwrap_or_else(|| maintenance.first_mode());
    let what = if on {
        "switch maintenance on"
    } else {
        "switch maintenance off"
    };
    let authorized = match authorize_change(request, maintenance, Some(&mode), what).await {
        Ok(authorized) => authorized,
        Err(response) => return response,
    };
    let wishes = match wishes {
        Ok(wishes) => wishes,
        Err(unreadable) => {
            return maintenance.shared.responses.notice(
                request.headers(),
                unreadable.status(),
                "Not understood",
                &format!("{unreadable} Nothing was changed."),
            );
        }
    };
    if wishes.is_too_long() {
        return maintenance.shared.responses.notice(
            request.headers(),
            StatusCode::BAD_REQUEST,
            "Too long",
            &format!("Message and reason may have {LONGEST_TEXT} bytes each. Nothing was changed."),
        );
    }
    let lasting = match wishes.get("for").map(parse_duration).transpose() {
        Ok(lasting) => lasting,
        Err(error) => {
            return maintenance.shared.responses.notice(
                request.headers(),
                StatusCode::BAD_REQUEST,
                "Not understood",
                &format!("`for`: {} Nothing was changed.", sentence(&error)),
            );
        }
    };
    let changed = change(maintenance, &wishes, lasting, authorized.by(), on).await;
    if on && changed.is_ok() && !authorized.by_token() {
        not_waited_for(request, &maintenance.shared);
    }
    match changed {
        Ok(change) if prefers_json(request) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(change.status),
        Ok(_) => HttpResponse::SeeOther()
            .insert_header((LOCATION, return_target(wishes.get("next"))))
            .insert_header((CACHE_CONTROL, "no-store"))
            .finish(),
        Err(error) => not_changed(maintenance, request, &error),
    }
}

async fn change(
    maintenance: &Maintenance,
    wishes: &Form,
    lasting: Option<Duration>,
    by: String,
    on: bool,
) -> Result<Change, ChangeError> {
    if !on {
        let mut turn_off = maintenance.turn_off().by(by);
        if let Some(mode) = wishes.get("mode") {
            turn_off = turn_off.mode(mode);
        }
        return turn_off.await;
    }
    let mut turn_on = maintenance.turn_on().by(by);
    if let Some(mode) = wishes.get("mode") {
        turn_on = turn_on.mode(mode);
    }
    if let Some(message) = wishes.get("message") {
        turn_on = turn_on.message(message);
    }
    if let Some(reason) = wishes.get("reason") {
        turn_on = turn_on.reason(reason);
    }
    if let Some(lasting) = lasting {
        turn_on = turn_on.lasting(lasting);
    }
    if wishes.get("drain").is_some_and(|drain| drain != "false") {
        turn_on = turn_on.drain();
    }
    turn_on.await
}

/// Where the browser goes next: a path of this origin, or `/`.
///
/// Browsers take `//host` and `/\host` for other sites, so neither is a path.
fn return_target(next: Option<&str>) -> String {
    let Some(next) = next else {
        return "/".to_owned();
    };
    let is_own_path = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.contains(char::is_control);
    if !is_own_path {
        return "/".to_owned();
    }
    let mut target = String::with_capacity(next.len());
    for byte in next.bytes() {
        if byte.is_ascii_graphic() {
            target.push(char::from(byte));
        } else {
            // A header holds ASCII only.
            target.push_str(&format!("%{byte:02X}"));
        }
    }
    target
}

#[cfg(test)]
mod tests {
    use super::return_target;

    #[test]
    fn only_paths_of_this_origin_are_returned_to() {
        for (next, target) in [
            (None, "/"),
            (Some("/shop?x=1#top"), "/shop?x=1#top"),
            (Some("/a b/ä"), "/a%20b/%C3%A4"),
            (Some(""), "/"),
            (Some("shop"), "/"),
            (Some("//evil.example"), "/"),
            (Some("/\\evil.example"), "/"),
            (Some("\\\\evil.example"), "/"),
            (Some("https://evil.example"), "/"),
            (Some("javascript:alert(1)"), "/"),
            (Some("/\r\nSet-Cookie: a=b"), "/"),
            (Some("/\t/evil.example"), "/"),
        ] {
            assert_eq!(return_target(next), target, "next: {next:?}");
        }
    }
}
