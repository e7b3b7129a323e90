//! The requests of this process that wait for a mode to open. They are outside: no drain and no barrier
//! waits for them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::core::park::{Lot, Ticket};

#[derive(Debug)]
pub(crate) struct Parked {
    /// No request waits for longer, whatever a switch says.
    pub(crate) longest: Duration,
    lot: Mutex<Lot>,
    /// Whether the process is told to stop, so that nobody is to wait any more.
    stopping: watch::Sender<bool>,
    /// How many have waited, by what became of them.
    ended: [AtomicU64; 3],
    /// How many found no place.
    turned_away: AtomicU64,
}

/// What became of a request that waited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitedFor {
    LetIn,
    Refused,
    /// Its client has gone.
    Nothing,
}

#[cfg(any(feature = "metrics", test))]
impl WaitedFor {
    const ALL: [Self; 3] = [Self::LetIn, Self::Refused, Self::Nothing];

    #[cfg(feature = "metrics")]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::LetIn => "let-in",
            Self::Refused => "refused",
            Self::Nothing => "gone",
        }
    }
}

impl Parked {
    pub(crate) fn new(longest: Duration, most: usize) -> Self {
        Self {
            longest,
            lot: Mutex::new(Lot::new(most)),
            stopping: watch::Sender::new(false),
            ended: Default::default(),
            turned_away: AtomicU64::new(0),
        }
    }

    /// How many have waited, by what became of them.
    #[cfg(any(feature = "metrics", test))]
    pub(crate) fn ended(&self) -> impl Iterator<Item = (WaitedFor, u64)> {
        WaitedFor::ALL
            .into_iter()
            .map(|became| (became, self.ended[became as usize].load(Ordering::Relaxed)))
    }

    /// How many were refused at once because too many waited.
    #[cfg(any(feature = "metrics", test))]
    pub(crate) fn turned_away(&self) -> u64 {
        self.turned_away.load(Ordering::Relaxed)
    }

    /// Whether any request may wait at all.
    pub(crate) fn has_places(&self) -> bool {
        self.lot.lock().most() > 0
    }

    /// How many requests wait.
    pub(crate) fn count(&self) -> u64 {
        self.lot.lock().count() as u64
    }

    /// A place for one more that waits for a mode. `None`: there is none, because too many wait or nobody
    /// is to wait any more.
    pub(crate) fn enter(self: &Arc<Self>, mode: usize) -> Option<Place> {
        if self.is_stopping() {
            return None;
        }
        let ticket = self.lot.lock().enter(mode);
        if ticket.is_none() {
            self.turned_away.fetch_add(1, Ordering::Relaxed);
        }
        Some(Place {
            ticket: ticket?,
            parked: Arc::clone(self),
            became: WaitedFor::Nothing,
        })
    }

    /// Sends all away who wait, and has nobody wait any more.
    pub(crate) fn stop(&self) {
        self.stopping.send_replace(true);
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }

    /// Hears when nobody is to wait any more.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.subscribe()
    }
}

/// The place of one who waits, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    ticket: Ticket,
    parked: Arc<Parked>,
    became: WaitedFor,
}

impl Place {
    /// The mode that it waits for.
    pub(crate) fn mode(&self) -> usize {
        self.ticket.mode
    }

    /// The same place for one who waits on, be it for another mode.
    pub(crate) fn stay(&mut self, mode: usize) {
        self.ticket = self.parked.lot.lock().stay(self.ticket, mode);
    }

    /// When it is let in, now that its mode is open.
    pub(crate) fn turn(&self, now: Instant) -> Instant {
        let mut lot = self.parked.lot.lock();
        if let Some(turn) = lot.turn(self.ticket) {
            return turn;
        }
        // The first who sees it tells all.
        let count = lot.release(self.ticket.mode, now);
        let turn = lot.turn(self.ticket).unwrap_or(now);
        drop(lot);
        tracing::info!(
            event = super::events::RELEASE,
            requests = count,
            "maintenance lets in those who waited"
        );
        turn
    }

    /// It waits no longer.
    pub(crate) fn give_up(mut self, became: WaitedFor) {
        self.became = became;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.parked.lot.lock().leave(self.ticket);
        let ended = &self.parked.ended[self.became as usize];
        ended.fetch_add(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_when_it_is_dropped_and_nobody_enters_after_the_stop() {
        let parked = Arc::new(Parked::new(Duration::from_secs(1), 1));
        let place = parked.enter(0).unwrap();
        assert!(parked.enter(0).is_none());
        assert_eq!(parked.count(), 1);
        place.give_up(WaitedFor::LetIn);
        let place = parked.enter(3).unwrap();
        assert!(!parked.is_stopping());
        parked.stop();
        assert!(parked.is_stopping() && *parked.stopping().borrow());
        drop(place);
        assert!(parked.enter(0).is_none());
        let ended: Vec<_> = parked.ended().map(|(_, count)| count).collect();
        assert_eq!((ended, parked.turned_away()), (vec![1, 0, 1], 1));
        assert_eq!(parked.count(), 0);
    }
}
