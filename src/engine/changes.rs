//! Changes of state as code asks for them, and what becomes of them.

use std::{future::IntoFuture, pin::Pin, time::Duration};

use jiff::{SignedDuration, Timestamp};
use tokio::{
    sync::{oneshot, watch},
    time::Instant,
};

use crate::{
    core::{
        limits::Excess,
        snapshot::Status,
        state::{DrainWish, End, OnTimeout, SwitchOn, amend::Seen},
        status::LockHolder,
    },
    engine::{
        driver::{Changed, Command, Operation},
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
        if_seen::IfSeen,
    },
    settings::Forced,
    store::StoreError,
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
    /// Somebody has switched or changed the mode since whoever asked for this change has seen it.
    #[error("the mode `{mode}` has been switched or changed since you looked at it")]
    Outdated {
        /// The mode's key.
        mode: String,
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

/// Takes the site out of service: from [`Maintenance::turn_on`](crate::Maintenance::turn_on).
///
/// On a mode that is on already, what is said replaces what was, and what is not said stays; the
/// status of the [`Change`] has what stands.
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped, once
/// the [hooks](crate::Builder::before_change) before it have had their say.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct TurnOn {
    engine: Engine,
    mode: String,
    call_hooks: bool,
    wanted: SwitchOn,
    pub(super) seen: Option<Seen>,
}

impl TurnOn {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            mode: engine.first_mode(),
            engine,
            call_hooks: true,
            wanted: SwitchOn::default(),
            seen: None,
        }
    }

    /// What visitors are told instead of the message in the settings.
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.wanted.message = Some(message.into());
        self
    }

    /// Why, for operators. Visitors never see it.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.wanted.reason = Some(reason.into());
        self
    }

    /// Who does it.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.wanted.by = Some(by.into());
        self
    }

    /// When it switches itself off, instead of after the mode's `timeout`.
    pub fn until(mut self, until: Timestamp) -> Self {
        self.wanted.end = Some(End::At(until));
        self
    }

    /// How long until it switches itself off, instead of the mode's `timeout`.
    pub fn lasting(mut self, duration: Duration) -> Self {
        self.wanted.end = Some(End::after(duration));
        self
    }

    /// It does not switch itself off: not after the mode's `timeout`, and, if it is on already, not
    /// at the end that it has.
    pub fn without_end(mut self) -> Self {
        self.wanted.end = Some(End::Never);
        self
    }

    /// Takes the message of a mode that is on away: visitors are told what the settings say.
    pub fn without_message(mut self) -> Self {
        self.wanted.message = Some(String::new());
        self
    }

    /// Takes the reason of a mode that is on away.
    pub fn without_reason(mut self) -> Self {
        self.wanted.reason = Some(String::new());
        self
    }

    /// Which mode; the default is `default_mode` of the settings, or else their first one.
    pub fn mode(mut self, key: impl Into<String>) -> Self {
        self.mode = key.into();
        self
    }

    /// Lets those who are in finish first, as the settings `drain.*` say.
    ///
    /// The mode is [`Pending`](crate::Phase::Pending) until nobody is inside, then
    /// [`Offline`](crate::Phase::Offline). Without a drain, a mode that is pending goes offline at
    /// once.
    ///
    /// A restart in the middle goes on with the drain. Who was inside is not stored: a process that
    /// has just begun waits for nobody whom it has not seen, and lets every visitor go on who has
    /// logged in, because it cannot know who came before.
    pub fn drain(mut self) -> Self {
        self.drain_wish();
        self
    }

    /// Drains, and waits this long at most.
    pub fn drain_timeout(mut self, timeout: Duration) -> Self {
        self.drain_wish().timeout = SignedDuration::try_from(timeout).ok();
        self.wanted.drain_said.timeout = true;
        self
    }

    /// Drains, and does this when it is not over in time.
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.drain_wish().on_timeout = on_timeout;
        self.wanted.drain_said.on_timeout = true;
        self
    }

    /// Only while the mode is what was seen of it.
    pub(crate) fn if_seen(mut self, seen: Option<Seen>) -> Self {
        self.seen = seen;
        self
    }

    pub(crate) fn handle(&self) -> &Engine {
        &self.engine
    }

    pub(crate) fn key(&self) -> &str {
        &self.mode
    }

    /// Whether hooks are called for this change, in this process. The default is that they are.
    pub fn call_hooks(mut self, call_hooks: bool) -> Self {
        self.call_hooks = call_hooks;
        self
    }

    fn drain_wish(&mut self) -> &mut DrainWish {
        let default = self.engine.shared.drain.wish;
        self.wanted.drain.get_or_insert(default)
    }
}

