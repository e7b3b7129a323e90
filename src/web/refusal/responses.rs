//! What a refused visitor gets: page, JSON, problem details, text or a redirect.

use std::{
    fmt,
    sync::{OnceLock, atomic::AtomicU64},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CONTENT_LANGUAGE, CONTENT_TYPE, HeaderValue, LOCATION, RETRY_AFTER, VARY},
    },
    web::Bytes,
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    cors::Cors,
    data::{is_data, json_body, members, problem},
    described::Refusal,
    of_mode::{FormatChoice, ModeResponse},
    page::Links,
    rendered::{Rendered, truthful, varies, with_jitter},
    words::{general_message, is_general, text},
};
use crate::{
    core::{phase::Phase, public_path::in_public, rules::rule::Rule, snapshot::Snapshot},
    settings::{Access, ResponseSettings},
    web::{
        closures::{Renderer, ResponseContext},
        mode::ConfiguredMode,
        refusal::{
            language::{Catalogue, Languages},
            negotiate::{ResponseFormat, negotiate},
            templates::{Functions, Templates},
        },
    },
};

/// In how many seconds newcomers may try again while the site is closing: soon, as it may be called
/// off.
const CLOSING_RETRY_AFTER: u64 = 30;

/// Everything that refusals are made of, shared by all workers.
pub(crate) struct Responses {
    retry_jitter: f64,
    pub(crate) format: FormatChoice,
    /// Whose scripts may read refusals; `None`: nobody's from elsewhere.
    pub(crate) cors: Option<Cors>,
    /// What all modes have in common.
    common: ModeResponse,
    /// What each mode answers, in the order of the modes.
    pub(super) modes: Vec<ModeResponse>,
    pub(crate) languages: Languages,
    /// Where the admin scope has the script of the page, once there is such a scope.
    script: OnceLock<String>,
    loads_script: bool,
    /// Where the admin scope has the plan for everybody, once there is one.
    plan: OnceLock<String>,
    pub(super) templates: Templates,
    /// How often a page could not be rendered.
    pub(super) failures: AtomicU64,
}

/// Which refusal it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusing {
    /// The index of the mode that answers.
    pub(crate) mode: usize,
    pub(crate) rule: Rule,
    pub(crate) format: ResponseFormat,
    pub(crate) language: usize,
    /// Whether the request would have changed something.
    pub(crate) sent: bool,
    /// When the visitor's turn comes, of a mode that is opening, in whole seconds. `None`: nobody knows,
    /// or it is told to all alike.
    pub(crate) turn: Option<Timestamp>,
}

impl fmt::Debug for Responses {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Responses")
            .field("status", &self.common.status)
            .field("template", &self.common.template)
            .finish_non_exhaustive()
    }
}

impl Responses {
    /// # Errors
    ///
    /// When a setting that was checked before is wrong all the same; the text says which.
    pub(crate) fn new(
        settings: &ResponseSettings,
        modes: &[ConfiguredMode],
        context: ResponseContext,
        renderer: Option<Renderer>,
        templates: Templates,
        languages: Languages,
    ) -> Result<Self, String> {
        let common = ModeResponse {
            context,
            renderer,
            ..ModeResponse::new(settings)?
        };
        Ok(Self {
            retry_jitter: settings.retry_jitter,
            format: settings.format.into(),
            cors: Cors::new(&settings.cors)?,
            modes: modes
                .iter()
                .map(|mode| common.of_mode(&mode.settings, &mode.closures))
                .collect::<Result<_, _>>()?,
            common,
            languages,
            script: OnceLock::new(),
            loads_script: settings.script,
            plan: OnceLock::new(),
            templates,
            failures: AtomicU64::new(0),
        })
    }

    pub(super) fn of_mode(&self, mode: usize) -> &ModeResponse {
        self.modes.get(mode).unwrap_or(&self.common)
    }

    pub(crate) fn functions(&self) -> &Functions {
        self.templates.functions()
    }

    /// Whether refusals have this status.
    #[cfg(feature = "tracing-filter")]
    pub(crate) fn is_status(&self, status: u16) -> bool {
        self.modes.iter().any(|mode| mode.status.as_u16() == status)
    }

    pub(crate) fn status(&self, mode: usize) -> StatusCode {
        self.of_mode(mode).status
    }

