//! This process's seat among the nodes of a fleet.
//!
//! A process takes its seat when it makes the middleware: it puts its lease, then reads the state
//! once more, and only then admits requests. So whoever lists the leases after a change was stored
//! either finds the node, or the node finds the change. The lease is renewed by the [`Reporter`],
//! which runs on the driver's runtime.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{Instant, sleep, timeout},
};

use crate::{
    core::{phase::Phase, snapshot::Snapshot},
    engine::{
        fleet::node::{Fleet, ModeReport, NodeIdentity, NodeReport},
        inside::sessions::FleetKey,
        leases::held_lease::{AcquireError, Deadline, HeldLease, LeaseKeeper, Wanted},
        shared::Shared,
    },
    settings::WhenCutOff,
    store::StoreError,
};

/// The lease whose content is the key by which the nodes of a fleet know visitors. It is kept by
/// all of them, so its holder is the key itself.
const KEY_LEASE: &str = "fleet/key";

/// How often a node looks whether its last requests have ended, while a mode is closed.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often it looks else. A change of state is never looked for: it is announced.
const LOOK_SELDOM: Duration = Duration::from_secs(1);
/// How often figures are told that nobody waits for, while a mode is closed.
const FIGURES_EVERY: Duration = Duration::from_millis(500);
/// How many visitors a node lists. Beyond that it says how many there are.
const LISTED_VISITORS: usize = 4096;
/// How long the end of the process waits for the lease to leave the store.
const LEAVE_PATIENCE: Duration = Duration::from_secs(1);

/// How the settings say that this process is a node.
#[derive(Debug, Clone)]
pub(crate) struct NodePlan {
    pub(crate) identity: NodeIdentity,
    pub(crate) time_to_live: Duration,
    pub(crate) when_cut_off: WhenCutOff,
}

/// What requests, handles and the status know of this process as a node.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) plan: NodePlan,
    wanted: watch::Sender<bool>,
    joined: watch::Sender<bool>,
    /// Whether it is to be given up, and whether it is.
    leaving: watch::Sender<bool>,
    left: watch::Sender<bool>,
    fence: Arc<Fence>,
    fleet: ArcSwap<Known>,
    look: Notify,
    /// Of each mode that is offline, the snapshot in which no request was found inside. None gets
    /// in as long as it is in force, so that what is counted for a moment while it is refused does
    /// not count.
    empty_in: Mutex<Vec<Option<u64>>>,
    /// Of each mode, whether no request that is inside elsewhere can be inside of it: they came when
    /// it was closed already.
    apart: Mutex<Vec<bool>>,
    /// How many tasks this process holds.
    pub(crate) tasks: Arc<AtomicU64>,
}

/// Tells whether a node may have fallen out of the fleet.
#[derive(Debug, Default)]
pub(crate) struct Fence(ArcSwap<Deadline>);

impl Fence {
    /// The lease that the node relies on now.
    pub(crate) fn lease(&self) -> Arc<Deadline> {
        self.0.load_full()
    }

    /// Whether the patience with which the node relies on its lease is over, also if the process
    /// was stopped and nothing in it could notice yet.
    pub(crate) fn is_cut_off(&self) -> bool {
        self.0.load().is_over()
    }
}

/// What was last heard of the fleet.
#[derive(Debug, Default)]
struct Known {
    fleet: Fleet,
    at: Option<Instant>,
}

impl Seat {
    pub(crate) fn new(plan: NodePlan) -> Self {
        Self {
            plan,
            wanted: watch::Sender::new(false),
            joined: watch::Sender::new(false),
            leaving: watch::Sender::new(false),
            left: watch::Sender::new(false),
            fence: Arc::default(),
            fleet: ArcSwap::default(),
            look: Notify::new(),
            empty_in: Mutex::default(),
            apart: Mutex::default(),
            tasks: Arc::default(),
        }
    }

    /// Takes the seat. Ready when requests may be admitted, which does not wait for a store that
    /// fails.
    pub(crate) fn take(&self) -> Pin<Box<dyn Future<Output = ()>>> {
        self.wanted.send_replace(true);
        let mut joined = self.joined.subscribe();
        Box::pin(async move {
            // Nobody is there any more when the process ends.
            let _ = joined.wait_for(|joined| *joined).await;
        })
    }

    /// Gives the seat up, for good.
    pub(crate) async fn leave(&self) {
        self.leaving.send_replace(true);
        // Whoever tells lives as long as this does.
        let _ = self.left.subscribe().wait_for(|left| *left).await;
    }

    /// Whether this process is a node, or is about to be one.
    pub(crate) fn is_taken(&self) -> bool {
        *self.wanted.borrow()
    }

    /// Whether this is the first of the nodes, as far as is known, or none.
    pub(crate) fn is_first(&self) -> bool {
        let known = self.fleet.load();
        known
            .fleet
            .first()
            .is_none_or(|first| first == self.plan.identity.id)
    }

