//! The dashboard and its forms, for people.

use crate::core::mode::Mode;
use std::{collections::HashMap, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY,
            VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
        },
    },
    web,
};
use jiff::{SignedDuration, civil::DateTime, tz::TimeZone};
use serde::Serialize;

use super::{
    answering::Answer,
    authorize::{Caller, authorize, authorize_change, caller, may_see},
    form::Form,
    not_changed, not_found,
    switch::Direction,
    view::{Dashboard, More, Reader, is_open, title_of},
    visible::{Sight, Visible},
};
use crate::{
    core::{
        phase::Phase,
        schedule::find_zone,
        snapshot::{ModeStatus, PlannedWindow, Status},
        state::{OnTimeout, Switch},
    },
    engine::changes::ChangeError,
    settings::Access,
    web::{maintenance::Maintenance, permission::Permission},
};

/// The templates, under the names by which an app's own replace them.
pub(crate) const TEMPLATES: [(&str, &str); 5] = [
    (
        "maintenance/base.html",
        include_str!("../../../templates/base.html"),
    ),
    (
        "maintenance/dashboard.html",
        include_str!("../../../templates/dashboard.html"),
    ),
    (
        "maintenance/switch.html",
        include_str!("../../../templates/switch.html"),
    ),
    (
        "maintenance/plan.html",
        include_str!("../../../templates/plan.html"),
    ),
    (
        "maintenance/cancel.html",
        include_str!("../../../templates/cancel.html"),
    ),
];

/// Nothing from elsewhere, nothing inline, and nobody frames it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The cookie by which the script says in which zone the reader is.
const ZONE_COOKIE: &str = "maintenance_zone";

/// How long a page waits for the store to tell of nodes and tasks.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// For how long one can say that a mode is switched on, in minutes.
const DURATIONS: [i64; 7] = [15, 30, 60, 120, 240, 480, 1440];

pub(super) async fn dashboard(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let page = Page::open(&request, &maintenance).await?;
    let history = page.sight.history(maintenance.history());
    let snapshot = maintenance.engine.shared.published.snapshot();
    let deadlines = snapshot.modes.iter().filter_map(|mode| {
        let Switch::Pending(drain) = &mode.state.switch else {
            return None;
        };
        Some((mode.key.as_ref().to_owned(), drain.deadline?))
    });
    let more = More {
        history: &history,
        deadlines: deadlines.collect::<HashMap<_, _>>(),
        switchable: &page.switchable,
    };
    let shown = Dashboard::new(&page.status, &more, &page.reader);
    Ok(page.answer("dashboard", StatusCode::OK, &shown))
}

/// Asks whether the switch of a mode is meant, and says what follows from it.
pub(super) async fn switch(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let page = Page::open(&request, &maintenance).await?;
    let form = Form::of_query(&request);
    let key = form.get("mode").filter(|key| page.sight.has(key));
    let mode = key.and_then(|key| maintenance.engine.find_mode(key).ok());
    let Some(mode) = mode.filter(|mode| page.switchable.contains(&mode.key)) else {
        return Ok(not_found(request.clone(), maintenance.clone()).await);
    };
    let direction = match form.get("to") {
        Some("off") => Direction::Off,
        _ => Direction::On,
    };
    let dashboard = dashboard_of(&request, &maintenance);
    let asked = SwitchAsked::new(&page, mode, direction, dashboard);
    Ok(page.answer("switch", StatusCode::OK, &asked))
}

/// The same page where an address alone asked for the switch. It says no more of the mode than its
/// reader may see.
pub(super) async fn ask_to_switch(
    request: &HttpRequest,
    maintenance: &Maintenance,
    caller: Caller,
    mode: &str,
    direction: Direction,
    next: String,
) -> Answer {
    let page = Page::of(request, maintenance, caller).await;
    let mode = maintenance.engine.find_mode(mode);
    let mode = mode.map_err(|error| not_changed(maintenance, request, &error))?;
    let asked = SwitchAsked::new(&page, mode, direction, next);
    Ok(page.answer("switch", StatusCode::OK, &asked))
}

