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

use crate::{
    core::{schedule::parse_duration, text::sentence},
    web::{
        admin::{answering::Answer, authorize::may_see, form::Form, not_found},
        maintenance::Maintenance,
        refusal::{
            negotiate::{ResponseFormat, negotiate},
            preview::Previewed,
            rendered::X_MAINTENANCE_MODE,
        },
    },
};

/// A page of the app's own may load what it likes, but runs no script and sends nothing; only pages
/// of the scope frame it.
const POLICY: &str = "default-src * data: blob: 'unsafe-inline'; script-src 'none'; \
    form-action 'none'; base-uri 'none'; frame-ancestors 'self'; sandbox";

/// Shows what whoever is refused would get, with a message that may not be stored yet. Texts are
/// taken from a form only: anybody can make a link.
pub(crate) async fn preview(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let (_, sight) = may_see(&request, &maintenance).await?;
    let faulty = |detail: &str| {
        let responses = &maintenance.front.responses;
        let headers = request.headers();
        responses.notice(headers, StatusCode::BAD_REQUEST, "Not understood", detail)
    };
    let form = Form::read(&request, &body).map_err(|error| faulty(&error.to_string()))?;
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
        None | Some("auto") => negotiate(request.headers()),
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
