//! What goes wrong in a round.

use std::{fmt, time::Duration};

use fastrand::Rng;

use super::lane::LEASE;
use crate::{
    arguments::{StoreKind, Transport},
    fault::StoreFault,
    way::State,
};

/// Something that goes wrong, and when: counted from when the job is started.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) after: Duration,
    pub(crate) fault: Fault,
}

/// What it is, of whom by number, modulo how many there are, and for how long.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// `maintenance during` is killed.
    KillJob(usize),
    /// It is asked to end.
    EndJob(usize),
    StopJob(usize, Duration),
    /// Its way to the store is so.
    CutJob(State, Duration),
    /// A node is killed, and another takes its place.
    KillNode(usize, Duration),
    StopNode(usize, Duration),
    CutNode(usize, State, Duration),
    Store(StoreFault, Duration),
    /// Another job comes, and waits for the first.
    Second,
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after.as_millis();
        write!(formatter, "{:?} after {after} ms", self.fault)
    }
}

/// What happens in a round.
#[derive(Debug)]
pub(crate) struct Drawn {
    /// How long the commands of the first and of the second job run.
    pub(crate) runs: [Duration; 2],
    /// What end is announced.
    pub(crate) lasting: Option<Duration>,
    pub(crate) events: Vec<Event>,
}

fn milliseconds(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}

/// What a store suffers that has its data afterwards, or gets it back from the nodes.
const OF_REDIS: [StoreFault; 7] = [
    StoreFault::Hang,
    StoreFault::Down,
    StoreFault::Restart,
    StoreFault::RestartOld,
    StoreFault::RestartEmpty,
    StoreFault::Flush,
    StoreFault::Full,
];
const OF_FILE: [StoreFault; 3] = [StoreFault::LeasesGone, StoreFault::Full, StoreFault::Away];

pub(crate) fn draw(rng: &mut Rng, store: StoreKind, transport: Transport) -> Drawn {
    let count = match rng.u8(..20) {
        0 => 0,
        1..=9 => 1,
        10..=15 => 2,
        _ => 3,
    };
    let runs = [milliseconds(rng, 100..2600), milliseconds(rng, 100..1200)];
    let lasting = (rng.u8(..3) == 0).then(|| Duration::from_secs(rng.u64(1..4)));
    let mut events: Vec<Event> = (0..count)
        .map(|_| Event {
            // While it closes, while the command runs, and while it opens.
            after: milliseconds(rng, 0..3000).mul_f64(rng.f64()),
            fault: draw_one(rng, store, transport),
        })
        .collect();
    if rng.u8(..6) == 0 {
        let after = milliseconds(rng, 200..1500);
        events.push(Event {
            after,
            fault: Fault::Second,
        });
    }
    events.sort_by_key(|event| event.after);
    Drawn {
        runs,
        lasting,
        events,
    }
}

fn draw_one(rng: &mut Rng, store: StoreKind, transport: Transport) -> Fault {
    let lease = u64::try_from(LEASE.as_millis()).unwrap_or(u64::MAX);
    let number = rng.usize(..64);
    let pause = match rng.bool() {
        // One that is bridged, and one that is not.
        true => milliseconds(rng, 50..lease / 2),
        false => milliseconds(rng, lease..lease * 2),
    };
    match rng.u8(..16) {
        0..=3 => Fault::KillJob(number),
        4 => Fault::EndJob(number),
        5..=7 => Fault::StopJob(number, pause),
        8 | 9 => Fault::KillNode(number, milliseconds(rng, 0..1500)),
        10 | 11 => Fault::StopNode(number, pause),
        12 | 13 if store == StoreKind::Redis => {
            let state = match rng.u8(..5) {
                0 => State::Hole,
                1 => State::HalfOpen,
                2 => State::Cut,
                _ => State::Slow(milliseconds(rng, 10..150)),
            };
            match transport == Transport::Store && rng.bool() {
                true => Fault::CutJob(state, pause),
                false => Fault::CutNode(number, state, pause),
            }
        }
        _ => {
            let faults: &[StoreFault] = match store {
                StoreKind::Redis => &OF_REDIS,
                StoreKind::File => &OF_FILE,
            };
            let fault = rng.choice(faults).copied();
            Fault::Store(fault.unwrap_or(StoreFault::LeasesGone), pause)
        }
    }
}
