//! Windows of maintenance as code plans and cancels them.

use std::{future::IntoFuture, pin::Pin, time::Duration};

use jiff::Timestamp;

use crate::{
    clock::chance,
    core::{
        schedule::{When, WindowPlan},
        state::Window,
        status::windows::PlannedWindow,
    },
    engine::{
        change_error::ChangeError,
        changes::{Change, ChangeFuture, change, propose},
        driver::Operation,
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
        setters::setters,
    },
};

/// The future of planning a window.
pub type PlannedFuture = Pin<Box<dyn Future<Output = Result<Planned, ChangeError>> + Send>>;

/// A window that was planned.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Planned {
    /// What [`Maintenance::cancel_window`](crate::Maintenance::cancel_window) takes.
    pub id: String,
    /// What may not have been meant so, in words.
    pub warnings: Vec<String>,
    /// What became of the change.
    pub change: Change,
}

impl Planned {
    /// The window as the status has it. `None` if somebody has cancelled it already.
    pub fn window(&self) -> Option<&PlannedWindow> {
        let windows = self
            .change
            .status
            .modes
            .iter()
            .flat_map(|mode| &mode.windows);
        windows.into_iter().find(|window| window.id == self.id)
    }
}

/// Plans a window: from [`Maintenance::plan_window`](crate::Maintenance::plan_window).
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped, once
/// the [hooks](crate::Builder::before_change) before it have had their say.
///
/// # Times and zones
///
/// A start or an end is an instant, or a text as people write it: a local time such as
/// `2026-03-29T10:00` in the [`zone`](Self::zone) of the window, one with an offset
/// (`2026-03-29T10:00+02:00`, RFC 3339) or one with a zone of its own
/// (`2026-03-29T10:00[Europe/Rome]`, RFC 9557). Without any zone, a local time is refused.
///
/// A local time that the clocks leave out when they are put forward is refused, and the error names
/// the times before and after the gap. Of one that they show twice the earlier is taken, and a
/// [warning](Planned::warnings) says so.
///
/// # Windows that repeat
///
/// [`repeats`](Self::repeats) takes a cron expression of five fields, or a name such as `@daily`;
/// the starts are local times of the zone, and each occurrence lasts for a
/// [`duration`](Self::lasting) of elapsed time. Why cron: operators write it already, and it says
/// all that a service window needs. (A rule of RFC 5545 would bring a second database of time
/// zones, which can disagree with the first.)
///
/// - Where the clocks leave a start out, it is at the first instant after the gap. Where they show
///   it twice, it is the first time only. So each day has its occurrence, and none has two.
/// - Each occurrence that is over becomes a period of the history, and the next one is announced.
/// - [`turn_off`](crate::Maintenance::turn_off) ends the occurrence that is open; the next one comes when
///   it is due. [`CancelWindow::only_next`] leaves one out ahead, and
///   [`cancel_window`](crate::Maintenance::cancel_window) ends it for good.
///
/// ```
/// # use actix_maintenance_mode::Maintenance;
/// use std::time::Duration;
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let maintenance = Maintenance::builder().store("memory:").build().await?;
/// let planned = maintenance
///     .plan_window()
///     .repeats("0 3 * * SUN")
///     .zone("Europe/Rome")
///     .lasting(Duration::from_secs(2 * 60 * 60))
///     .title("weekly works")
///     .await?;
/// let next = planned.window().and_then(|window| window.start);
/// println!("opens next at {next:?}");
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct PlanWindow {
    engine: Engine,
    mode: String,
    plan: WindowPlan,
}

impl PlanWindow {
    pub(crate) fn new(engine: Engine) -> Self {
        let window = Window {
            // Short enough to be typed, and random enough among the windows of one site.
            id: chance::typed_name(8),
            ..Window::default()
        };
        Self {
            mode: engine.default_mode(),
            engine,
            plan: WindowPlan {
                window,
                ..WindowPlan::default()
            },
        }
    }

