//! Changes that hold only while a mode is what somebody has seen of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::Timestamp;

use super::{Change, propose};
use crate::{
    core::state::{Document, amend::Seen},
    engine::{change_error::ChangeError, handle::Engine, hooks::ProposedChange},
};

/// Makes a change that somebody asked for, unless its mode is not what was seen of it any more.
///
/// It is looked at where the operation is applied, to the very document that the store holds then:
/// nobody can be faster in between.
pub(in crate::engine) async fn propose_if_seen(
    engine: &Engine,
    proposal: ProposedChange,
    call_hooks: bool,
    seen: Option<Seen>,
    operation: impl Fn(&Document, Timestamp) -> Option<Document> + Send + 'static,
) -> Result<Change, ChangeError> {
    let Some(seen) = seen else {
        return propose(engine, proposal, call_hooks, Box::new(operation)).await;
    };
    let mode = proposal.mode.clone();
    let is_other = Arc::new(AtomicBool::new(false));
    let (key, tell) = (mode.clone(), Arc::clone(&is_other));
    let guarded = move |document: &Document, now| {
        let is = Seen::of(document.mode(&key), now);
        // Each time anew: only the last one counts.
        tell.store(is != seen, Ordering::Relaxed);
        if is == seen {
            operation(document, now)
        } else {
            None
        }
    };
    let change = propose(engine, proposal, call_hooks, Box::new(guarded)).await?;
    if is_other.load(Ordering::Relaxed) {
        return Err(ChangeError::Outdated { mode });
    }
    Ok(change)
}
