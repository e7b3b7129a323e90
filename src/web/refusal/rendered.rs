//! Refusals as they are sent: their headers, and a body that is kept.

use actix_web::{
    HttpResponse,
    body::MessageBody as _,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ETAG, HeaderName, HeaderValue, LAST_MODIFIED, RETRY_AFTER, VARY},
    },
    web::Bytes,
};

use super::described::Refusal;

pub(crate) const X_MAINTENANCE_MODE: HeaderName = HeaderName::from_static("x-maintenance-mode");

// Constants, because the bytes of a text that is known to the compiler are never counted.
pub(super) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// By which headers of a request its refusal differs: always by `Accept`.
pub(super) fn varies(by_language: bool, by_origin: bool) -> HeaderValue {
    HeaderValue::from_static(match (by_language, by_origin) {
        (false, false) => "Accept",
        (true, false) => "Accept, Accept-Language",
        (false, true) => "Accept, Origin",
        (true, true) => "Accept, Accept-Language, Origin",
    })
}

pub(super) const MEANT: HeaderValue = HeaderValue::from_static("1");

/// A refusal that is ready to be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(super) status: StatusCode,
    /// Which headers of the request it depends on.
    pub(super) vary: HeaderValue,
    /// Those that not every refusal has.
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    /// What the header `Retry-After` is made of when it is another one each time.
    pub(super) jittered: Option<(u64, f64)>,
    pub(super) body: Bytes,
}

impl Rendered {
    /// Headers are put into the map one by one: a map that is cloned costs an allocation.
    pub(crate) fn response(&self) -> HttpResponse {
        let mut response = HttpResponse::with_body(self.status, self.body.clone().boxed());
        let headers = response.headers_mut();
        headers.append(CACHE_CONTROL, NO_STORE);
        headers.append(VARY, self.vary.clone());
        headers.append(X_MAINTENANCE_MODE, MEANT);
        for (name, value) in &self.headers {
            headers.append(name.clone(), value.clone());
        }
        if let Some((seconds, jitter)) = self.jittered {
            headers.append(RETRY_AFTER, HeaderValue::from(with_jitter(seconds, jitter)));
        }
        response
    }
}

/// Holds a response of the app's own to what every refusal keeps: it is an error or a redirect,
/// nobody stores or revalidates it, and it says that it was meant.
pub(super) fn truthful(
    mut response: HttpResponse,
    instead: StatusCode,
    refusal: &Refusal,
) -> HttpResponse {
    let status = response.status();
    // "Not modified" would have the browser show the page that it has kept.
    if !(300..600).contains(&status.as_u16()) || status == StatusCode::NOT_MODIFIED {
        tracing::error!(
            status = status.as_u16(),
            "the app's own maintenance response is no refusal; its status is replaced"
        );
        *response.status_mut() = instead;
    }
    let is_redirect = response.status().is_redirection();
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, NO_STORE);
    headers.insert(X_MAINTENANCE_MODE, MEANT);
    // With a validator, a client could hold on to the refusal after the site is back.
    headers.remove(ETAG);
    headers.remove(LAST_MODIFIED);
    let says_when = is_redirect || headers.contains_key(RETRY_AFTER);
    if let (Some(seconds), false) = (refusal.retry_after, says_when) {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

pub(super) fn with_jitter(seconds: u64, jitter: f64) -> u64 {
    // At most a year of seconds, and at most twice that: exact in a float.
    seconds + (seconds as f64 * jitter * fastrand::f64()).round() as u64
}
