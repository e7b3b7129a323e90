//! What the app's own templates know of maintenance.

use std::future::{Ready, ready};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest, HttpResponse, ResponseError, dev::Payload,
    http::StatusCode, web,
};
use jiff::Timestamp;
use serde::Serialize;
use tera::Tera;

use crate::{
    core::{
        decide::{applies, closed_for},
        phase::Phase,
        rules::rule::Rule,
        snapshot::Snapshot,
    },
    engine::events,
    settings::Access,
    web::{
        maintenance::Maintenance,
        middleware::worker::AdmittedUnder,
        refusal::{negotiate::ResponseFormat, responses::Refusing},
        request::{app_routes::AppRoutes, subject::RequestSubject},
    },
};

/// What templates show of maintenance to those who get through.
///
/// As an extractor it needs the handle as app data. It serializes to the names that templates use,
/// `maintenance_mode` and `maintenance`, for any engine:
///
/// ```
/// use actix_maintenance_mode::{Maintenance, MaintenanceFlag};
/// use actix_web::{App, HttpResponse, web};
///
/// async fn home(flag: MaintenanceFlag, tera: web::Data<tera::Tera>) -> HttpResponse {
///     match tera.render("home.html", &flag.tera_context()) {
///         Ok(page) => HttpResponse::Ok().content_type("text/html").body(page),
///         Err(_) => HttpResponse::InternalServerError().finish(),
///     }
/// }
/// # fn app(maintenance: Maintenance) {
/// App::new()
///     .app_data(web::Data::new(maintenance.clone()))
///     .route("/", web::get().to(home));
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct MaintenanceFlag {
    /// Whether a mode that applies to the request is pending or offline.
    pub maintenance_mode: bool,
    /// More about it.
    pub maintenance: FlagDetails,
}

/// The `maintenance` of a [`MaintenanceFlag`].
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct FlagDetails {
    /// The key of the mode that is pending or offline, else of the one that is announced, else of the
    /// first mode.
    pub mode: String,
    /// That mode's name for people.
    pub label: String,
    /// That mode's phase.
    pub phase: Phase,
    /// What is possible while that mode is on.
    pub access: Access,
    /// Whether a mode with read-only access is pending or offline, so that forms are of no use.
    pub read_only: bool,
    /// What refused visitors are told.
    pub message: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
    /// When the announced window starts.
    pub start: Option<Timestamp>,
    /// By when it is closed at the latest, while it is closing; `None` also where the closing is
    /// called off then (`drain.on_timeout`).
    pub deadline: Option<Timestamp>,
    /// Until when, if that is known.
    pub until: Option<Timestamp>,
    /// What refused visitors get as `Retry-After`, in seconds.
    pub retry_after: Option<u64>,
    /// Whether the mode is closing: those who are in may finish.
    pub pending: bool,
    /// Whether a window that starts soon is announced.
    pub scheduled: bool,
    /// Where anybody finds what is planned, as a calendar to subscribe to; `None` unless
    /// `public.plan` is set and the admin scope is mounted.
    pub plan: Option<String>,
}

impl MaintenanceFlag {
    /// What is, for a request or for all.
    fn of(maintenance: &Maintenance, snapshot: &Snapshot, request: Option<&HttpRequest>) -> Self {
        let shared = &*maintenance.engine.shared;
        let now = shared.now_for(snapshot);
        // What a mode applies to is not said by routes.
        let routes = AppRoutes::default();
        let is_meant = |mode: usize| {
            request.is_none_or(|request| {
                applies(
                    &snapshot.rules,
                    &RequestSubject::new(request, &maintenance.front, &routes),
                    mode,
                )
            })
        };
        let closed = || {
            let closed = snapshot.closed_modes(now).map(|mode| mode.index);
            closed.filter(|mode| is_meant(*mode))
        };
        let is_on = closed().next().is_some();
        let mode = closed()
            .next()
            .or_else(|| snapshot.announced_mode(now, is_meant))
            .unwrap_or(0);
        let standing = snapshot.modes[mode].standing(now);
        // Another mode's phase is none of this request's business.
        let is_told = is_on || standing.phase == Phase::Scheduled;
        let phase = if is_told {
            standing.phase
        } else {
            Phase::Online
        };
        let responses = &maintenance.front.responses;
        // Online nobody shows the message.
        let language = request.filter(|_| is_told).map_or_else(
            || responses.languages.default(),
            |request| responses.languages.of_request(request),
        );
        let refusing = Refusing {
            mode,
            rule: Rule::NoExemption,
            format: ResponseFormat::Html,
            language,
            sent: false,
            turn: None,
        };
        let refusal = responses.refusal(snapshot, refusing, now);
        Self {
            maintenance_mode: is_on,
            maintenance: FlagDetails {
                mode: refusal.mode,
                label: refusal.label,
                phase,
                access: refusal.access,
                read_only: closed()
                    .any(|mode| snapshot.modes[mode].mode.access == Access::ReadOnly),
                message: refusal.message,
                since: refusal.since.filter(|_| is_told),
                start: standing.start,
                deadline: snapshot.modes[mode].closes_by(now).filter(|_| is_told),
                until: refusal.until.filter(|_| is_told),
                retry_after: refusal.retry_after.filter(|_| is_on),
                pending: phase == Phase::Pending,
                scheduled: phase == Phase::Scheduled,
                plan: match request {
                    Some(request) => responses.plan(&maintenance.front.public_prefix(request)),
                    None => responses.plan(&maintenance.front.public_path),
                },
            },
        }
    }

