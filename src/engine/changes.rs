//! Changes of state as code asks for them, and what becomes of them.

pub(in crate::engine) mod asked;
mod followed;
mod turn_off;
mod turn_on;
pub(in crate::engine) mod unless;

use std::{pin::Pin, time::Duration};

use jiff::Timestamp;
use tokio::{sync::oneshot, time::Instant};

use self::asked::Asked;
use super::change_error::ChangeError;
use crate::{
    core::{
        rules::exempt::plain_network,
        state::{End, SwitchOn},
        status::whole::Status,
    },
    engine::{
        driver::{Changed, Command, Operation},
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
    },
};

pub use self::{
    followed::Changes,
    turn_off::{Forget, TurnOff},
    turn_on::TurnOn,
};

/// What a change that was made, or was not needed, leads to.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// `false`: it was so already.
    pub changed: bool,
    /// What is now.
    pub status: Status,
}

/// The future of a change.
pub type ChangeFuture = Pin<Box<dyn Future<Output = Result<Change, ChangeError>> + Send>>;

impl SwitchOn {
    /// Has the networks that are let in as they are kept, or refuses what is none.
    pub(crate) fn make_networks_plain(&mut self) -> Result<(), ChangeError> {
        if let Some(allow) = &mut self.allow {
            let plain = allow.iter().map(|network| plain_network(network));
            let mut plain: Vec<String> = plain
                .collect::<Result<_, _>>()
                .map_err(ChangeError::Grant)?;
            plain.sort();
            plain.dedup();
            *allow = plain;
        }
        Ok(())
    }

    /// Refuses to have requests wait for longer than the settings say.
    pub(crate) fn check_park(&self, longest: Duration) -> Result<(), ChangeError> {
        let asked = self.park.unwrap_or_default();
        match Duration::try_from(asked) {
            Ok(asked) if asked <= longest => Ok(()),
            _ => Err(ChangeError::Park { longest }),
        }
    }

    /// Refuses what would be over before it begins.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), ChangeError> {
        match self.end {
            Some(End::At(until)) => check_end(until, now),
            _ => Ok(()),
        }
    }
}

/// Refuses an end that is over.
pub(crate) fn check_end(end: Timestamp, now: Timestamp) -> Result<(), ChangeError> {
    if end <= now {
        return Err(ChangeError::Plan(format!(
            "it would end at {end}, which is past"
        )));
    }
    Ok(())
}

/// Makes a change that somebody asked for: the hooks have their say first.
pub(crate) async fn propose(
    engine: &Engine,
    proposal: ProposedChange,
    call_hooks: bool,
    operation: Operation,
) -> Result<Change, ChangeError> {
    let asked = Asked::of(engine, &proposal);
    let outcome = put_forward(engine, proposal, call_hooks, operation).await;
    asked.noted(engine, outcome).await
}

/// The same where something may forbid it that only the operation sees.
async fn put_forward(
    engine: &Engine,
    proposal: ProposedChange,
    call_hooks: bool,
    operation: Operation,
) -> Result<Change, ChangeError> {
    refuse_if_forced(engine)?;
    let author = engine.author.named(proposal.by.as_ref());
    let throws = matches!(proposal.kind, ChangeKind::TurnOn | ChangeKind::TurnOff);
    let says = throws.then(|| proposal.mode.clone());
    if call_hooks {
        engine.shared.hooks.ask(&engine.leases, proposal).await?;
    }
    send(&engine.asked_by(author), operation, says, call_hooks).await
}

/// Makes a change that nobody is asked about.
pub(crate) async fn change(engine: &Engine, operation: Operation) -> Result<Change, ChangeError> {
    refuse_if_forced(engine)?;
    send(engine, operation, None, true).await
}

/// Reads the store anew: a change that changes nothing has read what is stored.
pub(crate) async fn read_anew(engine: &Engine) -> Result<Change, ChangeError> {
    change(engine, Box::new(|_, _| None)).await
}

fn refuse_if_forced(engine: &Engine) -> Result<(), ChangeError> {
    match engine.shared.published.snapshot().forced {
        Some(forced) => Err(ChangeError::Forced(forced)),
        None => Ok(()),
    }
}

/// The one way of a change to the store: every change of state goes through here.
pub(crate) async fn send(
    engine: &Engine,
    operation: Operation,
    says: Option<String>,
    call_hooks: bool,
) -> Result<Change, ChangeError> {
    let (reply, answer) = oneshot::channel();
    engine
        .commands
        .send(Command {
            operation,
            says,
            author: engine.author.clone(),
            reply,
            asked_at: Instant::now(),
            call_hooks,
        })
        .map_err(|_| ChangeError::Stopped)?;
    let Changed { changed, snapshot } = answer.await.map_err(|_| ChangeError::Stopped)??;
    Ok(Change {
        changed,
        status: engine.shared.status(&snapshot),
    })
}
