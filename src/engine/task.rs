//! Tasks: work outside of requests that maintenance waits for.
//!
//! Each task that runs is a lease in the store. So every process of a fleet sees the tasks of all
//! others, and a task whose process dies is gone by itself.
//!
//! A task that is refused in maintenance puts its lease first and reads the state afterwards;
//! whoever closes the site stores that first and lists the leases afterwards. So one of the two
//! sees the other, whatever the order.

mod error;
mod guard;

use std::time::{Duration, Instant};

use crate::{
    core::status::modes::ModeStatus,
    engine::{
        change_error::ChangeError,
        changes::read_anew,
        handle::Engine,
        leases::{
            held_lease::HeldLease,
            names::TASKS,
            wanted::{AcquireError, Wanted},
        },
        pauses,
    },
    settings::Forced,
    store::LiveLease,
};

pub use self::{error::TaskError, guard::TaskGuard};
pub(crate) use crate::engine::leases::content::Content;

/// What is left of a lease's name for the task's own, in bytes.
const NAME_LIMIT: usize = 64;
/// Below this, a store that is slow for a moment would end tasks.
pub(crate) const SHORTEST_LAPSE: Duration = Duration::from_secs(1);
/// How often somebody else may be faster while a task is taken over.
const TAKE_OVER_ATTEMPTS: usize = 3;

/// Sets a task up: from [`Maintenance::task`](crate::Maintenance::task).
///
/// A task is work outside of requests, such as an import or a nightly report. While it runs, a
/// drain waits for it, and the status shows it by its name, in every process that uses the store.
///
/// ```
/// # use actix_maintenance_mode::Maintenance;
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let maintenance = Maintenance::builder().store("memory:").build().await?;
/// let rows = maintenance
///     .task("import")
///     .exclusive()
///     .refuse_in_maintenance()
///     .run(async { 42 })
///     .await?;
/// assert_eq!(rows, 42);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "nothing happens until it is run or entered"]
pub struct Task {
    engine: Engine,
    name: String,
    by: Option<String>,
    is_exclusive: bool,
    takes_over: bool,
    wait: Duration,
    refused_in: Option<Refused>,
    lapse: Duration,
}

/// In which modes a task is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Refused {
    Any,
    Mode(String),
}

impl Task {
    pub(crate) fn new(engine: Engine, name: String) -> Self {
        Self {
            engine,
            name,
            by: None,
            is_exclusive: false,
            takes_over: false,
            wait: Duration::ZERO,
            refused_in: None,
            lapse: pauses::TIME_TO_LIVE,
        }
    }

    /// Who runs it, for those who wait for it.
    pub fn by(mut self, by: impl Into<String>) -> Self {
        self.by = Some(by.into());
        self
    }

    /// Runs only while no other task of its name does, in any process.
    pub fn exclusive(mut self) -> Self {
        self.is_exclusive = true;
        self
    }

    /// How long to wait while another of its name runs; the default is not at all.
    pub fn waiting(mut self, at_most: Duration) -> Self {
        self.wait = at_most;
        self
    }

    /// Takes the place of an exclusive task of its name that runs. That one is
    /// [lost](TaskError::Lost), which it notices within a third of the time after which it
    /// [lapses](Self::lapses_after); for a moment both may run.
    pub fn take_over(mut self) -> Self {
        self.is_exclusive = true;
        self.takes_over = true;
        self
    }

    /// Does not run while a mode is pending or offline.
    pub fn refuse_in_maintenance(mut self) -> Self {
        self.refused_in.get_or_insert(Refused::Any);
        self
    }

    /// Does not run while this mode is pending or offline; others do not matter.
    pub fn refuse_in_mode(mut self, key: impl Into<String>) -> Self {
        self.refused_in = Some(Refused::Mode(key.into()));
        self
    }

    /// How long after its process has died the task still counts as running; the default is 15
    /// seconds, and the least is one.
    pub fn lapses_after(mut self, lapse: Duration) -> Self {
        self.lapse = lapse.max(SHORTEST_LAPSE);
        self
    }

    /// Begins the task. It runs until the guard is released or dropped.
    ///
    /// # Errors
    ///
    /// [`TaskError`] when it may not run, or that cannot be found out. Then it is not running.
    pub async fn enter(self) -> Result<TaskGuard, TaskError> {
        let name = checked(&self.name)?;
        if let Some(Refused::Mode(key)) = &self.refused_in {
            self.engine.find_mode(key).map_err(TaskError::Mode)?;
        }
        let lease = self.acquire().await?;
        // From here on the task is given back when this future is dropped or fails.
        self.check_others(&lease).await?;
        if let Some(refused_in) = &self.refused_in {
            self.check_phase(refused_in).await?;
        }
        tracing::debug!(task = name, "a task begins");
        Ok(TaskGuard {
            name: name.to_owned(),
            lease,
        })
    }

    /// Runs a future as the task.
    ///
    /// An [`exclusive`](Self::exclusive) task that is lost, because the store is out of reach for
    /// too long or because another takes it over, is stopped: its future is dropped.
    ///
    /// # Errors
    ///
    /// [`TaskError`] when it may not run, or was stopped.
    pub async fn run<T>(self, future: impl Future<Output = T>) -> Result<T, TaskError> {
        let is_exclusive = self.is_exclusive;
        let guard = self.enter().await?;
        let result = tokio::select! {
            biased;
            result = future => result,
            () = guard.lost(), if is_exclusive => {
                return Err(TaskError::Lost(guard.name.clone()));
            }
        };
        guard.release().await;
        Ok(result)
    }

