//! Hooks: code of the app that is asked before a change, and told after a mode was entered or left.
//!
//! They run on a thread of their own, so that one that takes its time, or blocks, holds up neither
//! requests nor the driver. Whoever makes a change waits for those that are asked, for so long at
//! most; for those that are told nobody waits. They are told in the order of what happened.

use std::{any::Any, fmt, io, pin::Pin, sync::Arc, thread, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinError,
    time::timeout,
};

use crate::{
    core::{phase::Phase, snapshot::Snapshot, status::modes::ModeStatus},
    engine::{change_error::ChangeError, leases::keeper::LeaseKeeper},
};

/// How long hooks may take unless the app says otherwise.
const TIME_LIMIT: Duration = Duration::from_secs(5);

/// A change that somebody wants to make, as hooks see it: see
/// [`Builder::before_change`](crate::Builder::before_change).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProposedChange {
    /// What is to be done.
    pub kind: ChangeKind,
    /// With which mode, by its key.
    pub mode: String,
    /// Who wants it.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// What visitors are to be told.
    pub message: Option<String>,
}

impl ProposedChange {
    pub(crate) fn new(kind: ChangeKind, mode: impl Into<String>) -> Self {
        Self {
            kind,
            mode: mode.into(),
            by: None,
            reason: None,
            message: None,
        }
    }

    pub(crate) fn by(mut self, by: Option<&String>) -> Self {
        self.by = by.cloned();
        self
    }

    pub(crate) fn saying(mut self, reason: Option<&String>, message: Option<&String>) -> Self {
        self.reason = reason.cloned();
        self.message = message.cloned();
        self
    }
}

/// What a [`ProposedChange`] is to do with a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ChangeKind {
    /// Switch it on, at once or by a drain.
    TurnOn,
    /// Switch it off.
    TurnOff,
    /// Plan a window.
    PlanWindow,
    /// Say something else of a planned window.
    ChangeWindow,
    /// Cancel a window, or one occurrence of it.
    CancelWindow,
    /// Forget what is stored of it.
    Forget,
    /// Let somebody look in by a grant; of one for several modes or for all, this is about the first.
    AddGrant,
    /// Revoke such a grant.
    RevokeGrant,
}

/// A mode that was entered or left, as hooks see it: see
/// [`Builder::after_entering`](crate::Builder::after_entering).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Transition {
    /// The mode's phase before.
    pub from: Phase,
    /// The mode as it is then, without the [details](ModeStatus::details) of the app's own.
    pub mode: ModeStatus,
}

/// What a hook comes back with: nothing, or a result.
///
/// It is what a hook's future may return; there is no need to implement it.
pub trait HookOutcome: Send + sealed::Sealed + 'static {
    #[doc(hidden)]
    fn into_result(self) -> Result<(), String>;
}

impl HookOutcome for () {
    fn into_result(self) -> Result<(), String> {
        Ok(())
    }
}

impl<E: fmt::Display + Send + 'static> HookOutcome for Result<(), E> {
    fn into_result(self) -> Result<(), String> {
        self.map_err(|error| error.to_string())
    }
}

mod sealed {
    pub trait Sealed {}

    impl Sealed for () {}

    impl<E> Sealed for Result<(), E> {}
}

type HookFuture = Pin<Box<dyn Future<Output = Result<(), String>> + Send>>;
type Hook<T> = Arc<dyn Fn(T) -> HookFuture + Send + Sync>;

/// A hook by the app's closure.
pub(crate) fn hook<T, F>(hook: impl Fn(T) -> F + Send + Sync + 'static) -> Hook<T>
where
    F: Future<Output: HookOutcome> + Send + 'static,
{
    Arc::new(move |subject| {
        let future = hook(subject);
        Box::pin(async move { future.await.into_result() })
    })
}

/// The hooks that the app has.
#[derive(Clone)]
pub(crate) struct HookList {
    pub(crate) before: Vec<Hook<ProposedChange>>,
    pub(crate) entering: Vec<Hook<Transition>>,
    pub(crate) leaving: Vec<Hook<Transition>>,
    pub(crate) limit: Duration,
}

impl Default for HookList {
    fn default() -> Self {
        Self {
            before: Vec::new(),
            entering: Vec::new(),
            leaving: Vec::new(),
            limit: TIME_LIMIT,
        }
    }
}

/// The way to the thread of the hooks. It ends with this.
#[derive(Default)]
pub(crate) struct Hooks {
    asks: Option<mpsc::UnboundedSender<Ask>>,
    tells: Option<mpsc::UnboundedSender<Transition>>,
    limit: Duration,
}

struct Ask {
    change: ProposedChange,
    reply: oneshot::Sender<Result<(), String>>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hooks").finish_non_exhaustive()
    }
}