    setters! {
        /// When it starts. The default is now. A window that repeats does not open before.
        start(self, start: Timestamp) => self.plan.start = Some(When::At(start));

        /// When it starts, as people write it: `2026-03-29T10:00` in the zone of the window, or a time
        /// with an offset or a zone of its own.
        start_local(self, start: impl Into<String>) => self.plan.start = Some(When::Text(start.into()));

        /// When it ends; this instant is online again. The default is when somebody ends it. Of a window
        /// that repeats, no occurrence starts then or later.
        end(self, end: Timestamp) => self.plan.end = Some(When::At(end));

        /// When it ends, as people write it; see [`start_local`](Self::start_local).
        end_local(self, end: impl Into<String>) => self.plan.end = Some(When::Text(end.into()));

        /// How long it lasts from its start, instead of an end; or, if it repeats, each time.
        lasting(self, duration: Duration) => self.plan.lasting = Some(duration);

        /// Opens it again and again, at the minute, hour, day of month, month and day of week of a cron
        /// expression, such as `0 3 * * SUN`. It needs a duration and a zone.
        repeats(self, cron: impl Into<String>) => self.plan.repeats = Some(cron.into());

        /// The IANA zone that it is planned in, such as `Europe/Rome`: of local times, and in which it
        /// is shown. The default is the setting `time_zone`.
        zone(self, zone: impl Into<String>) => self.plan.zone = Some(zone.into());

        /// What it is called.
        title(self, title: impl Into<String>) => self.plan.window.title = Some(title.into());

        /// What visitors are told instead of the message in the settings.
        message(self, message: impl Into<String>) => self.plan.window.message = Some(message.into());

        /// Why, for operators. Visitors never see it.
        reason(self, reason: impl Into<String>) => self.plan.window.reason = Some(reason.into());

        /// Who plans it.
        by(self, by: impl Into<String>) => self.plan.window.by = Some(by.into());

        /// Which mode; the default is `default_mode` of the settings, or else their first one.
        mode(self, key: impl Into<String>) => self.mode = key.into();
    }
}

impl IntoFuture for PlanWindow {
    type Output = Result<Planned, ChangeError>;
    type IntoFuture = PlannedFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self { engine, mode, plan } = self;
        Box::pin(async move {
            engine.find_mode(&mode)?;
            let now = engine.shared.clock.now();
            let zone = engine.shared.time_zone.as_ref();
            let (window, warnings) = plan
                .resolve(zone, now)
                .map_err(|error| ChangeError::Plan(error.to_string()))?;
            let window = Window {
                changed_at: Some(now),
                ..window
            };
            let id = window.id.clone();
            let proposal = ProposedChange::new(ChangeKind::PlanWindow, &mode)
                .by(window.by.as_ref())
                .saying(
                    window.reason.as_ref().or(window.title.as_ref()),
                    window.message.as_ref(),
                );
            let operation: Operation =
                Box::new(move |document, now| document.plan(&mode, &window, now));
            let change = propose(&engine, proposal, true, operation).await?;
            Ok(Planned {
                id,
                warnings,
                change,
            })
        })
    }
}

/// Cancels a window: from [`Maintenance::cancel_window`](crate::Maintenance::cancel_window).
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped, once
/// the [hooks](crate::Builder::before_change) before it have had their say.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct CancelWindow {
    engine: Engine,
    id: String,
    only_next: bool,
    by: Option<String>,
}

impl CancelWindow {
    pub(crate) fn new(engine: Engine, id: String) -> Self {
        Self {
            engine,
            id,
            only_next: false,
            by: None,
        }
    }

    setters! {
        /// Cancels only the occurrence that is open, or else the one that comes next; the window goes on
        /// to repeat afterwards. A window that does not repeat is cancelled as a whole.
        only_next(self) => self.only_next = true;

        /// Who cancels it.
        by(self, by: impl Into<String>) => self.by = Some(by.into());
    }
}

impl IntoFuture for CancelWindow {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            engine,
            id,
            only_next,
            by,
        } = self;
        Box::pin(async move {
            let (wanted, canceller) = (id.clone(), by.clone());
            let proposal = engine
                .mode_of_window(&id)
                .map(|mode| ProposedChange::new(ChangeKind::CancelWindow, mode).by(by.as_ref()));
            let operation: Operation =
                Box::new(move |document, now| document.cancel(&id, only_next, by.as_deref(), now));
            let cancelling = &engine.shared.cancelling;
            cancelling.begin(&wanted, canceller.as_deref());
            let change = match proposal {
                Some(proposal) => propose(&engine, proposal, true, operation).await,
                // A window that only the store knows of yet is cancelled without asking.
                None => change(&engine, operation).await,
            };
            cancelling.end(&wanted);
            let change = change?;
            if change.changed {
                Ok(change)
            } else {
                Err(ChangeError::UnknownWindow(wanted))
            }
        })
    }
}
