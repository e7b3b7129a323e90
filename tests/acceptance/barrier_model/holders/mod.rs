//! Two jobs that hold one mode, one after the other, at a store that may lose things, and nodes that
//! look after them: `docs/barrier.md` tells it under "Who holds a mode".
//!
//! A tick is a third of the time to live of a lease. A job may do anything late or never: it is slow,
//! stopped, or dead. Of the two nodes the first is never late; so what is told in time is told by it.
//! What a process does at once, as soon as it hears of something, is done before the next tick.

mod checks;
mod jobs;
mod nodes;
mod steps;

use stateright::Property;

/// How long the store keeps a lease that is not renewed, in ticks.
const TIME_TO_LIVE: u8 = 3;
/// How long a job relies on its lease.
const PATIENCE: u8 = 2;

/// How many jobs there are at most.
const JOBS: usize = 2;

/// What becomes of a mode whose job has died.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum IfLost {
    Stay,
    Reopen,
}

/// What may happen to the store, once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Nothing,
    /// It loses the lease of one job.
    Evicts,
    /// It loses everything.
    Forgets,
    /// It has what it had at some moment before, and no lease.
    ComesBackOld,
}

/// What is checked: the protocol, or one that is a little different.
#[derive(Clone, Copy)]
struct Protocol {
    jobs: usize,
    nodes: usize,
    if_lost: IfLost,
    /// Whether an end is announced.
    has_end: bool,
    fault: Fault,
    /// Whether a node keeps a mode closed that is held, whatever end was announced.
    holds_beyond_the_end: bool,
    /// Whether a job renews a lease only if it is its own.
    looks_at_the_name: bool,
    /// Whether a job hears from the document that it was given up.
    hears_of_its_loss: bool,
    /// Whether a job that has done its work looks whether it was given up meanwhile.
    looks_when_it_ends: bool,
    /// Whether a job looks whether another holds the mode before it takes it.
    asks_who_holds: bool,
    /// Whether nodes look for the lease before it should lapse, and not only when it should have.
    looks_meanwhile: bool,
    /// Whether nodes believe that a job lives whose lease is gone before it can have lapsed.
    believes_after_an_eviction: bool,
    /// Whether a node that should have looked before, and was stopped, believes for a while longer.
    believes_when_late: bool,
    /// Whether nodes ask since when leases are remembered.
    asks_since_when: bool,
    /// Whether those who remember more than the store put it back.
    puts_back: bool,
    /// Whether nodes look after jobs at all.
    looks_after_jobs: bool,
}

const PROTOCOL: Protocol = Protocol {
    jobs: 2,
    nodes: 1,
    if_lost: IfLost::Reopen,
    has_end: true,
    fault: Fault::Nothing,
    holds_beyond_the_end: true,
    looks_at_the_name: true,
    hears_of_its_loss: true,
    looks_when_it_ends: true,
    asks_who_holds: true,
    looks_meanwhile: true,
    believes_after_an_eviction: true,
    believes_when_late: true,
    asks_since_when: true,
    puts_back: true,
    looks_after_jobs: true,
};

/// The promises.
const CLOSED: &str = "a mode is closed for as long as its job lives and holds its lease";
const TOLD: &str = "a job that goes on is told when the mode is not its own any more";
const GIVEN_UP: &str = "a job that does not live is given up when its lease has lapsed";
const NOT_WELL: &str = "a job that was given up does not end well";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Life {
    /// It has not begun.
    Idle,
    /// It has put its lease, or closed the mode, and not the other yet.
    Entering,
    /// It does what it has closed the mode for.
    Working,
    Crashed,
    /// It has heard that the mode is not its own any more, and ends with an error.
    Told,
    /// It has done its work, and opened the mode.
    EndedWell,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Job {
    life: Life,
    is_stopped: bool,
    /// How many ticks it relies on its lease.
    patience: u8,
    /// Whether its patience has been over since it put its lease.
    has_lapsed: bool,
    /// Whether somebody has written at a store that had lost what is known of this one.
    is_overwritten: bool,
    /// The number of the document by which it has closed the mode, which it remembers.
    wrote: u8,
    /// In the store: how many ticks the lease lives.
    lease: u8,
    /// For how many ticks it has given no sign of life, and the document says that it holds the mode.
    silent: u8,
    /// Whether a tick has passed in which it acted, and did not hear that it was given up.
    is_unaware: bool,
}

impl Job {
    fn acts(&self) -> bool {
        matches!(self.life, Life::Entering | Life::Working) && !self.is_stopped
    }

    fn works(&self) -> bool {
        self.life == Life::Working && !self.is_stopped
    }

    /// Whether it has every reason to think that the mode is closed, also while it is stopped.
    fn relies(&self) -> bool {
        let is_its_own = !self.has_lapsed && !self.is_overwritten;
        self.life == Life::Working && self.patience > 0 && is_its_own
    }
}

/// Who keeps the mode closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Guard {
    job: usize,
    is_lost: bool,
}

