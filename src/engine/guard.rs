//! Guards: maintenance for as long as something takes, and afterwards what was before.

mod guarding;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use crate::engine::{
    change_error::ChangeError,
    changes::{Change, send},
    driver::{Command, Operation},
    handle::Engine,
    leases::held_lease::HeldLease,
};

pub use self::guarding::Guarding;

/// How long a guard that is dropped waits for the store. Longer than that, it is written behind its
/// back.
const DROP_PATIENCE: Duration = Duration::from_secs(1);

/// Puts back what was before when it is released or dropped.
///
/// What somebody else has changed meanwhile stays as they left it. Guards may be nested, in any
/// order and over several processes.
#[must_use = "a guard that is dropped at once puts back at once"]
pub struct Guard {
    /// `None` once it is released.
    state: Option<Held>,
    /// Given back after what was before is put back: the fields are dropped after the guard.
    lock: Option<HeldLease>,
    /// By which the mode is held: who dies does not renew it. As the lock it is given back last.
    hold: Option<HeldLease>,
}

struct Held {
    engine: Engine,
    mode: String,
    token: String,
    call_hooks: bool,
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Guard")
            .field("mode", &self.state.as_ref().map(|held| &held.mode))
            .finish_non_exhaustive()
    }
}

impl Guard {
    /// Puts back what was before, and says whether that worked.
    ///
    /// # Errors
    ///
    /// When the state could not be stored. It is tried once more in the background.
    pub async fn release(mut self) -> Result<Change, ChangeError> {
        self.try_release().await
    }

    /// As [`release`](Self::release), so that it can be tried again.
    pub(crate) async fn try_release(&mut self) -> Result<Change, ChangeError> {
        let Some(held) = &self.state else {
            return Err(ChangeError::Stopped);
        };
        let was_there = Arc::new(AtomicBool::new(false));
        let leave = held.leave_noting(Arc::clone(&was_there));
        // Kept until the change is made: if this future is dropped, the guard is dropped with it.
        let change = send(&held.engine, leave, None, held.call_hooks).await?;
        let has_lapsed = self.has_lapsed() && !was_there.load(Ordering::Relaxed);
        let lost = held
            .lost()
            .or_else(|| has_lapsed.then(|| held.mode.clone()));
        self.unlock().await;
        self.state = None;
        match lost {
            Some(mode) => Err(ChangeError::HolderLost(mode)),
            None => Ok(change),
        }
    }

    /// Whether others have seen the guard die: the process was stopped, or the store was out of reach
    /// for it, for longer than its lease lives. What was to follow then has followed, and the guard
    /// puts nothing back any more.
    pub fn is_lost(&self) -> bool {
        self.found_lost().is_some()
    }

    /// The mode's key, if others have seen the guard die. Of a loss that another job has taken over, or
    /// that somebody has switched off since, nothing is stored any more; that the lease has lapsed
    /// meanwhile, the guard knows itself.
    fn found_lost(&self) -> Option<String> {
        let held = self.state.as_ref()?;
        let is_gone = || self.has_lapsed() && held.is_gone();
        held.lost().or_else(|| is_gone().then(|| held.mode.clone()))
    }

    /// Whether its lease has lapsed, so that others may have seen it die.
    fn has_lapsed(&self) -> bool {
        self.hold.as_ref().is_some_and(|lease| !lease.is_held())
    }

    /// Waits until others have [seen the guard die](Self::is_lost). Returns the mode's key.
    pub async fn lost(&self) -> String {
        self.gone(Self::found_lost).await
    }

    /// Waits until somebody has switched off what the guard holds. Returns the mode's key.
    #[cfg(all(feature = "cli", unix))]
    pub(crate) async fn taken_away(&self) -> String {
        let taken_away = |guard: &Self| {
            let held = guard.state.as_ref()?;
            let is_taken = held.is_gone() && guard.found_lost().is_none();
            is_taken.then(|| held.mode.clone())
        };
        self.gone(taken_away).await
    }

    async fn gone(&self, how: impl Fn(&Self) -> Option<String>) -> String {
        if let Some(held) = &self.state {
            let mut published = held.engine.published.clone();
            loop {
                published.mark_unchanged();
                if let Some(mode) = how(self) {
                    return mode;
                }
                if published.changed().await.is_err() {
                    break;
                }
            }
        }
        std::future::pending().await
    }

    /// Tells the jobs that this one starts, which are a part of it.
    #[cfg(all(feature = "cli", unix))]
    pub(crate) fn token(&self) -> Option<&str> {
        self.state.as_ref().map(|held| &*held.token)
    }

