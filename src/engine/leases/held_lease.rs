//! A lease that is renewed for as long as it is held.
//!
//! [`LeaseKeeper`] is what a handle has: [`acquire`](LeaseKeeper::acquire) puts a lease and hands
//! out a [`HeldLease`], [`list`](LeaseKeeper::list) reads the leases of others. Both work on any
//! runtime and on none, since what they ask of the store runs on the driver's runtime, each in a
//! task of its own: a slow lease never holds up a change of state.
//!
//! ```text
//! let lock = maintenance
//!     .leases
//!     .acquire(Wanted::alone("lock/site", holder, content).waiting(Duration::from_secs(5)))
//!     .await?;              // Err(AcquireError::Taken(by)): somebody else has it
//! lock.is_held();           // or: lock.lost().await
//! lock.tell(content);       // with the next renewal; `tell_now` at once
//! lock.release().await?;    // or drop it
//! ```
//!
//! # Who gives up first
//!
//! A lease is renewed every third of its time to live. The store counts the time to live from when
//! it took the renewal; the holder counts its patience, three quarters of the time to live, from
//! before it asked. So where clocks run at rates that differ by less than a quarter, the holder
//! knows that it has lost the lease before anybody else can get it. The holder's clock goes on while
//! the process is stopped: [`HeldLease::is_held`] looks at it, and is right also in a process that
//! has just been woken.
//!
//! # When it is lost
//!
//! - A lease that one holds [alone](Wanted::alone) is lost for good: another may have got it
//!   meanwhile.
//! - One that is one's [own](Wanted::own), because its name holds who one is, is put again as soon
//!   as the store takes it. It counts as lost until then.
//!
//! # Its end
//!
//! Released or dropped, a lease leaves the store at once; if that fails, it lapses. A drop waits for
//! the store for a moment only, and what it left undone goes on behind its back: the driver does not
//! end before.

use std::{
    fmt,
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot, watch};

use super::{
    deadline::Deadline,
    keeper::LeaseKeeper,
    keeping::{DROP_PATIENCE, Keeping, Order, State},
    wanted::{AcquireError, Wanted},
};
use crate::{
    clock::steady,
    engine::leases::names::TASKS,
    store::{Lease, StoreError},
};

impl LeaseKeeper {
    /// Puts a lease and keeps it. A caller that is cancelled meanwhile holds nothing.
    pub(crate) async fn acquire(&self, wanted: Wanted) -> Result<HeldLease, AcquireError> {
        let lease = Lease::new(wanted.name, wanted.holder, wanted.content)?;
        let (state, followed) = watch::channel(State::LOST);
        let (orders, received) = mpsc::unbounded_channel();
        let (reply, answer) = oneshot::channel();
        let name = lease.name().to_owned();
        let deadline = Arc::<Deadline>::default();
        let keeping = Keeping {
            store: Arc::clone(&self.store),
            lease,
            time_to_live: wanted.time_to_live,
            condition: wanted.condition,
            once: wanted.once,
            state,
            deadline: Arc::clone(&deadline),
        };
        let driver = self.driver.clone();
        let tasks = name.starts_with(TASKS).then(|| Arc::clone(&self.tasks));
        self.runtime.spawn(async move {
            if let Some(tasks) = &tasks {
                tasks.fetch_add(1, Ordering::SeqCst);
            }
            keeping.run(wanted.wait, reply, received).await;
            if let Some(tasks) = &tasks {
                tasks.fetch_sub(1, Ordering::SeqCst);
            }
            drop(driver);
        });
        answer.await.map_err(|_| AcquireError::Stopped)??;
        Ok(HeldLease {
            name,
            orders,
            state: followed,
            deadline,
        })
    }
}

/// A lease that is renewed until this is released or dropped.
#[must_use = "a lease that is dropped at once is given back at once"]
pub(crate) struct HeldLease {
    name: String,
    orders: mpsc::UnboundedSender<Order>,
    state: watch::Receiver<State>,
    deadline: Arc<Deadline>,
}

impl fmt::Debug for HeldLease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("HeldLease")
            .field("name", &self.name)
            .field("held", &self.is_held())
            .finish_non_exhaustive()
    }
}

impl HeldLease {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether nobody else can have it now.
    pub(crate) fn is_held(&self) -> bool {
        self.held_until().is_some_and(|until| steady::now() < until)
    }

    /// Until when, by the steady clock, the holder may rely on it if it is not renewed.
    pub(crate) fn held_until(&self) -> Option<Duration> {
        self.state.borrow().held_until
    }

    /// Until when it is held, for those who ask at every request.
    pub(crate) fn deadline(&self) -> Arc<Deadline> {
        Arc::clone(&self.deadline)
    }

    /// Waits until it is lost.
    pub(crate) async fn lost(&self) {
        // Whoever keeps it tells in time. If nobody keeps it any more, the process ends.
        let _ = self
            .state
            .clone()
            .wait_for(|state| state.held_until.is_none())
            .await;
    }

    /// Has the content stored with the next renewal. Too large a content is not stored.
    pub(crate) fn tell(&self, content: impl Into<Vec<u8>>) {
        self.order(content.into(), false);
    }

    /// Has the content stored at once.
    pub(crate) fn tell_now(&self, content: impl Into<Vec<u8>>) {
        self.order(content.into(), true);
    }

    fn order(&self, content: Vec<u8>, at_once: bool) {
        // Nobody is there any more when the process ends.
        let _ = self.orders.send(Order::Tell { content, at_once });
    }

    /// Gives it back.
    ///
    /// # Errors
    ///
    /// When it is not certain that it has left the store. It lapses in the end.
    pub(crate) async fn release(self) -> Result<(), StoreError> {
        let (reply, answer) = oneshot::channel();
        // A dropped lease is given back once more, which nobody hears.
        let _ = self.orders.send(Order::Release(reply));
        answer.await.unwrap_or(Ok(()))
    }

    /// Gives up keeping it, and leaves in the store what may be there: it lapses, or is put again.
    pub(crate) fn abandon(self) {
        // Nobody is there any more when the process ends.
        let _ = self.orders.send(Order::Abandon);
    }
}

impl Drop for HeldLease {
    /// Waits a moment until the store has it, for a process that ends right after.
    fn drop(&mut self) {
        let (reply, mut answer) = oneshot::channel();
        if self.orders.send(Order::Release(reply)).is_err() {
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

#[cfg(test)]
#[path = "held_lease_tests.rs"]
mod tests;
