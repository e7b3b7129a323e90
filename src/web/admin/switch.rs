//! `/on` and `/off`.

use crate::core::state::amend::Seen;
use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, LOCATION},
    },
    web,
};

use super::{
    answer::{Changed, document},
    answering::Answer,
    authorize::{authorize, authorize_change, sight},
    direction::Direction,
    form::Form,
    not_changed, origin, pages, prefers_json,
};
use crate::{
    core::{public_path::in_public, schedule::parse_duration, text::sentence},
    engine::{change_error::ChangeError, changes::Change},
    settings::GetSwitches,
    web::{
        maintenance::Maintenance, permission::Permission, visitor::session_notes::not_waited_for,
    },
};

pub(super) async fn turn_on(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    answer(&request, &body, &maintenance, Direction::On).await
}

pub(super) async fn turn_off(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    answer(&request, &body, &maintenance, Direction::Off).await
}

async fn answer(
    request: &HttpRequest,
    body: &[u8],
    maintenance: &Maintenance,
    direction: Direction,
) -> Answer {
    if request.method() == Method::GET {
        return answer_get(request, maintenance, direction).await;
    }
    let form = Form::read(request, body);
    let mode = mode_of(form.as_ref().ok(), maintenance);
    let what = direction.in_words();
    // The form that comes again if it is not taken.
    let own = form.as_ref().ok();
    let own = own.filter(|form| pages::comes_again(request, form, maintenance));
    let caller = match (
        authorize_change(request, maintenance, Some(&mode), what).await,
        own,
    ) {
        (Ok(caller), _) => caller,
        (Err(refused), None) => return Err(refused),
        (Err(_), Some(form)) => {
            let prefix = maintenance.front.public_prefix(request);
            let next = return_target(form.get("next"), &prefix);
            let asked = pages::SwitchAgain {
                form,
                mode: &mode,
                direction,
                next,
                error: None,
            };
            return Err(pages::switch_again(request, maintenance, asked).await);
        }
    };
    let not_understood = |status, title: &str, detail: &str| {
        let responses = &maintenance.front.responses;
        let detail = format!("{detail} Nothing was changed.");
        responses.notice(request.headers(), status, title, &detail)
    };
    let form = form.map_err(|unreadable| {
        not_understood(
            unreadable.status(),
            "Not understood",
            &unreadable.to_string(),
        )
    })?;
    let lasting = form.get("for").map(parse_duration).transpose();
    let lasting = lasting.map_err(|error| {
        let detail = format!("`for`: {}", sentence(&error));
        not_understood(StatusCode::BAD_REQUEST, "Not understood", &detail)
    })?;
    let over = form.get("over").filter(|over| !over.is_empty());
    let over = over.map(parse_duration).transpose().map_err(|error| {
        let detail = format!("`over`: {}", sentence(&error));
        not_understood(StatusCode::BAD_REQUEST, "Not understood", &detail)
    })?;
    let park = form.get("park").filter(|park| !park.is_empty());
    let park = park.map(parse_duration).transpose().map_err(|error| {
        let detail = format!("`park`: {}", sentence(&error));
        not_understood(StatusCode::BAD_REQUEST, "Not understood", &detail)
    })?;
    let wishes = Wishes {
        over,
        park,
        pause: form.get("pause").is_some_and(|pause| pause != "false"),
        message: form.get("message"),
        reason: form.get("reason"),
        lasting,
        drain: form.get("drain").is_some_and(|drain| drain != "false"),
        seen: form.get("seen").map(Seen::from_form),
    };
    let change = match change(
        &caller.asks(maintenance),
        &mode,
        &wishes,
        caller.by(),
        direction,
    )
    .await
    {
        Ok(change) => change,
        Err(error) if pages::comes_again(request, &form, maintenance) => {
            let asked = pages::SwitchAgain {
                form: &form,
                mode: &mode,
                direction,
                next: return_target(form.get("next"), &maintenance.front.public_prefix(request)),
                error: Some(&error),
            };
            return Err(pages::switch_again(request, maintenance, asked).await);
        }
        Err(error) => return Err(not_changed(maintenance, request, &error)),
    };
    if !caller.by_token() && direction == Direction::On {
        not_waited_for(request, maintenance);
    }
    Ok(done(request, maintenance, change, form.get("next")).await)
}

