//! The page that asks before it switches.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};
use jiff::SignedDuration;
use serde::Serialize;

use super::fault::Fault;
use super::page::{Choice, DURATIONS, Page, dashboard_of};
use super::preview::PreviewChoices;
use crate::web::admin::direction::Direction;
use crate::web::admin::{
    answering::Answer, authorize::Caller, form::Form, not_changed, not_found, view::is_open,
};
use crate::{
    core::{phase::Phase, state::OnTimeout},
    engine::change_error::ChangeError,
    settings::Access,
    web::maintenance::Maintenance,
};

/// For how many seconds requests may wait, as far as the settings let them.
const PATIENCES: [u64; 4] = [5, 10, 30, 60];

/// Over how many minutes a mode may be opened.
const OPENINGS: [i64; 5] = [1, 5, 10, 30, 60];

/// Asks whether the switch of a mode is meant, and says what follows from it.
pub(in crate::web::admin) async fn switch(
    request: HttpRequest,
    maintenance: web::Data<Maintenance>,
) -> Answer {
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
pub(in crate::web::admin) async fn ask_to_switch(
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
pub(in crate::web::admin) struct SwitchAgain<'a> {
    pub(in crate::web::admin) form: &'a Form,
    pub(in crate::web::admin) mode: &'a str,
    pub(in crate::web::admin) direction: Direction,
    pub(in crate::web::admin) next: String,
    /// Why it was not; none where its sender may not throw it.
    pub(in crate::web::admin) error: Option<&'a ChangeError>,
}

/// The form again, with what was written, why the switch was not thrown, and a way on. To somebody
/// who may not see the mode it says no more of it than they wrote themselves.
pub(in crate::web::admin) async fn switch_again(
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
pub(super) struct SwitchAsked {
    pub(super) fault: Option<Fault>,
    /// What the mode was when the form was made.
    pub(super) seen: String,
    pub(super) message: String,
    pub(super) reason: String,
    pub(super) drain: bool,
    /// None where there is nothing to be seen ahead, or not for the reader.
    pub(super) preview: Option<PreviewChoices>,
    pub(super) mode: String,
    /// Where the browser goes after the switch, or without it.
    pub(super) next: String,
    pub(super) to_on: bool,
    pub(super) question: String,
    pub(super) consequences: Vec<String>,
    pub(super) is_pending: bool,
    pub(super) is_read_only: bool,
    pub(super) durations: Vec<Choice>,
    /// How long it may take until all are in.
    pub(super) openings: Vec<Choice>,
    /// How long requests may wait for it to open. None: nobody may.
    pub(super) patiences: Vec<Choice>,
    pub(super) drain_hint: String,
}

impl SwitchAsked {
    pub(super) fn new(
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
        let can_be_opened_slowly = to_off
            && status.is_some_and(|mode| matches!(mode.phase, Phase::Offline | Phase::Opening));
        let mut consequences = vec![match () {
            () if to_off && can_be_opened_slowly => "consequence_open_over",
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
            preview: (!to_off && !is_pending && page.sight.has(key))
                .then(|| PreviewChoices::new(page)),
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
            patiences: patiences(page, field("park")),
            openings: match can_be_opened_slowly {
                true => openings(page, field("over")),
                false => Vec::new(),
            },
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

/// Not at all, or so many seconds.
fn patiences(page: &Page<'_>, chosen: &str) -> Vec<Choice> {
    let reader = &page.reader;
    let parked = &page.maintenance.engine.shared.parked;
    let longest = if parked.has_places() {
        parked.longest.as_secs()
    } else {
        0
    };
    let mut seconds: Vec<u64> = PATIENCES
        .into_iter()
        .filter(|seconds| *seconds <= longest)
        .collect();
    if seconds.is_empty() && longest > 0 {
        seconds.push(longest);
    }
    if seconds.is_empty() {
        return Vec::new();
    }
    let each = seconds.into_iter().map(|seconds| {
        let duration = i64::try_from(seconds).unwrap_or(i64::MAX);
        let duration = reader.duration(SignedDuration::from_secs(duration));
        let text = reader.filled("park_duration", "duration", &duration);
        (format!("{seconds}s"), text)
    });
    choices(reader.text("park_none"), each, chosen)
}

/// What is chosen unless somebody says otherwise, and what else there is to choose: a value and its text.
fn choices(
    usual: &str,
    others: impl Iterator<Item = (String, String)>,
    chosen: &str,
) -> Vec<Choice> {
    let all = std::iter::once((String::new(), usual.to_owned())).chain(others);
    all.map(|(value, text)| Choice {
        is_chosen: value == chosen,
        value,
        text,
    })
    .collect()
}

/// At once, or over so many minutes.
fn openings(page: &Page<'_>, chosen: &str) -> Vec<Choice> {
    let reader = &page.reader;
    let each = OPENINGS.into_iter().map(|minutes| {
        let duration = reader.duration(SignedDuration::from_mins(minutes));
        let text = reader.filled("over_duration", "duration", &duration);
        (format!("{minutes}m"), text)
    });
    choices(reader.text("over_at_once"), each, chosen)
}
