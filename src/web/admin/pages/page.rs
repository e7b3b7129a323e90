//! What all pages share: who reads, in which language and zone, and how they are sent.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY,
            X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
};
use jiff::tz::TimeZone;
use serde::Serialize;

use super::status;
use crate::{
    core::{schedule::find_zone, status::whole::Status},
    web::{
        admin::{
            authorize::{Caller, caller, may_see},
            view::Reader,
            visible::{Sight, Visible},
        },
        maintenance::Maintenance,
        permission::Permission,
    },
};

/// Nothing from elsewhere, nothing inline, and nobody frames it.
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The cookie by which the script says in which zone the reader is.
pub(super) const ZONE_COOKIE: &str = "maintenance_zone";

/// A page for somebody who may see.
pub(super) struct Page<'a> {
    pub(super) maintenance: &'a Maintenance,
    pub(super) request: &'a HttpRequest,
    pub(super) caller: Caller,
    /// The keys of the modes that they may switch.
    pub(super) switchable: Vec<String>,
    pub(super) sight: Sight,
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

    pub(super) async fn new(
        request: &'a HttpRequest,
        maintenance: &'a Maintenance,
        who: Caller,
        sight: Sight,
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

/// The zone of the reader's browser, or that of the settings, or UTC.
pub(super) fn zone_of(request: &HttpRequest, maintenance: &Maintenance) -> TimeZone {
    let named = request.cookie(ZONE_COOKIE);
    let named = named.and_then(|cookie| find_zone(cookie.value()).ok());
    named
        .or_else(|| maintenance.engine.shared.time_zone.clone())
        .unwrap_or(TimeZone::UTC)
}
