//! What a refused visitor gets: page, JSON, problem details, text or a redirect.

use crate::core::text::chain;
use std::{
    fmt, iter,
    sync::{Arc, OnceLock},
    time::Duration,
};

use actix_web::{
    HttpRequest, HttpResponse,
    body::{BoxBody, MessageBody as _},
    http::{
        StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_TYPE, ETAG, HeaderMap, HeaderName,
            HeaderValue, LAST_MODIFIED, LOCATION, RETRY_AFTER, VARY,
        },
    },
    web::Bytes,
};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit, tz::TimeZone};
use serde::Serialize;
use serde_json::{Map, Value};
use tera::Tera;

use crate::{
    core::{decide::Rule, phase::Phase, snapshot::Snapshot},
    settings::{Access, FormatSetting, ModeSettings, ResponseSettings, Settings},
    web::{
        mode::{ConfiguredMode, ModeClosures},
        refusal::{
            language::{Catalogue, Languages},
            negotiate::{ResponseFormat, negotiate},
        },
    },
};

pub(crate) const X_MAINTENANCE_MODE: HeaderName = HeaderName::from_static("x-maintenance-mode");

/// In how many seconds newcomers may try again while the site is closing: soon, as it may be called
/// off.
const CLOSING_RETRY_AFTER: u64 = 30;

/// A page without its script looks again after this many seconds, or up to twice as many.
const SHORTEST_REFRESH: u64 = 30;

// Constants, because the bytes of a text that is known to the compiler are never counted.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");
const BY_ACCEPT: HeaderValue = HeaderValue::from_static("Accept");
const BY_ACCEPT_AND_LANGUAGE: HeaderValue = HeaderValue::from_static("Accept, Accept-Language");
const MEANT: HeaderValue = HeaderValue::from_static("1");

/// The page that comes with the crate, under the name by which an own one replaces it.
pub(crate) const PAGE_TEMPLATE: (&str, &str) =
    ("503.html", include_str!("../../../templates/503.html"));

const NOTICE_TEMPLATE: (&str, &str) = (
    "maintenance/notice.html",
    include_str!("../../../templates/notice.html"),
);

/// The marker of a refusal in the extensions of its response.
///
/// A logger, an error reporter or a metrics middleware outside of the maintenance middleware can
/// tell by it that this 503 was meant and is no outage.
///
/// ```
/// use actix_maintenance_mode::RefusalMarker;
/// use actix_web::dev::ServiceResponse;
///
/// fn is_outage<B>(response: &ServiceResponse<B>) -> bool {
///     response.status().is_server_error()
///         && !response.response().extensions().contains::<RefusalMarker>()
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusalMarker;

/// A refusal, as the closures for the context and for the whole response see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The key of the mode that refuses.
    pub mode: String,
    /// That mode's name for people.
    pub label: String,
    /// That mode's phase; [`Phase::Offline`] also where a route is forced on.
    pub phase: Phase,
    /// What is still possible.
    pub access: Access,
    /// Whether the visitor may still read: [`access`](Self::access) in a word.
    pub read_only: bool,
    /// What the visitor is told.
    pub message: String,
    /// The tag of the language that was chosen for this client; an operator's own message is as it
    /// was written.
    pub language: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
    /// Until when, if that is known.
    pub until: Option<Timestamp>,
    /// In how many seconds the client may try again; `None`: nothing is said about it.
    pub retry_after: Option<u64>,
    /// The rule that decided.
    #[serde(skip)]
    pub rule: Rule,
    /// The form that was chosen for this client.
    #[serde(skip)]
    pub format: ResponseFormat,
}

/// What is added to the JSON body and to the context of the page.
#[derive(Clone)]
pub(crate) enum ResponseContext {
    None,
    Fixed(Map<String, Value>),
    PerRequest(ContextMaker),
}

/// Makes what is added, request by request.
pub(crate) type ContextMaker =
    Arc<dyn Fn(&HttpRequest, &Refusal) -> Map<String, Value> + Send + Sync>;

/// How the form of a refusal is chosen.
#[derive(Clone)]
pub(crate) enum FormatChoice {
    Negotiated,
    Fixed(ResponseFormat),
    PerRequest(Arc<dyn Fn(&HttpRequest) -> ResponseFormat + Send + Sync>),
}

impl From<FormatSetting> for FormatChoice {
    fn from(setting: FormatSetting) -> Self {
        match setting {
            FormatSetting::Auto => Self::Negotiated,
            FormatSetting::Html => Self::Fixed(ResponseFormat::Html),
            FormatSetting::Json => Self::Fixed(ResponseFormat::Json),
            FormatSetting::Problem => Self::Fixed(ResponseFormat::Problem),
            FormatSetting::Text => Self::Fixed(ResponseFormat::Text),
        }
    }
}

