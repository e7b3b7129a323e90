//! This process's seat among the nodes of a fleet.
//!
//! A process takes its seat when it makes the middleware: it puts its lease, then reads the state
//! once more, and only then admits requests. So whoever lists the leases after a change was stored
//! either finds the node, or the node finds the change. The lease is renewed by the [`Reporter`](super::reporter::Reporter),
//! which runs on the driver's runtime.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, OnceLock, atomic::AtomicU64},
    time::Duration,
};

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use tokio::{
    sync::{Notify, watch},
    time::Instant,
};

use crate::{
    clock::steady,
    engine::{
        fleet::{
            node::Fleet,
            process::Process,
            report::{NodeIdentity, NodeReport},
            trace::Memory,
        },
        leases::deadline::Deadline,
    },
    settings::{Forced, WhenCutOff},
};

/// How often figures are told that nobody waits for, while a mode is closed.
pub(super) const FIGURES_EVERY: Duration = Duration::from_millis(500);

/// How the settings say that this process is a node.
#[derive(Debug, Clone)]
pub(crate) struct NodePlan {
    pub(crate) identity: NodeIdentity,
    pub(crate) time_to_live: Duration,
    pub(crate) when_cut_off: WhenCutOff,
    pub(crate) forced: Option<Forced>,
    /// Differs where the settings differ that all nodes of a fleet should have alike.
    pub(crate) settings: String,
}

/// What requests, handles and the status know of this process as a node.
#[derive(Debug)]
pub(crate) struct OwnNode {
    pub(crate) plan: NodePlan,
    pub(super) wanted: watch::Sender<bool>,
    pub(super) joined: watch::Sender<bool>,
    /// Whether it is to be given up, and whether it is.
    pub(super) leaving: watch::Sender<bool>,
    pub(super) left: watch::Sender<bool>,
    pub(super) fence: Arc<Fence>,
    fleet: ArcSwap<Known>,
    memory: Mutex<Memory>,
    /// Why this node cannot report to the others, if so.
    unreported: Mutex<Option<String>>,
    pub(super) look: Notify,
    /// Of each mode that is offline, the snapshot in which no request was found inside. None gets
    /// in as long as it is in force, so that what is counted for a moment while it is refused does
    /// not count.
    pub(super) empty_in: Mutex<Vec<Option<u64>>>,
    /// Of each mode, whether no request that is inside elsewhere can be inside of it: they came when
    /// it was closed already.
    pub(super) apart: Mutex<Vec<bool>>,
    /// How many tasks this process holds.
    pub(crate) tasks: Arc<AtomicU64>,
    /// Whether sessions are loaded when it is decided who gets in, once that is known.
    pub(crate) sessions_loaded: Arc<OnceLock<bool>>,
}

/// Tells whether a node may have fallen out of the fleet.
#[derive(Debug, Default)]
pub(crate) struct Fence(pub(super) ArcSwap<Deadline>);

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

impl OwnNode {
    pub(crate) fn new(plan: NodePlan) -> Self {
        Self {
            plan,
            wanted: watch::Sender::new(false),
            joined: watch::Sender::new(false),
            leaving: watch::Sender::new(false),
            left: watch::Sender::new(false),
            fence: Arc::default(),
            fleet: ArcSwap::default(),
            memory: Mutex::default(),
            unreported: Mutex::default(),
            look: Notify::new(),
            empty_in: Mutex::default(),
            apart: Mutex::default(),
            tasks: Arc::default(),
            sessions_loaded: Arc::default(),
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

    /// Takes note of what the store has listed. Returns it with those who are not listed any more,
    /// and may be there all the same.
    pub(crate) fn heard(&self, fleet: Fleet) -> Fleet {
        let mut memory = self.memory.lock();
        let now = steady::now();
        let silent = memory.note(&fleet.listed(), fleet.traced(), now, Process::is_alive);
        drop(memory);
        let fleet = fleet.with_silent(silent);
        self.fleet.store(Arc::new(Known {
            fleet: fleet.clone(),
            at: Some(Instant::now()),
        }));
        fleet
    }

    /// Why this node cannot report to the others, if so.
    pub(crate) fn unreported(&self) -> Option<String> {
        self.unreported.lock().clone()
    }

    /// Returns whether that is news.
    pub(super) fn set_unreported(&self, why: Option<String>) -> bool {
        let mut unreported = self.unreported.lock();
        let is_news = unreported.is_some() != why.is_some();
        *unreported = why;
        is_news
    }

    fn lives(&self) -> u64 {
        u64::try_from(self.plan.time_to_live.as_millis()).unwrap_or(u64::MAX)
    }

    /// What a node tells that goes by no state yet.
    pub(super) fn first_report(&self) -> NodeReport {
        NodeReport {
            node: self.plan.identity.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            generation: 0,
            state: String::new(),
            modes: BTreeMap::new(),
            in_flight: 0,
            endless: 0,
            parked: 0,
            sessions: 0,
            visitors: Vec::new(),
            tasks: 0,
            clock: None,
            lives: self.lives(),
            closes: self.plan.when_cut_off == WhenCutOff::Close,
            forced: self.plan.forced,
            settings: self.plan.settings.clone(),
            sessions_loaded: self.sessions_loaded.get().copied(),
            grants: BTreeMap::new(),
        }
    }
}
