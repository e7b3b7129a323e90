//! Changes that something in the document forbids.

use std::sync::Arc;

use jiff::Timestamp;
use parking_lot::Mutex;

use super::{Change, asked::Asked, put_forward};
use crate::{
    core::state::{Document, amend::Seen},
    engine::{change_error::ChangeError, handle::Engine, hooks::ProposedChange},
};

/// Makes a change that somebody asked for, unless the document forbids it.
///
/// It is looked at where the operation is applied, to the very document that the store holds then:
/// nobody can be faster in between.
pub(in crate::engine) async fn propose_unless(
    engine: &Engine,
    proposal: ProposedChange,
    call_hooks: bool,
    forbidden: impl Fn(&Document, Timestamp) -> Option<ChangeError> + Send + 'static,
    operation: impl Fn(&Document, Timestamp) -> Option<Document> + Send + 'static,
) -> Result<Change, ChangeError> {
    let error = Arc::new(Mutex::new(None));
    let tell = Arc::clone(&error);
    let guarded = move |document: &Document, now| {
        let why = forbidden(document, now);
        let is_forbidden = why.is_some();
        // Each time anew: only the last one counts.
        *tell.lock() = why;
        match is_forbidden {
            true => None,
            false => operation(document, now),
        }
    };
    let asked = Asked::of(engine, &proposal);
    let outcome = put_forward(engine, proposal, call_hooks, Box::new(guarded)).await;
    let outcome = outcome.and_then(|change| error.lock().take().map_or(Ok(change), Err));
    asked.noted(engine, outcome).await
}

/// Makes a change that somebody asked for, unless its mode is not what was seen of it any more.
pub(in crate::engine) async fn propose_if_seen(
    engine: &Engine,
    proposal: ProposedChange,
    call_hooks: bool,
    seen: Option<Seen>,
    operation: impl Fn(&Document, Timestamp) -> Option<Document> + Send + 'static,
) -> Result<Change, ChangeError> {
    let mode = proposal.mode.clone();
    let is_other = move |document: &Document, now| outdated(document, &mode, seen.as_ref(), now);
    propose_unless(engine, proposal, call_hooks, is_other, operation).await
}

/// Forbids a change of a mode that is not what was seen of it any more, if it was looked at.
pub(super) fn outdated(
    document: &Document,
    mode: &str,
    seen: Option<&Seen>,
    now: Timestamp,
) -> Option<ChangeError> {
    let is = Seen::of(document.mode(mode), now);
    (is != *seen?).then(|| ChangeError::Outdated {
        mode: mode.to_owned(),
    })
}