/// Makes a whole response instead of the crate.
pub(crate) type Renderer = Arc<dyn Fn(&HttpRequest, &Refusal) -> HttpResponse + Send + Sync>;

/// Everything that refusals are made of, shared by all workers.
pub(crate) struct Responses {
    retry_jitter: f64,
    pub(crate) format: FormatChoice,
    /// What all modes have in common.
    common: ModeResponse,
    /// What each mode answers, in the order of the modes.
    modes: Vec<ModeResponse>,
    pub(crate) languages: Languages,
    /// Where the admin scope has the script of the page, once there is such a scope.
    script: OnceLock<String>,
    loads_script: bool,
    tera: Tera,
}

/// Which refusal it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refusing {
    /// The index of the mode that answers.
    pub(crate) mode: usize,
    pub(crate) rule: Rule,
    pub(crate) format: ResponseFormat,
    pub(crate) language: usize,
}

/// What one mode answers.
#[derive(Clone)]
struct ModeResponse {
    status: StatusCode,
    retry_after: Option<u64>,
    template: String,
    message: Option<String>,
    redirect: Option<HeaderValue>,
    access: Access,
    context: ResponseContext,
    renderer: Option<Renderer>,
}

impl ModeResponse {
    fn new(settings: &ResponseSettings) -> Result<Self, String> {
        Ok(Self {
            status: status_code(settings.status)?,
            retry_after: some_seconds(settings.retry_after),
            template: settings.template.clone(),
            message: settings.message.clone(),
            redirect: settings.redirect.as_deref().map(location).transpose()?,
            access: Access::None,
            context: ResponseContext::None,
            renderer: None,
        })
    }

    /// The same with what a mode says otherwise.
    fn of_mode(&self, mode: &ModeSettings, closures: &ModeClosures) -> Result<Self, String> {
        let own = self.clone();
        Ok(Self {
            status: mode
                .status
                .map(status_code)
                .transpose()?
                .unwrap_or(own.status),
            retry_after: mode.retry_after.map_or(own.retry_after, some_seconds),
            template: mode.template.clone().unwrap_or(own.template),
            message: mode.message.clone().or(own.message),
            redirect: match mode.redirect.as_deref() {
                Some(target) => Some(location(target)?),
                None => own.redirect,
            },
            access: mode.access,
            context: closures.context.clone().unwrap_or(own.context),
            renderer: closures.renderer.clone().or(own.renderer),
        })
    }

    fn fixed_context(&self) -> Map<String, Value> {
        match &self.context {
            ResponseContext::Fixed(context) => context.clone(),
            ResponseContext::PerRequest(_) | ResponseContext::None => Map::new(),
        }
    }
}

fn status_code(status: u16) -> Result<StatusCode, String> {
    StatusCode::from_u16(status).map_err(|_| format!("{status} is no status"))
}

fn some_seconds(duration: Duration) -> Option<u64> {
    Some(duration.as_secs()).filter(|seconds| *seconds > 0)
}