    /// A context for Tera with `maintenance_mode` and `maintenance`, to be extended with the
    /// page's own.
    pub fn tera_context(&self) -> tera::Context {
        let mut context = tera::Context::new();
        context.insert("maintenance_mode", &self.maintenance_mode);
        context.insert("maintenance", &self.maintenance);
        context
    }
}

/// The handle is not where extractors look for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`MaintenanceFlag` finds no handle: add `.app_data(web::Data::new(maintenance.clone()))` to \
     the `App`"
)]
#[non_exhaustive]
pub struct MissingHandle;

impl ResponseError for MissingHandle {
    fn status_code(&self) -> StatusCode {
        StatusCode::INTERNAL_SERVER_ERROR
    }

    /// Says nothing to the visitor; the error itself is for the log.
    fn error_response(&self) -> HttpResponse {
        tracing::error!("{self}");
        HttpResponse::new(self.status_code())
    }
}

impl FromRequest for MaintenanceFlag {
    type Error = MissingHandle;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(maintenance) = request.app_data::<web::Data<Maintenance>>() else {
            return ready(Err(MissingHandle));
        };
        // What let the request in is what its page shows.
        let admitted = request.extensions().get::<AdmittedUnder>().cloned();
        let snapshot = admitted.map_or_else(
            || maintenance.engine.shared.published.snapshot(),
            |AdmittedUnder(snapshot)| snapshot,
        );
        ready(Ok(Self::of(maintenance, &snapshot, Some(request))))
    }
}

impl Maintenance {
    /// Whether one of these modes is pending or offline and applies to a request. Without any, it
    /// is asked about all modes. Exemptions make no difference.
    ///
    /// A key that no mode has is never in maintenance; the log says once that there is no such mode
    /// ([`UNKNOWN_MODE`](crate::observe::UNKNOWN_MODE)).
    ///
    /// ```
    /// use actix_maintenance_mode::Maintenance;
    /// use actix_web::{HttpRequest, web};
    ///
    /// async fn cart(request: HttpRequest, maintenance: web::Data<Maintenance>) -> &'static str {
    ///     if maintenance.is_in_maintenance(&request, &["shop", "payments"]) {
    ///         "You can pay later."
    ///     } else {
    ///         "Pay now"
    ///     }
    /// }
    /// ```
    pub fn is_in_maintenance(&self, request: &HttpRequest, modes: &[&str]) -> bool {
        let shared = &*self.engine.shared;
        let snapshot = shared.published.snapshot();
        let now = shared.now_for(&snapshot);
        for key in modes.iter().filter(|key| snapshot.mode(key).is_none()) {
            let known: Vec<_> = snapshot.modes.iter().map(|mode| &*mode.key).collect();
            let known = known.join(", ");
            let message = format!(
                "is_in_maintenance: there is no mode `{key}`, so it is never in maintenance; there is \
                 {known}"
            );
            self.front
                .told_of_routes
                .warn(events::UNKNOWN_MODE, message);
        }
        // What a mode applies to is not said by routes.
        let routes = AppRoutes::default();
        let subject = RequestSubject::new(request, &self.front, &routes);
        closed_for(&snapshot, &subject, now).any(|mode| {
            modes.is_empty() || modes.contains(&snapshot.modes[mode.index].key.as_ref())
        })
    }

    /// What templates show of maintenance now, outside of a request: of whatever mode.
    ///
    /// [`MaintenanceFlag`](crate::MaintenanceFlag) is the same for one request, as an extractor.
    pub fn flag(&self) -> MaintenanceFlag {
        MaintenanceFlag::of(self, &self.engine.shared.published.snapshot(), None)
    }

    /// Gives templates the function `maintenance_mode(mode="site")`: whether that mode, or without
    /// `mode` any, is pending or offline; and `maintenance_script()`, which is
    /// [`script_url`](Self::script_url).
    ///
    /// To be called before the templates are added that call them: Tera refuses a template whose
    /// functions it does not know.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// let mut tera = tera::Tera::default();
    /// maintenance.register_tera_function(&mut tera);
    /// tera.add_raw_template("page", "{% if maintenance_mode() %}closed{% else %}open{% endif %}")?;
    ///
    /// assert_eq!(tera.render("page", &tera::Context::new())?, "open");
    /// maintenance.turn_on().await?;
    /// assert_eq!(tera.render("page", &tera::Context::new())?, "closed");
    /// # Ok(())
    /// # }
    /// ```
    pub fn register_tera_function(&self, tera: &mut Tera) {
        self.front.responses.functions().register(tera);
    }
}
