//! The dashboard and its forms, for people.

mod change;
mod fault;
mod preview;
mod zones;

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
use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{Offset, TimeZone},
};
use serde::Serialize;

use self::fault::Fault;
pub(super) use self::{change::change, fault::comes_again, preview::preview};
use super::{
    answering::Answer,
    authorize::{Caller, authorize, authorize_change, caller, may_see},
    form::Form,
    not_changed, not_found,
    view::{Dashboard, HistoryAsked, More, Reader, is_open, title_of},
    visible::{Sight, Visible},
};
use crate::web::admin::direction::Direction;
use crate::{
    core::{
        phase::Phase,
        schedule::find_zone,
        state::{OnTimeout, Switch, amend::Seen},
        status::{modes::ModeStatus, whole::Status, windows::PlannedWindow},
    },
    engine::change_error::ChangeError,
    settings::Access,
    web::{maintenance::Maintenance, permission::Permission},
};

/// Nothing from elsewhere, nothing inline, and nobody frames it.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
    img-src 'self' data:; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The cookie by which the script says in which zone the reader is.
const ZONE_COOKIE: &str = "maintenance_zone";

/// How long a page waits for the store to tell of nodes and tasks.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// For how long one can say that a mode is switched on, in minutes.
const DURATIONS: [i64; 7] = [15, 30, 60, 120, 240, 480, 1440];

pub(super) async fn dashboard(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
    let page = Page::open(&request, &maintenance).await?;
    let history = maintenance.history();
    let stored = history.len();
    let history = page.sight.history(history);
    let query = Form::of_query(&request);
    let snapshot = maintenance.engine.shared.published.snapshot();
    let whole = snapshot.modes_of_everything();
    let whole: Vec<String> = whole
        .filter(|key| page.sight.has(key))
        .map(str::to_owned)
        .collect();
    let deadlines = snapshot.modes.iter().filter_map(|mode| {
        let Switch::Pending(drain) = &mode.state.switch else {
            return None;
        };
        Some((mode.key.as_ref().to_owned(), drain.deadline?))
    });
    let dashboard = dashboard_of(&request, &maintenance);
    let more = More {
        history: &history,
        asked: HistoryAsked {
            mode: query.get("history"),
            page: query
                .get("page")
                .and_then(|page| page.parse().ok())
                .unwrap_or(1),
            stored,
            base: dashboard.trim_end_matches('/'),
        },
        whole: &whole,
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
    let asked = SwitchAsked::new(&page, &mode.key, direction, dashboard, None);
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
    let asked = SwitchAsked::new(&page, &mode.key, direction, next, None);
    Ok(page.answer("switch", StatusCode::OK, &asked))
}

/// A switch that was not thrown, and the form by which it was asked for.
pub(super) struct SwitchAgain<'a> {
    pub(super) form: &'a Form,
    pub(super) mode: &'a str,
    pub(super) direction: Direction,
    pub(super) next: String,
    /// Why it was not; none where its sender may not throw it.
    pub(super) error: Option<&'a ChangeError>,
}

/// The form again, with what was written, why the switch was not thrown, and a way on. To somebody
/// who may not see the mode it says no more of it than they wrote themselves.
pub(super) async fn switch_again(
    request: &HttpRequest,
    maintenance: &Maintenance,
    asked: SwitchAgain<'_>,
) -> HttpResponse {
    let page = Page::for_anybody(request, maintenance).await;
    let fault = match asked.error {
        Some(error) => Fault::of_change(&page, asked.mode, error),
        None => Fault::not_allowed(&page),
    };
    let status = fault.status;
    let written = Some((asked.form, fault));
    let shown = SwitchAsked::new(&page, asked.mode, asked.direction, asked.next, written);
    page.answer("switch", status, &shown)
}

