//! The protocol by which whoever waits for maintenance hears that nobody is served any more, checked
//! in every order of events: three nodes that start, crash and start again, renewals that are lost or
//! late, on the way to the store or back, and nodes that stand still for as long as they like.
//! `docs/barrier.md` tells the protocol in words.
//!
//! A store may forget everything at any moment: the state and all leases. Who remembers the state puts
//! it back, and whoever waits believes a list of leases only once they have been remembered for as
//! long as a lease lives. What was called safe before a loss is a promise of a store that is gone.
//!
//! A store may also evict a single lease, and remember everything else. Whoever waits knows by the trace
//! of the node, and by what was listed before, that its lease may not have lapsed yet: it may have been
//! renewed since, and be lost.
//!
//! Time is counted in ticks. A node that does nothing while the clock ticks is a node that is cut
//! off, slow, or stopped. The model takes for granted what the document says: that clocks run at the
//! same rate, that the store answers by what it holds, and that a node does not stand still between
//! its look at the clock and the step that it allows.
//!
//! The checker must find what is wrong with protocols that are a little different, too.

mod checks;
mod steps;

use stateright::Representative;

/// What is checked: the protocol, or one that is a little different.
#[derive(Clone, Copy)]
struct Protocol {
    nodes: usize,
    /// How long the store keeps a lease that is not renewed, in ticks.
    time_to_live: u8,
    /// How long a node relies on a lease.
    patience: u8,
    /// Whether the patience counts from before the node asked, and not from the answer.
    counts_from_asking: bool,
    /// Whether a node that is cut off is closed, and not by the last state that it knows.
    closes: bool,
    /// Whether a node that is cut off breaks off what it serves.
    breaks_off: bool,
    /// Whether what it serves is bound to the lease under which it was let in, and not to the one
    /// that the node has by now.
    binds_to_lease: bool,
    /// Whether a node reads the state after its lease is in the store, and not before.
    leases_then_reads: bool,
    /// Whether a node whose lease has lapsed reads the state again before it relies on a new one.
    rejoins: bool,
    /// Whether whoever waits stores the change before it lists the nodes.
    stores_then_lists: bool,
    /// Whether the store may forget.
    may_forget: bool,
    /// Whether the store may lose a single lease.
    may_evict: bool,
    /// Whether a node leaves a trace beside its lease, by which it is known when that is lost.
    leaves_traces: bool,
    /// How much later than its trace a node may renew its lease, and what whoever waits takes that for.
    trace_lags: u8,
    trace_is_taken_to_lag: u8,
    /// Whether whoever has seen a lease reckons with its having been renewed since.
    reckons_with_renewals: bool,
    /// Whether whoever waits looks since when leases are remembered.
    asks_since_when: bool,
    /// How long they must have been remembered.
    believes_after: u8,
    /// Whether what was written after a loss counts more than what is remembered from before,
    /// although its number is lower.
    knows_lineages: bool,
}

const PROTOCOL: Protocol = Protocol {
    nodes: 3,
    time_to_live: 2,
    patience: 1,
    counts_from_asking: true,
    closes: true,
    breaks_off: true,
    binds_to_lease: true,
    leases_then_reads: true,
    rejoins: true,
    stores_then_lists: true,
    may_forget: false,
    may_evict: false,
    leaves_traces: true,
    trace_lags: 0,
    trace_is_taken_to_lag: 0,
    reckons_with_renewals: true,
    asks_since_when: true,
    believes_after: 2,
    knows_lineages: true,
};

/// The same at a store that may forget.
const FORGETFUL: Protocol = Protocol {
    nodes: 2,
    may_forget: true,
    ..PROTOCOL
};

/// The same at a store that may evict a lease. What is known of one node does not depend on others.
const EVICTING: Protocol = Protocol {
    nodes: 1,
    time_to_live: 3,
    patience: 2,
    believes_after: 3,
    may_evict: true,
    trace_lags: 2,
    trace_is_taken_to_lag: 2,
    ..PROTOCOL
};

/// The promise.
const SAFE: &str = "safe means that nobody is served";

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Life {
    Down,
    Joining {
        is_leased: bool,
        read: Option<State>,
    },
    Up {
        goes_by: State,
        /// Whether that is from before the store has forgotten.
        is_of_old: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum State {
    Open,
    Closed,
}

/// What the store has answered to a renewal, on its way back.
///
/// That the node asks and that the store takes it are one event here. A request that is long on its
/// way counts as one that was taken when it was made, or as one whose answer is lost: the lease then
/// lives longer than here, which keeps whoever waits waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Answer {
    /// Ticks since the node asked.
    age: u8,
    /// Whether the lease was still there, or was put.
    is_held: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Node {
    life: Life,
    /// Whether it serves a request.
    is_serving: bool,
    /// How many ticks it relies on its lease.
    patience: u8,
    answer: Option<Answer>,
    /// In the store: how many ticks the lease lives, and what it reports.
    lease: u8,
    reports_closed_and_empty: bool,
    /// In the store, too: for how many ticks the trace says that the lease may live.
    trace: u8,
    /// What whoever waits remembers: how many ticks the lease lives that was listed last, and one that
    /// was renewed just before none was listed.
    seen: Option<u8>,
    missed: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    nodes: Vec<Node>,
    /// `None`: nothing, which is open, too.
    stored: Option<State>,
    /// For how many ticks the store has remembered leases, up to what matters.
    remembers: Option<u8>,
    /// Whether whoever waits was told that nobody is served any more.
    is_safe: bool,
}

impl Representative for World {
    /// Nodes are alike.
    fn representative(&self) -> Self {
        let mut world = self.clone();
        world.nodes.sort();
        world
    }
}