fn location(target: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(target).map_err(|_| format!("`{target}` cannot be sent as a Location"))
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

/// A refusal that is ready to be sent any number of times.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    status: StatusCode,
    /// Which headers of the request it depends on.
    vary: HeaderValue,
    /// Those that not every refusal has.
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What the header `Retry-After` is made of when it is another one each time.
    jittered: Option<(u64, f64)>,
    body: Bytes,
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

/// Reads the templates: the embedded ones, and those of the app's folder in their place.
///
/// # Errors
///
/// When a template is missing, or cannot be read or understood; the text says which.
pub(crate) fn read_templates(settings: &Settings) -> Result<Tera, String> {
    let of_modes = settings
        .modes
        .iter()
        .filter_map(|mode| mode.template.as_ref());
    let named: Vec<&String> = iter::once(&settings.response.template)
        .chain(of_modes)
        .collect();
    let settings = &settings.response;
    let mut tera = Tera::new();
    let mut templates = vec![
        (PAGE_TEMPLATE.0.to_owned(), PAGE_TEMPLATE.1.to_owned()),
        (NOTICE_TEMPLATE.0.to_owned(), NOTICE_TEMPLATE.1.to_owned()),
    ];
    let pages = crate::web::admin::TEMPLATES.iter();
    templates.extend(pages.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())));
    // A folder that is not there is told of by the checks of the settings.
    if let Some(folder) = settings.templates_dir.as_deref().filter(|it| it.is_dir()) {
        crate::web::template::read_folder(folder, &mut templates)?;
    }
    tera.add_raw_templates(templates)
        .map_err(|error| format!("a template is not valid: {}", chain(&error)))?;
    if let Some(missing) = named
        .into_iter()
        .find(|template| !tera.contains_template(template))
    {
        return Err(format!(
            "there is no template `{missing}`{}",
            match &settings.templates_dir {
                Some(folder) => format!(" in {}", folder.display()),
                None => "; set `response.templates_dir` to the folder it is in".to_owned(),
            }
        ));
    }
    Ok(tera)
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
        tera: Tera,
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
            modes: modes
                .iter()
                .map(|mode| common.of_mode(&mode.settings, &mode.closures))
                .collect::<Result<_, _>>()?,
            common,
            languages,
            script: OnceLock::new(),
            loads_script: settings.script,
            tera,
        })
    }

    fn of_mode(&self, mode: usize) -> &ModeResponse {
        self.modes.get(mode).unwrap_or(&self.common)
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

    /// Chooses the form of a refusal.
    pub(crate) fn format(&self, request: &HttpRequest) -> ResponseFormat {
        match &self.format {
            FormatChoice::Negotiated => negotiate(request.headers()),
            FormatChoice::Fixed(format) => *format,
            FormatChoice::PerRequest(choose) => choose(request),
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
            _ => Phase::Offline,
        };
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
            until: standing.until,
            // The header of the other forms gets its jitter when it is sent.
            retry_after: match self.retry_after(mode, standing.phase, standing.until, now) {
                Some(seconds) if is_data(format) => Some(self.with_jitter(seconds)),
                seconds => seconds,
            },
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
    ) -> HttpResponse {
        let own = self.of_mode(mode);
        if let Some(renderer) = &own.renderer {
            return truthful(renderer(request, refusal), own.status, refusal);
        }
        let extra = match &own.context {
            ResponseContext::PerRequest(context) => context(request, refusal),
            ResponseContext::Fixed(_) | ResponseContext::None => own.fixed_context(),
        };
        let redirect = self.redirects(request, mode, refusal.format);
        self.rendered_with(own, refusal, extra, redirect).response()
    }

    /// Makes a refusal that can be kept.
    pub(crate) fn rendered(&self, mode: usize, refusal: &Refusal, redirect: bool) -> Rendered {
        let own = self.of_mode(mode);
        self.rendered_with(own, refusal, own.fixed_context(), redirect)
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

    fn rendered_with(
        &self,
        own: &ModeResponse,
        refusal: &Refusal,
        extra: Map<String, Value>,
        redirect: bool,
    ) -> Rendered {
        let mut headers = Vec::with_capacity(3);
        if let (true, Some(target)) = (redirect, &own.redirect) {
            headers.push((LOCATION, target.clone()));
            return Rendered {
                status: StatusCode::FOUND,
                vary: BY_ACCEPT,
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
            .map(|seconds| (seconds, self.retry_jitter));
        if let (Some(seconds), None) = (refusal.retry_after, jittered) {
            headers.push((RETRY_AFTER, HeaderValue::from(seconds)));
        }
        Rendered {
            status: own.status,
            vary: if self.languages.are_negotiated() {
                BY_ACCEPT_AND_LANGUAGE
            } else {
                BY_ACCEPT
            },
            headers,
            jittered,
            body: self.body(own, refusal, catalogue, extra),
        }
    }

    fn body(
        &self,
        own: &ModeResponse,
        refusal: &Refusal,
        catalogue: &Catalogue,
        extra: Map<String, Value>,
    ) -> Bytes {
        match refusal.format {
            ResponseFormat::Html => {
                let again = Again::of(refusal, self.script.get());
                self.page(own, refusal, catalogue, &again, extra).into()
            }
            ResponseFormat::Json => json_body(members(refusal, extra)),
            ResponseFormat::Problem => json_body(problem(own.status, refusal, catalogue, extra)),
            ResponseFormat::Text => text(refusal, catalogue).into(),
        }
    }

    /// The page by the app's template, or the embedded one when that fails: a mistake in a template
    /// must not turn a refusal into an error.
    fn page(
        &self,
        own: &ModeResponse,
        refusal: &Refusal,
        catalogue: &Catalogue,
        again: &Again,
        extra: Map<String, Value>,
    ) -> String {
        let context = page_context(refusal, catalogue, again, extra);
        match self.tera.render(&own.template, &context) {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(
                    template = own.template,
                    error = %chain(&error),
                    "the maintenance page cannot be rendered; visitors get the embedded one"
                );
                Tera::one_off(PAGE_TEMPLATE.1, &context, true)
                    .unwrap_or_else(|_| text(refusal, catalogue))
            }
        }
    }

    /// The page as a file that a web server sends without this process: in one language, and without
    /// the script, which this process has.
    pub(crate) fn page_file(&self, snapshot: &Snapshot, mode: usize, now: Timestamp) -> String {
        let language = self.languages.default();
        let refusing = Refusing {
            mode,
            rule: Rule::NoExemption,
            format: ResponseFormat::Html,
            language,
        };
        let refusal = self.refusal(snapshot, refusing, now);
        let again = Again {
            refresh: SHORTEST_REFRESH,
            script: None,
        };
        let own = self.of_mode(mode);
        let catalogue = self.languages.get(language);
        self.page(own, &refusal, catalogue, &again, own.fixed_context())
    }

    /// A page of the admin scope.
    ///
    /// # Errors
    ///
    /// When the template cannot be rendered; the text says why.
    pub(crate) fn page_by(
        &self,
        template: &str,
        context: &tera::Context,
    ) -> Result<String, String> {
        let page = self.tera.render(template, context);
        page.map_err(|error| chain(&error))
    }

    /// An answer of the admin scope that is neither the thing asked for nor a refusal.
    pub(crate) fn notice(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        title: &str,
        detail: &str,
    ) -> HttpResponse {
        let format = negotiate(headers);
        let body: Bytes = match format {
            ResponseFormat::Html => {
                let mut context = tera::Context::new();
                context.insert("title", title);
                context.insert("detail", detail);
                self.tera
                    .render(NOTICE_TEMPLATE.0, &context)
                    .unwrap_or_else(|_| detail.to_owned())
                    .into()
            }
            ResponseFormat::Json | ResponseFormat::Problem => {
                json_body(problem_details(status, detail))
            }
            ResponseFormat::Text => format!("{title}: {detail}\n").into(),
        };
        // An error of an API is a problem document, whatever kind of JSON was asked for.
        let format = match format {
            ResponseFormat::Json => ResponseFormat::Problem,
            other => other,
        };
        HttpResponse::build(status)
            .insert_header((CONTENT_TYPE, format.content_type()))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((VARY, "Accept"))
            .message_body(body)
            .map_or_else(
                |_| HttpResponse::new(status),
                |response| response.map_body(|_, body| BoxBody::new(body)),
            )
    }
}

/// What visitors are told when nobody said anything else.
fn general_message(catalogue: &Catalogue, phase: Phase, access: Access) -> &str {
    let key = match (phase, access) {
        (_, Access::ReadOnly) => "read_only_message",
        (Phase::Pending, Access::None) => "closing_message",
        (_, Access::None) => "message",
    };
    catalogue.text("refusal", key)
}

/// Whether nobody said anything else to visitors.
fn is_general(catalogue: &Catalogue, refusal: &Refusal) -> bool {
    refusal.message == general_message(catalogue, refusal.phase, refusal.access)
}

/// What is added to an operator's own message: that reading works, or that the site is closing.
fn addition<'a>(catalogue: &'a Catalogue, refusal: &Refusal) -> Option<&'a str> {
    let key = match (refusal.access, refusal.phase) {
        (Access::ReadOnly, _) => "reading_works",
        (Access::None, Phase::Pending) => "closing",
        (Access::None, _) => return None,
    };
    (!is_general(catalogue, refusal)).then(|| catalogue.text("refusal", key))
}