#[derive(Debug, Serialize)]
struct SwitchAsked {
    fault: Option<Fault>,
    /// What the mode was when the form was made.
    seen: String,
    message: String,
    reason: String,
    drain: bool,
    has_preview: bool,
    mode: String,
    /// Where the browser goes after the switch, or without it.
    next: String,
    to_on: bool,
    question: String,
    consequences: Vec<String>,
    is_pending: bool,
    is_read_only: bool,
    durations: Vec<Choice>,
    drain_hint: String,
}

#[derive(Debug, Serialize)]
struct Choice {
    value: String,
    text: String,
    is_chosen: bool,
}

impl SwitchAsked {
    fn new(
        page: &Page<'_>,
        key: &str,
        direction: Direction,
        next: String,
        written: Option<(&Form, Fault)>,
    ) -> Self {
        let reader = &page.reader;
        let form = written.as_ref().map(|(form, _)| *form);
        let field = |name: &str| form.and_then(|form| form.get(name)).unwrap_or_default();
        let status = page.status.mode(key);
        // Whoever may switch a mode knows what it is, although they may not see it.
        let is_known = page.sight.has(key) || page.switchable.iter().any(|known| known == key);
        let mode = page.maintenance.engine.find_mode(key).ok();
        let mode = mode.filter(|_| is_known);
        let access = mode.map_or(Access::None, |mode| mode.access);
        let to_off = direction == Direction::Off;
        let is_pending = match status {
            Some(status) => status.phase == Phase::Pending,
            // The form of a mode that is closing has no such field.
            None => form.is_some_and(|form| !form.has("for")),
        };
        let has_open_window = status.is_some_and(|status| {
            let mut windows = status.windows.iter();
            windows.any(|window| is_open(window, reader.now))
        });
        let mut consequences = vec![match () {
            () if to_off => "consequence_open",
            () if is_pending => "consequence_close_now",
            () if access == Access::ReadOnly => "consequence_read_only",
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
        let is_outdated = written
            .as_ref()
            .is_some_and(|(_, fault)| fault.is_outdated());
        Self {
            seen: match field("seen") {
                // Of a form that is outdated it is as it is now, which stands above it.
                "" => page.seen(key).as_str().to_owned(),
                _ if is_outdated => page.seen(key).as_str().to_owned(),
                seen => seen.to_owned(),
            },
            message: field("message").to_owned(),
            reason: field("reason").to_owned(),
            drain: !matches!(field("drain"), "" | "false"),
            has_preview: page.sight.has(key),
            mode: key.to_owned(),
            next,
            to_on: !to_off,
            question: reader.filled(
                match access {
                    _ if to_off => "confirm_open",
                    Access::ReadOnly => "confirm_on",
                    Access::None => "confirm_close",
                },
                "mode",
                mode.map_or(key, |mode| &mode.label),
            ),
            consequences: consequences
                .into_iter()
                .map(|key| reader.text(key).to_owned())
                .collect(),
            is_pending,
            is_read_only: access == Access::ReadOnly,
            durations: {
                let time_out = mode.and_then(|mode| mode.time_out);
                let by_itself = match time_out {
                    Some(after) => {
                        reader.filled("for_timeout", "duration", &reader.duration(after))
                    }
                    None => reader.text("for_never").to_owned(),
                };
                let each = DURATIONS.into_iter().map(|minutes| {
                    let duration = reader.duration(SignedDuration::from_mins(minutes));
                    let text = reader.filled("for_after", "duration", &duration);
                    (format!("{minutes}m"), text)
                });
                std::iter::once((String::new(), by_itself))
                    .chain(each)
                    .map(|(value, text)| Choice {
                        is_chosen: value == field("for"),
                        value,
                        text,
                    })
                    .collect()
            },
            drain_hint: reader.filled(
                hint,
                "duration",
                &reader.duration(wish.timeout.unwrap_or_default()),
            ),
            fault: written.map(|(_, fault)| fault),
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
    let comes_again = comes_again(&request, &form, &maintenance);
    if request.method() == Method::POST {
        let key = form.get("mode").map(str::to_owned);
        let key = key.unwrap_or_else(|| maintenance.engine.first_mode());
        let what = "plan a window";
        let caller = match authorize_change(&request, &maintenance, Some(&key), what).await {
            Ok(caller) => caller,
            Err(refused) if !comes_again => return Err(refused),
            Err(_) => {
                let page = Page::for_anybody(&request, &maintenance).await;
                let fault = Fault::not_allowed(&page);
                return Err(again(&page, &form, fault));
            }
        };
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
            Err(PlanError::Change(error)) if comes_again => {
                let page = Page::of(&request, &maintenance, caller).await;
                let fault = Fault::of_change(&page, &key, &error);
                return Err(again(&page, &form, fault));
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
    let fault = fault.map(|fault| {
        Fault::of_text(match fault {
            PlanFault::Key(key) => page.reader.text(key).to_owned(),
            PlanFault::Text(message) => {
                format!("{}: {message}", page.reader.text("not_planned"))
            }
        })
    });
    Ok(match fault {
        Some(fault) => again(&page, &form, fault),
        None => page.answer("plan", StatusCode::OK, &PlanAsked::new(&page, &form, None)),
    })
}

/// The form again, with what was written.
fn again(page: &Page<'_>, form: &Form, fault: Fault) -> HttpResponse {
    let status = fault.status;
    page.answer("plan", status, &PlanAsked::new(page, form, Some(fault)))
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
    fault: Option<Fault>,
    zones: Vec<Choice>,
    zone_note: String,
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
    fn new(page: &Page<'_>, form: &Form, fault: Option<Fault>) -> Self {
        let reader = &page.reader;
        let chosen = form.get("mode");
        let zone = form.get("zone");
        let field = |name: &str| form.get(name).unwrap_or_default().to_owned();
        let modes = page.status.modes.iter();
        let rhythm = form.get("repeat").unwrap_or_default();
        let mut modes: Vec<Choice> = modes
            .filter(|mode| page.switchable.contains(&mode.key))
            .map(|mode| Choice {
                value: mode.key.clone(),
                text: mode.label.clone(),
                is_chosen: chosen == Some(mode.key.as_str()),
            })
            .collect();
        // To somebody who sees no mode any more, the one that they wrote themselves.
        if let (true, Some(chosen)) = (modes.is_empty(), chosen) {
            modes.push(Choice {
                value: chosen.to_owned(),
                text: chosen.to_owned(),
                is_chosen: true,
            });
        }
        Self {
            fault,
            zones: zones::offered(page, zone),
            zone_note: zones::note(page, &zones::of_form(page, zone)),
            modes,
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
            // In whichever zone the time is, this is past.
            least: reader
                .now
                .to_zoned(TimeZone::fixed(Offset::constant(-12)))
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
    let comes_again =
        request.method() == Method::POST && comes_again(&request, &form, &maintenance);
    let Some(mode) = maintenance.engine.mode_of_window(id) else {
        // Only those who may cancel windows learn which there are.
        let may = authorize(&request, &maintenance, Permission::Toggle, None).await;
        return Err(match may {
            Ok(caller) if comes_again => {
                let page = Page::of(&request, &maintenance, caller).await;
                let fault = Fault::of_change(&page, "", &unknown(id));
                let status = fault.status;
                page.answer(
                    "cancel",
                    status,
                    &CancelAsked::new(&page, &form, Some(fault)),
                )
            }
            Ok(_) => not_changed(&maintenance, &request, &unknown(id)),
            Err(refused) if !comes_again => refused,
            Err(_) => not_allowed(&request, &maintenance, &form).await,
        });
    };
    if request.method() == Method::POST {
        let what = "cancel a window";
        let caller = match authorize_change(&request, &maintenance, Some(&mode), what).await {
            Ok(caller) => caller,
            Err(refused) if !comes_again => return Err(refused),
            Err(_) => return Err(not_allowed(&request, &maintenance, &form).await),
        };
        let mut cancel = maintenance.cancel_window(id).by(caller.by());
        if form.get("only") == Some("next") {
            cancel = cancel.only_next();
        }
        return match cancel.await {
            Ok(_) => Ok(see_other(&request, &maintenance)),
            Err(error) if comes_again => {
                let page = Page::of(&request, &maintenance, caller).await;
                let fault = Fault::of_change(&page, &mode, &error);
                let status = fault.status;
                let asked = CancelAsked::new(&page, &form, Some(fault));
                Err(page.answer("cancel", status, &asked))
            }
            Err(error) => Err(not_changed(&maintenance, &request, &error)),
        };
    }
    let page = Page::open(&request, &maintenance).await?;
    let may = page.sight.has(&mode) && page.switchable.contains(&mode);
    if !may || window(&page.status, id).is_none() {
        return Ok(not_found(request.clone(), maintenance.clone()).await);
    }
    let asked = CancelAsked::new(&page, &form, None);
    Ok(page.answer("cancel", StatusCode::OK, &asked))
}

fn unknown(id: &str) -> ChangeError {
    ChangeError::UnknownWindow(id.to_owned())
}

/// The form again, to somebody who may not send it by now.
async fn not_allowed(
    request: &HttpRequest,
    maintenance: &Maintenance,
    form: &Form,
) -> HttpResponse {
    let page = Page::for_anybody(request, maintenance).await;
    let fault = Fault::not_allowed(&page);
    let status = fault.status;
    let asked = CancelAsked::new(&page, form, Some(fault));
    page.answer("cancel", status, &asked)
}

#[derive(Debug, Serialize)]
struct CancelAsked {
    fault: Option<Fault>,
    id: String,
    question: String,
    /// These are of a window that the reader may see.
    mode: Option<String>,
    start: Option<String>,
    end: Option<String>,
    consequence: Option<String>,
    repeats: bool,
    cancels_all: bool,
}

impl CancelAsked {
    fn new(page: &Page<'_>, form: &Form, fault: Option<Fault>) -> Self {
        let reader = &page.reader;
        let id = form.get("id").unwrap_or_default();
        let found = window(&page.status, id);
        let consequence = found.map(|(_, window)| match is_open(window, reader.now) {
            true => "consequence_cancel_open",
            false => "consequence_cancel",
        });
        let title = found.map(|(_, window)| title_of(window, reader));
        let instant = |instant: Option<Timestamp>| instant.map(|at| reader.instant(at).text);
        Self {
            id: id.to_owned(),
            question: reader.filled("confirm_cancel", "title", title.as_deref().unwrap_or(id)),
            mode: found.map(|(mode, _)| mode.label.clone()),
            start: found.and_then(|(_, window)| instant(window.start)),
            end: found.and_then(|(_, window)| instant(window.end)),
            consequence: consequence.map(|key| reader.text(key).to_owned()),
            repeats: match found {
                Some((_, window)) => window.repeats.is_some(),
                // As the form had it.
                None => form.has("only"),
            },
            cancels_all: form.get("only") == Some("all"),
            fault,
        }
    }
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

    /// For anybody: with no more than they may see, which may be nothing.
    pub(super) async fn for_anybody(
        request: &'a HttpRequest,
        maintenance: &'a Maintenance,
    ) -> Page<'a> {
        let who = caller(request, maintenance, Permission::See).await;
        let sight = Sight::of(who.modes.clone(), maintenance.engine.shared.modes.len());
        Self::new(request, maintenance, who, sight).await
    }

    /// What a mode is, for a form that is to hold only as long as it is that.
    pub(super) fn seen(&self, mode: &str) -> Seen {
        let shared = &self.maintenance.engine.shared;
        let snapshot = shared.published.snapshot();
        let state = snapshot.mode(mode).map(|mode| &mode.state);
        Seen::of(state, self.reader.now)
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
