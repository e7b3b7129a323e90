//! What somebody asks for, for the audit: that it was not made is told as well.

use std::sync::Arc;

use crate::{
    core::audit::{AuditEntry, AuditOutcome, Author, event},
    engine::{
        change_error::ChangeError,
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
    },
};

/// What somebody asks for.
pub(in crate::engine) struct Asked {
    event: &'static str,
    mode: String,
    author: Author,
}

impl Asked {
    pub(in crate::engine) fn of(engine: &Engine, proposal: &ProposedChange) -> Self {
        Self {
            event: match proposal.kind {
                ChangeKind::TurnOn => event::ON,
                ChangeKind::TurnOff => event::OFF,
                ChangeKind::PlanWindow => event::PLANNED,
                ChangeKind::ChangeWindow => event::WINDOW_CHANGED,
                ChangeKind::CancelWindow => event::CANCELLED,
                ChangeKind::Forget => event::FORGOTTEN,
                ChangeKind::AddGrant => event::GRANTED,
                ChangeKind::RevokeGrant => event::REVOKED,
            },
            mode: proposal.mode.clone(),
            author: engine.author.named(proposal.by.as_ref()),
        }
    }

    /// Notes that it was not made, if so. What was made is noted where it is stored.
    pub(in crate::engine) async fn noted<T>(
        self,
        engine: &Engine,
        outcome: Result<T, ChangeError>,
    ) -> Result<T, ChangeError> {
        if let Err(error) = &outcome {
            let entry = AuditEntry::new(self.event, &self.author, engine.shared.clock.now());
            let entry = entry.of_mode(Some(&self.mode));
            let audit = &engine.shared.audit;
            audit.note(entry.ending(outcome_of(error), error.to_string()));
            Arc::clone(audit).written_by(&engine.leases).await;
        }
        outcome
    }
}

fn outcome_of(error: &ChangeError) -> AuditOutcome {
    match error {
        ChangeError::Store(_) | ChangeError::Stopped => AuditOutcome::Failed,
        ChangeError::NotKnown(_) => AuditOutcome::NotKnown,
        _ => AuditOutcome::Refused,
    }
}
