//! What the handle, the driver and every worker have in common.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use jiff::{Timestamp, tz::TimeZone};

use crate::{
    core::{
        mode::Mode,
        phase::Phase,
        snapshot::{CUT_OFF, Snapshot},
        state::{DrainWish, ModeState},
        status::whole::Status,
    },
    engine::{
        audit::Audit,
        driver::changed::Cancelling,
        fleet::node::Fleet,
        freshness::Freshness,
        grant_uses::GrantUses,
        hooks::Hooks,
        inside::{in_flight::InFlight, sessions::Sessions},
        node::own_node::{Fence, OwnNode},
        parked::Parked,
        web_server_files::WebServerFiles,
    },
};

/// Makes the page of a mode, as visitors get it at an instant.
pub(crate) type PageOf = Arc<dyn Fn(&Snapshot, usize, Timestamp) -> Vec<u8> + Send + Sync>;

pub(crate) struct Shared {
    pub(crate) published: Published,
    pub(crate) freshness: Freshness,
    pub(crate) in_flight: InFlight,
    pub(crate) sessions: Sessions,
    pub(crate) own_node: OwnNode,
    /// Whether this process looks after those who hold modes.
    pub(crate) looks_after_holders: AtomicBool,
    pub(crate) drain: Drain,
    pub(crate) clock: Clock,
    /// In the order in which they answer; never empty.
    pub(crate) modes: Vec<Arc<Mode>>,
    /// The key of the mode that is meant when none is named.
    pub(crate) default_mode: String,
    /// Of times that are given without an offset.
    pub(crate) time_zone: Option<TimeZone>,
    pub(crate) hooks: Hooks,
    pub(crate) cancelling: Cancelling,
    /// Whom changes are told.
    #[cfg(feature = "notices")]
    pub(crate) notices: crate::engine::notices::NoticeDesk,
    pub(crate) grant_uses: GrantUses,
    /// The requests that wait for a mode to open.
    pub(crate) parked: Arc<Parked>,
    /// Where it is written down who did what.
    pub(crate) audit: Arc<Audit>,
    pub(crate) web_server: WebServerFiles,
    /// Makes the page that stands in a file for the web server.
    pub(crate) page: PageOf,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Shared")
            .field("snapshot", &self.published.snapshot.load())
            .finish_non_exhaustive()
    }
}

/// The snapshot that is in force, and the one word that requests test first.
pub(crate) struct Published {
    /// The snapshot's number and, in the lowest bits, how far requests must look at it.
    word: AtomicU64,
    snapshot: ArcSwap<Snapshot>,
    /// Up to this snapshot nobody is let in any more because they are in already.
    sealed: AtomicU64,
    /// Whether the routes that the settings name have not been looked for in the app yet.
    routes_to_check: AtomicBool,
    /// Where a node that is cut off is to be closed: what tells that it is.
    fence: Option<Arc<Fence>>,
}

/// The published word, as one request reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GateFlags(u64);

impl GateFlags {
    /// Requests must look at the snapshot.
    const LOOK: u64 = 1;
    /// Over a stretch of time they need not.
    const OPEN_FOR_NOW: u64 = 2;
    const BITS: u32 = 2;

    fn of(snapshot: &Snapshot, must_look: bool) -> Self {
        let flags = if must_look {
            Self::LOOK
        } else if snapshot.is_quiet() {
            0
        } else if snapshot.open_stretch().is_some() {
            Self::LOOK | Self::OPEN_FOR_NOW
        } else {
            Self::LOOK
        };
        Self(snapshot.number << Self::BITS | flags)
    }

    /// Whether the request passes without a look at the snapshot.
    pub(crate) fn is_quiet(self) -> bool {
        self.0 & Self::LOOK == 0
    }

    /// Whether it passes so within the snapshot's [open stretch](Snapshot::open_stretch).
    pub(crate) fn is_open_for_now(self) -> bool {
        self.0 & Self::OPEN_FOR_NOW != 0
    }

    /// The number of the snapshot in force.
    pub(crate) fn number(self) -> u64 {
        self.0 >> Self::BITS
    }
}

