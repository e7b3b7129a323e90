//! Windows that are planned, as code changes them.

use std::{future::IntoFuture, sync::Arc, time::Duration};

use jiff::Timestamp;
use parking_lot::Mutex;

use super::windows::{Planned, PlannedFuture};
use crate::{
    core::{
        schedule::{When, WindowChange},
        state::Document,
    },
    engine::{
        change_error::ChangeError,
        changes::{read_anew, unless::propose_unless},
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
        setters::setters,
    },
};

/// Changes a window: from [`Maintenance::change_window`](crate::Maintenance::change_window).
///
/// What is not said stays as it is. Times are read as where one is [planned](crate::PlanWindow). Of a
/// window that is open, an end or a duration changes how long it goes on; a later start opens the site
/// until then.
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped, once
/// the [hooks](crate::Builder::before_change) before it have had their say.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct ChangeWindow {
    engine: Engine,
    id: String,
    wanted: WindowChange,
    by: Option<String>,
}

impl ChangeWindow {
    pub(crate) fn new(engine: Engine, id: String) -> Self {
        Self {
            engine,
            id,
            wanted: WindowChange::default(),
            by: None,
        }
    }

    setters! {
        /// When it starts. A window that repeats does not open before.
        start(self, start: Timestamp) => self.wanted.start = Some(When::At(start));

        /// When it starts, as people write it; see [`PlanWindow::start_local`](crate::PlanWindow::start_local).
        start_local(self, start: impl Into<String>) => self.wanted.start = Some(When::Text(start.into()));

        /// When it ends; this instant is online again. Of a window that repeats, no occurrence starts
        /// then or later.
        end(self, end: Timestamp) => self.wanted.end = Some(Some(When::At(end)));

        /// When it ends, as people write it.
        end_local(self, end: impl Into<String>) => self.wanted.end = Some(Some(When::Text(end.into())));

        /// It ends when somebody ends it; or, if it repeats, it does so for good.
        without_end(self) => self.wanted.end = Some(None);

        /// How long it lasts from its start, instead of an end; or, if it repeats, each time.
        lasting(self, duration: Duration) => self.wanted.lasting = Some(duration);

        /// When it opens again and again, as a cron expression. One that did not repeat lasts as long
        /// each time as it did, unless a [duration](Self::lasting) is given.
        repeats(self, cron: impl Into<String>) => self.wanted.repeats = Some(cron.into());

        /// The IANA zone that it is planned in.
        zone(self, zone: impl Into<String>) => self.wanted.zone = Some(zone.into());

        /// What it is called. An empty text takes that away, as it does below.
        title(self, title: impl Into<String>) => self.wanted.title = Some(title.into());

        /// What visitors are told instead of the message in the settings.
        message(self, message: impl Into<String>) => self.wanted.message = Some(message.into());

        /// Why, for operators. Visitors never see it.
        reason(self, reason: impl Into<String>) => self.wanted.reason = Some(reason.into());

        /// Who changes it.
        by(self, by: impl Into<String>) => self.by = Some(by.into());
    }
}

impl IntoFuture for ChangeWindow {
    type Output = Result<Planned, ChangeError>;
    type IntoFuture = PlannedFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            engine,
            id,
            wanted,
            by,
        } = self;
        Box::pin(async move {
            if engine.mode_of_window(&id).is_none() {
                // Only the store may know of it yet.
                read_anew(&engine).await?;
            }
            let unknown = || ChangeError::UnknownWindow(id.clone());
            let mode = engine.mode_of_window(&id).ok_or_else(unknown)?;
            let proposal = ProposedChange::new(ChangeKind::ChangeWindow, mode)
                .by(by.as_ref())
                .saying(
                    wanted.reason.as_ref().or(wanted.title.as_ref()),
                    wanted.message.as_ref(),
                );
            // By the very window that the store holds then: somebody may have changed it, too.
            let zone = engine.shared.time_zone.clone();
            let key = id.clone();
            let resolve = move |document: &Document, now| {
                let unknown = || ChangeError::UnknownWindow(key.clone());
                let (_, window) = document.window(&key).ok_or_else(unknown)?;
                let changed = wanted.of(window, zone.as_ref(), now);
                changed.map_err(|error| ChangeError::Plan(error.to_string()))
            };
            let warnings = Arc::new(Mutex::new(Vec::new()));
            let (resolve, warned) = (Arc::new(resolve), Arc::clone(&warnings));
            let resolve_first = Arc::clone(&resolve);
            let forbidden = move |document: &Document, now| resolve_first(document, now).err();
            let operation = move |document: &Document, now| {
                let (window, warnings) = resolve(document, now).ok()?;
                *warned.lock() = warnings;
                document.change_window(&window, now)
            };
            let change = propose_unless(&engine, proposal, true, forbidden, operation).await?;
            let warnings = std::mem::take(&mut *warnings.lock());
            Ok(Planned {
                id,
                warnings,
                change,
            })
        })
    }
}
