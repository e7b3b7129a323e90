//! The admin scope: those who may switch maintenance on and off in the browser, and programs ask what
//! is.

use actix_web::{
    HttpRequest, HttpResponse, Resource, Scope, guard,
    http::{
        StatusCode,
        header::{ALLOW, CACHE_CONTROL, RETRY_AFTER},
    },
    web,
};
use serde_json::json;

use self::authorize::authorize;
use crate::{
    change::ChangeError,
    identity::Visitor,
    maintenance::Maintenance,
    negotiate::ResponseFormat,
    permission::Permission,
    response::{RefusalMarker, X_MAINTENANCE_MODE},
};

mod authorize;
mod origin;
mod switch;

pub(crate) fn scope(maintenance: Maintenance) -> Scope {
    web::scope(&maintenance.shared.admin_path.clone())
        .app_data(web::Data::new(maintenance))
        .service(changeable(["/on", "/on/"], switch::turn_on))
        .service(changeable(["/off", "/off/"], switch::turn_off))
        .service(readable(["/status", "/status/"], status))
        .service(readable(["/ping", "/ping/"], ping))
        // The rules let all of the scope through. Without an end here, the app's own default service
        // would answer what is left, also during maintenance.
        .default_service(web::to(HttpResponse::NotFound))
}

/// A resource that is only read: `GET`, and `HEAD` alike.
fn readable<F, A>(paths: [&str; 2], handler: F) -> Resource
where
    F: actix_web::Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    let methods = guard::Any(guard::Get()).or(guard::Head());
    resource(paths, methods, "GET, HEAD", handler)
}

/// A resource that changes something. Not for `HEAD`, which must not, and there is nothing else
/// here.
fn changeable<F, A>(paths: [&str; 2], handler: F) -> Resource
where
    F: actix_web::Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    let methods = guard::Any(guard::Get()).or(guard::Post());
    resource(paths, methods, "GET, POST", handler)
}

fn resource<F, A>(
    paths: [&str; 2],
    methods: impl guard::Guard + 'static,
    allowed: &'static str,
    handler: F,
) -> Resource
where
    F: actix_web::Handler<A>,
    A: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    let not_allowed = web::to(move || async move {
        HttpResponse::MethodNotAllowed()
            .insert_header((ALLOW, allowed))
            .finish()
    });
    web::resource(paths)
        .route(web::route().guard(methods).to(handler))
        .default_service(not_allowed)
}

/// Who is asking.
async fn visitor(maintenance: &Maintenance, request: &HttpRequest) -> Visitor {
    maintenance.shared.session_order.inside(request);
    maintenance.shared.identity.visitor(request).await
}

async fn status(request: HttpRequest, maintenance: web::Data<Maintenance>) -> HttpResponse {
    match authorize(&request, &maintenance, Permission::See, None).await {
        Ok(authorized) => HttpResponse::Ok()
            .insert_header((CACHE_CONTROL, "no-store"))
            .json(maintenance.status().only(&authorized.modes)),
        Err(response) => response,
    }
}

/// What anybody may know: whether the site is closed. With the status of a refusal while it is, so
/// that a program need not read the body.
async fn ping(request: HttpRequest, maintenance: web::Data<Maintenance>) -> HttpResponse {
    let shared = &maintenance.shared;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let closed = snapshot.closed_mode(now);
    let standing = snapshot.modes[closed.unwrap_or(0)].standing(now);
    let retry_after = closed.and_then(|_| {
        shared
            .responses
            .retry_after(standing.phase, standing.until, now)
    });
    let mut body = json!({
        "maintenance_mode": closed.is_some(),
        "phase": standing.phase,
        "retry_after": retry_after.unwrap_or(0),
    });
    if let Some(start) = standing.start {
        body["start"] = json!(start);
    }
    let visitor = visitor(&maintenance, &request).await;
    let visible = maintenance.permitted_modes(&visitor, Permission::See).await;
    if !visible.is_empty() {
        let mut modes = snapshot.mode_statuses(now);
        modes.retain(|mode| visible.contains(&mode.key));
        body["modes"] = json!(modes);
    }
    let status = match closed {
        None => StatusCode::OK,
        Some(_) => shared.responses.status(),
    };
    let mut response = HttpResponse::build(status);
    response.insert_header((CACHE_CONTROL, "no-store"));
    if closed.is_some() {
        response.insert_header((X_MAINTENANCE_MODE, "1"));
        if let Some(seconds) = retry_after {
            response.insert_header((RETRY_AFTER, seconds));
        }
    }
    let mut response = response.json(body);
    if closed.is_some() {
        response.extensions_mut().insert(RefusalMarker);
    }
    response
}

/// Whether the client wants data and no page.
fn prefers_json(request: &HttpRequest) -> bool {
    matches!(
        crate::negotiate::negotiate(request.headers()),
        ResponseFormat::Json | ResponseFormat::Problem
    )
}

/// Tells why a change was not made.
fn not_changed(
    maintenance: &Maintenance,
    request: &HttpRequest,
    error: &ChangeError,
) -> HttpResponse {
    let (status, title) = match error {
        ChangeError::Forced(_) => (StatusCode::CONFLICT, "Forced by the settings"),
        ChangeError::UnknownMode { .. } => (StatusCode::NOT_FOUND, "No such mode"),
        ChangeError::UnknownWindow(_) => (StatusCode::NOT_FOUND, "No such window"),
        ChangeError::Plan(_) => (StatusCode::BAD_REQUEST, "Not possible"),
        ChangeError::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "Not stored"),
        ChangeError::Stopped => (StatusCode::SERVICE_UNAVAILABLE, "Shutting down"),
    };
    maintenance.shared.responses.notice(
        request.headers(),
        status,
        title,
        &crate::response::sentence(error),
    )
}