    /// What tells that the node is cut off, if it is to be closed then.
    pub(crate) fn fence_if_closing(&self) -> Option<Arc<Fence>> {
        (self.plan.when_cut_off == WhenCutOff::Close).then(|| Arc::clone(&self.fence))
    }

    /// What was last heard of the fleet. What is old is asked for again behind it.
    pub(crate) fn fleet(&self) -> Fleet {
        let known = self.fleet.load();
        if known.at.is_none_or(|at| at.elapsed() > FIGURES_EVERY) {
            self.look.notify_one();
        }
        known.fleet.clone()
    }

    pub(crate) fn heard(&self, fleet: Fleet) {
        self.fleet.store(Arc::new(Known {
            fleet,
            at: Some(Instant::now()),
        }));
    }

    /// Takes note of the modes that a snapshot closes, before it is published.
    ///
    /// Requests are let in elsewhere only while a mode is closed. So if none was, and those of
    /// former times have ended, whoever is elsewhere from now on came when the mode was closed.
    pub(crate) fn about_to_publish(&self, shared: &Shared, after: &Snapshot) {
        let before = shared.published.snapshot();
        let nobody = before.closed_mode(before.at).is_none()
            && before.closed_mode(after.at).is_none()
            && shared.in_flight.inside().elsewhere == 0;
        let mut apart = self.apart.lock();
        apart.resize(after.modes.len(), false);
        for ((apart, old), new) in apart.iter_mut().zip(&before.modes).zip(&after.modes) {
            let was_closed = old.phase(before.at).is_maintenance();
            let is_closed = new.phase(after.at).is_maintenance();
            *apart = is_closed && if was_closed { *apart } else { nobody };
        }
    }

    /// What this node tells now.
    ///
    /// The snapshot is read before the counts, so that a count of zero means that nobody is inside
    /// of what the snapshot has closed, and that it stays so.
    pub(crate) fn report(&self, shared: &Shared) -> NodeReport {
        let snapshot = shared.published.stored();
        let now = shared.now_for(&snapshot);
        let phases: Vec<Phase> = snapshot.modes.iter().map(|mode| mode.phase(now)).collect();
        let inside = shared.in_flight.inside();
        let apart = self.apart.lock();
        let is_empty = |mode: usize| {
            let is_apart = apart.get(mode).copied().unwrap_or(false);
            inside.requests == 0 && (is_apart || inside.elsewhere == 0)
        };
        let mut empty_in = self.empty_in.lock();
        empty_in.resize(phases.len(), None);
        let modes = snapshot
            .modes
            .iter()
            .zip(&phases)
            .zip(&mut *empty_in)
            .enumerate()
            .map(|(index, ((mode, phase), empty_in))| {
                let is_empty = is_empty(index);
                if *phase != Phase::Offline {
                    *empty_in = None;
                } else if is_empty {
                    *empty_in = Some(snapshot.number);
                }
                let report = ModeReport {
                    phase: *phase,
                    empty: is_empty || *empty_in == Some(snapshot.number),
                };
                (mode.key.as_ref().to_owned(), report)
            })
            .collect();
        drop(empty_in);
        let is_closing = phases.contains(&Phase::Pending);
        let idle = shared.drain.session_idle;
        NodeReport {
            node: self.plan.identity.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: snapshot.generation,
            state: snapshot.state_id.to_string(),
            modes,
            in_flight: inside.served(),
            endless: inside.endless,
            sessions: shared.sessions.inside(idle).len() as u64,
            visitors: if is_closing {
                shared.sessions.marks(idle, LISTED_VISITORS)
            } else {
                Vec::new()
            },
            tasks: self.tasks.load(Ordering::SeqCst),
            lives: self.lives(),
        }
    }

    fn lives(&self) -> u64 {
        u64::try_from(self.plan.time_to_live.as_millis()).unwrap_or(u64::MAX)
    }

    /// What a node tells that goes by no state yet.
    fn first_report(&self) -> NodeReport {
        NodeReport {
            node: self.plan.identity.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: 0,
            state: String::new(),
            modes: BTreeMap::new(),
            in_flight: 0,
            endless: 0,
            sessions: 0,
            visitors: Vec::new(),
            tasks: 0,
            lives: self.lives(),
        }
    }
}

/// The driver is asked to read the store again, and tells whether it could.
pub(crate) type LookAgain = oneshot::Sender<bool>;

/// Keeps this process's lease, and what is known of the others, up to date.
pub(crate) struct Reporter {
    pub(crate) shared: Arc<Shared>,
    pub(crate) leases: LeaseKeeper,
    pub(crate) look_again: mpsc::UnboundedSender<LookAgain>,
    pub(crate) published: watch::Receiver<u64>,
}

impl Reporter {
    /// Runs until it is told to leave, or nobody is left who could; then the lease leaves the
    /// store.
    pub(crate) async fn run(self, leave: oneshot::Receiver<()>) {
        // Outside of what is broken off, since a lease that is dropped waits for this runtime.
        let mut held = None;
        let mut leaving = self.seat().leaving.subscribe();
        tokio::select! {
            _ = leave => {}
            _ = leaving.wait_for(|leaving| *leaving) => {}
            () = self.be_a_node(&mut held) => {}
            () = self.listen() => {}
        }
        if let Some(held) = held {
            // What does not leave in time lapses.
            let _ = timeout(LEAVE_PATIENCE, HeldLease::release(held)).await;
        }
        self.seat().left.send_replace(true);
    }