#[derive(Debug, Serialize)]
struct SwitchAsked {
    mode: String,
    /// Where the browser goes after the switch, or without it.
    next: String,
    to_on: bool,
    question: String,
    consequences: Vec<String>,
    is_pending: bool,
    is_read_only: bool,
    durations: Vec<Choice>,
    time_out: Option<String>,
    drain_hint: String,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    text: String,
    is_chosen: bool,
}

impl SwitchAsked {
    fn new(page: &Page<'_>, mode: &Mode, direction: Direction, next: String) -> Self {
        let reader = &page.reader;
        let status = page.status.mode(&mode.key);
        let to_off = direction == Direction::Off;
        let is_pending = status.is_some_and(|status| status.phase == Phase::Pending);
        let has_open_window = status.is_some_and(|status| {
            let mut windows = status.windows.iter();
            windows.any(|window| is_open(window, reader.now))
        });
        let mut consequences = vec![match () {
            () if to_off => "consequence_open",
            () if is_pending => "consequence_close_now",
            () if mode.access == Access::ReadOnly => "consequence_read_only",
            () => "consequence_close",
        }];
        if to_off && has_open_window {
            consequences.push("consequence_open_window");
        }
        let shared = &page.maintenance.engine.shared;
        let wish = shared.drain.wish;
        let hint = match wish.on_timeout {
            OnTimeout::Offline => "drain_hint_offline",
            OnTimeout::Cancel => "drain_hint_cancel",
        };
        Self {
            mode: mode.key.clone(),
            next,
            to_on: !to_off,
            question: reader.filled(
                match mode.access {
                    _ if to_off => "confirm_open",
                    Access::ReadOnly => "confirm_on",
                    Access::None => "confirm_close",
                },
                "mode",
                &mode.label,
            ),
            consequences: consequences
                .into_iter()
                .map(|key| reader.text(key).to_owned())
                .collect(),
            is_pending,
            is_read_only: mode.access == Access::ReadOnly,
            durations: DURATIONS
                .into_iter()
                .map(|minutes| Choice {
                    value: format!("{minutes}m"),
                    text: reader.filled(
                        "for_after",
                        "duration",
                        &reader.duration(SignedDuration::from_mins(minutes)),
                    ),
                    is_chosen: false,
                })
                .collect(),
            time_out: mode
                .time_out
                .map(|after| reader.filled("for_timeout", "duration", &reader.duration(after))),
            drain_hint: reader.filled(
                hint,
                "duration",
                &reader.duration(wish.timeout.unwrap_or_default()),
            ),
        }
    }
}

