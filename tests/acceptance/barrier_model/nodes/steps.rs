//! What may happen next, and what comes of it.

use stateright::{Model, Property};

use super::{Answer, Life, Node, Protocol, SAFE, State, World};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event {
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
    LeaveTrace(usize),
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

    /// What a trace tells when it is left.
    fn fresh_trace(&self) -> u8 {
        self.time_to_live + self.trace_is_taken_to_lag
    }

    /// Whether a node may renew its lease by the trace that it has left.
    fn is_traced(&self, node: &Node) -> bool {
        let age = self.fresh_trace() - node.trace;
        !self.may_evict || node.trace > 0 && age <= self.trace_lags
    }

    /// Whether whoever waits lists a node, or expects it to be there all the same; and takes note of
    /// that.
    fn expects(&self, node: &mut Node) -> bool {
        if node.lease > 0 {
            node.seen = self.may_evict.then_some(node.lease);
            node.missed = None;
            return true;
        }
        if !self.may_evict || !self.leaves_traces {
            return false;
        }
        let missed = *node.missed.get_or_insert(self.time_to_live);
        let renewed = missed.min(node.trace);
        let may_live = match node.seen {
            Some(seen) if self.reckons_with_renewals => seen.max(renewed),
            Some(seen) => seen,
            None => renewed,
        };
        may_live > 0
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
            node.lease = self.time_to_live;
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
            seen: None,
            missed: None,
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
            if self.may_evict && node.trace < self.fresh_trace() {
                events.push(Event::LeaveTrace(place));
            }
            if node.is_serving {
                events.push(Event::Finish(place));
            }
            match node.answer {
                None if self.is_traced(node) => events.push(Event::Renew(place)),
                None => {}
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
                    for left in [&mut node.seen, &mut node.missed] {
                        *left = left.map(|ticks| ticks.saturating_sub(1));
                    }
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
                let mut all_are_empty = true;
                for node in &mut world.nodes {
                    let is_expected = self.expects(node);
                    all_are_empty &= !is_expected || node.reports_closed_and_empty;
                }
                world.is_safe = believes && all_are_empty;
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
            Event::LeaveTrace(place) => world.nodes[place].trace = self.fresh_trace(),
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
                    node.lease = self.time_to_live;
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
