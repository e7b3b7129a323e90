//! Looks after those who hold modes: that a holder has died is seen by its lease, and by nothing else.
//!
//! A holder is believed until its lease has lapsed, and once more for a moment: one that could not
//! reach the store puts its lease again as soon as it can. Who could not look, was stopped meanwhile,
//! or hears that the store has forgotten knows nothing, and believes for one time to live. So does who
//! misses a lease that cannot have lapsed yet: the store has lost it, perhaps after a renewal that
//! nobody saw, and the holder puts it again. To tell that from a death, nodes look for the lease once
//! before it should lapse, too.

use std::{collections::HashMap, time::Duration};

use tokio::{sync::mpsc, time::Instant};

use super::{Driver, Known, command::Operation};
use crate::{
    engine::{events, leases::names::HELD},
    store::{LiveLease, StoreError},
};

/// How long after its lease has lapsed somebody is looked for once more, by the first of the nodes and
/// by the others.
const CONFIRM: Duration = Duration::from_millis(400);
const CONFIRM_OF_OTHERS: Duration = Duration::from_millis(700);
/// How long after a lease should have lapsed it is looked for.
const AFTERWARDS: Duration = Duration::from_millis(20);
/// How long before it should lapse a lease is looked for, in sixteenths of its time to live: when the
/// patience of its holder is over, so that whoever lives has renewed it.
const LOOK_BEFORE: u32 = 3;
/// A lease that is missed so long before it should lapse was lost by the store, in sixteenths, too. One that
/// is missed later may just have lapsed by another clock.
const LOST_BEFORE: u32 = 1;
/// The pause after a look that failed.
const RETRY: Duration = Duration::from_millis(500);

/// The leases of holders that are live, as the store says.
pub(super) type Looked = Result<Vec<LiveLease>, StoreError>;

/// What is known of those who hold modes.
#[derive(Debug, Default)]
pub(super) struct Holders {
    /// By their tokens.
    known: HashMap<String, Holding>,
    /// When the look that goes on was due, and begun.
    looking: Option<Instant>,
}

#[derive(Debug)]
struct Holding {
    mode: String,
    time_to_live: Duration,
    /// Until when it is alive, whatever is seen.
    believed_until: Instant,
    /// Whether that is what its lease says, which was seen.
    is_seen: bool,
    is_missed: bool,
    look_at: Instant,
    is_overdue_told: bool,
}

impl Holding {
    fn believe(&mut self, now: Instant, for_so_long: Duration) {
        self.believed_until = now + for_so_long;
        self.is_seen = false;
        self.is_missed = false;
        self.look_at = self.believed_until + AFTERWARDS;
    }

    fn see(&mut self, now: Instant, expires_in: Duration) {
        self.believe(now, expires_in);
        self.is_seen = true;
        let before = self.time_to_live / 16 * LOOK_BEFORE;
        if let Some(earlier) = expires_in.checked_sub(before).filter(|it| !it.is_zero()) {
            self.look_at = now + earlier;
        }
    }

    /// Whether a lease that is not there was lost by the store, and has not lapsed.
    fn is_lost_early(&self, now: Instant) -> bool {
        self.is_seen && now + self.time_to_live / 16 * LOST_BEFORE < self.believed_until
    }
}

impl Holders {
    pub(super) fn due(&self) -> Option<Instant> {
        match self.looking {
            Some(_) => None,
            None => self.known.values().map(|holding| holding.look_at).min(),
        }
    }
}

