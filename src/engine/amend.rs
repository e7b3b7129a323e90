//! What is said of a closed mode is changed: until when, why, and what visitors are told.

use std::future::IntoFuture;

use crate::{
    core::state::amend::{Amendment, NewEnd, Seen},
    engine::{
        change_error::ChangeError,
        changes::{Change, ChangeFuture, check_end, unless::propose_if_seen},
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
    },
};

/// Says something else of a mode that is closed. It closes nothing that is open.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub(crate) struct Amend {
    engine: Engine,
    mode: String,
    seen: Option<Seen>,
    wanted: Amendment,
}

impl Amend {
    pub(crate) fn new(engine: Engine, mode: &str, wanted: Amendment) -> Self {
        Self {
            engine,
            mode: mode.to_owned(),
            seen: None,
            wanted,
        }
    }

    /// Only while the mode is what was seen of it.
    pub(crate) fn if_seen(mut self, seen: Option<Seen>) -> Self {
        self.seen = seen;
        self
    }
}

impl IntoFuture for Amend {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            engine,
            mode,
            seen,
            wanted,
        } = self;
        Box::pin(async move {
            engine.find_mode(&mode)?;
            if let NewEnd::At(end) = wanted.end {
                check_end(end, engine.shared.clock.now())?;
            }
            let proposal = ProposedChange::new(ChangeKind::TurnOn, &mode)
                .by(wanted.by.as_ref())
                .saying(wanted.reason.as_ref(), wanted.message.as_ref());
            propose_if_seen(&engine, proposal, true, seen, move |document, now| {
                document.amend(&mode, &wanted, now)
            })
            .await
        })
    }
}