    /// As [`enter`](Self::enter), for code that is not async. It blocks its thread meanwhile.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter).
    pub fn enter_blocking(self) -> Result<TaskGuard, TaskError> {
        pollster::block_on(self.enter())
    }

    /// As [`run`](Self::run), for code that is not async. It cannot be stopped: see
    /// [`TaskGuard::is_held`].
    ///
    /// # Errors
    ///
    /// [`TaskError`] when it may not run. The job has not begun then.
    pub fn run_blocking<T>(self, job: impl FnOnce(&TaskGuard) -> T) -> Result<T, TaskError> {
        let guard = self.enter_blocking()?;
        let result = job(&guard);
        pollster::block_on(guard.release());
        Ok(result)
    }

    async fn acquire(&self) -> Result<HeldLease, TaskError> {
        let leases = &self.engine.leases;
        let mut attempts = if self.takes_over {
            TAKE_OVER_ATTEMPTS
        } else {
            0
        };
        loop {
            match leases.acquire(self.wanted()).await {
                Ok(lease) => return Ok(lease),
                Err(AcquireError::Taken(by)) if attempts > 0 => {
                    attempts -= 1;
                    tracing::warn!(task = %self.name, holder = by.lease.holder(), "a task is taken over");
                    leases.expel(by.lease).await.map_err(TaskError::Store)?;
                }
                Err(AcquireError::Taken(by)) => return Err(self.taken(&by)),
                Err(AcquireError::Store(error)) => return Err(TaskError::Store(error)),
                Err(AcquireError::Stopped) => return Err(TaskError::Stopped),
            }
        }
    }

    fn wanted(&self) -> Wanted {
        let now = self.engine.shared.clock.now();
        let (content, holder) = Content::of_this_process(self.by.clone(), now);
        let content = content.encode();
        let name = self.lease_name();
        let wanted = if self.is_exclusive {
            Wanted::alone(name, holder, content)
        } else {
            Wanted::own(format!("{name}/{holder}"), holder, content)
        };
        let wait = if self.takes_over {
            Duration::ZERO
        } else {
            self.wait
        };
        wanted.time_to_live(self.lapse).waiting(wait)
    }

    /// The name of the lease of an exclusive task; those of others begin with it and a slash.
    fn lease_name(&self) -> String {
        format!("{TASKS}{}", self.name)
    }

    /// Sees to it that an exclusive task and another of its name do not run together. Both have put
    /// their leases before they look, so at least one sees the other.
    async fn check_others(&self, own: &HeldLease) -> Result<(), TaskError> {
        let name = self.lease_name();
        let begun = Instant::now();
        loop {
            let running = self.engine.leases.list(&name).await;
            let running = running.map_err(TaskError::Store)?;
            let other = running.iter().find(|live| {
                let found = live.lease.name();
                let is_shared = found
                    .strip_prefix(&*name)
                    .is_some_and(|rest| rest.starts_with('/'));
                found != own.name() && (found == name || (self.is_exclusive && is_shared))
            });
            match other {
                None => return Ok(()),
                Some(other) if begun.elapsed() >= self.wait => return Err(self.taken(other)),
                Some(_) => self.engine.leases.pause().await,
            }
        }
    }

    fn taken(&self, by: &LiveLease) -> TaskError {
        let content = Content::of(by);
        TaskError::Taken {
            name: self.name.clone(),
            since: content.as_ref().map(|content| content.since),
            by: match content {
                Some(content) => content.to_string(),
                None => by.lease.holder().to_owned(),
            },
        }
    }

    /// Reads the state anew and refuses when there is maintenance.
    async fn check_phase(&self, refused_in: &Refused) -> Result<(), TaskError> {
        let status = match read_anew(&self.engine).await {
            Ok(change) => change.status,
            Err(ChangeError::Forced(Forced::Off)) => return Ok(()),
            Err(ChangeError::Forced(Forced::On)) => self.engine.status(),
            Err(ChangeError::Store(error) | ChangeError::NotKnown(error)) => {
                return Err(TaskError::Store(error));
            }
            Err(_) => return Err(TaskError::Stopped),
        };
        let is_meant = |mode: &&ModeStatus| match refused_in {
            Refused::Any => true,
            Refused::Mode(key) => mode.key == *key,
        };
        let closed = status
            .modes
            .iter()
            .filter(is_meant)
            .find(|mode| mode.phase.is_maintenance());
        match closed {
            None => Ok(()),
            Some(mode) => Err(TaskError::Refused {
                name: self.name.clone(),
                mode: mode.key.clone(),
                phase: mode.phase,
                until: mode.until,
            }),
        }
    }
}

/// A slash would make it the lease of another task.
fn checked(name: &str) -> Result<&str, TaskError> {
    let why = match name {
        "" => "it is empty",
        _ if name.len() > NAME_LIMIT => "it has more than 64 bytes",
        _ if name.contains('/') => "it has a slash in it",
        _ if name.chars().any(char::is_control) => "it has a control character in it",
        _ => return Ok(name),
    };
    Err(TaskError::Name {
        name: name.escape_debug().take(NAME_LIMIT).collect(),
        why,
    })
}
