//! Keeps one lease alive until it is given back or lost.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};

use crate::{
    clock::steady,
    engine::{
        leases::{
            deadline::Deadline,
            keeper::{in_time, patience},
            wanted::AcquireError,
        },
        patience::of_answer,
        pauses::ASK_EVERY,
    },
    store::{Lease, LeaseCondition, PutLease, Store, StoreError},
};

/// How long a dropped lease waits for the store.
pub(super) const DROP_PATIENCE: Duration = Duration::from_millis(250);

/// The pause after a renewal that failed.
pub(super) const RETRY: Duration = Duration::from_millis(250);

/// The shortest time between two writings: who tells more often tells the latest.
pub(super) const TELL_PAUSE: Duration = Duration::from_millis(20);

/// What the holder asks of whoever keeps the lease.
pub(super) enum Order {
    Tell { content: Vec<u8>, at_once: bool },
    Release(oneshot::Sender<Result<(), StoreError>>),
    Abandon,
}

/// How long the holder may rely on the lease, by the steady clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) held_until: Option<Duration>,
}

impl State {
    pub(super) const LOST: Self = Self { held_until: None };
}

/// The one task that keeps a lease.
pub(super) struct Keeping {
    pub(super) store: Arc<dyn Store>,
    pub(super) lease: Lease,
    pub(super) time_to_live: Duration,
    pub(super) condition: LeaseCondition,
    pub(super) once: bool,
    pub(super) state: watch::Sender<State>,
    pub(super) deadline: Arc<Deadline>,
}

pub(super) type Reply = oneshot::Sender<Result<(), AcquireError>>;

impl Keeping {
    pub(super) async fn run(
        mut self,
        wait: Duration,
        mut reply: Reply,
        mut orders: mpsc::UnboundedReceiver<Order>,
    ) {
        let acquired = tokio::select! {
            acquired = self.acquire(wait) => acquired,
            () = reply.closed() => Ok(()),
        };
        let is_acquired = acquired.is_ok();
        if reply.send(acquired).is_err() {
            // Nobody waits for it any more. It may be in the store all the same.
            let _ = self.remove().await;
        } else if is_acquired {
            self.keep(&mut orders).await;
        }
    }

    pub(super) async fn acquire(&self, wait: Duration) -> Result<(), AcquireError> {
        let begin = steady::now();
        loop {
            let PutLease::Taken(by) = self.put().await? else {
                return Ok(());
            };
            let left = wait.saturating_sub(steady::now() - begin);
            if left.is_zero() {
                return Err(AcquireError::Taken(Box::new(by)));
            }
            sleep(left.min(ASK_EVERY)).await;
        }
    }

    pub(super) async fn keep(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) {
        let mut due = steady::now() + self.time_to_live / 3;
        let mut written = Duration::ZERO;
        loop {
            let now = steady::now();
            let held_until = self.state.borrow().held_until;
            if held_until.is_some_and(|until| until <= now) {
                self.lose("it could not be renewed in time");
                continue;
            }
            let is_over = held_until.is_none() && self.once;
            let next = held_until.map_or(due, |until| until.min(due));
            tokio::select! {
                biased;
                order = orders.recv() => match order {
                    Some(Order::Tell { content, at_once }) => {
                        self.take_over(content);
                        if at_once {
                            due = due.min((written + TELL_PAUSE).max(now));
                        }
                    }
                    Some(Order::Release(reply)) => {
                        // The holder may have gone.
                        let _ = reply.send(self.remove().await);
                        return;
                    }
                    Some(Order::Abandon) => {
                        self.set(State::LOST);
                        return;
                    }
                    None => {
                        let _ = self.remove().await;
                        return;
                    }
                },
                () = sleep(next.saturating_sub(now)), if !is_over => if due <= steady::now() {
                    written = steady::now();
                    due = written + match self.renew(held_until).await {
                        true => self.time_to_live / 3,
                        false => RETRY.min(self.time_to_live / 12),
                    };
                },
            }
        }
    }

    pub(super) fn take_over(&mut self, content: Vec<u8>) {
        match self.lease.clone().with_content(content) {
            Ok(lease) => self.lease = lease,
            Err(error) => tracing::warn!(%error, "a lease keeps the content that it had"),
        }
    }

    /// Renews the lease, or puts it again if it is one's own. Says whether that was done.
    pub(super) async fn renew(&self, held_until: Option<Duration>) -> bool {
        let asked_at = steady::now();
        // Once it is lost there is nothing to be late for.
        let longest = of_answer(&*self.store);
        let left = held_until.map_or(longest, |until| until.saturating_sub(asked_at));
        let renewal = async {
            match self.store.renew_lease(&self.lease, self.time_to_live).await {
                Ok(false) if !self.once => {
                    self.lose("it lapsed, or another has put it");
                    self.put().await.map(|_| true)
                }
                other => other,
            }
        };
        match timeout(left.min(longest), renewal).await {
            Ok(Ok(true)) => {
                self.hold_since(asked_at);
                true
            }
            Ok(Ok(false)) => {
                self.lose("it lapsed, or another has put it");
                false
            }
            Ok(Err(error)) => {
                tracing::debug!(%error, lease = self.lease.name(), "a lease was not renewed");
                false
            }
            Err(_) => {
                tracing::debug!(lease = self.lease.name(), "a lease was not renewed in time");
                false
            }
        }
    }

    pub(super) async fn put(&self) -> Result<PutLease, StoreError> {
        let asked_at = steady::now();
        let put = self
            .store
            .put_lease(&self.lease, self.time_to_live, self.condition);
        let put = in_time(&*self.store, "take a lease", put).await?;
        if put == PutLease::Held {
            self.hold_since(asked_at);
        }
        Ok(put)
    }

    pub(super) fn hold_since(&self, asked_at: Duration) {
        self.set(State {
            held_until: Some(asked_at + patience(self.time_to_live)),
        });
    }

    /// Returns what it was before.
    pub(super) fn set(&self, state: State) -> State {
        self.deadline.set(state.held_until);
        self.state.send_replace(state)
    }

    pub(super) fn lose(&self, why: &str) {
        let was_held = self.set(State::LOST) != State::LOST;
        if was_held {
            tracing::warn!(lease = self.lease.name(), "a lease is lost: {why}");
        }
    }

    pub(super) async fn remove(&self) -> Result<(), StoreError> {
        self.set(State::LOST);
        let removed = self.store.drop_lease(&self.lease);
        let removed = in_time(&*self.store, "give a lease back", removed).await;
        if let Err(error) = &removed {
            tracing::debug!(%error, lease = self.lease.name(), "a lease is left to lapse");
        }
        removed
    }
}
