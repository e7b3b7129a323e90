//! The driver: the one task that reads and writes the store and publishes snapshots.
//!
//! It has a thread and a runtime of its own. So a change runs to its end also when its caller is
//! cancelled, a busy worker delays nothing, and a handle can be used on any runtime or on none.

use std::{future::poll_fn, sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

use self::{believe::RepairReason, holders::Holders};
use crate::{
    core::{state::Document, status::state_id::StateId},
    engine::{
        driver::agreement::Agreement,
        events, figures,
        follow_files::Followed,
        leases::keeper::LeaseKeeper,
        local_copy::{LocalCopy, Remembered},
        node::reporter::Reporter,
        shared::Shared,
    },
    settings::WhenCutOff,
    store::{Hint, Hints, Store, StoreError, Version},
};

mod agreement;
mod believe;
mod change;
pub(crate) mod changed;
mod command;
mod drain;
mod edges;
mod holders;
mod load;
mod lost;
mod notices;
mod outcome;
mod plan;
mod publish;
mod settle;
mod skew;
mod start;

pub(crate) use self::{
    command::{Changed, Command, NoticeCommand, Operation},
    plan::Plan,
};

/// How long the store is left alone at most: a store that fails without a word is noticed, and the
/// status can say that the knowledge is fresh.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The longest sleep while an edge may come: the wall clock may be set meanwhile, or the machine
/// may sleep, and nobody tells.
const LONGEST_NAP: Duration = Duration::from_millis(25);
/// How long a hand has to write on before the rest is put back, and to write another word: whoever
/// writes a file in place must not find another file in its place meanwhile.
const HAND_IS_DONE: Duration = Duration::from_millis(400);

pub(crate) struct Driver {
    pub(crate) shared: Arc<Shared>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) leases: LeaseKeeper,
    pub(crate) copy: LocalCopy,
    pub(crate) plan: Plan,
    pub(crate) published: watch::Sender<u64>,
}

/// What the driver knows of the store.
#[derive(Default)]
struct Known {
    /// Whether hooks are not told of what is published now.
    is_quiet: bool,
    /// The document that counts.
    document: Option<Document>,
    /// While a word that a hand has written counts: the last document before it. It is of this that
    /// the store gets the rest. What the word makes of it is another thing for each process, until
    /// one of them has stored it.
    before_hand: Option<Document>,
    /// Whether the memory had no number where it was stored: there was nothing, or a hand wrote it.
    /// What is made of it by others does not say that it is.
    is_unnumbered: bool,
    /// Whether the document has been put together of what is stored and what was remembered, and has
    /// not been stored as such yet.
    is_owed: bool,
    /// When to put back what a hand has left out.
    rest_at: Option<Instant>,
    /// The stored form of that document.
    state_id: StateId,
    /// What is stored now, be it good or not.
    version: Option<Version>,
    at: Option<Timestamp>,
    failure: Option<String>,
    /// When a store that fails is tried again, and the pause before that without its jitter.
    retry: Option<(Instant, Duration)>,
    /// When to look again though nothing hints at it.
    look_at: Option<Instant>,
    /// Whether it was told that the store has lost what it held.
    loss_told: bool,
    /// What the store was asked to save, as long as it is not known what became of that.
    asked: Option<Document>,
    /// When to try again to settle what is over.
    settle_after: Option<Instant>,
    /// Those who hold modes.
    holders: Holders,
    /// Until when what is over is over for everybody.
    agreement: Agreement,
    web_server: Followed,
    /// What an earlier process knew last.
    remembered: Option<Remembered>,
    /// Of which document there is a copy.
    copied: Option<StateId>,
    /// When to try again to make it.
    copy_after: Option<Instant>,
    /// Whether this process has changed what is stored.
    has_saved: bool,
    /// What makes the store one that can never be read.
    permanent: Option<StoreError>,
    /// When the nodes were listed last for the sake of a drain, and whether that goes on.
    drain_looked: Option<Instant>,
    is_looking: bool,
}

impl Known {
    /// The last document that was stored as such, or what an earlier process knew.
    fn memory(&self) -> Option<&Document> {
        let remembered = self.remembered.as_ref().map(|copy| &copy.document);
        let known = self.before_hand.as_ref().or(self.document.as_ref());
        known.or(remembered)
    }
}

