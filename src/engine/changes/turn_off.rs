//! Turns maintenance off.

use std::future::IntoFuture;

use super::{Change, ChangeFuture, propose, unless::propose_if_seen};
use crate::{
    core::state::amend::Seen,
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
    pub(super) seen: Option<Seen>,
}

impl TurnOff {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            mode: engine.default_mode(),
            engine,
            call_hooks: true,
            by: None,
            seen: None,
        }
    }

    setters! {
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
            seen,
        } = self;
        Box::pin(async move {
            engine.find_mode(&mode)?;
            let proposal = ProposedChange::new(ChangeKind::TurnOff, &mode).by(by.as_ref());
            propose_if_seen(&engine, proposal, call_hooks, seen, move |document, now| {
                document.turn_off(&mode, by.as_deref(), now)
            })
            .await
        })
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
