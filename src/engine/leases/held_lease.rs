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
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot, watch},
    time::{sleep, timeout},
};

use crate::{
    clock::steady,
    engine::{
        driver::Command,
        fleet::{
            marker::{MARKER, MARKER_LIVES, marker, remembered_for, to_wait},
            node::Fleet,
        },
        patience::{of_answer, within},
        task::TASKS,
    },
    store::{Lease, LeaseCondition, LiveLease, PutLease, Store, StoreError},
};

/// What the names of the leases of all nodes begin with.
pub(crate) const NODES: &str = "node/";

/// How long a lease lives without being renewed, unless its holder says otherwise.
pub(crate) const TIME_TO_LIVE: Duration = Duration::from_secs(15);

/// How long a dropped lease waits for the store.
const DROP_PATIENCE: Duration = Duration::from_millis(250);
/// How often one who waits for a lease asks for it.
const ASK_EVERY: Duration = Duration::from_millis(100);
/// The pause after a renewal that failed.
const RETRY: Duration = Duration::from_millis(250);
/// The shortest time between two writings: who tells more often tells the latest.
const TELL_PAUSE: Duration = Duration::from_millis(20);

/// How long after it asked a holder relies on a lease.
pub(crate) fn patience(time_to_live: Duration) -> Duration {
    time_to_live / 4 * 3
}

/// A handle's way to the leases of its store.
#[derive(Clone)]
pub(crate) struct LeaseKeeper {
    store: Arc<dyn Store>,
    runtime: Handle,
    /// Keeps the driver, and with it the runtime, until the last lease has left the store. The
    /// driver's own leases do not.
    driver: Option<mpsc::UnboundedSender<Command>>,
    /// How many tasks this process holds.
    tasks: Arc<AtomicU64>,
}

impl fmt::Debug for LeaseKeeper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LeaseKeeper")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// A lease as somebody wants it.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    name: String,
    holder: String,
    content: Vec<u8>,
    time_to_live: Duration,
    condition: LeaseCondition,
    wait: Duration,
    once: bool,
}

impl Wanted {
    /// A lease that only one can hold at a time.
    pub(crate) fn alone(
        name: impl Into<String>,
        holder: impl Into<String>,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            name: name.into(),
            holder: holder.into(),
            content: content.into(),
            time_to_live: TIME_TO_LIVE,
            condition: LeaseCondition::IfAbsent,
            wait: Duration::ZERO,
            once: true,
        }
    }

    /// A lease whose name nobody else uses. One that a former life left is replaced.
    pub(crate) fn own(
        name: impl Into<String>,
        holder: impl Into<String>,
        content: impl Into<Vec<u8>>,
    ) -> Self {
        Self {
            condition: LeaseCondition::Always,
            once: false,
            ..Self::alone(name, holder, content)
        }
    }

    /// How long it lives without being renewed; the default is [`TIME_TO_LIVE`].
    pub(crate) fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.time_to_live = time_to_live;
        self
    }

    /// How long to wait while another has it; the default is not at all.
    pub(crate) fn waiting(mut self, at_most: Duration) -> Self {
        self.wait = at_most;
        self
    }

    /// Lost for good when it is lost, although it is one's own.
    pub(crate) fn once(mut self) -> Self {
        self.once = true;
        self
    }
}

/// Until when a lease is held, for those who ask at every request.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    /// Microseconds of the steady clock; zero: it is not held.
    micros: AtomicU64,
}

impl Deadline {
    /// Whether it is over, also if whoever keeps the lease did not get to tell yet.
    pub(crate) fn is_over(&self) -> bool {
        steady::now().as_micros() >= u128::from(self.micros.load(Ordering::SeqCst))
    }

    fn set(&self, until: Option<Duration>) {
        let micros = until.map_or(0, |until| until.as_micros());
        self.micros
            .store(u64::try_from(micros).unwrap_or(u64::MAX), Ordering::SeqCst);
    }
}

/// Why a lease was not acquired.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AcquireError {
    /// Another has it, and kept it for as long as it was waited for.
    #[error("`{}` is held by {}", .0.lease.name(), .0.lease.holder())]
    Taken(Box<LiveLease>),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("maintenance is shutting down in this process")]
    Stopped,
}

