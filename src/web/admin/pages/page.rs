//! What the pages of the scope have in common: for whom and in which words they are.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY,
            VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
};
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::web::admin::{
    authorize::{Caller, caller, may_see},
    view::Reader,
    visible::{Visibility, Visible},
};
use crate::{
    core::{schedule::find_zone, state::amend::Seen, status::whole::Status},
    web::{maintenance::Maintenance, permission::Permission},
};

/// Nothing from elsewhere, nothing inline, and nobody frames it.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The cookie by which the script says in which zone the reader is.
pub(super) const ZONE_COOKIE: &str = "maintenance_zone";

/// How long a page waits for the store to tell of nodes and tasks.
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// For how long one can say that a mode is switched on, in minutes.
pub(super) const DURATIONS: [i64; 7] = [15, 30, 60, 120, 240, 480, 1440];

#[derive(Debug, Serialize)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) is_chosen: bool,
}

/// Where the dashboard is for whoever sends this request.
pub(super) fn dashboard_of(request: &HttpRequest, maintenance: &Maintenance) -> String {
    let front = &maintenance.front;
    front.public(request, &format!("{}/", front.admin_path))
}

pub(super) fn see_other(request: &HttpRequest, maintenance: &Maintenance) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, dashboard_of(request, maintenance)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// A page for somebody who may see.
pub(super) struct Page<'a> {
    pub(super) maintenance: &'a Maintenance,
    pub(super) request: &'a HttpRequest,
    pub(super) caller: Caller,
    /// The keys of the modes that they may switch.
    pub(super) switchable: Vec<String>,
    pub(super) sight: Visibility,
    pub(super) status: Visible<Status>,
    pub(super) reader: Reader<'a>,
}

impl<'a> Page<'a> {
    /// For somebody who may see something.
    pub(super) async fn open(
        request: &'a HttpRequest,
        maintenance: &'a Maintenance,
    ) -> Result<Page<'a>, HttpResponse> {
        let (caller, sight) = may_see(request, maintenance).await?;
        Ok(Self::new(request, maintenance, caller, sight).await)
    }

    /// For somebody who may do something, and perhaps sees nothing.
    pub(super) async fn of(
        request: &'a HttpRequest,
        maintenance: &'a Maintenance,
        caller: Caller,
    ) -> Page<'a> {
        let sight = crate::web::admin::sight(request, maintenance).await;
        Self::new(request, maintenance, caller, sight).await
    }

    /// For anybody: with no more than they may see, which may be nothing.
    pub(super) async fn for_anybody(
        request: &'a HttpRequest,
        maintenance: &'a Maintenance,
    ) -> Page<'a> {
        let who = caller(request, maintenance, Permission::See).await;
        let sight = Visibility::of(who.modes.clone(), maintenance.engine.shared.modes.len());
        Self::new(request, maintenance, who, sight).await
    }

    /// What a mode is, for a form that is to hold only as long as it is that.
    pub(super) fn seen(&self, mode: &str) -> Seen {
        let shared = &self.maintenance.engine.shared;
        let snapshot = shared.published.snapshot();
        let state = snapshot.mode(mode).map(|mode| &mode.state);
        Seen::of(state, self.reader.now)
    }

    pub(super) async fn new(
        request: &'a HttpRequest,
        maintenance: &'a Maintenance,
        who: Caller,
        sight: Visibility,
    ) -> Page<'a> {
        let switchable = caller(request, maintenance, Permission::Toggle).await.modes;
        let shared = &maintenance.engine.shared;
        let languages = &maintenance.front.responses.languages;
        Self {
            status: sight.status(status(maintenance).await),
            sight,
            reader: Reader {
                catalogue: languages.get(languages.of_request(request)),
                zone: zone_of(request, maintenance),
                now: shared.clock.now(),
            },
            maintenance,
            request,
            caller: who,
            switchable,
        }
    }

    pub(super) fn answer(
        &self,
        template: &str,
        status: StatusCode,
        shown: &impl Serialize,
    ) -> HttpResponse {
        let responses = &self.maintenance.front.responses;
        let catalogue = self.reader.catalogue;
        let mut context = tera::Context::new();
        context.insert("page", shown);
        context.insert("t", &catalogue.section("dashboard"));
        context.insert("language", &catalogue.tag);
        context.insert("direction", &catalogue.direction);
        let front = &self.maintenance.front;
        context.insert("base", &front.public(self.request, &front.admin_path));
        context.insert("site", &front.public(self.request, "/"));
        context.insert("visitor", &self.caller.name());
        context.insert("zone", &self.reader.zone.iana_name().unwrap_or("UTC"));
        context.insert(
            "zone_note",
            &self.reader.filled(
                "zone_note",
                "zone",
                self.reader.zone.iana_name().unwrap_or("UTC"),
            ),
        );
        let page = match responses.page_by(&format!("maintenance/{template}.html"), &context) {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(template, %error, "a page of the admin scope cannot be rendered");
                return responses.notice(
                    self.request.headers(),
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Not shown",
                    "This page cannot be rendered; the log says why. The switches work all the same.",
                );
            }
        };
        HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((CONTENT_LANGUAGE, catalogue.header.clone()))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((VARY, "Accept-Language, Cookie"))
            // Older browsers say by it where a form comes from.
            .insert_header((REFERRER_POLICY, "same-origin"))
            .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
            .insert_header((X_FRAME_OPTIONS, "DENY"))
            .body(page)
    }
}

/// What is, with the nodes and tasks of now. A store that is slow does not keep the page: whoever
/// looks may be looking because of it.
pub(super) async fn status(maintenance: &Maintenance) -> Status {
    let known = maintenance.status_without_request();
    if known.store.error.is_some() {
        return known;
    }
    match tokio::time::timeout(LONGEST_WAIT, maintenance.ask_status_without_request()).await {
        Ok(Ok(status)) => status,
        Ok(Err(_)) | Err(_) => known,
    }
}

/// The zone of the reader's browser, or that of the settings, or UTC.
pub(super) fn zone_of(request: &HttpRequest, maintenance: &Maintenance) -> TimeZone {
    let named = request.cookie(ZONE_COOKIE);
    let named = named.and_then(|cookie| find_zone(cookie.value()).ok());
    named
        .or_else(|| maintenance.engine.shared.time_zone.clone())
        .unwrap_or(TimeZone::UTC)
}
