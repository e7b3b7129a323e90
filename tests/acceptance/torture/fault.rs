//! What goes wrong in a round.

use std::{fmt, time::Duration};

use fastrand::Rng;

use crate::{
    arguments::{Policy, StoreKind},
    node::{Habits, faketime},
    way::State,
};

/// Something that goes wrong, and when: counted from about when the site is switched off.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event {
    pub(crate) after: Duration,
    pub(crate) fault: Fault,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Fault {
    /// The node of this number, modulo how many there are, is killed.
    Kill(usize),
    /// Stopped, until it is said to be safe or the time is over.
    Stop(usize),
    /// Stopped for so long at most.
    Pause(usize, Duration),
    /// Another one starts.
    Join(Habits),
    /// One ends in good order.
    Leave(usize),
    /// Its way to the store is so.
    Way(usize, State),
    /// That of whoever waits.
    OperatorWay(State),
    Store(StoreFault),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StoreFault {
    /// The server hangs.
    Hang,
    /// The server is down.
    Down,
    /// It restarts with what it has.
    Restart,
    /// It restarts with what it had saved some time ago.
    RestartOld,
    /// It restarts with nothing.
    RestartEmpty,
    /// It forgets everything.
    Flush,
    /// A lease is gone.
    LeaseGone,
    /// The leases are gone; of a server their index.
    LeasesGone,
    /// It takes nothing more.
    Full,
    /// A lease is cut to nothing.
    LeaseCut,
    /// The folder is away, as that of a disk that is not mounted.
    Away,
}

impl StoreFault {
    const REDIS: [Self; 9] = [
        Self::Hang,
        Self::Down,
        Self::Restart,
        Self::RestartOld,
        Self::RestartEmpty,
        Self::Flush,
        Self::LeaseGone,
        Self::LeasesGone,
        Self::Full,
    ];
    const FILE: [Self; 5] = [
        Self::LeaseGone,
        Self::LeasesGone,
        Self::Full,
        Self::LeaseCut,
        Self::Away,
    ];

    /// Whether the store loses what it was told.
    pub(crate) fn loses(self) -> bool {
        !matches!(self, Self::Hang | Self::Down | Self::Restart | Self::Full)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:?} after {} ms",
            self.fault,
            self.after.as_millis()
        )
    }
}

fn milliseconds(rng: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}

/// How a node is that starts now. As root some have process numbers of their own.
pub(crate) fn habits(rng: &mut Rng, is_root: bool) -> Habits {
    let skews = [-5 * 3600, -3, 3, 5 * 3600];
    let is_skewed = rng.u8(..6) == 0 && faketime().is_some();
    Habits {
        elsewhere: is_root && rng.u8(..3) == 0,
        skew: is_skewed.then(|| rng.choice(skews).unwrap_or_default()),
        own_memory: rng.bool(),
    }
}

/// Draws what goes wrong in a round: mostly one thing, sometimes several, sometimes nothing.
pub(crate) fn draw(rng: &mut Rng, store: StoreKind, policy: Policy, is_root: bool) -> Vec<Event> {
    let count = match rng.u8(..10) {
        0 => 0,
        1..=5 => 1,
        6..=7 => 2,
        _ => 3,
    };
    let mut events: Vec<Event> = (0..count)
        .map(|_| {
            // Before the switch, while it is made, and while it is waited for.
            let after = match rng.bool() {
                true => milliseconds(rng, 0..120),
                false => milliseconds(rng, 0..600),
            };
            let fault = draw_one(rng, store, policy, is_root);
            Event { after, fault }
        })
        .collect();
    events.sort_by_key(|event| event.after);
    events
}

fn draw_one(rng: &mut Rng, store: StoreKind, policy: Policy, is_root: bool) -> Fault {
    let node = rng.usize(..64);
    match rng.u8(..14) {
        0 | 1 => Fault::Kill(node),
        // One that is kept open by `keep-last` is waited for until the time is over.
        2 | 3 if policy == Policy::Close || rng.bool() => Fault::Stop(node),
        2..=4 => Fault::Pause(node, milliseconds(rng, 10..900)),
        5 | 6 => Fault::Join(habits(rng, is_root)),
        7 => Fault::Leave(node),
        8..=10 if store == StoreKind::Redis => {
            let state = match rng.u8(..8) {
                0 | 1 => State::Hole,
                2 | 3 => State::HalfOpen,
                4 => State::Cut,
                _ => State::Slow(milliseconds(rng, 10..250)),
            };
            match rng.u8(..4) {
                0 => Fault::OperatorWay(state),
                _ => Fault::Way(node, state),
            }
        }
        _ => {
            let faults: &[StoreFault] = match store {
                StoreKind::Redis => &StoreFault::REDIS,
                StoreKind::File => &StoreFault::FILE,
            };
            Fault::Store(
                rng.choice(faults)
                    .copied()
                    .unwrap_or(StoreFault::LeasesGone),
            )
        }
    }
}