impl LeaseKeeper {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        runtime: Handle,
        driver: mpsc::UnboundedSender<Command>,
        tasks: Arc<AtomicU64>,
    ) -> Self {
        Self {
            store,
            runtime,
            driver: Some(driver),
            tasks,
        }
    }

    /// The same for the driver itself, which is to end although it holds a lease.
    pub(crate) fn of_driver(&self) -> Self {
        Self {
            driver: None,
            ..self.clone()
        }
    }

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

    /// Keeps a lease that all who know its content hold together: the content is its holder.
    /// Returns the content if another is there.
    pub(crate) async fn keep_shared(
        &self,
        name: &str,
        content: &str,
        time_to_live: Duration,
    ) -> Result<Option<String>, StoreError> {
        let lease = Lease::new(name, content, "")?;
        // Mostly it is there, and to renew it is cheaper.
        let renewed = self.store.renew_lease(&lease, time_to_live);
        if in_time(&*self.store, "renew a lease", renewed).await? {
            return Ok(None);
        }
        let put = self
            .store
            .put_lease(&lease, time_to_live, LeaseCondition::IfAbsent);
        Ok(match in_time(&*self.store, "take a lease", put).await? {
            PutLease::Held => None,
            PutLease::Taken(theirs) => Some(theirs.lease.holder().to_owned()),
        })
    }

    /// Runs something on the driver's runtime, which has a clock.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// The nodes, tasks and locks that are live, and what others have left behind.
    pub(crate) async fn fleet(&self) -> Result<Fleet, StoreError> {
        // All at once: one question to the store, and one moment.
        Ok(Fleet::new(&self.list("").await?))
    }

    /// Puts a lease that nobody keeps: it lapses unless it is put again.
    pub(crate) async fn leave_behind(
        &self,
        lease: Lease,
        time_to_live: Duration,
    ) -> Result<(), StoreError> {
        // Mostly it is there, and to renew it is cheaper.
        let renewed = self.store.renew_lease(&lease, time_to_live);
        if in_time(&*self.store, "renew a lease", renewed).await? {
            return Ok(());
        }
        let put = self
            .store
            .put_lease(&lease, time_to_live, LeaseCondition::Always);
        in_time(&*self.store, "take a lease", put).await.map(|_| ())
    }

    /// For how long a list of nodes is not to be believed yet, because the store may have forgotten
    /// some of them; `None`: it is. Asked after they were listed.
    pub(crate) async fn unsure_for(
        &self,
        time_to_live: Duration,
    ) -> Result<Option<Duration>, StoreError> {
        match self.life().await? {
            Some(marker) => Ok(to_wait(self.remembered_for(marker).await?, time_to_live)),
            None => Ok(None),
        }
    }

    /// Makes the marker by which it is told that the store has forgotten, unless there is one.
    pub(crate) async fn mark(&self) -> Result<(), StoreError> {
        if let Some(marker) = self.life().await? {
            self.remembered_for(marker).await?;
        }
        Ok(())
    }

    /// The marker of this life of the store; `None`: it has not forgotten anything and will not.
    async fn life(&self) -> Result<Option<Lease>, StoreError> {
        let life = in_time(&*self.store, "ask who it is", self.store.life()).await?;
        let may_forget = life.is_some() || self.store.may_lose_state();
        may_forget.then(|| marker(life)).transpose()
    }

    /// For how long the store has remembered leases, in this life of it. Where it has not, it does
    /// from now on.
    async fn remembered_for(&self, marker: Lease) -> Result<Option<Duration>, StoreError> {
        let remembered = remembered_for(&self.list(MARKER).await?, &marker);
        if remembered.is_none() {
            self.put_marker(marker).await?;
        }
        Ok(remembered)
    }

    /// Whatever there is instead says nothing: it is of another life of the store, or the store has
    /// lost its list of names.
    async fn put_marker(&self, marker: Lease) -> Result<(), StoreError> {
        let store = Arc::clone(&self.store);
        let marked = self.runtime.spawn(async move {
            let put = store.put_lease(&marker, MARKER_LIVES, LeaseCondition::Always);
            in_time(&*store, "take a lease", put).await
        });
        marked.await.unwrap_or(Ok(PutLease::Held)).map(|_| ())
    }

    /// The live leases whose names begin with `prefix`, sorted by name.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<LiveLease>, StoreError> {
        let (store, prefix) = (Arc::clone(&self.store), prefix.to_owned());
        let listed = self
            .runtime
            .spawn(async move { in_time(&*store, "list its leases", store.leases(&prefix)).await });
        listed.await.unwrap_or_else(|_| {
            Err(StoreError::new(
                "maintenance is shutting down in this process",
            ))
        })
    }
}

