//! The protocol by which whoever waits for maintenance hears that nobody is served any more, checked
//! in every order of events: three nodes that start, crash and start again, renewals that are lost or
//! late, on the way to the store or back, and nodes that stand still for as long as they like.
//! `docs/barrier.md` tells the protocol in words.
//!
//! A store may forget everything at any moment: the state and all leases. Who remembers the state puts
//! it back, and whoever waits believes a list of leases only once they have been remembered for as
//! long as a lease lives. What was called safe before a loss is a promise of a store that is gone.
//!
//! A store may also evict a single lease, and remember everything else. By the trace of the node whoever
//! waits knows that its lease would not have lapsed yet.
//!
//! Time is counted in ticks. A node that does nothing while the clock ticks is a node that is cut
//! off, slow, or stopped. The model takes for granted what the document says: that clocks run at the
//! same rate, that the store answers by what it holds, and that a node does not stand still between
//! its look at the clock and the step that it allows.
//!
//! The checker must find what is wrong with protocols that are a little different, too.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use stateright::{Checker, HasDiscoveries, Model, Property, Representative};

/// How long the store keeps a lease that is not renewed, in ticks.
const TIME_TO_LIVE: u8 = 2;

/// What is checked: the protocol, or one that is a little different.
#[derive(Clone, Copy)]
struct Protocol {
    nodes: usize,
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
    /// Whether a node leaves a trace beside its lease, that tells when it would have lapsed.
    leaves_traces: bool,
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
    asks_since_when: true,
    believes_after: TIME_TO_LIVE,
    knows_lineages: true,
};

/// The same at a store that may forget.
const FORGETFUL: Protocol = Protocol {
    nodes: 2,
    may_forget: true,
    ..PROTOCOL
};

