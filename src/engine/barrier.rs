//! Waiting until maintenance has taken hold: a mode is closed on every live node, and nothing is
//! being served any more.
//!
//! Why the answer may be relied on, and what it takes for granted, stands in `docs/barrier.md`.

mod safe;

use std::{fmt, future::IntoFuture, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, watch},
    time::{Instant, sleep, timeout_at},
};

pub(crate) use self::safe::Safe;
use crate::{
    core::{phase::Phase, status::whole::Status},
    engine::{
        change_error::ChangeError,
        changes::{Change, TurnOn, change},
        driver::Operation,
        fleet::{
            missing::{Missing, WhyMissing},
            node::Goal,
        },
        handle::Engine,
        leases::keeper::LeaseKeeper,
        shared::Shared,
    },
};

/// How often the nodes are listed: often while something changes, seldom while nothing does.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_millis(250);
/// Nobody waits so long; it keeps sums of instants within what clocks can hold.
const FOREVER: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Called with those who are still missing, whenever they change.
type Progress = Box<dyn FnMut(&[Missing]) + Send>;

/// Why it is not certain that a mode is closed and empty everywhere.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaitError {
    /// The mode was not switched on, or what is stored could not be read.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// Not everybody was closed and empty in time. The mode stays as it is.
    #[error("after {after:?} it is not yet safe: {}", list(.missing))]
    TimedOut {
        /// How long was waited.
        after: Duration,
        /// Who was missing in the end.
        missing: Vec<Missing>,
    },
    /// The mode is closed, and no node reports that it serves nobody. There may be none, or none that can
    /// report: nobody can tell them apart. The mode stays closed.
    #[error(
        "the mode `{mode}` is closed, and no node reports: nobody can tell whether an app that cannot \
         report serves somebody; start one with the middleware, or say that none runs: `no_nodes()`"
    )]
    NoNodes {
        /// The key of the mode.
        mode: String,
    },
    /// The mode was opened again while it was waited for: somebody switched it off, its time was
    /// over, or a drain was not over in time and called off.
    #[error("the mode `{mode}` is {phase} again; nothing was reached")]
    Reopened {
        /// The key of the mode.
        mode: String,
        /// What it is.
        phase: Phase,
    },
}

fn list(missing: &[Missing]) -> String {
    let texts: Vec<String> = missing.iter().map(Missing::to_string).collect();
    texts.join("; ")
}

/// How somebody wants to wait.
#[derive(Default)]
struct Patience {
    at_most: Option<Duration>,
    progress: Option<Progress>,
    /// Whether somebody has said that no node runs, so that none has to report.
    no_nodes: bool,
}

impl fmt::Debug for Patience {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Patience")
            .field("at_most", &self.at_most)
            .field("no_nodes", &self.no_nodes)
            .finish_non_exhaustive()
    }
}

/// Takes the site out of service and waits until that has taken hold everywhere: from
/// [`TurnOn::wait`].
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct TurnOnAndWait {
    engine: Engine,
    turn_on: TurnOn,
    mode: String,
    patience: Patience,
}

impl TurnOn {
    /// Waits until every live node has applied the change and serves nothing any more, and no task
    /// runs. With a [drain](Self::drain), until the drain is over and that holds.
    ///
    /// Then, and not before, it is safe to change what the app works on. Requests that an exemption
    /// lets through, and responses without an end, are not waited for.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    ///
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// maintenance
    ///     .turn_on()
    ///     .by("deploy")
    ///     .wait_at_most(Duration::from_secs(30))
    ///     .no_nodes() // of this example; in an app leave it out
    ///     .on_progress(|missing| {
    ///         for missing in missing {
    ///             println!("waiting: {missing}");
    ///         }
    ///     })
    ///     .await?;
    /// // Nobody is inside: migrate.
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`WaitError`] when the change was not made, when the time is over, which names those who are
    /// missing, when no node reports at all, or when the mode was opened again. But for the first the
    /// change has been made.
    pub fn wait(self) -> TurnOnAndWait {
        TurnOnAndWait {
            engine: self.handle().clone(),
            mode: self.key().to_owned(),
            turn_on: self,
            patience: Patience::default(),
        }
    }

    /// Waits as [`wait`](Self::wait) does, but no longer than this.
    pub fn wait_at_most(self, at_most: Duration) -> TurnOnAndWait {
        self.wait().at_most(at_most)
    }
}