    /// Has the page load its script from the admin scope at this path.
    pub(crate) fn load_script_from(&self, admin_path: &str) {
        if self.loads_script {
            self.script
                .get_or_init(|| format!("{admin_path}/static/maintenance.js"));
        }
    }

    /// Has pages link to the plan for everybody, which is in the admin scope at this path.
    pub(crate) fn offer_plan_of(&self, admin_path: &str) {
        self.plan.get_or_init(|| format!("{admin_path}/plan.ics"));
    }

    /// Where the plan is for everybody, for those who see the app's paths after this prefix.
    pub(crate) fn plan(&self, prefix: &str) -> Option<String> {
        self.plan.get().map(|path| in_public(prefix, path))
    }

    /// Chooses the form of a refusal.
    pub(crate) fn format(&self, request: &HttpRequest) -> ResponseFormat {
        match &self.format {
            FormatChoice::Negotiated => negotiate(request.headers()),
            FormatChoice::Fixed(format) => *format,
            FormatChoice::PerRequest(choose) => {
                choose(request).unwrap_or_else(|| negotiate(request.headers()))
            }
        }
    }

    /// Whether a refusal depends on nothing but snapshot, mode and form, so that it can be kept.
    pub(crate) fn can_be_kept(&self, mode: usize, format: ResponseFormat) -> bool {
        let mode = self.of_mode(mode);
        mode.renderer.is_none()
            && !matches!(mode.context, ResponseContext::PerRequest(_))
            && !(self.retry_jitter > 0.0 && is_data(format))
    }

    /// Some more seconds at random, so that clients do not come back all at once.
    fn with_jitter(&self, seconds: u64) -> u64 {
        with_jitter(seconds, self.retry_jitter)
    }

    /// Describes a refusal.
    pub(crate) fn refusal(
        &self,
        snapshot: &Snapshot,
        refusing: Refusing,
        now: Timestamp,
    ) -> Refusal {
        let Refusing {
            mode,
            rule,
            format,
            language,
            sent,
            turn,
        } = refusing;
        let catalogue = self.languages.get(language);
        let own = self.of_mode(mode);
        let view = &snapshot.modes[mode];
        let standing = view.standing(now);
        // What is forced on cannot be read either, whatever a mode allows.
        let access = if rule.is_forced_on() {
            Access::None
        } else {
            own.access
        };
        let phase = match standing.phase {
            Phase::Pending => Phase::Pending,
            Phase::Opening if !rule.is_forced_on() => Phase::Opening,
            _ => Phase::Offline,
        };
        let until = turn.or(standing.until);
        Refusal {
            mode: view.key.as_ref().to_owned(),
            label: view.label.as_ref().to_owned(),
            phase,
            access,
            read_only: access == Access::ReadOnly,
            message: standing
                .message
                .or_else(|| own.message.clone())
                .unwrap_or_else(|| general_message(catalogue, phase, access).to_owned()),
            language: catalogue.tag.clone(),
            since: standing.since,
            until,
            // The header of the other forms gets its jitter when it is sent. Turns are apart already.
            retry_after: match self.retry_after(mode, standing.phase, until, now) {
                Some(seconds) if is_data(format) && turn.is_none() => {
                    Some(self.with_jitter(seconds))
                }
                seconds => seconds,
            },
            sent,
            rule,
            format,
        }
    }