/// The same at a store that may evict a lease.
const EVICTING: Protocol = Protocol {
    nodes: 2,
    may_evict: true,
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
    /// In the store, too: how many ticks the lease would live that was put or renewed last.
    trace: u8,
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

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Event {
    Tick,
    Close,
    List,
    Start(usize),
    Crash(usize),
    Renew(usize),
    Lose(usize),
    Hear(usize),
    Fetch(usize),
    Apply(usize),
    Read(usize),
    Admit(usize),
    Finish(usize),
    Forget,
    PutBack(usize),
    Evict(usize),
}

impl Protocol {
    fn relies(&self, node: &Node) -> bool {
        !self.closes || node.patience > 0
    }

    /// Whether a node does something for a visitor, now or when it goes on.
    fn serves(&self, node: &Node) -> bool {
        node.is_serving && (!self.breaks_off || self.relies(node))
    }

    fn joining(&self) -> Life {
        Life::Joining {
            is_leased: false,
            read: None,
        }
    }

    /// A lease that was not there any more, so that others may have counted the node out.
    fn hear_of_loss(&self, node: &mut Node) {
        node.patience = 0;
        if self.rejoins {
            node.life = self.joining();
            if self.breaks_off && self.binds_to_lease {
                node.is_serving = false;
            }
        } else {
            // It puts its lease anew and goes on.
            node.lease = TIME_TO_LIVE;
            node.trace = TIME_TO_LIVE;
            node.patience = self.patience;
        }
    }
}

impl Model for Protocol {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        let node = Node {
            life: Life::Down,
            is_serving: false,
            patience: 0,
            answer: None,
            lease: 0,
            reports_closed_and_empty: false,
            trace: 0,
        };
        vec![World {
            nodes: vec![node; self.nodes],
            stored: Some(State::Open),
            remembers: None,
            is_safe: false,
        }]
    }

    fn actions(&self, world: &World, events: &mut Vec<Event>) {
        events.push(Event::Tick);
        if self.may_forget {
            events.push(Event::Forget);
        }
        let closed = Some(State::Closed);
        if world.stored != closed && (self.stores_then_lists || world.is_safe) {
            events.push(Event::Close);
        }
        let may_list = world.stored == closed || !self.stores_then_lists;
        if may_list && !world.is_safe {
            events.push(Event::List);
        }
        for (place, node) in world.nodes.iter().enumerate() {
            if self.may_evict && node.lease > 0 {
                events.push(Event::Evict(place));
            }
            match &node.life {
                Life::Down => {
                    events.push(Event::Start(place));
                    continue;
                }
                Life::Joining { is_leased, read } => {
                    if read.is_none() && (*is_leased || !self.leases_then_reads) {
                        events.push(Event::Fetch(place));
                    }
                    if read.is_some() && *is_leased {
                        events.push(Event::Apply(place));
                    }
                }
                Life::Up { goes_by, is_of_old } => {
                    // Who remembers something puts it back before it goes by nothing.
                    if world
                        .stored
                        .is_some_and(|stored| *goes_by != stored || *is_of_old)
                    {
                        events.push(Event::Read(place));
                    }
                    let is_lost = world.stored.is_none();
                    if *is_of_old && (is_lost || !self.knows_lineages) {
                        events.push(Event::PutBack(place));
                    }
                    if *goes_by == State::Open && self.relies(node) && !node.is_serving {
                        events.push(Event::Admit(place));
                    }
                }
            }
            events.push(Event::Crash(place));
            if node.is_serving {
                events.push(Event::Finish(place));
            }
            match node.answer {
                None => events.push(Event::Renew(place)),
                Some(_) => events.extend([Event::Hear(place), Event::Lose(place)]),
            }
        }
    }

    fn next_state(&self, world: &World, event: Event) -> Option<World> {
        let mut world = world.clone();
        let stored = world.stored.unwrap_or(State::Open);
        match event {
            Event::Tick => {
                world.remembers = world
                    .remembers
                    .map(|ticks| (ticks + 1).min(self.believes_after));
                for node in &mut world.nodes {
                    node.lease = node.lease.saturating_sub(1);
                    node.trace = node.trace.saturating_sub(1);
                    node.patience = node.patience.saturating_sub(1);
                    if node.lease == 0 {
                        node.reports_closed_and_empty = false;
                    }
                    if let Some(answer) = &mut node.answer {
                        // Older ones are worth nothing, however old they are.
                        answer.age = (answer.age + 1).min(self.patience);
                    }
                }
            }
            Event::Close => world.stored = Some(State::Closed),
            Event::List => {
                let remembers = *world.remembers.get_or_insert(0);
                let believes = !self.asks_since_when || remembers >= self.believes_after;
                let is_known =
                    |node: &&Node| node.lease > 0 || (self.leaves_traces && node.trace > 0);
                let mut live = world.nodes.iter().filter(is_known);
                world.is_safe = believes && live.all(|node| node.reports_closed_and_empty);
            }
            Event::Forget => {
                world.stored = None;
                world.remembers = None;
                world.is_safe = false;
                for node in &mut world.nodes {
                    node.lease = 0;
                    node.trace = 0;
                    node.reports_closed_and_empty = false;
                    if let Life::Up { is_of_old, .. } = &mut node.life {
                        *is_of_old = true;
                    }
                }
            }
            Event::Evict(place) => {
                let node = &mut world.nodes[place];
                node.lease = 0;
                node.reports_closed_and_empty = false;
            }
            Event::PutBack(place) => {
                if let Life::Up { goes_by, is_of_old } = &mut world.nodes[place].life {
                    *is_of_old = false;
                    world.stored = Some(*goes_by);
                }
            }
            Event::Start(place) => world.nodes[place].life = self.joining(),
            Event::Crash(place) => {
                let node = &mut world.nodes[place];
                // Its lease stays, and nothing else.
                node.life = Life::Down;
                node.is_serving = false;
                node.patience = 0;
                node.answer = None;
            }
            Event::Renew(place) => {
                let node = &mut world.nodes[place];
                // To join is to put a lease; else one is renewed that must still be there.
                let is_put = matches!(
                    node.life,
                    Life::Joining {
                        is_leased: false,
                        ..
                    }
                );
                let is_held = is_put || node.lease > 0;
                if is_held {
                    world.remembers.get_or_insert(0);
                    let closed = Life::Up {
                        goes_by: State::Closed,
                        is_of_old: false,
                    };
                    node.lease = TIME_TO_LIVE;
                    node.trace = TIME_TO_LIVE;
                    node.reports_closed_and_empty = node.life == closed && !node.is_serving;
                }
                node.answer = Some(Answer { age: 0, is_held });
            }
            Event::Lose(place) => world.nodes[place].answer = None,
            Event::Hear(place) => {
                let node = &mut world.nodes[place];
                let answer = node.answer.take()?;
                if !answer.is_held {
                    self.hear_of_loss(node);
                    return Some(world);
                }
                let age = if self.counts_from_asking {
                    answer.age
                } else {
                    0
                };
                node.patience = node.patience.max(self.patience.saturating_sub(age));
                if let Life::Joining { is_leased, .. } = &mut node.life {
                    *is_leased = true;
                }
            }
            Event::Fetch(place) => {
                if let Life::Joining { read, .. } = &mut world.nodes[place].life {
                    *read = Some(stored);
                }
            }
            Event::Apply(place) => {
                let node = &mut world.nodes[place];
                if let Life::Joining {
                    read: Some(goes_by),
                    ..
                } = node.life
                {
                    node.life = Life::Up {
                        goes_by,
                        is_of_old: false,
                    };
                }
            }
            Event::Read(place) => {
                world.nodes[place].life = Life::Up {
                    goes_by: stored,
                    is_of_old: false,
                };
            }
            Event::Admit(place) => world.nodes[place].is_serving = true,
            Event::Finish(place) => world.nodes[place].is_serving = false,
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(SAFE, |protocol: &Self, world: &World| {
                !world.is_safe || !world.nodes.iter().any(|node| protocol.serves(node))
            }),
            // Else the first would hold for the wrong reason.
            Property::sometimes("it is safe while all nodes are up", |_, world: &World| {
                let is_up = |node: &Node| matches!(node.life, Life::Up { .. }) && node.lease > 0;
                world.is_safe && world.nodes.iter().all(is_up)
            }),
            Property::sometimes(
                "it is safe after a node was counted out",
                |_, world: &World| {
                    let is_out =
                        |node: &Node| matches!(node.life, Life::Up { .. }) && node.lease == 0;
                    world.is_safe && world.nodes.iter().any(is_out)
                },
            ),
            Property::sometimes(
                "all nodes serve at once",
                |protocol: &Self, world: &World| {
                    world.nodes.iter().all(|node| protocol.serves(node))
                },
            ),
        ]
    }
}

