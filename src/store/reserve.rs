//! Descriptors that a store keeps back from its process, so that a site that is flooded can still be
//! closed: whoever takes all that the process may open does not get these.

use std::{fs::File, sync::Arc, thread, time::Duration};

use parking_lot::Mutex;

/// How often something is tried again with the reserve, and the pause in between: what is set free
/// may go to somebody else first. Servers pause for about half a second when they find none.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(25);

/// Some open descriptors that nobody uses.
#[derive(Debug, Clone)]
pub(crate) struct Reserve {
    held: Arc<Mutex<Vec<File>>>,
    size: usize,
}

impl Reserve {
    /// Takes so many descriptors out of circulation.
    pub(crate) fn of(size: usize) -> Self {
        let reserve = Self {
            held: Arc::default(),
            size,
        };
        fill(&mut reserve.held.lock(), size);
        reserve
    }

    /// Does some work that may be done twice. If it fails because the process may open nothing more,
    /// it is done again with what the reserve holds.
    pub(crate) fn spend_on<T, E>(&self, mut work: impl FnMut() -> Result<T, E>) -> Result<T, E> {
        // Before, too: what was lacking in the middle may be free again at the end.
        let lacked = lacks(self.size);
        let mut outcome = work();
        for _ in 0..TRIES {
            if outcome.is_ok() || !(lacked || lacks(self.size)) {
                break;
            }
            // One at a time: two that share the reserve may both have too little.
            let mut held = self.held.lock();
            held.clear();
            outcome = work();
            fill(&mut held, self.size);
            if outcome.is_err() {
                drop(held);
                thread::sleep(PAUSE);
            }
        }
        if outcome.is_ok() {
            fill(&mut self.held.lock(), self.size);
        }
        outcome
    }

    /// Sets the reserve free for something that failed and is about to be tried again. `false`: it
    /// failed for another reason, or there is nothing to set free.
    #[cfg(any(feature = "postgres", feature = "redis"))]
    pub(crate) fn release(&self) -> bool {
        if !lacks(self.size) {
            return false;
        }
        let mut held = self.held.lock();
        let has_some = !held.is_empty();
        held.clear();
        has_some
    }

    /// Keeps back again what may be kept back.
    #[cfg(any(feature = "postgres", feature = "redis"))]
    pub(crate) fn refill(&self) {
        fill(&mut self.held.lock(), self.size);
    }
}

fn fill(held: &mut Vec<File>, size: usize) {
    while held.len() < size {
        match spare() {
            Ok(file) => held.push(file),
            Err(_) => return,
        }
    }
}

#[cfg(unix)]
fn spare() -> std::io::Result<File> {
    File::open("/dev/null")
}

/// Elsewhere a process may open more than it ever needs.
#[cfg(not(unix))]
fn spare() -> std::io::Result<File> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Whether this process, or the machine, may not open so many more.
fn lacks(wanted: usize) -> bool {
    // Linux and the BSDs have the same numbers: EMFILE and ENFILE.
    const TOO_MANY_OPEN: [i32; 2] = [24, 23];
    let opened: Result<Vec<File>, _> = (0..wanted).map(|_| spare()).collect();
    opened.is_err_and(|error| {
        error
            .raw_os_error()
            .is_some_and(|code| cfg!(unix) && TOO_MANY_OPEN.contains(&code))
    })
}

#[cfg(test)]
#[path = "reserve_tests.rs"]
mod tests;