impl Published {
    pub(crate) fn new(snapshot: Snapshot, fence: Option<Arc<Fence>>) -> Self {
        let names_routes = snapshot.rules.name_routes();
        Self {
            word: AtomicU64::new(GateFlags::of(&snapshot, names_routes).0),
            routes_to_check: AtomicBool::new(names_routes),
            snapshot: ArcSwap::from_pointee(snapshot),
            sealed: AtomicU64::new(0),
            fence,
        }
    }

    /// Puts a snapshot in force. Called by the driver alone.
    ///
    /// The snapshot is there before the word that sends requests to it: whoever reads the new word
    /// sees the new snapshot. A request that starts after this returned, as far as anybody can tell,
    /// reads the new word. Why the order is sequentially consistent stands in `in_flight`.
    pub(crate) fn publish(&self, snapshot: Arc<Snapshot>) {
        let word = GateFlags::of(&snapshot, self.are_routes_to_check());
        self.snapshot.store(snapshot);
        self.word.store(word.0, Ordering::SeqCst);
    }

    /// Whether the first request, by which the app's routes are known, is still to come.
    pub(crate) fn are_routes_to_check(&self) -> bool {
        self.routes_to_check.load(Ordering::SeqCst)
    }

    /// Lets requests pass unseen again, which had to be looked at for the sake of the first.
    pub(crate) fn routes_are_checked(&self) {
        self.routes_to_check.store(false, Ordering::SeqCst);
        let word = self.word();
        let snapshot = self.stored();
        // A word that was published meanwhile stays; at worst requests are looked at for nothing
        // until the next one.
        if snapshot.number == word.number() {
            let next = GateFlags::of(&snapshot, false).0;
            let (order, failed) = (Ordering::SeqCst, Ordering::SeqCst);
            // Nothing to do if it fails: see above.
            let _ = self.word.compare_exchange(word.0, next, order, failed);
        }
    }

    /// Lets nobody go on by the snapshot in force, until there is another one.
    ///
    /// A drain that finds nobody inside seals first, and looks again: whoever was let in meanwhile is
    /// counted, and whoever comes later sees the seal. The order is that of the word.
    pub(crate) fn seal(&self) {
        let number = self.word().number();
        self.sealed.store(number, Ordering::SeqCst);
    }

    /// Takes the seal off, if the sealed snapshot is still in force.
    pub(crate) fn unseal(&self) {
        if self.is_sealed(self.word().number()) {
            self.sealed.store(0, Ordering::SeqCst);
        }
    }

    pub(crate) fn is_sealed(&self, number: u64) -> bool {
        number <= self.sealed.load(Ordering::SeqCst)
    }

    #[inline]
    pub(crate) fn word(&self) -> GateFlags {
        GateFlags(self.word.load(Ordering::SeqCst))
    }

    /// What is in force.
    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        let snapshot = self.stored();
        match &snapshot.when_cut_off {
            Some(closed) if self.is_cut_off() => Arc::clone(closed),
            _ => snapshot,
        }
    }

    /// What follows from the store, although the node may be cut off from it.
    pub(crate) fn stored(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Whether the node is cut off and to be closed for that.
    #[inline]
    pub(crate) fn is_cut_off(&self) -> bool {
        self.fence.as_ref().is_some_and(|fence| fence.is_cut_off())
    }

    pub(crate) fn fence(&self) -> Option<&Arc<Fence>> {
        self.fence.as_ref()
    }

    /// The number of what is in force.
    pub(crate) fn number(&self) -> u64 {
        let number = self.word().number();
        if self.is_cut_off() {
            number | CUT_OFF
        } else {
            number
        }
    }
}

/// How the settings say that drains go.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drain {
    /// Who was not seen for this long is not inside any more.
    pub(crate) session_idle: Duration,
    /// How drains go for which nobody says otherwise.
    pub(crate) wish: DrainWish,
}

