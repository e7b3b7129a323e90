//! The log of holders that have died.

use crate::{
    core::{snapshot::Snapshot, state::IfLost},
    engine::{events, figures},
};

/// Tells of each holder that has died and has not let go, and was not known to: also at the start of a
/// node, since the one that has seen the death may have ended before it could tell.
pub(super) fn log_lost(before: &Snapshot, after: &Snapshot) {
    if before.generation == after.generation {
        return;
    }
    for (old, new) in before.modes.iter().zip(&after.modes) {
        for (token, holder) in new.state.lost_holders() {
            if old.state.lost(token).is_some() {
                continue;
            }
            let if_lost = holder.if_lost;
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
            if old.state.holders().any(|(known, _)| known == token) {
                figures::holder_lost(&new.key, if_lost);
            }
        }
    }
}
