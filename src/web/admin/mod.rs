//! The admin scope: those who may switch maintenance on and off in the browser, and programs ask what
//! is.

use actix_web::{
    HttpRequest, HttpResponse, Resource, Route, Scope,
    dev::HttpServiceFactory,
    guard,
    http::{
        StatusCode,
        header::{ALLOW, HeaderValue},
    },
    web,
};

use self::answering::Answering;
use crate::{
    core::visitor::Visitor,
    engine::change_error::ChangeError,
    web::{
        maintenance::Maintenance, observe::health, refusal::negotiate::ResponseFormat,
        request::route_table::ADMIN_ROOT,
    },
};

mod answer;
mod answering;
mod assets;
mod audit;
mod authorize;
mod body;
mod direction;
mod empty;
mod enter;
mod form;
mod grants;
mod held;
mod live;
mod modes;
mod openapi;
mod origin;
mod pages;
mod ping;
mod public_plan;
mod read;
mod switch;
mod view;
mod visible;
mod windows;

pub(crate) use self::{authorize::sight, ping::probed_mode, visible::Visibility};

pub(crate) fn scope(maintenance: Maintenance) -> Scope {
    maintenance
        .front
        .responses
        .load_script_from(&maintenance.front.admin_path);
    if maintenance.front.plan_for_all.is_some() {
        maintenance
            .front
            .responses
            .offer_plan_of(&maintenance.front.admin_path);
    }
    let path = maintenance.front.admin_path.clone();
    web::scope(&path)
        .app_data(web::Data::new(maintenance))
        .app_data(web::PayloadConfig::new(body::LONGEST_BODY))
        .service(inside())
}

/// All that is in the scope, in one of its own, so that what every answer has is added at one place.
fn inside() -> impl HttpServiceFactory {
    web::scope("")
        .wrap(answer::headers_of_all())
        .service(readable(["", "/"], Answering(pages::dashboard)).name(ADMIN_ROOT))
        .service(readable(["/switch", "/switch/"], Answering(pages::switch)))
        .service(changeable(
            ["/change", "/change/"],
            Answering(pages::change),
        ))
        .service(changeable(["/plan", "/plan/"], Answering(pages::plan)))
        .service(changeable(
            ["/cancel", "/cancel/"],
            Answering(pages::cancel),
        ))
        .service(changeable(["/grant", "/grant/"], Answering(pages::grant)))
        .service(
            web::resource(["/revoke", "/revoke/"])
                .route(web::post().to(Answering(pages::revoke)))
                .default_service(only("POST")),
        )
        .service(changeable(
            ["/preview", "/preview/"],
            Answering(pages::preview),
        ))
        .service(readable(
            ["/static/{name}", "/static/{name}/"],
            assets::asset,
        ))
        .service(changeable(["/on", "/on/"], Answering(switch::turn_on)))
        .service(changeable(["/off", "/off/"], Answering(switch::turn_off)))
        .service(
            web::resource(["/modes/{key}", "/modes/{key}/"])
                .route(web::put().to(Answering(modes::turn_on)))
                .route(web::delete().to(Answering(modes::turn_off)))
                .default_service(only("PUT, DELETE")),
        )
        .service(
            web::resource(["/modes/{key}/held", "/modes/{key}/held/"])
                .route(web::post().to(Answering(held::renew)))
                .default_service(only("POST")),
        )
        .service(
            web::resource(["/modes/{key}/empty", "/modes/{key}/empty/"])
                .route(web::get().to(Answering(empty::empty)))
                .default_service(only("GET")),
        )
        .service(
            web::resource(["/grants", "/grants/"])
                .route(web::get().to(Answering(grants::list)))
                .route(web::post().to(Answering(grants::make)))
                .default_service(only("GET, POST")),
        )
        .service(
            web::resource(["/grants/{name}", "/grants/{name}/"])
                .route(web::delete().to(Answering(grants::revoke)))
                .default_service(only("DELETE")),
        )
        .service(
            web::resource(["/enter/{secret}", "/enter/{secret}/"])
                .route(web::get().to(enter::enter))
                .default_service(only("GET")),
        )
        .service(
            web::resource(["/windows", "/windows/"])
                .route(web::post().to(Answering(windows::plan)))
                .default_service(only("POST")),
        )
        .service(
            web::resource(["/windows/{id}", "/windows/{id}/"])
                .route(web::patch().to(Answering(windows::change)))
                .route(web::delete().to(Answering(windows::cancel)))
                .default_service(only("DELETE, PATCH")),
        )
        .service(readable(["/status", "/status/"], Answering(read::status)))
        .service(readable(
            ["/history", "/history/"],
            Answering(read::history),
        ))
        .service(readable(["/audit", "/audit/"], Answering(audit::audit)))
        .service(readable(
            ["/explain", "/explain/"],
            Answering(read::explanation),
        ))
        .service(readable(["/ping", "/ping/"], Answering(ping::ping)))
        .service(readable(
            ["/plan.json", "/plan.json/"],
            Answering(public_plan::as_json),
        ))
        .service(readable(
            ["/plan.ics", "/plan.ics/"],
            Answering(public_plan::as_calendar),
        ))
        .service(readable(["/livez", "/livez/"], health::live))
        .service(readable(["/readyz", "/readyz/"], health::ready))
        .service(readable(
            ["/openapi.json", "/openapi.json/"],
            openapi::openapi,
        ))
        .service(
            web::resource(["/live", "/live/"])
                .route(web::get().to(live::live))
                .default_service(only("GET")),
        )
        // The rules let all of the scope through. Without an end here, the app's own default service
        // would answer what is left, also during maintenance.
        .default_service(web::to(not_found))
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
    web::resource(paths)
        .route(web::route().guard(methods).to(handler))
        .default_service(only(allowed))
}

