//! The page that asks before it switches.

use actix_web::{HttpRequest, http::StatusCode, web};
use jiff::SignedDuration;
use serde::Serialize;

use super::page::Page;
use crate::{
    core::{mode::Mode, phase::Phase, state::OnTimeout},
    settings::Access,
    web::{
        admin::{
            answering::Answer, authorize::Caller, direction::Direction, form::Form, not_changed,
            not_found, pages::dashboard_of, view::is_open,
        },
        maintenance::Maintenance,
    },
};

/// For how long one can say that a mode is switched on, in minutes.
pub(super) const DURATIONS: [i64; 7] = [15, 30, 60, 120, 240, 480, 1440];

/// Asks whether the switch of a mode is meant, and says what follows from it.
pub(crate) async fn switch(request: HttpRequest, maintenance: web::Data<Maintenance>) -> Answer {
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
pub(crate) async fn ask_to_switch(
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
pub(super) struct SwitchAsked {
    pub(super) mode: String,
    /// Where the browser goes after the switch, or without it.
    pub(super) next: String,
    pub(super) to_on: bool,
    pub(super) question: String,
    pub(super) consequences: Vec<String>,
    pub(super) is_pending: bool,
    pub(super) is_read_only: bool,
    pub(super) durations: Vec<Choice>,
    pub(super) time_out: Option<String>,
    pub(super) drain_hint: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Choice {
    pub(super) value: String,
    pub(super) text: String,
    pub(super) is_chosen: bool,
}

impl SwitchAsked {
    pub(super) fn new(page: &Page<'_>, mode: &Mode, direction: Direction, next: String) -> Self {
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