/// Holds a response of the app's own to what every refusal keeps: it is an error or a redirect,
/// nobody stores or revalidates it, and it says that it was meant.
fn truthful(mut response: HttpResponse, instead: StatusCode, refusal: &Refusal) -> HttpResponse {
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

fn problem(
    status: StatusCode,
    refusal: &Refusal,
    catalogue: &Catalogue,
    extra: Map<String, Value>,
) -> Map<String, Value> {
    let detail = match addition(catalogue, refusal).filter(|_| refusal.read_only) {
        Some(reading_works) => format!("{} {reading_works}", refusal.message),
        None => refusal.message.clone(),
    };
    let mut problem = problem_details(status, &detail);
    for (key, value) in members(refusal, extra) {
        problem.entry(key).or_insert(value);
    }
    problem
}

/// Whether the body is for programs. It repeats the header `Retry-After`, so both must say the same.
fn is_data(format: ResponseFormat) -> bool {
    matches!(format, ResponseFormat::Json | ResponseFormat::Problem)
}

fn with_jitter(seconds: u64, jitter: f64) -> u64 {
    // At most a year of seconds, and at most twice that: exact in a float.
    seconds + (seconds as f64 * jitter * fastrand::f64()).round() as u64
}

/// Whole seconds until an instant, rounded up, at least 1.
pub(crate) fn seconds_until(until: Timestamp, now: Timestamp) -> u64 {
    let milliseconds = until.as_millisecond().saturating_sub(now.as_millisecond());
    u64::try_from(milliseconds)
        .unwrap_or(0)
        .div_ceil(1000)
        .max(1)
}

/// The members of a JSON body. The app's own come last and do not replace the crate's.
fn members(refusal: &Refusal, extra: Map<String, Value>) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert("maintenance_mode".to_owned(), Value::Bool(true));
    members.insert("mode".to_owned(), refusal.mode.as_str().into());
    members.insert("phase".to_owned(), refusal.phase.as_str().into());
    if refusal.read_only {
        members.insert("access".to_owned(), refusal.access.as_str().into());
    }
    members.insert("message".to_owned(), refusal.message.as_str().into());
    members.insert("retry_after".to_owned(), refusal.retry_after.into());
    members.insert(
        "until".to_owned(),
        refusal.until.map(|until| until.to_string()).into(),
    );
    for (key, value) in extra {
        members.entry(key).or_insert(value);
    }
    members
}

