//! `/preview`: what visitors would get.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderValue, LOCATION, RETRY_AFTER,
            X_FRAME_OPTIONS,
        },
    },
    web,
};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::page::{Choice, Page};
use crate::{
    core::{schedule::parse_duration, text::sentence},
    web::{
        admin::{answering::Answer, authorize::may_see, form::Form, not_found},
        maintenance::Maintenance,
        refusal::{negotiate::ResponseFormat, preview::Previewed, rendered::X_MAINTENANCE_MODE},
    },
};

/// A page of the app's own may load what it likes, but runs no script and sends nothing; only pages
/// of the scope frame it.
const POLICY: &str = "default-src * data: blob: 'unsafe-inline'; script-src 'none'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox";

/// What can be chosen to be seen ahead.
#[derive(Debug, Serialize)]
pub(super) struct PreviewChoices {
    /// Empty where all visitors are answered in the same one.
    languages: Vec<Choice>,
    formats: Vec<Choice>,
}

impl PreviewChoices {
    pub(super) fn new(page: &Page<'_>) -> Self {
        let languages = &page.maintenance.front.responses.languages;
        let all = languages.all().filter(|_| languages.are_negotiated());
        let formats = [
            (ResponseFormat::Html, "HTML"),
            (ResponseFormat::Json, "JSON"),
            (ResponseFormat::Problem, "Problem details"),
            (ResponseFormat::Text, "Text"),
        ];
        Self {
            languages: all
                .map(|catalogue| Choice {
                    value: catalogue.tag.clone(),
                    text: catalogue.name().to_owned(),
                    is_chosen: catalogue.tag == page.reader.catalogue.tag,
                })
                .collect(),
            formats: formats
                .into_iter()
                .map(|(format, name)| Choice {
                    value: format.as_str().to_owned(),
                    text: name.to_owned(),
                    is_chosen: format == ResponseFormat::Html,
                })
                .collect(),
        }
    }
}

/// Shows what whoever is refused would get, with a message that may not be stored yet. Texts are
/// taken from a form only: anybody can make a link.
pub(crate) async fn preview(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let (_, sight) = may_see(&request, &maintenance).await?;
    let notice = |status: StatusCode, detail: &str| {
        let responses = &maintenance.front.responses;
        responses.notice(request.headers(), status, "Not understood", detail)
    };
    let faulty = |detail: &str| notice(StatusCode::BAD_REQUEST, detail);
    let form = Form::read(&request, &body)
        .map_err(|unreadable| notice(unreadable.status(), &unreadable.to_string()))?;
    let texts = Form::of_body(&body);
    let key = form.get("mode").map(str::to_owned);
    let key = key.unwrap_or_else(|| maintenance.engine.default_mode());
    let snapshot = maintenance.engine.shared.published.snapshot();
    let mode = snapshot.modes.iter().position(|mode| *mode.key == *key);
    let Some(mode) = mode.filter(|_| sight.has(&key)) else {
        return Ok(not_found(request.clone(), maintenance.clone()).await);
    };
    let responses = &maintenance.front.responses;
    let format = match form.get("format") {
        // By the settings, or by what is asked for, as visitors are answered.
        None | Some("auto") => responses.format(&request),
        Some("html") => ResponseFormat::Html,
        Some("json") => ResponseFormat::Json,
        Some("problem") => ResponseFormat::Problem,
        Some("text") => ResponseFormat::Text,
        Some(_) => return Err(faulty("`format`: give html, json, problem or text.")),
    };
    let language = match form.get("language") {
        None => responses.languages.of_request(&request),
        Some(tag) => responses.languages.lookup(tag).ok_or_else(|| {
            let known: Vec<&str> = responses.languages.tags().collect();
            faulty(&format!("`language`: there are {}.", known.join(", ")))
        })?,
    };
    let now = maintenance.engine.shared.clock.now();
    let lasting = texts.get("for").map(parse_duration).transpose();
    let lasting = lasting.map_err(|error| faulty(&format!("`for`: {}", sentence(&error))))?;
    let previewed = Previewed {
        mode,
        format,
        language,
        message: texts.get("message"),
        until: lasting.and_then(|lasting| after(now, lasting)),
        prefix: &maintenance.front.public_prefix(&request),
    };
    let response = responses.preview(&request, &snapshot, &previewed, now);
    Ok(harmless(&request, &maintenance, response))
}

fn after(now: Timestamp, lasting: Duration) -> Option<Timestamp> {
    now.checked_add(SignedDuration::try_from(lasting).ok()?)
        .ok()
}

/// The same answer as no refusal: nobody is to take the site for closed by it.
fn harmless(
    request: &HttpRequest,
    maintenance: &Maintenance,
    mut response: HttpResponse,
) -> HttpResponse {
    if let Some(target) = response.headers().get(LOCATION) {
        let target = String::from_utf8_lossy(target.as_bytes()).into_owned();
        response = maintenance.front.responses.notice(
            request.headers(),
            StatusCode::OK,
            "Preview",
            &format!("Visitors are sent to {target}"),
        );
    }
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.remove(RETRY_AFTER);
    headers.remove(X_MAINTENANCE_MODE);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    response
}