    /// In how many seconds to come back: when it ends, if that is known, else the setting.
    pub(crate) fn retry_after(
        &self,
        mode: usize,
        phase: Phase,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<u64> {
        let setting = self.of_mode(mode).retry_after;
        match (until, phase) {
            (Some(until), _) => Some(seconds_until(until, now)),
            (None, Phase::Pending) => setting.map(|setting| setting.min(CLOSING_RETRY_AFTER)),
            (None, _) => setting,
        }
    }

    /// Makes the response to one request, by the app's renderer if it has one.
    pub(crate) fn render(
        &self,
        request: &HttpRequest,
        mode: usize,
        refusal: &Refusal,
        prefix: &str,
    ) -> HttpResponse {
        let own = self.of_mode(mode);
        if let Some(renderer) = &own.renderer {
            let mut response = truthful(renderer(request, refusal), own.status, refusal);
            if self.depends_on_origin() {
                response
                    .headers_mut()
                    .append(VARY, HeaderValue::from_static("Origin"));
            }
            return response;
        }
        let extra = match &own.context {
            ResponseContext::PerRequest(context) => context(request, refusal),
            ResponseContext::Fixed(_) | ResponseContext::None => own.fixed_context(),
        };
        let redirect = self.redirects(request, mode, refusal.format);
        self.rendered_with(own, refusal, extra, redirect, prefix)
            .response()
    }

    /// Makes a refusal that can be kept, for those who see the app's paths after this prefix.
    pub(crate) fn rendered(
        &self,
        mode: usize,
        refusal: &Refusal,
        redirect: bool,
        prefix: &str,
    ) -> Rendered {
        let own = self.of_mode(mode);
        self.rendered_with(own, refusal, own.fixed_context(), redirect, prefix)
    }

    /// Whether this request is answered with a redirect: only pages are, and only to GET and HEAD.
    pub(crate) fn redirects(
        &self,
        request: &HttpRequest,
        mode: usize,
        format: ResponseFormat,
    ) -> bool {
        self.of_mode(mode).redirect.is_some()
            && format == ResponseFormat::Html
            && matches!(request.method().as_str(), "GET" | "HEAD")
    }

    pub(super) fn rendered_with(
        &self,
        own: &ModeResponse,
        refusal: &Refusal,
        extra: Map<String, Value>,
        redirect: bool,
        prefix: &str,
    ) -> Rendered {
        let mut headers = Vec::with_capacity(3);
        if let (true, Some(target)) = (redirect, &own.redirect) {
            headers.push((LOCATION, public_target(prefix, target)));
            return Rendered {
                status: StatusCode::FOUND,
                vary: varies(false, self.depends_on_origin()),
                headers,
                jittered: None,
                body: Bytes::new(),
            };
        }
        headers.push((
            CONTENT_TYPE,
            HeaderValue::from_static(refusal.format.content_type()),
        ));
        let catalogue = self.languages.named(&refusal.language);
        // What an operator wrote may be in any language, and data is only that.
        if !is_data(refusal.format) || is_general(catalogue, refusal) {
            headers.push((CONTENT_LANGUAGE, catalogue.header.clone()));
        }
        let jittered = refusal
            .retry_after
            .filter(|_| self.retry_jitter > 0.0 && !is_data(refusal.format))
            .filter(|_| refusal.phase != Phase::Opening)
            .map(|seconds| (seconds, self.retry_jitter));
        if let (Some(seconds), None) = (refusal.retry_after, jittered) {
            headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        }
        Rendered {
            status: own.status,
            vary: varies(self.languages.are_negotiated(), self.depends_on_origin()),
            headers,
            jittered,
            body: self.body(own, refusal, catalogue, extra, prefix),
        }
    }

    fn depends_on_origin(&self) -> bool {
        self.cors.as_ref().is_some_and(Cors::depends_on_origin)
    }

    fn body(
        &self,
        own: &ModeResponse,
        refusal: &Refusal,
        catalogue: &Catalogue,
        extra: Map<String, Value>,
        prefix: &str,
    ) -> Bytes {
        match refusal.format {
            ResponseFormat::Html => {
                let script = self.script.get();
                let links = Links {
                    script: script.map(|path| in_public(prefix, path)),
                    plan: self.plan(prefix),
                    ..Links::looking_again(refusal)
                };
                self.page(own, refusal, catalogue, &links, extra).into()
            }
            ResponseFormat::Json => json_body(members(refusal, extra)),
            ResponseFormat::Problem => json_body(problem(own.status, refusal, catalogue, extra)),
            ResponseFormat::Text => text(refusal, catalogue).into(),
        }
    }
}

/// A redirect to a path is to one of the app; anything else is elsewhere.
fn public_target(prefix: &str, target: &HeaderValue) -> HeaderValue {
    match target.to_str() {
        Ok(path) if path.starts_with('/') && !path.starts_with("//") => {
            HeaderValue::from_str(&in_public(prefix, path)).unwrap_or_else(|_| target.clone())
        }
        _ => target.clone(),
    }
}

/// Whole seconds until an instant, rounded up, at least 1.
pub(crate) fn seconds_until(until: Timestamp, now: Timestamp) -> u64 {
    let milliseconds = until.as_millisecond().saturating_sub(now.as_millisecond());
    u64::try_from(milliseconds)
        .unwrap_or(0)
        .div_ceil(1000)
        .max(1)
}