    /// Whether an exclusive guard still holds the lock on the mode. It is lost when the store is out
    /// of reach for too long; then another may hold it.
    pub fn holds_lock(&self) -> bool {
        self.lock.as_ref().is_some_and(HeldLease::is_held)
    }

    /// Waits until the lock of an exclusive guard is lost; for ever, if it is none. Returns the
    /// mode's key.
    pub async fn lock_lost(&self) -> String {
        match (&self.lock, &self.state) {
            (Some(lock), Some(held)) => {
                lock.lost().await;
                held.mode.clone()
            }
            _ => std::future::pending().await,
        }
    }

    /// Gives the leases back. What the store does not take back lapses.
    async fn unlock(&mut self) {
        if let Some(hold) = self.hold.take()
            && let Err(error) = hold.release().await
        {
            tracing::debug!(%error, "the lease of who held a mode is left to lapse");
        }
        let Some(lock) = self.lock.take() else {
            return;
        };
        if let Err(error) = lock.release().await {
            tracing::debug!(%error, "the lock on a mode is left to lapse");
        }
        if let Some(held) = &self.state {
            hear_of_locks(&held.engine).await;
        }
    }

    /// Leaves what is, for somebody to look at: nothing is put back.
    ///
    /// # Errors
    ///
    /// When the state could not be stored. Then what was before is put back in the background.
    pub async fn keep(mut self) -> Result<Change, ChangeError> {
        let Some(held) = &self.state else {
            return Err(ChangeError::Stopped);
        };
        let change = send(&held.engine, held.keep(), None, held.call_hooks).await?;
        self.unlock().await;
        self.state = None;
        Ok(change)
    }

    /// As [`release`](Self::release), for code that is not async.
    ///
    /// # Errors
    ///
    /// As [`release`](Self::release).
    pub fn release_blocking(self) -> Result<Change, ChangeError> {
        pollster::block_on(self.release())
    }

    async fn forget(mut self) {
        self.unlock().await;
        self.state = None;
    }
}

/// Has the status tell of the locks as they are now.
async fn hear_of_locks(engine: &Engine) {
    if let Err(error) = engine.ask_status().await {
        tracing::debug!(%error, "the status will tell of a lock later");
    }
}

impl Held {
    /// The mode's key, if the guard was found dead.
    fn lost(&self) -> Option<String> {
        let snapshot = self.engine.shared.published.stored();
        let state = &snapshot.mode(&self.mode)?.state;
        state.lost(&self.token).map(|_| self.mode.clone())
    }

    /// Whether nothing is stored of the guard any more.
    fn is_gone(&self) -> bool {
        let snapshot = self.engine.shared.published.stored();
        snapshot.mode(&self.mode).is_some_and(|mode| {
            let state = &mode.state;
            state.guard(&self.token).is_none() && state.lost(&self.token).is_none()
        })
    }

    fn leave(&self) -> Operation {
        self.leave_noting(Arc::default())
    }

    /// As `leave`, noting whether the guard was there to be left.
    fn leave_noting(&self, was_there: Arc<AtomicBool>) -> Operation {
        let (mode, token) = (self.mode.clone(), self.token.clone());
        Box::new(move |document, now| {
            let state = document.mode(&mode);
            let is_there = state.is_some_and(|state| state.guard(&token).is_some());
            was_there.store(is_there, Ordering::Relaxed);
            document.leave(&mode, &token, now)
        })
    }

    fn keep(&self) -> Operation {
        let (mode, token) = (self.mode.clone(), self.token.clone());
        Box::new(move |document, _| document.keep(&mode, &token))
    }
}

impl Drop for Guard {
    /// Waits a moment until the store has it, so that a process that ends right after does not leave
    /// the site closed.
    fn drop(&mut self) {
        let Some(held) = self.state.take() else {
            return;
        };
        let (reply, mut answer) = oneshot::channel();
        let command = Command {
            operation: held.leave(),
            says: None,
            author: held.engine.author.clone(),
            reply,
            call_hooks: held.call_hooks,
            asked_at: tokio::time::Instant::now(),
        };
        if held.engine.commands.send(command).is_err() {
            return;
        }
        let deadline = Instant::now() + DROP_PATIENCE;
        while matches!(answer.try_recv(), Err(oneshot::error::TryRecvError::Empty))
            && Instant::now() < deadline
        {
            thread::sleep(Duration::from_millis(1));
        }
    }
}