/// Answers what comes with another method than those that are allowed.
fn only(allowed: &'static str) -> Route {
    web::to(
        move |request: HttpRequest, maintenance: web::Data<Maintenance>| async move {
            let mut response = maintenance.front.responses.notice(
                request.headers(),
                StatusCode::METHOD_NOT_ALLOWED,
                "Not allowed here",
                &format!("This address takes {allowed} and nothing else."),
            );
            let headers = response.headers_mut();
            headers.insert(ALLOW, HeaderValue::from_static(allowed));
            response
        },
    )
}

async fn not_found(request: HttpRequest, maintenance: web::Data<Maintenance>) -> HttpResponse {
    maintenance.front.responses.notice(
        request.headers(),
        StatusCode::NOT_FOUND,
        "Not found",
        "There is nothing at this address.",
    )
}

/// Who is asking.
async fn visitor(maintenance: &Maintenance, request: &HttpRequest) -> Visitor {
    maintenance.front.session_order.inside(request);
    maintenance.front.identity.visitor(request).await
}

/// Whether the client wants data and no page.
fn prefers_json(request: &HttpRequest) -> bool {
    matches!(
        crate::web::refusal::negotiate::negotiate(request.headers()),
        ResponseFormat::Json | ResponseFormat::Problem
    )
}

/// Tells why a change was not made.
fn not_changed(
    maintenance: &Maintenance,
    request: &HttpRequest,
    error: &ChangeError,
) -> HttpResponse {
    let (status, title) = kind_of(error);
    maintenance.front.responses.notice(
        request.headers(),
        status,
        title,
        &crate::core::text::sentence(error),
    )
}

/// What kind of answer an error is.
fn kind_of(error: &ChangeError) -> (StatusCode, &'static str) {
    let conflict = StatusCode::CONFLICT;
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    match error {
        ChangeError::Forced(_) => (conflict, "Forced by the settings"),
        ChangeError::Locked { .. } | ChangeError::LockLost(_) => (conflict, "Locked"),
        ChangeError::Held { .. } => (conflict, "Held by a job"),
        ChangeError::HolderLost(_) => (conflict, "The hold is lost"),
        ChangeError::NotHeld(_) => (conflict, "Not held"),
        ChangeError::NotOpening(_) => (conflict, "Not opening"),
        ChangeError::Refused { .. } => (conflict, "Refused"),
        ChangeError::Outdated { .. } => (conflict, "Changed meanwhile"),
        ChangeError::UnknownMode { .. } => (StatusCode::NOT_FOUND, "No such mode"),
        ChangeError::UnknownWindow(_) => (StatusCode::NOT_FOUND, "No such window"),
        ChangeError::GrantExists(_) => (conflict, "There already"),
        ChangeError::UnknownGrant(_) => (StatusCode::NOT_FOUND, "No such grant"),
        ChangeError::Grant(_)
        | ChangeError::Park { .. }
        | ChangeError::Plan(_)
        | ChangeError::Text(_) => (StatusCode::BAD_REQUEST, "Not possible"),
        ChangeError::Full(_) => (conflict, "Full"),
        ChangeError::Store(_) => (unavailable, "Not stored"),
        ChangeError::NotKnown(_) => (unavailable, "Not known"),
        ChangeError::Stopped => (unavailable, "Shutting down"),
    }
}

impl Maintenance {
    /// The scope at `admin_path` by which superusers switch maintenance on and off.
    pub fn admin(&self) -> actix_web::Scope {
        scope(self.clone())
    }
}