impl Driver {
    /// Takes note of who holds what, by the document that counts.
    pub(super) fn know_holders(&self, known: &mut Known) {
        let looks_after = self.plan.forced.is_none() && self.shared.looks_after_holders();
        let Some(document) = known.document.as_ref().filter(|_| looks_after) else {
            known.holders = Holders::default();
            return;
        };
        let now = Instant::now();
        let wall = self.shared.clock.now();
        let mut holders = HashMap::new();
        for (key, mode) in &document.modes {
            for (token, holder) in mode.holders().filter(|(_, holder)| !holder.is_lost()) {
                let mut holding = known.holders.known.remove(token).unwrap_or_else(|| {
                    let time_to_live = Duration::from_millis(holder.time_to_live);
                    Holding {
                        mode: key.clone(),
                        time_to_live,
                        believed_until: now + time_to_live,
                        is_seen: false,
                        is_missed: false,
                        // By the lease it is known better.
                        look_at: now + RETRY,
                        is_overdue_told: false,
                    }
                });
                let overdue = mode.overdue_since(wall);
                if let Some(since) = overdue.filter(|_| !holding.is_overdue_told) {
                    tracing::warn!(
                        event = events::OVERDUE,
                        mode = key,
                        holder = holder.name,
                        by = holder.by,
                        %since,
                        "the announced end has passed, and the job goes on: the mode stays closed"
                    );
                }
                holding.is_overdue_told = overdue.is_some();
                holders.insert(token.to_owned(), holding);
            }
        }
        known.holders.known = holders;
    }

    /// Asks the store for the leases of those who hold modes, behind what the driver does else.
    pub(super) fn look_at_holders(
        &self,
        known: &mut Known,
        looked: &mpsc::UnboundedSender<Looked>,
    ) {
        known.holders.looking = known.holders.due();
        let (leases, looked) = (self.leases.clone(), looked.clone());
        tokio::spawn(async move {
            // The driver may have ended.
            let _ = looked.send(leases.list(HELD).await);
        });
    }

    /// Judges who of them is still alive.
    pub(super) async fn judge_holders(&self, known: &mut Known, looked: Looked) {
        let due = known.holders.looking.take();
        let now = Instant::now();
        let leases = match looked {
            Ok(leases) => leases,
            Err(error) => {
                tracing::debug!(%error, "nobody can tell who holds what");
                for holding in known.holders.known.values_mut() {
                    holding.believe(now, holding.time_to_live);
                    holding.look_at = now + RETRY;
                }
                return;
            }
        };
        let expires_in = |token: &str| {
            leases
                .iter()
                .find(|live| live.lease.name().strip_prefix(HELD) == Some(token))
                .map(|live| live.expires_in)
        };
        let confirm = match self.shared.own_node.is_first() {
            true => CONFIRM,
            false => CONFIRM_OF_OTHERS,
        };
        let mut missed = Vec::new();
        for (token, holding) in &mut known.holders.known {
            // This process may have been stopped, and the holder together with it.
            let is_late = due.is_some_and(|due| now.duration_since(due) > holding.time_to_live / 4);
            match expires_in(token) {
                Some(expires_in) => holding.see(now, expires_in),
                None if is_late || holding.is_lost_early(now) => {
                    holding.believe(now, holding.time_to_live);
                }
                None if now < holding.believed_until => {
                    holding.look_at = holding.believed_until + AFTERWARDS;
                }
                None if !holding.is_missed => {
                    holding.is_missed = true;
                    holding.look_at = now + confirm;
                }
                None if now < holding.look_at => {}
                None => {
                    holding.look_at = now + RETRY;
                    missed.push((holding.mode.clone(), token.clone(), holding.time_to_live));
                }
            }
        }
        for (mode, token, time_to_live) in missed {
            let unsure = self.leases.unsure_for(time_to_live).await;
            let believe_for = match unsure {
                Ok(None) => {
                    let lost = token.clone();
                    let operation: Operation =
                        Box::new(move |document, now| document.lose_holder(&mode, &lost, now));
                    // If it fails, it is tried again with the next look.
                    let _ = self.try_quietly(known, &operation).await;
                    continue;
                }
                Ok(Some(left)) => left,
                Err(_) => time_to_live,
            };
            if let Some(holding) = known.holders.known.get_mut(&token) {
                holding.believe(Instant::now(), believe_for);
            }
        }
    }
}