/// What an address alone may do: switch a mode, where the user's own intent shows, and no more.
/// Anybody can make a link with a text in it.
async fn answer_get(
    request: &HttpRequest,
    maintenance: &Maintenance,
    direction: Direction,
) -> Answer {
    let query = Form::of_query(request);
    let mode = mode_of(Some(&query), maintenance);
    let caller = authorize(request, maintenance, Permission::Toggle, Some(&mode)).await?;
    let next = query.get("next");
    let is_meant =
        maintenance.front.get_switches == GetSwitches::Typed && origin::is_meant(request.headers());
    if !is_meant {
        let prefix = maintenance.front.public_prefix(request);
        let next = return_target(next, &prefix);
        return pages::ask_to_switch(request, maintenance, caller, &mode, direction, next).await;
    }
    let nothing_more = Wishes::default();
    let change = change(
        &caller.asks(maintenance),
        &mode,
        &nothing_more,
        caller.by(),
        direction,
    )
    .await;
    let change = change.map_err(|error| not_changed(maintenance, request, &error))?;
    if !caller.by_token() && direction == Direction::On {
        not_waited_for(request, maintenance);
    }
    Ok(done(request, maintenance, change, next).await)
}

fn mode_of(form: Option<&Form>, maintenance: &Maintenance) -> String {
    form.and_then(|form| form.get("mode"))
        .map(str::to_owned)
        .unwrap_or_else(|| maintenance.engine.default_mode())
}

/// The answer to whoever made a change.
async fn done(
    request: &HttpRequest,
    maintenance: &Maintenance,
    change: Change,
    next: Option<&str>,
) -> HttpResponse {
    if prefers_json(request) {
        let sight = sight(request, maintenance).await;
        return document(StatusCode::OK, &Changed::new(change, &sight));
    }
    let prefix = maintenance.front.public_prefix(request);
    HttpResponse::SeeOther()
        .insert_header((LOCATION, return_target(next, &prefix)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// How a mode is to be switched on.
#[derive(Debug, Default)]
struct Wishes<'f> {
    message: Option<&'f str>,
    reason: Option<&'f str>,
    lasting: Option<Duration>,
    drain: bool,
    /// How long requests wait for it to open.
    park: Option<Duration>,
    /// How long it takes until all are in, if it is opened share by share.
    over: Option<Duration>,
    /// Whether it is opened no further than it is.
    pause: bool,
    /// What the mode was when the form was made.
    seen: Option<Seen>,
}

async fn change(
    maintenance: &Maintenance,
    mode: &str,
    wishes: &Wishes<'_>,
    by: String,
    direction: Direction,
) -> Result<Change, ChangeError> {
    if direction == Direction::Off {
        let mut turn_off = maintenance.turn_off().mode(mode).by(by);
        if let Some(over) = wishes.over {
            turn_off = turn_off.over(over);
        }
        if wishes.pause {
            turn_off = turn_off.paused();
        }
        return turn_off.if_seen(wishes.seen.clone()).await;
    }
    let mut turn_on = maintenance.turn_on().mode(mode).by(by);
    turn_on = turn_on.if_seen(wishes.seen.clone());
    if let Some(message) = wishes.message {
        turn_on = turn_on.message(message);
    }
    if let Some(reason) = wishes.reason {
        turn_on = turn_on.reason(reason);
    }
    if let Some(lasting) = wishes.lasting {
        turn_on = turn_on.lasting(lasting);
    }
    if wishes.drain {
        turn_on = turn_on.drain();
    }
    if let Some(park) = wishes.park {
        turn_on = turn_on.park(park);
    }
    turn_on.await
}

/// Where the browser goes next: a path of this origin, or `/`; below the prefix that a proxy strips.
///
/// Browsers take `//host` and `/\host` for other sites, so neither is a path.
pub(super) fn return_target(next: Option<&str>, prefix: &str) -> String {
    in_public(prefix, &own_path(next.unwrap_or("/")))
}

fn own_path(next: &str) -> String {
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
#[path = "switch_tests.rs"]
mod tests;