/// What tells the time; another one in tests.
#[derive(Clone)]
pub(crate) struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    pub(crate) fn system() -> Self {
        Self(Arc::new(Timestamp::now))
    }

    /// A clock that stands where the test puts it.
    #[cfg(test)]
    pub(crate) fn set_by(hand: Arc<ManualClock>) -> Self {
        Self(Arc::new(move || hand.now()))
    }

    /// The system's clock, which counts on which thread it is read: by the thread's id.
    #[cfg(test)]
    pub(crate) fn counting(
        reads: Arc<std::sync::Mutex<std::collections::HashMap<std::thread::ThreadId, u64>>>,
    ) -> Self {
        Self(Arc::new(move || {
            let mut reads = reads.lock().unwrap();
            *reads.entry(std::thread::current().id()).or_default() += 1;
            Timestamp::now()
        }))
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Shared {
    /// What is, as a snapshot has it, with who is inside now.
    pub(crate) fn status(&self, snapshot: &Snapshot) -> Status {
        self.status_of(snapshot, self.own_node.fleet(), 0)
    }

    /// The same without some of the requests that this process serves.
    pub(crate) fn status_without(&self, snapshot: &Snapshot, uncounted: u64) -> Status {
        self.status_of(snapshot, self.own_node.fleet(), uncounted)
    }

    /// What is with a fleet as it was heard. `uncounted`: how many of this process's requests are
    /// left out.
    fn status_of(&self, snapshot: &Snapshot, mut fleet: Fleet, uncounted: u64) -> Status {
        let now = self.now_for(snapshot);
        if self.own_node.is_taken() {
            let mut report = self.own_node.report(self);
            report.in_flight = report.in_flight.saturating_sub(uncounted);
            fleet = fleet.with_own(report);
        }
        let idle = self.drain.session_idle;
        let visitors = if snapshot.is_draining(now) {
            fleet.sessions(idle)
        } else {
            self.sessions.inside(idle)
        };
        let own = &self.own_node.plan.identity.id;
        let closed: Vec<&str> = snapshot
            .modes
            .iter()
            .filter(|mode| mode.state.phase(now) == Phase::Offline)
            .map(|mode| &*mode.key)
            .collect();
        let store = &snapshot.store;
        let error = store.error.clone().or_else(|| self.own_node.unreported());
        let mut status = Status {
            default_mode: Some(self.default_mode.clone()),
            time_zone: self
                .time_zone
                .as_ref()
                .and_then(|zone| zone.iana_name().map(str::to_owned)),
            enforced: fleet.count() > 0,
            in_flight: fleet.sum(|report| report.in_flight),
            endless: fleet.sum(|report| report.endless),
            parked: fleet.sum(|report| report.parked),
            sessions: fleet.session_count(idle),
            nodes: fleet.statuses(snapshot.state_id, &closed, Some(own), self.clock.now()),
            unheard: fleet.unheard(),
            tasks: fleet.tasks().to_vec(),
            web_server: self.web_server.status(),
            audit: self.audit.status(),
            #[cfg(feature = "notices")]
            notices: self.notices.status(),
            store: self.freshness.status(store.url.clone(), error),
            ..snapshot.status(visitors, now)
        };
        for mode in &mut status.modes {
            mode.locked_by = fleet.lock_on(&mode.key).cloned();
            let state = snapshot.mode(&mode.key).map(|mode| &mode.state);
            if let (Some(held), Some((token, _))) =
                (&mut mode.held, state.and_then(ModeState::holder))
            {
                held.alive = held.alive.or_else(|| fleet.has_holder(token));
            }
        }
        status
    }

    /// Looks from now on after those who hold modes. A program that looks and ends does not.
    pub(crate) fn look_after_holders(&self) {
        self.looks_after_holders.store(true, Ordering::SeqCst);
    }

    pub(crate) fn looks_after_holders(&self) -> bool {
        self.looks_after_holders.load(Ordering::SeqCst)
    }

    /// The time by which a snapshot is judged. The clock is read only where it can matter.
    pub(crate) fn now_for(&self, snapshot: &Snapshot) -> Timestamp {
        if snapshot.needs_clock() {
            self.clock.now()
        } else {
            snapshot.at
        }
    }
}

/// The hand of a clock in tests.
#[cfg(test)]
pub(crate) struct ManualClock(std::sync::atomic::AtomicI64);

#[cfg(test)]
impl ManualClock {
    pub(crate) fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self(std::sync::atomic::AtomicI64::new(
            now.as_millisecond(),
        )))
    }

    pub(crate) fn set(&self, now: Timestamp) {
        self.0.store(now.as_millisecond(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}
