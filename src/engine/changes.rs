//! Changes of state as code asks for them, and what becomes of them.

mod followed;
mod turn_off;
mod turn_on;

use std::pin::Pin;

use jiff::Timestamp;
use tokio::{sync::oneshot, time::Instant};

use crate::{
    core::{
        limits::Excess,
        state::{End, SwitchOn},
        status::{LockHolder, whole::Status},
    },
    engine::{
        driver::{Changed, Command, Operation},
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
    },
    settings::Forced,
    store::StoreError,
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

/// Why a change was not made, or may not have been made
/// ([`NotKnown`](Self::NotKnown)). In all other cases what is stored is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The settings force maintenance on or off, and they win over whatever is stored.
    #[error(
        "maintenance is forced {} by the settings; remove `forced` (or MAINTENANCE_FORCED) to switch it",
        .0.as_str()
    )]
    Forced(Forced),
    /// There is no mode with this key.
    #[error("there is no mode `{key}`; there is {}", .known.join(", "))]
    UnknownMode {
        /// The key that was asked for.
        key: String,
        /// The keys that there are.
        known: Vec<String>,
    },
    /// A hook of the app's refuses the change.
    #[error("the change is refused: {reason}")]
    Refused {
        /// Why, as the hook says.
        reason: String,
    },
    /// Another guard holds the lock on the mode.
    #[error(
        "the mode `{mode}` is locked by {}{}", .holder.by,
        .holder.since.map(|since| format!(" since {since}")).unwrap_or_default()
    )]
    Locked {
        /// The mode's key.
        mode: String,
        /// Who holds the lock.
        holder: LockHolder,
    },
    /// The store has not heard of the guard for too long. Another may hold the lock on the mode.
    #[error("the lock on the mode `{0}` is lost: another may hold it; the job was stopped")]
    LockLost(String),
    /// What was asked for makes no sense.
    #[error("this cannot be planned: {0}")]
    Plan(String),
    /// A text is too long, or has control characters.
    #[error("this cannot be stored: {0}")]
    Text(String),
    /// No more windows are stored, so that there is room for switches.
    #[error("no more can be stored: {0}")]
    Full(String),
    /// There is no window with this id.
    #[error("there is no window `{0}`; look at the status for those that there are")]
    UnknownWindow(String),
    /// The store did not take the change: what it holds has been looked at, or it was never asked.
    #[error("maintenance could not be changed: {0}")]
    Store(#[source] StoreError),
    /// The store may have taken the change, or may still take it: it was asked, did not say, and
    /// could not be read afterwards.
    #[error(
        "it is not known whether maintenance was changed: {0}; it may have been changed; look with \
         `maintenance status`"
    )]
    NotKnown(#[source] StoreError),
    /// The driver is gone, because the process ends.
    #[error("maintenance is shutting down in this process; try again on another")]
    Stopped,
}

impl From<Excess> for ChangeError {
    fn from(excess: Excess) -> Self {
        if excess.is_of_text() {
            Self::Text(excess.to_string())
        } else {
            Self::Full(excess.to_string())
        }
    }
}

/// The future of a change.
pub type ChangeFuture = Pin<Box<dyn Future<Output = Result<Change, ChangeError>> + Send>>;

impl SwitchOn {
    /// Refuses what would be over before it begins.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), ChangeError> {
        match self.end {
            Some(End::At(until)) if until <= now => Err(ChangeError::Plan(format!(
                "it would end at {until}, which is past"
            ))),
            _ => Ok(()),
        }
    }
}

/// Makes a change that somebody asked for: the hooks have their say first.
pub(crate) async fn propose(
    engine: &Engine,
    proposal: ProposedChange,
    call_hooks: bool,
    operation: Operation,
) -> Result<Change, ChangeError> {
    refuse_if_forced(engine)?;
    let throws = matches!(proposal.kind, ChangeKind::TurnOn | ChangeKind::TurnOff);
    let says = throws.then(|| proposal.mode.clone());
    if call_hooks {
        engine.shared.hooks.ask(engine, proposal).await?;
    }
    send(engine, operation, says, call_hooks).await
}

/// Makes a change that nobody is asked about.
pub(crate) async fn change(engine: &Engine, operation: Operation) -> Result<Change, ChangeError> {
    refuse_if_forced(engine)?;
    send(engine, operation, None, true).await
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