impl IntoFuture for TurnOn {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self {
            engine,
            mode,
            call_hooks,
            mut wanted,
            seen,
        } = self;
        Box::pin(async move {
            let known = engine.find_mode(&mode)?;
            wanted.time_out = known.time_out;
            wanted.check(engine.shared.clock.now())?;
            let proposal = ProposedChange::new(ChangeKind::TurnOn, &mode)
                .by(wanted.by.as_ref())
                .saying(wanted.reason.as_ref(), wanted.message.as_ref());
            let if_seen = IfSeen::new(&mode, seen);
            let operation =
                if_seen.guard(move |document, now| document.turn_on(&mode, &wanted, now));
            let change = propose(&engine, proposal, call_hooks, operation).await?;
            match if_seen.outdated() {
                Some(mode) => Err(ChangeError::Outdated { mode }),
                None => Ok(change),
            }
        })
    }
}

/// Brings the site back: from [`Maintenance::turn_off`](crate::Maintenance::turn_off).
///
/// Nothing happens until it is awaited. From then on it happens also if the future is dropped, once
/// the [hooks](crate::Builder::before_change) before it have had their say.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct TurnOff {
    engine: Engine,
    mode: String,
    call_hooks: bool,
    by: Option<String>,
    pub(super) seen: Option<Seen>,
}

impl TurnOff {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            mode: engine.first_mode(),
            engine,
            call_hooks: true,
            by: None,
            seen: None,
        }
    }

    /// Whether hooks are called for this change, in this process. The default is that they are.
    pub fn call_hooks(mut self, call_hooks: bool) -> Self {
        self.call_hooks = call_hooks;
        self
    }

    /// Who does it.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.by = Some(by.into());
        self
    }

    /// Which mode; the default is `default_mode` of the settings, or else their first one.
    pub fn mode(mut self, key: impl Into<String>) -> Self {
        self.mode = key.into();
        self
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
            let if_seen = IfSeen::new(&mode, seen);
            let operation =
                if_seen.guard(move |document, now| document.turn_off(&mode, by.as_deref(), now));
            let change = propose(&engine, proposal, call_hooks, operation).await?;
            match if_seen.outdated() {
                Some(mode) => Err(ChangeError::Outdated { mode }),
                None => Ok(change),
            }
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
    engine: Engine,
    mode: String,
    call_hooks: bool,
    by: Option<String>,
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

    /// Who does it.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.by = Some(by.into());
        self
    }

    /// Whether hooks are called for this change, in this process. The default is that they are.
    pub fn call_hooks(mut self, call_hooks: bool) -> Self {
        self.call_hooks = call_hooks;
        self
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

/// Follows what maintenance is: from [`Maintenance::subscribe`](crate::Maintenance::subscribe).
#[derive(Debug)]
pub struct Changes {
    shared: std::sync::Weak<crate::engine::shared::Shared>,
    published: watch::Receiver<u64>,
}

impl Changes {
    pub(crate) fn new(engine: &Engine) -> Self {
        let mut published = engine.published.clone();
        published.mark_unchanged();
        Self {
            shared: std::sync::Arc::downgrade(&engine.shared),
            published,
        }
    }

    /// Waits for the next change and returns what is then. Of changes in quick succession the
    /// latest is returned. `None` once the last handle is dropped.
    pub async fn next(&mut self) -> Option<Status> {
        self.published.changed().await.ok()?;
        let shared = self.shared.upgrade()?;
        let snapshot = shared.published.snapshot();
        Some(shared.status(&snapshot))
    }
}
