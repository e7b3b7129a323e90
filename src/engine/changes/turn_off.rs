//! Turns maintenance off.

use std::{future::IntoFuture, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{
    Change, ChangeFuture, propose,
    unless::{outdated, propose_unless},
};
use crate::{
    core::{
        phase::Phase,
        state::{Document, amend::Seen},
    },
    engine::{
        change_error::ChangeError,
        driver::Operation,
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
        setters::setters,
    },
};

/// Brings the site back: from [`Maintenance::turn_off`](crate::Maintenance::turn_off).
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped, once
/// the [hooks](crate::Builder::before_change) before it have had their say.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct TurnOff {
    pub(super) engine: Engine,
    pub(super) mode: String,
    pub(super) call_hooks: bool,
    pub(super) by: Option<String>,
    pub(super) how: How,
    pub(super) seen: Option<Seen>,
}

/// How a mode opens.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    AtOnce,
    /// Share by share, within this time.
    Over(Duration),
    /// No further than it is.
    Paused,
}

impl TurnOff {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            mode: engine.default_mode(),
            engine,
            call_hooks: true,
            by: None,
            how: How::AtOnce,
            seen: None,
        }
    }

    setters! {
        /// Opens it share by share instead of at once: [`Opening`](crate::Phase::Opening) until all are
        /// in after this time.
        ///
        /// Who gets in when is decided by a stable hash of who they are (the visitor's id, or else the
        /// client's address; of version 6 its first 64 bits), so that it is the same on all nodes and
        /// after a restart, and whoever is in stays in. A refusal says when the visitor's own turn comes.
        /// A mode that is opening already goes on from those who are in. One that is closing opens at
        /// once. Zero is at once, too.
        over(self, duration: Duration) => self.how = How::Over(duration);

        /// Lets nobody more in for now into a mode that is [`Opening`](crate::Phase::Opening): those who
        /// are in stay in. [`over`](Self::over) goes on from there.
        ///
        /// Of a mode that is not opening it is the error [`ChangeError::NotOpening`].
        paused(self) => self.how = How::Paused;

        /// Whether hooks are called for this change, in this process. The default is that they are.
        call_hooks(self, call_hooks: bool) => self.call_hooks = call_hooks;

        /// Who does it.
        by(self, by: impl Into<String>) => self.by = Some(by.into());

        /// Which mode; the default is `default_mode` of the settings, or else their first one.
        mode(self, key: impl Into<String>) => self.mode = key.into();
    }

    /// Only while the mode is what was seen of it.
    pub(crate) fn if_seen(mut self, seen: Option<Seen>) -> Self {
        self.seen = seen;
        self
    }
}

impl IntoFuture for TurnOff {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            engine,
            mode,
            call_hooks,
            by,
            how,
            seen,
        } = self;
        Box::pin(async move {
            engine.find_mode(&mode)?;
            let proposal = ProposedChange::new(ChangeKind::TurnOff, &mode).by(by.as_ref());
            let key = mode.clone();
            let forbidden = move |document: &Document, now| {
                outdated(document, &key, seen.as_ref(), now)
                    .or_else(|| how.forbidden(document, &key, now))
            };
            let operation = move |document: &Document, now| {
                let by = by.as_deref();
                match how {
                    How::AtOnce => document.turn_off(&mode, by, now),
                    How::Over(over) => {
                        let over = SignedDuration::try_from(over).unwrap_or(SignedDuration::MAX);
                        document.open_over(&mode, over, by, now)
                    }
                    How::Paused => document.pause_opening(&mode, now),
                }
            };
            propose_unless(&engine, proposal, call_hooks, forbidden, operation).await
        })
    }
}

impl How {
    /// Only what is opening can be paused.
    fn forbidden(self, document: &Document, mode: &str, now: Timestamp) -> Option<ChangeError> {
        let phase = document.mode(mode).map(|mode| mode.phase(now));
        let is_possible = !matches!(self, Self::Paused) || phase == Some(Phase::Opening);
        (!is_possible).then(|| ChangeError::NotOpening(mode.to_owned()))
    }
}

/// Removes all that is stored of a mode: from [`Maintenance::forget`](crate::Maintenance::forget).
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped, once
/// the [hooks](crate::Builder::before_change) before it have had their say.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct Forget {
    pub(super) engine: Engine,
    pub(super) mode: String,
    pub(super) call_hooks: bool,
    pub(super) by: Option<String>,
}

impl Forget {
    pub(crate) fn new(engine: Engine, mode: String) -> Self {
        Self {
            engine,
            mode,
            call_hooks: true,
            by: None,
        }
    }

    setters! {
        /// Who does it.
        by(self, by: impl Into<String>) => self.by = Some(by.into());

        /// Whether hooks are called for this change, in this process. The default is that they are.
        call_hooks(self, call_hooks: bool) => self.call_hooks = call_hooks;
    }
}

impl IntoFuture for Forget {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            engine,
            mode,
            call_hooks,
            by,
        } = self;
        Box::pin(async move {
            if !engine.shared.published.snapshot().has_unknown(&mode) {
                engine.find_mode(&mode)?;
            }
            let proposal = ProposedChange::new(ChangeKind::Forget, &mode).by(by.as_ref());
            let operation: Operation =
                Box::new(move |document, now| document.forget(&mode, by.as_deref(), now));
            propose(&engine, proposal, call_hooks, operation).await
        })
    }
}
