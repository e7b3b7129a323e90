//! What may happen next, and what comes of it.

use stateright::{Model, Property};

use super::{
    Document, Fault, JOBS, Job, Life, Node, PATIENCE, Protocol, TIME_TO_LIVE, World, jobs::OfJob,
    nodes::OfNode,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Event {
    Tick,
    EndPasses,
    Job(usize, OfJob),
    Node(usize, OfNode),
    Store(OfStore),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum OfStore {
    Evict(usize),
    Forget,
    Copy,
    ComeBackOld,
}

impl Model for Protocol {
    type State = World;
    type Action = Event;

    fn init_states(&self) -> Vec<World> {
        let job = Job {
            life: Life::Idle,
            is_stopped: false,
            patience: 0,
            has_lapsed: false,
            is_overwritten: false,
            wrote: 0,
            lease: 0,
            silent: 0,
            is_unaware: false,
        };
        let node = Node {
            knows: Document::default(),
            is_stopped: false,
            is_late: false,
            believes: 0,
            has_seen: false,
            has_looked: false,
            has_closed_for: [false; JOBS],
        };
        vec![World {
            stored: Some(Document::default()),
            copy: None,
            is_at_a_loss: false,
            has_failed: false,
            has_end_passed: false,
            remembers: Some(TIME_TO_LIVE),
            jobs: vec![job; self.jobs],
            nodes: vec![node; self.nodes],
        }]
    }

    fn actions(&self, world: &World, events: &mut Vec<Event>) {
        // What is done at once is done before the clock goes on.
        for place in 0..self.nodes {
            events.extend(
                self.at_once_by_node(world, place)
                    .map(|does| Event::Node(place, does)),
            );
        }
        for place in 0..self.jobs {
            events.extend(
                self.at_once_by_job(world, place)
                    .map(|does| Event::Job(place, does)),
            );
        }
        if events.is_empty() {
            events.push(Event::Tick);
        }
        if self.has_end && !world.has_end_passed && world.document().guard.is_some() {
            events.push(Event::EndPasses);
        }
        for place in 0..self.jobs {
            self.may_be_done_by_job(world, place, |does| events.push(Event::Job(place, does)));
        }
        // The first is never late.
        for place in 1..self.nodes {
            events.push(Event::Node(
                place,
                match world.nodes[place].is_stopped {
                    true => OfNode::Wake,
                    false => OfNode::Stop,
                },
            ));
        }
        if !world.has_failed {
            self.may_happen_to_the_store(world, |happens| events.push(Event::Store(happens)));
        }
    }

    fn next_state(&self, world: &World, event: Event) -> Option<World> {
        let mut world = world.clone();
        match event {
            Event::Tick => tick(&mut world, self),
            Event::EndPasses => world.has_end_passed = true,
            Event::Job(place, does) => self.job_does(&mut world, place, &does),
            Event::Node(place, does) => self.node_does(&mut world, place, &does),
            Event::Store(happens) => happen_to_the_store(&mut world, &happens),
        }
        for node in &mut world.nodes {
            if let Some(job) = node.knows.living() {
                node.has_closed_for[job] = true;
            }
        }
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        Self::promises()
    }
}

impl Protocol {
    fn may_happen_to_the_store(&self, world: &World, mut may: impl FnMut(OfStore)) {
        match self.fault {
            Fault::Nothing => {}
            Fault::Evicts => {
                let leased = (0..self.jobs).filter(|&place| world.jobs[place].lease > 0);
                leased.for_each(|place| may(OfStore::Evict(place)));
            }
            Fault::Forgets => may(OfStore::Forget),
            Fault::ComesBackOld => may(match world.copy {
                None => OfStore::Copy,
                Some(_) => OfStore::ComeBackOld,
            }),
        }
    }
}

fn tick(world: &mut World, protocol: &Protocol) {
    let living = world.document().living();
    for place in 0..world.jobs.len() {
        let is_given_up = world.has_given_up(place);
        let job = &mut world.jobs[place];
        let is_alive = job.works();
        job.silent = match living == Some(place) && !is_alive {
            true => (job.silent + 1).min(TIME_TO_LIVE + PATIENCE + 1),
            false => 0,
        };
        job.is_unaware |= job.works() && is_given_up;
        job.lease = job.lease.saturating_sub(1);
        job.patience = job.patience.saturating_sub(1);
        let has_begun = matches!(job.life, Life::Entering | Life::Working);
        job.has_lapsed |= has_begun && job.patience == 0;
    }
    for node in &mut world.nodes {
        node.believes = node.believes.saturating_sub(1);
        node.is_late |= node.is_stopped && node.knows.living().is_some();
        // Whoever lives has renewed its lease by then: its patience is over.
        if protocol.looks_meanwhile && node.believes <= TIME_TO_LIVE - PATIENCE {
            node.has_looked = false;
        }
    }
    // Nodes lose their own leases with those of the jobs, and notice it when they renew them.
    let remembers = world.remembers.map_or(0, |ticks| ticks + 1);
    world.remembers = Some(remembers.min(TIME_TO_LIVE));
}

fn happen_to_the_store(world: &mut World, happens: &OfStore) {
    match happens {
        OfStore::Copy => {
            world.copy = world.stored;
            return;
        }
        OfStore::Evict(place) => world.jobs[*place].lease = 0,
        OfStore::Forget | OfStore::ComeBackOld => {
            world.stored = world.copy.take();
            world.is_at_a_loss = true;
            world.remembers = None;
            world.jobs.iter_mut().for_each(|job| job.lease = 0);
        }
    }
    world.has_failed = true;
    // From then on it takes as long as before.
    world.jobs.iter_mut().for_each(|job| job.silent = 0);
}