/// What is stored of the mode. It is closed while there is a guard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Document {
    guard: Option<Guard>,
    /// Whose loss has opened it.
    reopened: Option<usize>,
    /// How often it was written.
    number: u8,
}

impl Document {
    fn living(&self) -> Option<usize> {
        self.guard
            .filter(|guard| !guard.is_lost)
            .map(|guard| guard.job)
    }

    /// Whether it says that a job was found dead.
    fn says_lost(&self, job: usize) -> bool {
        let lost = Guard { job, is_lost: true };
        self.guard == Some(lost) || self.reopened == Some(job)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Node {
    knows: Document,
    is_stopped: bool,
    /// Whether it was stopped when it should have looked for the lease.
    is_late: bool,
    /// How many ticks it believes that whoever holds the mode lives.
    believes: u8,
    /// Whether it does so because it has seen the lease.
    has_seen: bool,
    /// Whether it has looked for the lease, and need not look again yet.
    has_looked: bool,
    /// The jobs for which it has closed the mode.
    has_closed_for: [bool; JOBS],
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct World {
    stored: Option<Document>,
    /// What was stored when somebody made a copy.
    copy: Option<Document>,
    /// Whether it has lost something, and nothing was written since but what was put back.
    is_at_a_loss: bool,
    /// Whether it has lost something at any time.
    has_failed: bool,
    has_end_passed: bool,
    /// For how many ticks the store has remembered leases, up to what matters.
    remembers: Option<u8>,
    jobs: Vec<Job>,
    nodes: Vec<Node>,
}

impl World {
    fn document(&self) -> Document {
        self.stored.unwrap_or_default()
    }

    fn write(&mut self, document: Document) {
        let before = self.document().number;
        // What is written after a loss counts more than what is remembered from before.
        for job in &mut self.jobs {
            job.is_overwritten |= self.is_at_a_loss && before < job.wrote;
        }
        self.stored = Some(Document {
            number: before + 1,
            ..document
        });
        self.is_at_a_loss = false;
    }

    /// Whether somebody remembers more than the store, which has lost it.
    fn is_behind(&self, number: u8) -> bool {
        self.is_at_a_loss && self.document().number < number
    }

    /// Whether a job holds the mode no longer, as the store says.
    fn has_given_up(&self, job: usize) -> bool {
        let is_told = self.stored.is_some() && !self.is_behind(self.jobs[job].wrote);
        is_told && self.document().living() != Some(job)
    }
}

impl Protocol {
    /// Whether a node refuses requests.
    fn is_closed(&self, node: &Node, world: &World) -> bool {
        let has_ended = self.has_end && world.has_end_passed;
        match node.knows.guard {
            None => false,
            Some(guard) if guard.is_lost || !self.holds_beyond_the_end => !has_ended,
            Some(_) => true,
        }
    }

    fn is_kept_closed(&self, world: &World) -> bool {
        let keeps = |(place, job): (usize, &Job)| {
            let closed = |node: &Node| !node.has_closed_for[place] || self.is_closed(node, world);
            !job.relies() || world.nodes.iter().all(closed)
        };
        world.jobs.iter().enumerate().all(keeps)
    }

    fn promises() -> Vec<Property<Self>> {
        vec![
            Property::always(CLOSED, |protocol: &Self, world: &World| {
                protocol.is_kept_closed(world)
            }),
            Property::always(TOLD, |_, world: &World| {
                !world.jobs.iter().any(|job| job.is_unaware)
            }),
            Property::always(GIVEN_UP, |_, world: &World| {
                // What a store has lost comes to light when the lease is looked for the next time.
                let later = if world.has_failed { PATIENCE } else { 0 };
                let longest = TIME_TO_LIVE + later;
                world.jobs.iter().all(|job| job.silent <= longest)
            }),
            Property::always(NOT_WELL, |_, world: &World| {
                let has_ended_well = |(place, job): (usize, &Job)| {
                    job.life == Life::EndedWell && world.document().says_lost(place)
                };
                // That it has ended may be what the store has lost.
                world.has_failed || !world.jobs.iter().enumerate().any(has_ended_well)
            }),
            // Else they would hold for the wrong reason.
            Property::sometimes(
                "a job ends well after another was given up",
                |_, world: &World| {
                    let has = |life| world.jobs.iter().any(|job| job.life == life);
                    has(Life::EndedWell) && has(Life::Told)
                },
            ),
            Property::sometimes(
                "a job works beyond the announced end",
                |_, world: &World| world.has_end_passed && world.jobs.iter().any(Job::relies),
            ),
            Property::sometimes("a job that is dead is given up", |_, world: &World| {
                let is_given_up = |(place, job): (usize, &Job)| {
                    job.life == Life::Crashed && world.document().says_lost(place)
                };
                world.jobs.iter().enumerate().any(is_given_up)
            }),
        ]
    }
}
