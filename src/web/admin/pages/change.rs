//! The form by which a mode that is closed is said to take longer, and what visitors are told.

use actix_web::{HttpRequest, HttpResponse, http::Method, http::StatusCode, web};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::{
    fault::{Fault, comes_again},
    page::{Choice, Page, see_other},
    zones,
};
use crate::{
    core::{
        schedule::{find_zone, parse_duration, read_time},
        state::amend::{Amendment, NewEnd, Seen},
        status::modes::ModeStatus,
        text::sentence,
    },
    engine::amend::Amend,
    web::{
        admin::{
            answering::Answer, authorize::authorize_change, form::Form, not_changed, not_found,
        },
        maintenance::Maintenance,
    },
};

/// By how many minutes an end is put off.
const LATER: [i64; 4] = [15, 60, 120, 240];

/// `GET` shows the form, `POST` does what it says or shows what is wrong with it.
pub(crate) async fn change(
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
    let key = form.get("mode").map(str::to_owned);
    let key = key.unwrap_or_else(|| maintenance.engine.default_mode());
    if request.method() != Method::POST {
        let page = Page::open(&request, &maintenance).await?;
        let may = page.sight.has(&key) && page.switchable.contains(&key);
        let Some(mode) = page.status.mode(&key).filter(|_| may) else {
            return Ok(not_found(request.clone(), maintenance.clone()).await);
        };
        if !mode.phase.is_maintenance() {
            // It has opened since the link to this was shown.
            return Ok(see_other(&request, &maintenance));
        }
        let asked = ChangeAsked::new(&page, mode, None, None);
        return Ok(page.answer("change", StatusCode::OK, &asked));
    }
    let comes_again = comes_again(&request, &form, &maintenance);
    let what = "change what is said of maintenance";
    let caller = match authorize_change(&request, &maintenance, Some(&key), what).await {
        Ok(caller) => caller,
        Err(refused) if !comes_again => return Err(refused),
        Err(_) => {
            let page = Page::for_anybody(&request, &maintenance).await;
            let fault = Fault::not_allowed(&page);
            return Err(again(&page, &key, &form, fault));
        }
    };
    let wanted = wanted(&maintenance, &form, caller.by());
    let asked = caller.asks(&maintenance);
    let page = Page::of(&request, &maintenance, caller).await;
    let wanted = match wanted {
        Ok(wanted) => wanted,
        Err(text) => {
            let text = format!("{}: {text}", page.reader.text("not_done"));
            return Err(again(&page, &key, &form, Fault::of_text(text)));
        }
    };
    let seen = form.get("seen").map(Seen::from_form);
    let amend = Amend::new(asked.engine, &key, wanted).if_seen(seen);
    match amend.await {
        Ok(_) => Ok(see_other(&request, &maintenance)),
        Err(error) if comes_again => {
            // What the mode is by now may be the reason.
            let page = Page::of(&request, &maintenance, page.caller).await;
            let fault = Fault::of_change(&page, &key, &error);
            Err(again(&page, &key, &form, fault))
        }
        Err(error) => Err(not_changed(&maintenance, &request, &error)),
    }
}

/// What a form says, or what is wrong with it.
fn wanted(maintenance: &Maintenance, form: &Form, by: String) -> Result<Amendment, String> {
    let duration = |text: &str| {
        let duration = parse_duration(text).map_err(|error| sentence(&error))?;
        Ok::<_, String>(SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX))
    };
    let end = form.get("end").unwrap_or("as-is");
    let end = match end {
        "as-is" => NewEnd::AsIs,
        "never" => NewEnd::Never,
        "at" => {
            let zone = match form.get("zone") {
                Some(zone) => Some(find_zone(zone).map_err(|error| sentence(&error))?),
                None => maintenance.engine.shared.time_zone.clone(),
            };
            let until = form.get("until").unwrap_or_default();
            let now = maintenance.engine.shared.clock.now();
            let until = read_time(until, zone.as_ref(), now, now);
            let until = until.map_err(|error| sentence(&error))?;
            NewEnd::At(until.instant)
        }
        _ => match (end.strip_prefix("later-"), end.strip_prefix("in-")) {
            (Some(longer), _) => NewEnd::Later(duration(longer)?),
            (None, Some(from_now)) => {
                let end = maintenance
                    .engine
                    .shared
                    .clock
                    .now()
                    .checked_add(duration(from_now)?);
                NewEnd::At(end.map_err(|error| sentence(&error))?)
            }
            (None, None) => {
                return Err(format!(
                    "`end`: give as-is, never, at, later-15m or in-15m, not {end:?}"
                ));
            }
        },
    };
    Ok(Amendment {
        by: Some(by),
        reason: form.get("reason").map(str::to_owned),
        message: form.get("message").map(str::to_owned),
        end,
    })
}

