//! Sets up maintenance for as long as some work takes.

use std::{future::Future, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::{Guard, Held, hear_of_locks};
use crate::{
    clock::chance,
    core::state::{Document, DrainWish, End, IfLost, OnTimeout, SwitchOn},
    engine::{
        change_error::ChangeError,
        changes::{asked::Asked, unless::propose_unless},
        handle::Engine,
        holding::{HoldWish, keep_lease},
        hooks::{ChangeKind, ProposedChange},
        lock::{LockWish, lock},
        setters::setters,
        task::SHORTEST_LAPSE,
    },
};

/// Sets a guard up: from [`Maintenance::while_on`](crate::Maintenance::while_on) and [`Maintenance::while_off`](crate::Maintenance::while_off).
#[derive(Debug)]
#[must_use = "nothing happens until it is entered"]
pub struct Guarding {
    pub(super) engine: Engine,
    pub(super) mode: String,
    pub(super) on: bool,
    pub(super) call_hooks: bool,
    /// How the lock on the mode is wanted, if it is.
    pub(super) exclusive: Option<LockWish>,
    pub(super) wanted: SwitchOn,
    pub(super) hold: HoldWish,
}

impl Guarding {
    pub(crate) fn new(engine: Engine, on: bool) -> Self {
        Self {
            mode: engine.default_mode(),
            engine,
            on,
            call_hooks: true,
            exclusive: None,
            wanted: SwitchOn::default(),
            hold: HoldWish::default(),
        }
    }

    setters! {
        /// Which mode; the default is `default_mode` of the settings, or else their first one.
        mode(self, key: impl Into<String>) => self.mode = key.into();

        /// What visitors are told meanwhile.
        message(self, message: impl Into<String>) => self.wanted.message = Some(message.into());

        /// Why, for operators.
        reason(self, reason: impl Into<String>) => self.wanted.reason = Some(reason.into());

        /// Lets these addresses and networks in CIDR form look in for as long as it is switched on.
        allow(self, networks: impl IntoIterator<Item = impl Into<String>>) => {
            self.wanted.allow = Some(networks.into_iter().map(Into::into).collect());
        };

        /// Has requests wait so long at most for it to open, instead of being refused at once: as
        /// [`TurnOn::park`](crate::TurnOn::park).
        park(self, patience: Duration) => self.wanted.park = SignedDuration::try_from(patience).ok().or(Some(SignedDuration::MAX));

        /// Who does it.
        by(self, by: impl Into<String>) => self.wanted.by = Some(by.into());

        /// The end that visitors are told. While the guard lives, maintenance goes on until it lets go;
        /// should this process die, it ends then, unless [`if_lost`](Self::if_lost) says otherwise.
        lasting(self, duration: Duration) => self.wanted.end = Some(End::after(duration));

        /// The end that visitors are told, as an instant; see [`lasting`](Self::lasting).
        until(self, until: Timestamp) => self.wanted.end = Some(End::At(until));

        /// Lets those who are in finish first, as the settings `drain.*` say: the mode is
        /// [`Pending`](crate::Phase::Pending) when the guard is entered, and
        /// [`Offline`](crate::Phase::Offline) once nobody is inside.
        drain(self) => self.drain_wish();

        /// Drains, and waits this long at most.
        drain_timeout(self, timeout: Duration) => self.drain_wish().timeout = SignedDuration::try_from(timeout).ok();

        /// Drains, and does this when it is not over in time.
        on_timeout(self, on_timeout: OnTimeout) => self.drain_wish().on_timeout = on_timeout;

        /// No end is told, whatever the mode's `timeout` is: should this process die, it stays on until
        /// somebody switches it off, unless [`if_lost`](Self::if_lost) says otherwise.
        without_end(self) => self.wanted.end = Some(End::Never);
    }

    /// Only while no other job that is to be alone holds the mode, but the one with this token, which
    /// it is a part of.
    #[cfg(all(feature = "cli", unix))]
    pub(crate) fn alone(mut self, within: Option<String>) -> Self {
        self.hold.alone = true;
        self.hold.within = within;
        self
    }

    pub(super) fn drain_wish(&mut self) -> &mut DrainWish {
        let default = self.engine.shared.drain.wish;
        self.wanted.drain.get_or_insert(default)
    }

    setters! {
        /// Whether hooks are called for what the guard does, in this process. The default is that they
        /// are.
        call_hooks(self, call_hooks: bool) => self.call_hooks = call_hooks;

        /// What becomes of the mode should this process die: its lease is not renewed any more, and
        /// lapses. [`Stay`](IfLost::Stay) unless said otherwise. In any case it is told: in the log, by
        /// the status, on the dashboard.
        if_lost(self, if_lost: IfLost) => self.hold.if_lost = if_lost;

        /// What the job is called, where it is told who holds the mode. The default is the name of the
        /// program.
        name(self, name: impl Into<String>) => self.hold.name = Some(name.into());

        /// How long after its process has died the guard is lost: 15 seconds unless said otherwise, and
        /// one at least.
        lost_after(self, time_to_live: Duration) => self.hold.time_to_live = time_to_live.max(SHORTEST_LAPSE);

        /// Holds the lock on the mode: of all exclusive guards on it, in any process, only one is entered
        /// at a time. It fails at once when another is; see [`waiting`](Self::waiting).
        ///
        /// The lock is a lease in the store. When its process dies, it is free within 15 seconds. People,
        /// and guards that are not exclusive, may switch the mode as ever.
        exclusive(self) => self.lock_wish();

        /// Holds the lock on the mode as [`exclusive`](Self::exclusive) does, and waits this long at most
        /// for another to give it back.
        waiting(self, at_most: Duration) => self.lock_wish().wait = at_most;

        /// Holds the lock on the mode as [`exclusive`](Self::exclusive) does, and says how long after its
        /// process has died it is free again: 15 seconds unless said otherwise, and one at least.
        lapses_after(self, lapse: Duration) => self.lock_wish().lapse = lapse.max(SHORTEST_LAPSE);
    }

    pub(super) fn lock_wish(&mut self) -> &mut LockWish {
        self.exclusive.get_or_insert_default()
    }

    /// Switches, until the guard is released or dropped.
    ///
    /// # Errors
    ///
    /// When the change was not made; then nothing is to be put back. `while_off` is refused while a
    /// planned window is open: a guard does not touch windows. An [`exclusive`](Self::exclusive)
    /// guard fails while another holds the [lock](ChangeError::Locked).
    pub async fn enter(self) -> Result<Guard, ChangeError> {
        let Self {
            engine,
            mode,
            on,
            call_hooks,
            exclusive,
            mut wanted,
            hold,
        } = self;
        let known = engine.find_mode(&mode)?;
        wanted.time_out = known.time_out;
        wanted.check(engine.shared.clock.now())?;
        wanted.make_networks_plain()?;
        wanted.check_park(engine.shared.parked.longest)?;
        let kind = if on {
            ChangeKind::TurnOn
        } else {
            ChangeKind::TurnOff
        };
        let proposal = ProposedChange::new(kind, &mode)
            .by(wanted.by.as_ref())
            .saying(wanted.reason.as_ref(), wanted.message.as_ref());
        // Who closes it also opens it again.
        let engine = engine.asked_by(engine.author.named(wanted.by.as_ref()));
        let lock = match exclusive {
            Some(wish) => {
                let locked = lock(&engine, &mode, wanted.by.clone(), wish).await;
                Some(Asked::of(&engine, &proposal).noted(&engine, locked).await?)
            }
            None => None,
        };
        if !on {
            let snapshot = engine.shared.published.snapshot();
            let now = engine.shared.clock.now();
            let window = snapshot.mode(&mode).and_then(|mode| {
                mode.state
                    .windows
                    .iter()
                    .find(|window| window.contains(now))
            });
            if let Some(window) = window {
                return Err(ChangeError::Plan(format!(
                    "the window `{}` is open; switch the mode off, which ends it",
                    window.id
                )));
            }
        }
        // This process is to learn itself that another has died which is in its way.
        engine.shared.look_after_holders();
        let token = chance::name(16);
        let (held, lease) = match on {
            true => {
                let held = hold.hold(&token, wanted.by.clone(), engine.shared.clock.now());
                let lease = keep_lease(&engine, &held).await?;
                (Some(held), Some(lease))
            }
            false => (None, None),
        };
        wanted.hold.clone_from(&held);
        // Armed before the change is made: when the future is dropped meanwhile, the change may
        // still be made and must be put back.
        let guard = Guard {
            state: Some(Held {
                engine: engine.clone(),
                mode: mode.clone(),
                token: token.clone(),
                call_hooks,
            }),
            lock,
            hold: lease,
        };
        if guard.lock.is_some() {
            // The status tells of the lock from now on.
            hear_of_locks(&engine).await;
        }
        let key = mode.clone();
        let forbidden =
            move |document: &Document, _| ChangeError::held(document, &key, held.as_ref());
        let operation = move |document: &Document, now| {
            document.enter(&mode, &token, on.then_some(&wanted), now)
        };
        match propose_unless(&engine, proposal, call_hooks, forbidden, operation).await {
            Ok(_) => Ok(guard),
            // A change that failed may have been stored all the same; to put back is harmless
            // where there is nothing to put back.
            Err(error @ (ChangeError::Store(_) | ChangeError::NotKnown(_))) => Err(error),
            Err(error) => {
                guard.forget().await;
                Err(error)
            }
        }
    }

    /// Runs a future in between.
    ///
    /// What was before is put back also if the future fails, panics or is dropped.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// let rows = maintenance
    ///     .while_on()
    ///     .reason("re-index")
    ///     .run(async {
    ///         assert!(maintenance.is_on());
    ///         42
    ///     })
    ///     .await?;
    /// assert_eq!(rows, 42);
    /// assert!(!maintenance.is_on());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When maintenance could not be switched, before or after. The future does not run in the
    /// first case; in the second its result is lost, so return what matters by other means or
    /// release the guard by hand. An [`exclusive`](Self::exclusive) guard that loses its
    /// [lock](ChangeError::LockLost), because the store is out of reach for too long, stops the
    /// future: it is dropped. So it is when others have seen the guard
    /// [die](ChangeError::HolderLost): it may be open then.
    pub async fn run<T>(self, future: impl Future<Output = T>) -> Result<T, ChangeError> {
        let guard = self.enter().await?;
        let result = tokio::select! {
            biased;
            result = future => result,
            mode = guard.lock_lost() => return Err(ChangeError::LockLost(mode)),
            mode = guard.lost() => return Err(ChangeError::HolderLost(mode)),
        };
        guard.release().await?;
        Ok(result)
    }

    /// As [`enter`](Self::enter), for code that is not async. It blocks its thread until the state
    /// is stored.
    ///
    /// # Errors
    ///
    /// As [`enter`](Self::enter).
    pub fn enter_blocking(self) -> Result<Guard, ChangeError> {
        pollster::block_on(self.enter())
    }

    /// As [`run`](Self::run), for code that is not async.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking<T>(self, job: impl FnOnce() -> T) -> Result<T, ChangeError> {
        let guard = self.enter_blocking()?;
        let result = job();
        guard.release_blocking()?;
        Ok(result)
    }
}