impl Driver {
    /// Drives until the last handle is dropped. `ready` is told once the store has been read for
    /// the first time, or what counts instead; if the store can never be read, why, and that is all.
    pub(crate) async fn run(
        self,
        mut commands: mpsc::UnboundedReceiver<Command>,
        ready: oneshot::Sender<Result<(), StoreError>>,
    ) {
        // The watch comes first, so that no change between the two is missed.
        let mut hints = Some(self.store.watch());
        let mut known = Known {
            remembered: self.copy.read().await,
            ..Known::default()
        };
        // Whoever writes the state at a shell says by that where it is.
        if !self.plan.is_tool {
            self.copy.expect_folder(known.remembered.as_ref());
        }
        if let Err(error) = self.first_look(&mut known).await {
            let _ = ready.send(Err(error));
            return;
        }
        if known.failure.is_none() {
            let now = || self.shared.clock.now();
            skew::compare(&*self.store, &self.shared.freshness, now).await;
        }
        let (store, shared) = (Arc::clone(&self.store), Arc::clone(&self.shared));
        // It ends with the runtime.
        tokio::spawn(async move {
            let now = || shared.clock.now();
            skew::follow(&*store, &shared.freshness, now).await;
        });
        let (look_again, mut looks) = mpsc::unbounded_channel();
        let (heard, mut fleets) = mpsc::unbounded_channel();
        let (looked, mut seen_holders) = mpsc::unbounded_channel();
        let (notes, mut noted) = mpsc::unbounded_channel::<NoticeCommand>();
        self.tell_others(&notes);
        let (leave, told_to_leave) = oneshot::channel();
        let reporter = Reporter {
            shared: Arc::clone(&self.shared),
            leases: self.leases.clone(),
            look_again,
            published: self.published.subscribe(),
        };
        let reporter = tokio::spawn(reporter.run(told_to_leave));
        let shared = Arc::clone(&self.shared);
        // On its own, so that it goes on while the store takes its time. It ends with the runtime.
        tokio::spawn(async move { shared.sessions.keep_time().await });
        if cfg!(feature = "metrics") {
            let shared = Arc::clone(&self.shared);
            tokio::spawn(async move { figures::report(&shared).await });
        }
        self.follow(&mut known).await;
        // Nobody waits any more when the builder was cancelled.
        let _ = ready.send(Ok(()));
        loop {
            tokio::select! {
                command = commands.recv() => match command {
                    Some(command) => self.change(&mut known, command).await,
                    None => break,
                },
                // Neither ends before this does: one end of each is held here.
                Some(reply) = looks.recv() => {
                    self.reload(&mut known).await;
                    let _ = reply.send(known.failure.is_none());
                    // What is in force may be something else although the state is the same.
                    if self.plan.when_cut_off == WhenCutOff::Close {
                        self.publish(&known);
                    }
                }
                Some(fleet) = fleets.recv() => {
                    known.is_looking = false;
                    self.agree(&mut known, &fleet).await;
                    self.end_drain(&mut known, fleet).await;
                }
                hint = next_hint(&mut hints) => match hint {
                    Some(Hint) => self.reload(&mut known).await,
                    None => hints = None,
                },
                () = until(known.retry.map(|(at, _)| at)) => self.reload(&mut known).await,
                () = until(known.look_at) => self.reload(&mut known).await,
                () = until(known.rest_at) => self.put_back(&mut known, RepairReason::Rest).await,
                () = until(self.next_edge()) => self.cross_edge(&mut known, &heard).await,
                () = until(known.holders.due()) => self.look_at_holders(&mut known, &looked),
                Some(leases) = seen_holders.recv() => self.judge_holders(&mut known, leases).await,
                Some(note) = noted.recv() => {
                    let stored = self.try_quietly(&mut known, &note.operation).await.is_ok();
                    let _ = note.reply.send(stored);
                }
                () = until(known.web_server.retry) => {}
                () = until(known.copy_after) => known.copy_after = None,
            }
            self.follow(&mut known).await;
        }
        // Tells the others at once that this node is gone. It bounds its time itself.
        let _ = leave.send(());
        let _ = reporter.await;
    }

    /// Brings the files for a web server in step with what is published, and the copy for the next
    /// start with what is known.
    async fn follow(&self, known: &mut Known) {
        self.know_holders(known);
        self.tell_time(known).await;
        self.keep_copy(known).await;
        let web_server = &self.shared.web_server;
        if !web_server.is_due(&known.web_server, &self.shared) {
            return;
        }
        let makes_page = web_server.has_page() && self.makes_page(known).await;
        web_server
            .follow(&mut known.web_server, &self.shared, makes_page)
            .await;
    }

    /// Whether the page as a file is this process's to make. Only the app knows all that belongs on
    /// it, so that others leave it alone while an app runs.
    async fn makes_page(&self, known: &Known) -> bool {
        self.shared.own_node.is_taken()
            || (known.failure.is_none()
                && matches!(self.leases.fleet().await, Ok(fleet) if fleet.has_no_nodes()))
    }
}

async fn next_hint(hints: &mut Option<Hints>) -> Option<Hint> {
    match hints {
        Some(hints) => poll_fn(|context| hints.as_mut().poll_next(context)).await,
        None => std::future::pending().await,
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
