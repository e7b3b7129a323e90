//! The log of holders that have died.

use crate::{
    core::{snapshot::Snapshot, state::IfLost},
    engine::{events, figures},
};

/// Tells of each holder that was alive before and is not any more, and has not let go.
pub(super) fn log_lost(before: &Snapshot, after: &Snapshot) {
    if before.generation == after.generation {
        return;
    }
    for (old, new) in before.modes.iter().zip(&after.modes) {
        for (token, holder) in old.state.holders().filter(|(_, holder)| !holder.is_lost()) {
            let Some(if_lost) = new.state.lost(token).map(|lost| lost.if_lost) else {
                continue;
            };
            let what = match if_lost {
                IfLost::Stay => {
                    "it stays closed until its announced end, or until somebody opens it"
                }
                IfLost::Reopen => "what was before is back",
            };
            tracing::error!(
                event = events::HOLDER_LOST,
                mode = %new.key,
                holder = holder.name,
                by = holder.by,
                since = %holder.since,
                if_lost = if_lost.as_str(),
                phase = %new.phase(after.at),
                generation = after.generation,
                "the job that held a mode has died: {what}. Look whether its work is done"
            );
            figures::holder_lost(&new.key, if_lost);
        }
    }
}