impl LeaseKeeper {
    /// Takes a lease from its holder, who learns it at the next renewal.
    pub(crate) async fn expel(&self, lease: Lease) -> Result<(), StoreError> {
        let store = Arc::clone(&self.store);
        let expelled = self.runtime.spawn(async move {
            in_time(&*store, "give a lease back", store.drop_lease(&lease)).await
        });
        expelled.await.unwrap_or_else(|_| Ok(()))
    }

    /// What a future comes to in time, on any runtime and on none. `None`: it takes longer.
    pub(crate) async fn within<F>(&self, limit: Duration, future: F) -> Option<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        let waiting = self
            .runtime
            .spawn(async move { timeout(limit, future).await });
        waiting.await.ok()?.ok()
    }

    /// The pause of one who waits for the lease of another, on any runtime.
    pub(crate) async fn pause(&self) {
        let _ = self.runtime.spawn(async { sleep(ASK_EVERY).await }).await;
    }
}

/// Waits for the store as long as it may take.
pub(crate) async fn in_time<T>(
    store: &dyn Store,
    what: &str,
    asked: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let patience = || of_answer(store);
    let answer = within(tokio::time::Instant::now(), patience, asked).await;
    answer.unwrap_or_else(|waited| {
        Err(StoreError::new(format!(
            "the store {} does not {what} within {} seconds",
            store.url(),
            waited.as_secs()
        )))
    })
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

/// What the holder asks of whoever keeps the lease.
enum Order {
    Tell { content: Vec<u8>, at_once: bool },
    Release(oneshot::Sender<Result<(), StoreError>>),
    Abandon,
}

/// How long the holder may rely on the lease, by the steady clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    held_until: Option<Duration>,
}

impl State {
    const LOST: Self = Self { held_until: None };
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

/// The one task that keeps a lease.
struct Keeping {
    store: Arc<dyn Store>,
    lease: Lease,
    time_to_live: Duration,
    condition: LeaseCondition,
    once: bool,
    state: watch::Sender<State>,
    deadline: Arc<Deadline>,
}

type Reply = oneshot::Sender<Result<(), AcquireError>>;

impl Keeping {
    async fn run(
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

    async fn acquire(&self, wait: Duration) -> Result<(), AcquireError> {
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

    async fn keep(&mut self, orders: &mut mpsc::UnboundedReceiver<Order>) {
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

    fn take_over(&mut self, content: Vec<u8>) {
        match self.lease.clone().with_content(content) {
            Ok(lease) => self.lease = lease,
            Err(error) => tracing::warn!(%error, "a lease keeps the content that it had"),
        }
    }

    /// Renews the lease, or puts it again if it is one's own. Says whether that was done.
    async fn renew(&self, held_until: Option<Duration>) -> bool {
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

    async fn put(&self) -> Result<PutLease, StoreError> {
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

    fn hold_since(&self, asked_at: Duration) {
        self.set(State {
            held_until: Some(asked_at + patience(self.time_to_live)),
        });
    }

    /// Returns what it was before.
    fn set(&self, state: State) -> State {
        self.deadline.set(state.held_until);
        self.state.send_replace(state)
    }

    fn lose(&self, why: &str) {
        let was_held = self.set(State::LOST) != State::LOST;
        if was_held {
            tracing::warn!(lease = self.lease.name(), "a lease is lost: {why}");
        }
    }

    async fn remove(&self) -> Result<(), StoreError> {
        self.set(State::LOST);
        let removed = self.store.drop_lease(&self.lease);
        let removed = in_time(&*self.store, "give a lease back", removed).await;
        if let Err(error) = &removed {
            tracing::debug!(%error, lease = self.lease.name(), "a lease is left to lapse");
        }
        removed
    }
}

#[cfg(test)]
#[path = "held_lease_tests.rs"]
mod tests;