/// The form of a window: `GET` shows it, `POST` plans the window or shows what is wrong with it.
pub(super) async fn plan(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let form = Form::read(&request, &body).map_err(|unreadable| {
        maintenance.front.responses.notice(
            request.headers(),
            unreadable.status(),
            "Not understood",
            &format!("{unreadable} Nothing was changed."),
        )
    })?;
    let mut fault = None;
    if request.method() == Method::POST {
        let key = form.get("mode").map(str::to_owned);
        let key = key.unwrap_or_else(|| maintenance.engine.first_mode());
        let what = "plan a window";
        let caller = authorize_change(&request, &maintenance, Some(&key), what).await?;
        match planned(&maintenance, &form, &key, caller.by()).await {
            Ok(()) => return Ok(see_other(&request, &maintenance)),
            Err(PlanError::Form(message)) => fault = Some(message),
            Err(PlanError::Change(
                ChangeError::Plan(message)
                | ChangeError::Text(message)
                | ChangeError::Full(message),
            )) => {
                fault = Some(PlanFault::Text(message));
            }
            Err(PlanError::Change(error)) => {
                return Err(not_changed(&maintenance, &request, &error));
            }
        }
    }
    let page = Page::open(&request, &maintenance).await?;
    if page.switchable.is_empty() {
        return Ok(not_found(request, maintenance).await);
    }
    let asked = PlanAsked::new(&page, &form, fault);
    let status = match asked.fault {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    Ok(page.answer("plan", status, &asked))
}

enum PlanError {
    Form(PlanFault),
    Change(ChangeError),
}

/// What is wrong with a form.
enum PlanFault {
    /// A text of the catalogue.
    Key(&'static str),
    Text(String),
}

async fn planned(
    maintenance: &Maintenance,
    form: &Form,
    mode: &str,
    by: String,
) -> Result<(), PlanError> {
    let (start, end) = (form.get("start"), form.get("end"));
    let mut plan = maintenance.plan_window().mode(mode).by(by);
    if let Some(zone) = form.get("zone") {
        plan = plan.zone(zone);
    }
    if let Some(start) = start {
        plan = plan.start_local(start);
    }
    match form.get("repeat") {
        None => {
            if let Some(end) = end {
                plan = plan.end_local(end);
            }
        }
        Some(rhythm) => {
            let (cron, lasts) = repeated(rhythm, start, end)
                .ok_or(PlanError::Form(PlanFault::Key("repeat_needs_end")))?;
            plan = plan.repeats(cron).lasting(lasts);
        }
    }
    if let Some(title) = form.get("title") {
        plan = plan.title(title);
    }
    if let Some(message) = form.get("message") {
        plan = plan.message(message);
    }
    if let Some(reason) = form.get("reason") {
        plan = plan.reason(reason);
    }
    plan.await.map(|_| ()).map_err(PlanError::Change)
}

/// When and for how long a window opens that repeats like its first time.
fn repeated(rhythm: &str, start: Option<&str>, end: Option<&str>) -> Option<(String, Duration)> {
    let start: DateTime = start?.parse().ok()?;
    let end: DateTime = end?.parse().ok()?;
    let lasts = start.duration_until(end);
    let lasts = Duration::try_from(lasts).ok()?;
    if lasts.is_zero() {
        return None;
    }
    let (minute, hour) = (start.minute(), start.hour());
    let cron = match rhythm {
        "daily" => format!("{minute} {hour} * * *"),
        "weekly" => {
            let weekday = start.weekday().to_sunday_zero_offset();
            format!("{minute} {hour} * * {weekday}")
        }
        "monthly" => format!("{minute} {hour} {} * *", start.day()),
        _ => return None,
    };
    Some((cron, lasts))
}

#[derive(Debug, Serialize)]
struct PlanAsked {
    fault: Option<String>,
    modes: Vec<Choice>,
    rhythms: Vec<Choice>,
    title: String,
    start: String,
    end: String,
    message: String,
    reason: String,
    least: String,
}

impl PlanAsked {
    fn new(page: &Page<'_>, form: &Form, fault: Option<PlanFault>) -> Self {
        let reader = &page.reader;
        let chosen = form.get("mode");
        let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let modes = page.status.modes.iter();
        let rhythm = form.get("repeat").unwrap_or_default();
        Self {
            fault: fault.map(|fault| match fault {
                PlanFault::Key(key) => reader.text(key).to_owned(),
                PlanFault::Text(message) => {
                    format!("{}: {message}", reader.text("not_planned"))
                }
            }),
            modes: modes
                .filter(|mode| page.switchable.contains(&mode.key))
                .map(|mode| Choice {
                    value: mode.key.clone(),
                    text: mode.label.clone(),
                    is_chosen: chosen == Some(mode.key.as_str()),
                })
                .collect(),
            rhythms: [
                ("", "repeat_never"),
                ("daily", "repeat_daily"),
                ("weekly", "repeat_weekly"),
                ("monthly", "repeat_monthly"),
            ]
            .into_iter()
            .map(|(value, key)| Choice {
                value: value.to_owned(),
                text: reader.text(key).to_owned(),
                is_chosen: value == rhythm,
            })
            .collect(),
            title: field("title"),
            start: field("start"),
            end: field("end"),
            message: field("message"),
            reason: field("reason"),
            least: reader
                .now
                .to_zoned(reader.zone.clone())
                .strftime("%Y-%m-%dT%H:%M")
                .to_string(),
        }
    }
}

/// Asks whether a window is to be cancelled, and cancels it.
pub(super) async fn cancel(
    request: HttpRequest,
    body: web::Bytes,
    maintenance: web::Data<Maintenance>,
) -> Answer {
    let form = Form::read(&request, &body).unwrap_or_default();
    let id = form.get("id").unwrap_or_default();
    let Some(mode) = maintenance.engine.mode_of_window(id) else {
        // Only those who may cancel windows learn which there are.
        authorize(&request, &maintenance, Permission::Toggle, None).await?;
        let error = ChangeError::UnknownWindow(id.to_owned());
        return Err(not_changed(&maintenance, &request, &error));
    };
    if request.method() == Method::POST {
        let what = "cancel a window";
        let caller = authorize_change(&request, &maintenance, Some(&mode), what).await?;
        let mut cancel = maintenance.cancel_window(id).by(caller.by());
        if form.get("only") == Some("next") {
            cancel = cancel.only_next();
        }
        let change = cancel.await;
        change.map_err(|error| not_changed(&maintenance, &request, &error))?;
        return Ok(see_other(&request, &maintenance));
    }
    let page = Page::open(&request, &maintenance).await?;
    let found = window(&page.status, id).filter(|(mode, _)| page.switchable.contains(&mode.key));
    let Some((mode, window)) = found else {
        return Ok(not_found(request, maintenance).await);
    };
    let reader = &page.reader;
    let consequence = if is_open(window, reader.now) {
        "consequence_cancel_open"
    } else {
        "consequence_cancel"
    };
    let title = title_of(window, reader);
    let asked = CancelAsked {
        id: window.id.clone(),
        question: reader.filled("confirm_cancel", "title", &title),
        mode: mode.label.clone(),
        start: window.start.map(|start| reader.instant(start).text),
        end: window.end.map(|end| reader.instant(end).text),
        consequence: reader.text(consequence).to_owned(),
        repeats: window.repeats.is_some(),
    };
    Ok(page.answer("cancel", StatusCode::OK, &asked))
}

#[derive(Debug, Serialize)]
struct CancelAsked {
    id: String,
    question: String,
    mode: String,
    start: Option<String>,
    end: Option<String>,
    consequence: String,
    repeats: bool,
}

fn window<'a>(status: &'a Status, id: &str) -> Option<(&'a ModeStatus, &'a PlannedWindow)> {
    status.modes.iter().find_map(|mode| {
        let window = mode.windows.iter().find(|window| window.id == id)?;
        Some((mode, window))
    })
}

/// Where the dashboard is for whoever sends this request.
fn dashboard_of(request: &HttpRequest, maintenance: &Maintenance) -> String {
    let front = &maintenance.front;
    front.public(request, &format!("{}/", front.admin_path))
}

fn see_other(request: &HttpRequest, maintenance: &Maintenance) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, dashboard_of(request, maintenance)))
        .insert_header((CACHE_CONTROL, "no-store"))
        .finish()
}