impl Hooks {
    /// Starts the thread, if there is a hook.
    pub(crate) fn start(list: HookList) -> io::Result<Self> {
        let is_asked = !list.before.is_empty();
        let is_told = !(list.entering.is_empty() && list.leaving.is_empty());
        if !is_asked && !is_told {
            return Ok(Self::default());
        }
        let limit = list.limit;
        let (asks, asked) = mpsc::unbounded_channel();
        let (tells, told) = mpsc::unbounded_channel();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        thread::Builder::new()
            .name("maintenance-hooks".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let answering = tokio::spawn(answer_all(list.before, asked));
                    let telling = tokio::spawn(tell_all(list.entering, list.leaving, limit, told));
                    // Neither is ever cancelled, and neither panics: each hook has its own task.
                    let _ = tokio::join!(answering, telling);
                });
                // A hook that blocks must not keep the process from ending.
                runtime.shutdown_background();
            })?;
        Ok(Self {
            asks: is_asked.then_some(asks),
            tells: is_told.then_some(tells),
            limit,
        })
    }

    /// Asks whether a change may be made. One that is not answered in time goes on without.
    pub(crate) async fn ask(
        &self,
        keeper: &LeaseKeeper,
        change: ProposedChange,
    ) -> Result<(), ChangeError> {
        let Some(asks) = &self.asks else {
            return Ok(());
        };
        let (reply, answer) = oneshot::channel();
        let mode = change.mode.clone();
        if asks.send(Ask { change, reply }).is_err() {
            return Ok(());
        }
        match keeper.within(self.limit, answer).await {
            Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(reason))) => {
                tracing::info!(%mode, %reason, "a hook refuses a change of maintenance");
                Err(ChangeError::Refused { reason })
            }
            Some(Err(_)) | None => {
                tracing::error!(
                    %mode,
                    "the hooks before a change of maintenance take longer than {:?}; it goes on \
                     without them",
                    self.limit
                );
                Ok(())
            }
        }
    }

    /// Tells of the modes that were entered or left between two snapshots.
    pub(crate) fn tell(&self, before: &Snapshot, after: &Snapshot) {
        let Some(tells) = &self.tells else {
            return;
        };
        for (old, new) in before.modes.iter().zip(&after.modes) {
            let from = old.phase(before.at);
            if from.is_maintenance() != new.phase(after.at).is_maintenance() {
                // Nobody is there any more when the process ends.
                let _ = tells.send(Transition {
                    from,
                    mode: ModeStatus::without_details(new, after.at),
                });
            }
        }
    }
}

/// Answers whoever asks, each for itself: one that waits does not keep another waiting.
async fn answer_all(hooks: Vec<Hook<ProposedChange>>, mut asked: mpsc::UnboundedReceiver<Ask>) {
    while let Some(Ask { change, mut reply }) = asked.recv().await {
        let hooks = hooks.clone();
        tokio::spawn(async move {
            let answered = tokio::select! {
                answered = ask_each(&hooks, change) => answered,
                // Whoever asked does not wait any longer.
                () = reply.closed() => return,
            };
            let _ = reply.send(answered);
        });
    }
}

async fn ask_each(hooks: &[Hook<ProposedChange>], change: ProposedChange) -> Result<(), String> {
    for hook in hooks {
        match call(hook, change.clone()).await {
            Ok(answer) => answer?,
            Err(error) => tracing::error!(
                mode = %change.mode,
                "a hook before a change of maintenance panics; it goes on without it: {}",
                message_of(error)
            ),
        }
    }
    Ok(())
}

async fn tell_all(
    entering: Vec<Hook<Transition>>,
    leaving: Vec<Hook<Transition>>,
    limit: Duration,
    mut told: mpsc::UnboundedReceiver<Transition>,
) {
    while let Some(transition) = told.recv().await {
        let hooks = if transition.from.is_maintenance() {
            &leaving
        } else {
            &entering
        };
        for hook in hooks {
            let mode = &transition.mode.key;
            match timeout(limit, call(hook, transition.clone())).await {
                Ok(Ok(Ok(()))) => {}
                Ok(Ok(Err(error))) => {
                    tracing::error!(%mode, %error, "a hook after a change of maintenance fails");
                }
                Ok(Err(error)) => tracing::error!(
                    %mode,
                    "a hook after a change of maintenance panics: {}",
                    message_of(error)
                ),
                Err(_) => tracing::error!(
                    %mode,
                    "a hook after a change of maintenance takes longer than {limit:?} and is stopped"
                ),
            }
        }
    }
}

/// Calls a hook in a task of its own, where it may panic. Dropped, it is stopped.
async fn call<T: Send + 'static>(
    hook: &Hook<T>,
    subject: T,
) -> Result<Result<(), String>, JoinError> {
    let hook = Arc::clone(hook);
    let mut task = Stopped(tokio::spawn(async move { hook(subject).await }));
    (&mut task.0).await
}

/// Stops a task when it is dropped.
struct Stopped<T>(tokio::task::JoinHandle<T>);

impl<T> Drop for Stopped<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn message_of(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else {
        return "it was stopped".to_owned();
    };
    let text = |panic: &(dyn Any + Send)| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        text.or_else(|| panic.downcast_ref::<String>().cloned())
    };
    text(&*panic).unwrap_or_else(|| "it does not say why".to_owned())
}
