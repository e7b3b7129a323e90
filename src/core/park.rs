//! Requests that wait for the reopening instead of being refused: which may, for how long, and when
//! each of those who waited is let in.
//!
//! Who waits is outside: nothing here counts as a request that is served.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use jiff::SignedDuration;

/// Over how long those who waited are let in, once the mode is open.
pub(crate) const SPREAD: Duration = Duration::from_secs(1);

/// The largest body, in bytes, with which a request waits that does more than read: the server takes
/// in so much with the head, whether or not anybody reads it.
pub(crate) const SMALL_BODY: u64 = 16 * 1024;

/// What is known of the body of a request that nobody has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    /// So many bytes, by what the request says.
    Declared(u64),
    Unknown,
}

/// Whether a request may wait. `reads`: its method is GET or HEAD.
pub(crate) fn may_wait(reads: bool, body: Body) -> bool {
    reads
        || match body {
            Body::None => true,
            Body::Declared(length) => length <= SMALL_BODY,
            Body::Unknown => false,
        }
}

/// How long a request may wait where its mode asks for so long, and no mode may for more than `longest`.
pub(crate) fn patience(asked: SignedDuration, longest: Duration) -> Duration {
    Duration::try_from(asked)
        .unwrap_or(Duration::ZERO)
        .min(longest)
}

/// How long after the reopening a request is let in that is the `place`-th of `count` who waited, the
/// first at once.
pub(crate) fn place_in_release(place: usize, count: usize) -> Duration {
    let (place, count) = (place as u128, count.max(1) as u128);
    let nanoseconds = SPREAD.as_nanos() * place.min(count) / count;
    Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
}

/// Where a request waits: in the line of a mode, by when it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) mode: usize,
    number: u64,
}

/// All requests of a process that wait, mode by mode, each with the time at which it is let in once its
/// mode has opened.
#[derive(Debug)]
pub(crate) struct Lot {
    most: usize,
    count: usize,
    next: u64,
    lines: BTreeMap<usize, BTreeMap<u64, Option<Instant>>>,
}

impl Lot {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            most,
            count: 0,
            next: 0,
            lines: BTreeMap::new(),
        }
    }

    /// How many may wait.
    pub(crate) fn most(&self) -> usize {
        self.most
    }

    /// How many wait.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Takes a request in. `None`: as many wait as may, and this one is the newest.
    pub(crate) fn enter(&mut self, mode: usize) -> Option<Ticket> {
        if self.count >= self.most {
            return None;
        }
        let number = self.next;
        self.next += 1;
        self.count += 1;
        self.lines.entry(mode).or_default().insert(number, None);
        Some(Ticket { mode, number })
    }

    pub(crate) fn leave(&mut self, ticket: Ticket) {
        let Some(line) = self.lines.get_mut(&ticket.mode) else {
            return;
        };
        if line.remove(&ticket.number).is_some() {
            self.count -= 1;
        }
        if line.is_empty() {
            self.lines.remove(&ticket.mode);
        }
    }

    /// Has a request wait on that had been waiting, for this mode, before those who came later.
    pub(crate) fn stay(&mut self, ticket: Ticket, mode: usize) -> Ticket {
        let number = ticket.number;
        if ticket.mode != mode {
            let line = self.lines.get_mut(&ticket.mode);
            if line.is_some_and(|line| line.remove(&number).is_some()) {
                self.count -= 1;
            }
        }
        let line = self.lines.entry(mode).or_default();
        if line.insert(number, None).is_none() {
            self.count += 1;
        }
        Ticket { mode, number }
    }

    /// The mode has opened: all who wait for it and have not been told when are let in from `now` on, in
    /// the order in which they came. Returns how many they are.
    pub(crate) fn release(&mut self, mode: usize, now: Instant) -> usize {
        let Some(line) = self.lines.get_mut(&mode) else {
            return 0;
        };
        let count = line.values().filter(|turn| turn.is_none()).count();
        let untold = line.values_mut().filter(|turn| turn.is_none());
        for (place, turn) in untold.enumerate() {
            *turn = Some(now + place_in_release(place, count));
        }
        count
    }

    /// When a request is let in. `None`: its mode has not opened.
    pub(crate) fn turn(&self, ticket: Ticket) -> Option<Instant> {
        *self.lines.get(&ticket.mode)?.get(&ticket.number)?
    }
}

#[cfg(test)]
#[path = "park_tests.rs"]
mod tests;