/// A page for somebody who may see.
struct Page<'a> {
    maintenance: &'a Maintenance,
    request: &'a HttpRequest,
    caller: Caller,
    /// The keys of the modes that they may switch.
    switchable: Vec<String>,
    sight: Sight,
    status: Visible<Status>,
    reader: Reader<'a>,
}

impl<'a> Page<'a> {
    /// For somebody who may see something.
    async fn open(
        request: &'a HttpRequest,
        maintenance: &'a Maintenance,
    ) -> Result<Page<'a>, HttpResponse> {
        let (caller, sight) = may_see(request, maintenance).await?;
        Ok(Self::new(request, maintenance, caller, sight).await)
    }

    /// For somebody who may do something, and perhaps sees nothing.
    async fn of(
        request: &'a HttpRequest,
        maintenance: &'a Maintenance,
        caller: Caller,
    ) -> Page<'a> {
        let sight = super::sight(request, maintenance).await;
        Self::new(request, maintenance, caller, sight).await
    }

    async fn new(
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

    fn answer(&self, template: &str, status: StatusCode, shown: &impl Serialize) -> HttpResponse {
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
async fn status(maintenance: &Maintenance) -> Status {
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
fn zone_of(request: &HttpRequest, maintenance: &Maintenance) -> TimeZone {
    let named = request.cookie(ZONE_COOKIE);
    let named = named.and_then(|cookie| find_zone(cookie.value()).ok());
    named
        .or_else(|| maintenance.engine.shared.time_zone.clone())
        .unwrap_or(TimeZone::UTC)
}