    fn seat(&self) -> &Seat {
        &self.shared.seat
    }

    /// Asks who is live when somebody wants to know.
    async fn listen(&self) {
        loop {
            self.seat().look.notified().await;
            self.ask().await;
            sleep(LOOK_EVERY).await;
        }
    }

    async fn ask(&self) {
        match self.leases.fleet().await {
            Ok(fleet) => self.seat().heard(fleet),
            Err(error) => tracing::debug!(%error, "the nodes could not be listed"),
        }
    }

    async fn be_a_node(&self, held: &mut Option<HeldLease>) {
        let mut wanted = self.seat().wanted.subscribe();
        if wanted.wait_for(|wanted| *wanted).await.is_err() {
            return;
        }
        let mut is_told = false;
        loop {
            let joined = self.join(held).await;
            self.seat().joined.send_replace(true);
            match (joined, &*held) {
                (Ok(()), Some(lease)) => {
                    is_told = false;
                    self.tell(lease).await;
                }
                (Err(error), _) if !is_told => {
                    is_told = true;
                    tracing::warn!(
                        %error,
                        node = %self.seat().plan.identity.id,
                        when_cut_off = self.seat().plan.when_cut_off.as_str(),
                        "this node cannot report to the others; it tries again"
                    );
                }
                _ => {}
            }
            // It is lost, or was never there.
            if let Some(lost) = held.take() {
                if self.seat().plan.when_cut_off == WhenCutOff::Close {
                    tracing::warn!(
                        "this node is cut off from the others, and closed until it is back"
                    );
                    self.announce();
                }
                let _ = timeout(LEAVE_PATIENCE, lost.release()).await;
            }
            sleep(self.seat().plan.time_to_live / 12).await;
        }
    }

    /// Puts the lease, then reads the state, then relies on the lease: in this order.
    async fn join(&self, held: &mut Option<HeldLease>) -> Result<(), AcquireError> {
        let seat = self.seat();
        self.share_key().await?;
        let identity = &seat.plan.identity;
        let wanted = Wanted::own(
            identity.lease_name(),
            &identity.id,
            seat.first_report().encode(),
        );
        let lease = held.insert(
            self.leases
                .acquire(wanted.time_to_live(seat.plan.time_to_live).once())
                .await?,
        );
        if !self.announce().await.unwrap_or(false) {
            return Err(StoreError::new("the store cannot be read").into());
        }
        seat.fence.0.store(lease.deadline());
        self.announce();
        tracing::debug!(node = %identity.id, "this process is a node of the fleet");
        self.ask().await;
        Ok(())
    }

    /// Has the state read again, and told to those who follow it.
    fn announce(&self) -> oneshot::Receiver<bool> {
        let (reply, answer) = oneshot::channel();
        // Without a driver the process ends.
        let _ = self.look_again.send(reply);
        answer
    }

    /// Agrees with the other nodes on the key by which they know visitors.
    async fn share_key(&self) -> Result<(), AcquireError> {
        let key = match self.shared.sessions.fleet_key() {
            Some(key) => key,
            None => FleetKey::random(),
        };
        let time_to_live = self.seat().plan.time_to_live;
        match self
            .leases
            .keep_shared(KEY_LEASE, key.as_text(), time_to_live)
            .await?
        {
            Some(theirs) => self.shared.sessions.share_key(FleetKey::from_text(&theirs)),
            None => self.shared.sessions.share_key(key),
        }
        Ok(())
    }

    /// Tells what there is to tell until the lease is lost.
    async fn tell(&self, lease: &HeldLease) {
        let seat = self.seat();
        let mut published = self.published.clone();
        let mut told: Option<(NodeReport, Instant)> = None;
        let mut key_renewed = Instant::now();
        loop {
            published.mark_unchanged();
            let report = seat.report(&self.shared);
            let waits = report.is_waited_for();
            let is_due = told.as_ref().is_none_or(|(before, at)| {
                report.is_news_after(before) || (waits && at.elapsed() >= FIGURES_EVERY)
            });
            if is_due {
                lease.tell_now(report.encode());
                told = Some((report, Instant::now()));
            } else {
                lease.tell(report.encode());
            }
            if key_renewed.elapsed() >= seat.plan.time_to_live / 3 {
                key_renewed = Instant::now();
                if let Err(error) = self.share_key().await {
                    tracing::debug!(%error, "the key of the fleet was not renewed");
                }
            }
            tokio::select! {
                changed = published.changed() => if changed.is_err() { return },
                () = sleep(if waits { LOOK_EVERY } else { LOOK_SELDOM }) => {}
                () = lease.lost() => return,
            }
        }
    }
}