/// Problem details of the type `about:blank`, whose title is the status in words (RFC 9457,
/// section 4.2.1).
pub(crate) fn problem_details(status: StatusCode, detail: &str) -> Map<String, Value> {
    let mut problem = Map::new();
    problem.insert("type".to_owned(), "about:blank".into());
    problem.insert(
        "title".to_owned(),
        status.canonical_reason().unwrap_or("Maintenance").into(),
    );
    problem.insert("status".to_owned(), status.as_u16().into());
    problem.insert("detail".to_owned(), detail.into());
    problem
}

fn json_body(members: Map<String, Value>) -> Bytes {
    Value::Object(members).to_string().into()
}

/// What the page shows. All of the crate's own is in `maintenance`.
fn page_context(
    refusal: &Refusal,
    catalogue: &Catalogue,
    again: &Again,
    extra: Map<String, Value>,
) -> tera::Context {
    let mut context = tera::Context::new();
    for (key, value) in &extra {
        context.insert(key.clone(), value);
    }
    let mut maintenance = match serde_json::to_value(refusal) {
        Ok(Value::Object(fields)) => fields,
        // A refusal is a struct of text and numbers, which always is an object.
        _ => Map::new(),
    };
    maintenance.insert("until_text".to_owned(), refusal.until.map(in_words).into());
    let reading_works = addition(catalogue, refusal).filter(|_| refusal.read_only);
    maintenance.insert("reading_works".to_owned(), reading_works.into());
    maintenance.insert("direction".to_owned(), catalogue.direction.as_str().into());
    maintenance.insert("refresh".to_owned(), again.refresh.into());
    maintenance.insert("script".to_owned(), again.script.clone().into());
    let texts = catalogue.section("refusal").into_iter().flatten();
    let texts: Map<String, Value> = texts
        .map(|(key, text)| (key.clone(), text.as_str().into()))
        .collect();
    maintenance.insert("text".to_owned(), texts.into());
    context.insert("maintenance", &maintenance);
    context
}

/// How a page looks again by itself.
struct Again {
    /// In how many seconds without its script.
    refresh: u64,
    /// Where its script is.
    script: Option<String>,
}

impl Again {
    /// When it is over, and not all pages at once.
    fn of(refusal: &Refusal, script: Option<&String>) -> Self {
        let seconds = SHORTEST_REFRESH + fastrand::u64(0..=SHORTEST_REFRESH);
        let until = refusal.until.and(refusal.retry_after);
        Self {
            refresh: until.map_or(seconds, |until| until.min(seconds)),
            script: script.cloned(),
        }
    }
}

fn text(refusal: &Refusal, catalogue: &Catalogue) -> String {
    let mut text = format!("{}\n", refusal.message);
    if let Some(addition) = addition(catalogue, refusal) {
        text.push_str(addition);
        text.push('\n');
    }
    if let Some(until) = refusal.until {
        let until = in_words(until);
        text.push_str(&catalogue.filled("refusal", "back_at", &[("time", &until)]));
        text.push('\n');
    }
    text
}

/// An instant for people: in UTC, as nobody knows where the visitor is, and never too early.
fn in_words(instant: Timestamp) -> String {
    let up = TimestampRound::new()
        .smallest(Unit::Minute)
        .mode(RoundMode::Ceil);
    instant
        .round(up)
        .unwrap_or(instant)
        .to_zoned(TimeZone::UTC)
        .strftime("%Y-%m-%d %H:%M UTC")
        .to_string()
}