impl TurnOnAndWait {
    /// How long to wait at most; the default is for as long as it takes.
    pub fn at_most(mut self, at_most: Duration) -> Self {
        self.patience.at_most = Some(at_most);
        self
    }

    /// Says that no node may be running: then it is safe also where none reports. Without it that is
    /// [`WaitError::NoNodes`].
    pub fn no_nodes(mut self) -> Self {
        self.patience.no_nodes = true;
        self
    }

    /// Is called with those who are still missing, at first and whenever they change.
    pub fn on_progress(mut self, progress: impl FnMut(&[Missing]) + Send + 'static) -> Self {
        self.patience.progress = Some(Box::new(progress));
        self
    }
}

impl IntoFuture for TurnOnAndWait {
    type Output = Result<Change, WaitError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let changed = self.turn_on.await?.changed;
            let safe = wait(&self.engine, self.mode, self.patience).await?;
            let status = safe.told_in(self.engine.status());
            Ok(Change { changed, status })
        })
    }
}

/// Waits until a mode that is on, or closing, is closed and empty everywhere: from
/// [`Maintenance::wait_until_empty`](crate::Maintenance::wait_until_empty).
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct WaitUntilEmpty {
    engine: Engine,
    mode: String,
    patience: Patience,
}

impl WaitUntilEmpty {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            mode: engine.default_mode(),
            engine,
            patience: Patience::default(),
        }
    }

    /// Which mode; the default is `default_mode` of the settings, or else their first one.
    pub fn mode(mut self, key: impl Into<String>) -> Self {
        self.mode = key.into();
        self
    }

    /// How long to wait at most; the default is for as long as it takes.
    pub fn at_most(mut self, at_most: Duration) -> Self {
        self.patience.at_most = Some(at_most);
        self
    }

    /// Says that no node may be running: then it is safe also where none reports. Without it that is
    /// [`WaitError::NoNodes`].
    pub fn no_nodes(mut self) -> Self {
        self.patience.no_nodes = true;
        self
    }

    /// Is called with those who are still missing, at first and whenever they change.
    pub fn on_progress(mut self, progress: impl FnMut(&[Missing]) + Send + 'static) -> Self {
        self.patience.progress = Some(Box::new(progress));
        self
    }

    /// Waits, and says on what the answer depends.
    pub(crate) async fn safe(self) -> Result<Safe, WaitError> {
        wait(&self.engine, self.mode, self.patience).await
    }
}

impl IntoFuture for WaitUntilEmpty {
    type Output = Result<Status, WaitError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let engine = self.engine.clone();
            Ok(self.safe().await?.told_in(engine.status()))
        })
    }
}

/// What whoever waits hears.
enum Event {
    Missing(Vec<Missing>),
    Over(Result<Safe, WaitError>),
}

/// What one look at the nodes finds.
enum Look {
    Missing(Vec<Missing>),
    Safe(Safe),
}

async fn wait(engine: &Engine, mode: String, mut patience: Patience) -> Result<Safe, WaitError> {
    engine.find_mode(&mode)?;
    // Whoever waits goes by what is stored now. A state that was written by hand is written anew
    // for that: it may have been the same before, and a report of then would count for now.
    let number: Operation =
        Box::new(|document, _| (document.generation == 0).then(|| document.clone()));
    change(engine, number).await?;
    let (events, mut heard) = mpsc::unbounded_channel();
    let watch = Watch {
        shared: Arc::clone(&engine.shared),
        leases: engine.leases.clone(),
        published: engine.published.clone(),
        mode,
        at_most: patience.at_most.unwrap_or(FOREVER).min(FOREVER),
        no_nodes: patience.no_nodes,
    };
    // On the driver's runtime, since this one may have no clock.
    engine.leases.spawn(async move {
        tokio::select! {
            over = watch.until_over(&events) => {
                // Nobody may be waiting any more.
                let _ = events.send(Event::Over(over));
            }
            () = events.closed() => {}
        }
    });
    while let Some(event) = heard.recv().await {
        match event {
            Event::Missing(missing) => {
                if let Some(progress) = &mut patience.progress {
                    progress(&missing);
                }
            }
            Event::Over(over) => return over,
        }
    }
    Err(ChangeError::Stopped.into())
}

