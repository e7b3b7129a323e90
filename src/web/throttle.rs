//! Slows down who tries one wrong token after the other.
//!
//! Pure: the time is an argument.

use std::{collections::HashMap, net::IpAddr, time::Duration};

use crate::core::client::client_of;

/// How many wrong tokens an address may try in a row.
const BURST: u32 = 20;
/// How long it takes until one more may be tried.
const PAUSE: Duration = Duration::from_secs(6);
/// How many addresses are remembered. Of more, those are forgotten that may try the soonest.
const REMEMBERED: usize = 4096;

/// The client from which tries come. `None`: nobody knows.
type Origin = Option<IpAddr>;

/// How far each address has used up its tries.
///
/// A generic cell rate algorithm: of each address it remembers when it will have all of its tries
/// again.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    restored_at: HashMap<Origin, Duration>,
}

impl Throttle {
    /// Takes one try of this address, or tells how long to wait for one.
    pub(crate) fn take(&mut self, address: Option<IpAddr>, now: Duration) -> Result<(), Duration> {
        let origin = address.map(client_of);
        let restored_at = self.restored_at.get(&origin).copied().unwrap_or(now);
        let restored_at = restored_at.max(now) + PAUSE;
        match restored_at.checked_sub(now + PAUSE * BURST) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.make_room(now);
                self.restored_at.insert(origin, restored_at);
                Ok(())
            }
        }
    }

    /// Gives back a try that was taken for what was not wrong.
    pub(crate) fn give_back(&mut self, address: Option<IpAddr>) {
        if let Some(restored_at) = self.restored_at.get_mut(&address.map(client_of)) {
            *restored_at = restored_at.saturating_sub(PAUSE);
        }
    }

    fn make_room(&mut self, now: Duration) {
        if self.restored_at.len() < REMEMBERED {
            return;
        }
        self.restored_at.retain(|_, restored_at| *restored_at > now);
        if self.restored_at.len() < REMEMBERED {
            return;
        }
        let mut instants: Vec<Duration> = self.restored_at.values().copied().collect();
        let (_, median, _) = instants.select_nth_unstable(REMEMBERED / 2);
        let median = *median;
        self.restored_at
            .retain(|_, restored_at| *restored_at > median);
    }
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
