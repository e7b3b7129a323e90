//! `/enter/{secret}`: the link of a grant. It leaves a cookie, and leads on.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    http::{
        StatusCode,
        header::{CACHE_CONTROL, HeaderValue, LOCATION, REFERRER_POLICY},
    },
    web,
};

use super::{form::Form, switch::return_target};
use crate::{
    core::grants::cookie_of_link,
    web::{
        maintenance::Maintenance,
        request::{grant::COOKIE_NAME, subject::own_scheme},
    },
};

/// Anybody may ask. Whatever is no link that counts gets the same answer, be it unknown, over or revoked.
pub(super) async fn enter(
    request: HttpRequest,
    secret: web::Path<String>,
    maintenance: web::Data<Maintenance>,
) -> HttpResponse {
    let shared = &maintenance.engine.shared;
    let now = shared.clock.now();
    let snapshot = shared.published.stored();
    let mut response = match snapshot.grants.link(&secret, now) {
        None => not_found(&request, &maintenance),
        Some(until) => {
            let front = &maintenance.front;
            let prefix = front.public_prefix(&request);
            let path = front.public(&request, "/");
            let mut cookie = Cookie::build(COOKIE_NAME, cookie_of_link(&secret))
                .path(path)
                .http_only(true)
                .same_site(SameSite::Lax)
                .secure(own_scheme(&request, front) == "https");
            if let Some(until) = until {
                let left = until.duration_since(now).as_secs().max(1);
                cookie = cookie.max_age(Duration::seconds(left));
            }
            let query = Form::of_query(&request);
            HttpResponse::SeeOther()
                .cookie(cookie.finish())
                .insert_header((LOCATION, return_target(query.get("next"), &prefix)))
                .finish()
        }
    };
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

fn not_found(request: &HttpRequest, maintenance: &Maintenance) -> HttpResponse {
    maintenance.front.responses.notice(
        request.headers(),
        StatusCode::NOT_FOUND,
        "Not found",
        "There is nothing at this address. A link that let you in may be over: ask for another one.",
    )
}