/// Looks at the nodes again and again.
struct Watch {
    shared: Arc<Shared>,
    leases: LeaseKeeper,
    published: watch::Receiver<u64>,
    mode: String,
    at_most: Duration,
    no_nodes: bool,
}

impl Watch {
    async fn until_over(&self, events: &mpsc::UnboundedSender<Event>) -> Result<Safe, WaitError> {
        let deadline = Instant::now() + self.at_most;
        let mut published = self.published.clone();
        let mut told: Option<Vec<Missing>> = None;
        let mut pause = FIRST_PAUSE;
        loop {
            published.mark_unchanged();
            let Ok(found) = timeout_at(deadline, self.look()).await else {
                return Err(self.timed_out(told));
            };
            let missing = match found? {
                Look::Safe(safe) => return Ok(safe),
                Look::Missing(missing) => missing,
            };
            if told.as_ref() != Some(&missing) {
                // Nobody may be waiting any more.
                let _ = events.send(Event::Missing(missing.clone()));
                told = Some(missing);
                pause = FIRST_PAUSE;
            }
            if deadline <= Instant::now() {
                return Err(self.timed_out(told));
            }
            tokio::select! {
                // Without a driver the process ends, and with it this.
                _ = published.changed() => {}
                () = sleep(pause.min(deadline - Instant::now())) => {}
            }
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    fn timed_out(&self, missing: Option<Vec<Missing>>) -> WaitError {
        WaitError::TimedOut {
            after: self.at_most,
            missing: missing
                .unwrap_or_else(|| vec![Missing::store_fails("it has not answered".to_owned())]),
        }
    }

    /// Who is missing. First the state is read, then the nodes are listed: a node that is not listed
    /// by then reads the state after it was stored.
    async fn look(&self) -> Result<Look, WaitError> {
        let own_node = &self.shared.own_node;
        loop {
            let snapshot = self.shared.published.stored();
            let phase = snapshot
                .mode(&self.mode)
                .map_or(Phase::Online, |mode| mode.phase(self.shared.clock.now()));
            let goal = match phase {
                Phase::Online | Phase::Scheduled | Phase::Opening => {
                    return Err(WaitError::Reopened {
                        mode: self.mode.clone(),
                        phase,
                    });
                }
                Phase::Pending => Goal::Drained,
                Phase::Offline => Goal::Closed,
            };
            let mut fleet = match self.leases.fleet().await {
                Ok(fleet) => own_node.heard(fleet),
                Err(error) => {
                    let missing = vec![Missing::store_fails(error.to_string())];
                    return Ok(Look::Missing(missing));
                }
            };
            if own_node.is_taken() {
                fleet = fleet.with_own(own_node.report(&self.shared));
            }
            let idle = self.shared.drain.session_idle;
            let mut missing = fleet.missing(&self.mode, snapshot.state_id, goal, idle);
            if let Some(error) = &snapshot.store.error {
                missing.push(Missing::store_fails(error.clone()));
            }
            if missing.is_empty() {
                match self.leases.unsure_for(own_node.plan.time_to_live).await {
                    Ok(None) => {}
                    Ok(Some(left)) => missing.push(Missing {
                        name: "store".to_owned(),
                        why: WhyMissing::StoreForgot {
                            // Whole seconds that have begun.
                            seconds: left
                                .as_millis()
                                .div_ceil(1000)
                                .try_into()
                                .unwrap_or(u64::MAX),
                        },
                    }),
                    Err(error) => missing.push(Missing::store_fails(error.to_string())),
                }
            }
            if missing.is_empty() && goal == Goal::Drained {
                missing.push(Missing {
                    name: self.mode.clone(),
                    why: WhyMissing::Closing,
                });
            }
            if !missing.is_empty() {
                return Ok(Look::Missing(missing));
            }
            if self.shared.published.stored().number == snapshot.number {
                if fleet.has_no_nodes() && !self.no_nodes {
                    let mode = self.mode.clone();
                    return Err(WaitError::NoNodes { mode });
                }
                // Nobody else is missing.
                let if_dead = fleet.unheard();
                let nodes = fleet.count();
                return Ok(Look::Safe(Safe { nodes, if_dead }));
            }
            // The state is another meanwhile.
        }
    }
}
