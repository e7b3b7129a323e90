//! Windows of maintenance as code plans and cancels them.

use std::{future::IntoFuture, pin::Pin};

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use crate::{
    change::{Change, ChangeError, ChangeFuture, change},
    driver::Operation,
    maintenance::Maintenance,
    state::Window,
};

/// Ends that are farther away than this are most likely slips.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(366 * 24);

/// The future of planning a window.
pub type PlannedFuture = Pin<Box<dyn Future<Output = Result<Planned, ChangeError>> + Send>>;

/// A window that was planned.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Planned {
    /// What [`Maintenance::cancel_window`] takes.
    pub id: String,
    /// What may not have been meant so, in words.
    pub warnings: Vec<String>,
    /// What became of the change.
    pub change: Change,
}

/// Plans a window: from [`Maintenance::plan_window`].
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct PlanWindow {
    maintenance: Maintenance,
    mode: String,
    window: Window,
}

impl PlanWindow {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        Self {
            mode: maintenance.first_mode(),
            maintenance,
            window: Window {
                // Short enough to be typed, and random enough among the windows of one site.
                id: std::iter::repeat_with(fastrand::lowercase)
                    .take(8)
                    .collect(),
                start: None,
                end: None,
                zone: None,
                title: None,
                by: None,
                reason: None,
                message: None,
                unknown: Map::new(),
            },
        }
    }

    /// When it starts. The default is now.
    pub fn start(mut self, start: Timestamp) -> Self {
        self.window.start = Some(start);
        self
    }

    /// When it ends; this instant is online again. The default is when somebody ends it.
    pub fn end(mut self, end: Timestamp) -> Self {
        self.window.end = Some(end);
        self
    }

    /// The IANA zone that it is planned in, in which it is shown.
    pub fn zone(mut self, zone: impl Into<String>) -> Self {
        self.window.zone = Some(zone.into());
        self
    }

    /// What it is called.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.window.title = Some(title.into());
        self
    }

    /// What visitors are told instead of the message in the settings.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.window.message = Some(message.into());
        self
    }

    /// Why, for operators. Visitors never see it.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.window.reason = Some(reason.into());
        self
    }

    /// Who plans it.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.window.by = Some(by.into());
        self
    }

    /// Which mode; the default is the first one.
    pub fn mode(mut self, key: impl Into<String>) -> Self {
        self.mode = key.into();
        self
    }
}

impl IntoFuture for PlanWindow {
    type Output = Result<Planned, ChangeError>;
    type IntoFuture = PlannedFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            maintenance,
            mode,
            mut window,
        } = self;
        Box::pin(async move {
            maintenance.find_mode(&mode)?;
            let now = maintenance.shared.clock.now();
            let warnings = check(&window, now).map_err(ChangeError::Plan)?;
            // It cannot have been closed before anybody said so.
            window.start = Some(window.start.map_or(now, |start| start.max(now)));
            let id = window.id.clone();
            let operation: Operation =
                Box::new(move |document, now| document.plan(&mode, &window, now));
            let change = change(&maintenance, operation).await?;
            Ok(Planned {
                id,
                warnings,
                change,
            })
        })
    }
}

/// Whether a window makes sense, and what may not have been meant so.
fn check(window: &Window, now: Timestamp) -> Result<Vec<String>, String> {
    let start = window.start.unwrap_or(now);
    let mut warnings = Vec::new();
    if window.start.is_some_and(|start| start < now) {
        warnings.push(format!("its start, {start}, is past; it begins at once"));
    }
    let Some(end) = window.end else {
        warnings.push("it has no end; it stays until somebody ends it".to_owned());
        return Ok(warnings);
    };
    if end <= start {
        return Err(format!(
            "it would end at {end}, not after its start at {start}"
        ));
    }
    if end <= now {
        return Err(format!("it would end at {end}, which is past"));
    }
    if end.duration_since(start) > LONGEST_WINDOW {
        warnings.push(format!("it lasts more than a year, until {end}"));
    }
    Ok(warnings)
}

/// Cancels a window: from [`Maintenance::cancel_window`].
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct CancelWindow {
    maintenance: Maintenance,
    id: String,
    by: Option<String>,
}

impl CancelWindow {
    pub(crate) fn new(maintenance: Maintenance, id: String) -> Self {
        Self {
            maintenance,
            id,
            by: None,
        }
    }

    /// Who cancels it.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.by = Some(by.into());
        self
    }
}

impl IntoFuture for CancelWindow {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            maintenance,
            id,
            by,
        } = self;
        Box::pin(async move {
            let wanted = id.clone();
            let operation: Operation =
                Box::new(move |document, now| document.cancel(&id, by.as_deref(), now));
            let change = change(&maintenance, operation).await?;
            if change.changed {
                Ok(change)
            } else {
                Err(ChangeError::UnknownWindow(wanted))
            }
        })
    }
}
