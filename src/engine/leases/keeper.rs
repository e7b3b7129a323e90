//! Talks to the store about leases, on the driver's runtime.

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use tokio::{
    runtime::Handle,
    sync::mpsc,
    time::{sleep, timeout},
};

use crate::{
    core::schedule::duration_in_words,
    engine::{
        driver::Command,
        fleet::{
            marker::{MARKER, MARKER_LIVES, marker, remembered_for, to_wait},
            node::Fleet,
        },
        patience::{of_answer, within},
        pauses::ASK_EVERY,
    },
    store::{Lease, LeaseCondition, LiveLease, PutLease, Store, StoreError},
};

/// How long after it asked a holder relies on a lease.
pub(crate) fn patience(time_to_live: Duration) -> Duration {
    time_to_live / 4 * 3
}

/// A handle's way to the leases of its store.
#[derive(Clone)]
pub(crate) struct LeaseKeeper {
    pub(super) store: Arc<dyn Store>,
    pub(super) runtime: Handle,
    /// Keeps the driver, and with it the runtime, until the last lease has left the store. The
    /// driver's own leases do not.
    pub(super) driver: Option<mpsc::UnboundedSender<Command>>,
    /// How many tasks this process holds.
    pub(super) tasks: Arc<AtomicU64>,
}

impl fmt::Debug for LeaseKeeper {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("LeaseKeeper")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
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

    /// Runs something on the driver's runtime, which has a clock.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// The nodes, tasks and locks that are live, and what others have left behind.
    pub(crate) async fn fleet(&self) -> Result<Fleet, StoreError> {
        // All at once: one question to the store, and one moment.
        Ok(Fleet::new(&self.list("").await?))
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
        self.on_its_own(
            async move { in_time(&*store, "list its leases", store.leases(&prefix)).await },
        )
        .await
    }

    /// Takes a lease from its holder, who learns it at the next renewal.
    pub(crate) async fn expel(&self, lease: Lease) -> Result<(), StoreError> {
        let store = Arc::clone(&self.store);
        let expelled = self.runtime.spawn(async move {
            in_time(&*store, "give a lease back", store.drop_lease(&lease)).await
        });
        expelled.await.unwrap_or_else(|_| Ok(()))
    }

    /// Runs something on the driver's runtime and waits for it.
    pub(super) async fn on_its_own<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.runtime.spawn(work).await.unwrap_or_else(|_| {
            Err(StoreError::new(
                "maintenance is shutting down in this process",
            ))
        })
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
            "the store {} does not {what} within {}",
            store.url(),
            duration_in_words(waited)
        )))
    })
}