/// The form again, with what was written.
fn again(page: &Page<'_>, key: &str, form: &Form, fault: Fault) -> HttpResponse {
    let status = fault.status;
    let asked = match page.status.mode(key) {
        Some(mode) => ChangeAsked::new(page, mode, Some(form), Some(fault)),
        None => ChangeAsked::of_unseen(page, key, form, fault),
    };
    page.answer("change", status, &asked)
}

#[derive(Debug, Serialize)]
struct ChangeAsked {
    fault: Option<Fault>,
    mode: String,
    question: String,
    seen: String,
    ends: Vec<Choice>,
    until: String,
    message: String,
    reason: String,
    zone: String,
    zone_note: String,
}

impl ChangeAsked {
    fn new(
        page: &Page<'_>,
        mode: &ModeStatus,
        written: Option<&Form>,
        fault: Option<Fault>,
    ) -> Self {
        let reader = &page.reader;
        let field = |name: &str| written.and_then(|form| form.get(name));
        let zone = zones::of_form(page, field("zone"));
        let local = |instant: Timestamp| {
            let zoned = instant.to_zoned(zone.clone());
            zoned.strftime("%Y-%m-%dT%H:%M").to_string()
        };
        let text_of = |instant: Timestamp| {
            let zoned = instant.to_zoned(zone.clone());
            zoned.strftime("%Y-%m-%d %H:%M").to_string()
        };
        let now = match mode.until {
            Some(until) => text_of(until),
            None => reader.text("no_end").to_owned(),
        };
        let mut ends = vec![("as-is".to_owned(), reader.filled("end_as_is", "time", &now))];
        for minutes in LATER {
            let longer = SignedDuration::from_mins(minutes);
            let (key, value, from) = match mode.until {
                Some(until) => ("end_later", "later", until),
                None => ("end_after", "in", reader.now),
            };
            let Ok(end) = from.checked_add(longer) else {
                continue;
            };
            let (duration, time) = (reader.duration(longer), text_of(end));
            let values = [("duration", duration.as_str()), ("time", time.as_str())];
            let text = reader.filled_all(key, &values);
            ends.push((format!("{value}-{minutes}m"), text));
        }
        ends.push(("at".to_owned(), reader.text("end_at").to_owned()));
        if mode.until.is_some() {
            ends.push(("never".to_owned(), reader.text("end_never").to_owned()));
        }
        let chosen = field("end").unwrap_or("as-is");
        let is_outdated = fault.as_ref().is_some_and(Fault::is_outdated);
        let text = |name: &str, stored: &Option<String>| match written {
            Some(form) => form.get(name).unwrap_or_default().to_owned(),
            None => stored.clone().unwrap_or_default(),
        };
        Self {
            mode: mode.key.clone(),
            question: reader.filled("change_title", "mode", &mode.label),
            // Of a form that is outdated it is as it is now, which stands above it.
            seen: match field("seen") {
                Some(seen) if !is_outdated => seen.to_owned(),
                _ => page.seen(&mode.key).as_str().to_owned(),
            },
            ends: ends
                .into_iter()
                .map(|(value, text)| Choice {
                    is_chosen: value == chosen,
                    value,
                    text,
                })
                .collect(),
            until: match field("until") {
                Some(until) => until.to_owned(),
                None => local(mode.until.unwrap_or(reader.now)),
            },
            message: text("message", &mode.message),
            reason: text("reason", &mode.reason),
            zone_note: zones::note(page, &zone),
            zone: zones::name(&zone),
            fault,
        }
    }

    /// For somebody who may not see the mode: what they wrote themselves, and nothing else.
    fn of_unseen(page: &Page<'_>, key: &str, form: &Form, fault: Fault) -> Self {
        let reader = &page.reader;
        let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let zone = zones::of_form(page, form.get("zone"));
        let chosen = form.get("end").unwrap_or("as-is");
        let end = |value: &str, text: String| Choice {
            value: value.to_owned(),
            text,
            is_chosen: value == chosen,
        };
        let mut ends = vec![end("as-is", reader.filled("end_as_is", "time", "–"))];
        if !["as-is", "at", "never"].contains(&chosen) {
            ends.push(end(chosen, chosen.to_owned()));
        }
        ends.push(end("at", reader.text("end_at").to_owned()));
        ends.push(end("never", reader.text("end_never").to_owned()));
        Self {
            mode: key.to_owned(),
            question: reader.filled("change_title", "mode", key),
            seen: field("seen"),
            ends,
            until: field("until"),
            message: field("message"),
            reason: field("reason"),
            zone_note: zones::note(page, &zone),
            zone: zones::name(&zone),
            fault: Some(fault),
        }
    }
}