/// Looks at every state that can be reached, or until it finds what is wrong.
fn check(protocol: Protocol) -> impl Checker<Protocol> {
    protocol
        .checker()
        .symmetry()
        .threads(2)
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_dfs()
        .join()
}

#[test]
fn it_is_never_called_safe_while_somebody_is_served() {
    let begin = std::time::Instant::now();
    let checker = check(PROTOCOL);
    println!(
        "{} states in {:?}",
        checker.unique_state_count(),
        begin.elapsed()
    );
    checker.assert_properties();
}

/// Whether the checker finds that a protocol may call it safe too early. Two nodes are enough for
/// that.
fn is_found_wanting(protocol: Protocol) -> bool {
    let protocol = Protocol {
        nodes: 2,
        ..protocol
    };
    let found = check(protocol).discovery(SAFE);
    if let Some(path) = &found {
        println!("{path}");
    }
    found.is_some()
}

#[test]
fn patience_must_be_shorter_than_the_time_to_live() {
    // As long as it, there is an instant at which both are over; which one the clocks call first
    // is anybody's guess. Longer is wrong by any clock.
    assert!(is_found_wanting(Protocol {
        patience: TIME_TO_LIVE + 1,
        ..PROTOCOL
    }));
}

#[test]
fn patience_must_count_from_before_the_node_asked() {
    assert!(is_found_wanting(Protocol {
        counts_from_asking: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_node_that_goes_on_by_the_last_state_breaks_the_promise() {
    assert!(is_found_wanting(Protocol {
        closes: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_node_that_is_cut_off_must_break_off_what_it_serves() {
    assert!(is_found_wanting(Protocol {
        breaks_off: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_new_lease_must_not_revive_what_was_served_under_the_old_one() {
    assert!(is_found_wanting(Protocol {
        binds_to_lease: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_node_must_read_the_state_after_its_lease_is_in_the_store() {
    assert!(is_found_wanting(Protocol {
        leases_then_reads: false,
        ..PROTOCOL
    }));
}

#[test]
fn a_node_whose_lease_has_lapsed_must_read_the_state_again() {
    assert!(is_found_wanting(Protocol {
        rejoins: false,
        ..PROTOCOL
    }));
}

#[test]
fn the_change_must_be_stored_before_the_nodes_are_listed() {
    assert!(is_found_wanting(Protocol {
        stores_then_lists: false,
        ..PROTOCOL
    }));
}

#[test]
fn it_is_never_called_safe_too_early_either_where_the_store_may_forget() {
    let checker = check(FORGETFUL);
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn a_list_must_not_be_believed_right_after_a_loss() {
    assert!(is_found_wanting(Protocol {
        asks_since_when: false,
        ..FORGETFUL
    }));
}

#[test]
fn leases_must_have_been_remembered_for_as_long_as_a_node_relies_on_one() {
    // A marker that is there, but younger, tells nothing.
    assert!(is_found_wanting(Protocol {
        believes_after: PROTOCOL.patience - 1,
        ..FORGETFUL
    }));
}

#[test]
fn what_is_remembered_must_not_replace_what_was_written_after_a_loss() {
    assert!(is_found_wanting(Protocol {
        knows_lineages: false,
        ..FORGETFUL
    }));
}

#[test]
fn it_is_never_called_safe_too_early_either_where_the_store_may_evict_a_lease() {
    let checker = check(EVICTING);
    println!("{} states", checker.unique_state_count());
    checker.assert_properties();
}

#[test]
fn a_lease_that_is_evicted_must_leave_a_trace() {
    assert!(is_found_wanting(Protocol {
        leaves_traces: false,
        ..EVICTING
    }));
}
