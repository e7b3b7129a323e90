//! Requests that are being served, counted by each worker for itself.
//!
//! # Why no request is missed
//!
//! A worker first counts a request and then reads the published word; the driver first publishes
//! the word and then reads the counts. All four are sequentially consistent, so there is one order
//! of them that everybody agrees on. Either the worker's read comes after the driver's write, and
//! the request is judged by the new state; or it comes before, and then the worker's count comes
//! before the driver's read of it, and the request is seen. So once a state is published that
//! admits nobody, a sum of zero means that nobody is inside, and it stays zero: the counts only
//! fall, but for requests that are counted for the moment in which they are judged and refused.
//!
//! A worker that begins while the driver reads has its count in the list before it serves its first
//! request. Either the driver finds it there, or the worker takes the lock of the list after the
//! driver, and so reads the word that the driver had published before.
//!
//! Where an edge of time closes the mode, the clock takes the place of the word: a worker counts
//! before it reads the clock, and the driver reads the clock before it reads the counts.
//!
//! # Where a part of the site is closed
//!
//! Requests that pass every mode that is closed just now, or to which none applies, go on coming.
//! They are counted apart, as elsewhere. Whoever waits for a mode that was closed while no other was,
//! with nobody elsewhere, does not wait for them: all of them came later. Whoever waits for a mode
//! that was closed while another was does. A request is counted elsewhere before it is not counted
//! as inside any more, so it is never in neither count.

use std::{
    marker::PhantomData,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

/// The counts of all workers of this process.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    workers: Mutex<Vec<Weak<Count>>>,
}

/// The count of one worker. Nobody else writes it, and it shares its cache line with no other.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Count {
    requests: AtomicU64,
    endless: AtomicU64,
    elsewhere: AtomicU64,
}

/// How many are inside.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Inside {
    /// Requests whose responses end by themselves.
    pub(crate) requests: u64,
    /// Upgraded connections and responses without an end.
    pub(crate) endless: u64,
    /// Requests that were let in although a mode was closed, and that are inside of none of the
    /// modes that were closed then.
    pub(crate) elsewhere: u64,
}

impl Inside {
    /// All requests whose responses end by themselves.
    pub(crate) fn served(self) -> u64 {
        self.requests + self.elsewhere
    }
}

impl InFlight {
    /// Gives a worker its own count.
    pub(crate) fn register(&self) -> Counter {
        let count = Arc::<Count>::default();
        let mut workers = self.workers.lock();
        workers.retain(|worker| worker.strong_count() > 0);
        workers.push(Arc::downgrade(&count));
        Counter {
            count,
            bound_to_thread: PhantomData,
        }
    }

    /// Whether a worker of this process runs the middleware.
    pub(crate) fn is_registered(&self) -> bool {
        let workers = self.workers.lock();
        workers.iter().any(|worker| worker.strong_count() > 0)
    }

    pub(crate) fn inside(&self) -> Inside {
        let workers = self.workers.lock();
        workers
            .iter()
            .filter_map(Weak::upgrade)
            .fold(Inside::default(), |sum, count| Inside {
                // First, since a request moves from here to the others.
                requests: sum.requests + count.requests.load(Ordering::SeqCst),
                endless: sum.endless + count.endless.load(Ordering::SeqCst),
                elsewhere: sum.elsewhere + count.elsewhere.load(Ordering::SeqCst),
            })
    }
}

/// A worker's way to its count. It cannot leave the worker's thread, so the count has one writer
/// and needs no read-modify-write.
#[derive(Debug, Clone)]
pub(crate) struct Counter {
    count: Arc<Count>,
    bound_to_thread: PhantomData<*const ()>,
}

impl Counter {
    /// Counts a request that begins. Must come before the word is read.
    #[inline]
    pub(crate) fn begin(&self) {
        add(&self.count.requests);
    }

    /// Counts a request that has ended.
    #[inline]
    pub(crate) fn end(&self) {
        subtract(&self.count.requests);
    }

    /// Counts a request that is inside of no closed mode.
    pub(crate) fn begin_elsewhere(&self) {
        add(&self.count.elsewhere);
    }

    /// Counts one that has ended.
    pub(crate) fn end_elsewhere(&self) {
        subtract(&self.count.elsewhere);
    }

    /// Counts a response without an end.
    pub(crate) fn begin_endless(&self) {
        add(&self.count.endless);
    }

    /// Counts one that has ended all the same.
    pub(crate) fn end_endless(&self) {
        subtract(&self.count.endless);
    }
}

#[inline]
fn add(count: &AtomicU64) {
    let now = count.load(Ordering::Relaxed).wrapping_add(1);
    count.store(now, Ordering::SeqCst);
}

#[inline]
fn subtract(count: &AtomicU64) {
    // What the request did must be seen by whoever sees that it is over.
    let now = count.load(Ordering::Relaxed).wrapping_sub(1);
    count.store(now, Ordering::Release);
}

#[cfg(test)]
#[path = "in_flight_tests.rs"]
mod tests;
