//! The driver: the one task that reads and writes the store and publishes snapshots.
//!
//! It has a thread and a runtime of its own. So a change runs to its end also when its caller is
//! cancelled, a busy worker delays nothing, and a handle can be used on any runtime or on none.

use std::{future::poll_fn, sync::Arc, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep_until},
};

use self::changed::log_changes;
use crate::{
    core::{
        limits,
        mode::Mode,
        snapshot::{CUT_OFF, ModeView, PastPeriod, Snapshot, StoreStatus},
        state::{
            Document,
            applied::{Applied, applied},
            decode::{DecodeError, Excerpt},
            settle::settled_up_to,
        },
        status::StateId,
    },
    engine::{
        changes::ChangeError,
        events, figures,
        leases::held_lease::LeaseKeeper,
        local_copy::{LocalCopy, Remembered},
        node::reporter::Reporter,
        patience::{self, within},
        shared::Shared,
        web_server_files::Followed,
    },
    settings::{Forced, WhenCutOff, WhenStoreFails, WhenUnknownAtStart},
    store::{Hint, Hints, Loaded, Saved, Store, StoreError, Version},
};

mod agreement;
mod believe;
pub(crate) mod changed;
mod drain;
mod outcome;
mod settle;
mod skew;
mod start;

use self::{
    agreement::Agreement,
    believe::{Believed, Lacks, random_name},
    drain::Heard,
    outcome::Fate,
};

/// The first and the longest pause before a failed store is tried again.
const FIRST_RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(5);
/// How long the store is left alone at most: a store that fails without a word is noticed, and the
/// status can say that the knowledge is fresh.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The longest sleep while an edge may come: the wall clock may be set meanwhile, or the machine
/// may sleep, and nobody tells.
const LONGEST_NAP: Duration = Duration::from_millis(25);
/// How long a hand has to write on before the rest is put back, and to write another word: whoever
/// writes a file in place must not find another file in its place meanwhile.
const HAND_IS_DONE: Duration = Duration::from_millis(400);
/// The pause before what is over is settled again after that failed.
const SETTLE_RETRY: Duration = Duration::from_secs(30);

/// An operation on the document: the next document, or `None` when nothing is to change.
///
/// It is a function and not a value, so that it can be applied again to a newer document.
pub(crate) type Operation = Box<dyn Fn(&Document, Timestamp) -> Option<Document> + Send>;

/// What became of a change.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) changed: bool,
    pub(crate) snapshot: Arc<Snapshot>,
}

/// A change on its way to the driver.
pub(crate) struct Command {
    pub(crate) operation: Operation,
    /// The mode whose switch somebody throws by it, also if that changes nothing.
    pub(crate) says: Option<String>,
    pub(crate) reply: oneshot::Sender<Result<Changed, ChangeError>>,
    pub(crate) asked_at: Instant,
    /// Whether hooks are told of what it leads to.
    pub(crate) call_hooks: bool,
}

/// What the settings say to the driver.
pub(crate) struct Plan {
    pub(crate) forced: Option<Forced>,
    pub(crate) when_store_fails: WhenStoreFails,
    pub(crate) when_cut_off: WhenCutOff,
    pub(crate) when_unknown_at_start: WhenUnknownAtStart,
    /// Whether this is a program that looks and ends, not one that serves.
    pub(crate) is_tool: bool,
    pub(crate) time_zone: Option<TimeZone>,
    /// The modes, in the order in which they answer; never empty.
    pub(crate) modes: Vec<Arc<Mode>>,
}

impl Plan {
    /// The snapshot before anything is known of the store.
    pub(crate) fn first_snapshot(
        &self,
        rules: Arc<crate::core::decide::Rules>,
        url: String,
        at: Timestamp,
    ) -> Snapshot {
        let store = StoreStatus {
            url,
            error: None,
            known_at: None,
            age: None,
            clock_ahead_ms: None,
            remembered: false,
        };
        self.snapshot(1, rules, &Document::default(), store, at)
    }

    fn snapshot(
        &self,
        number: u64,
        rules: Arc<crate::core::decide::Rules>,
        document: &Document,
        store: StoreStatus,
        at: Timestamp,
    ) -> Snapshot {
        let is_unknown = store.known_at.is_none();
        let instead = self.forced.or(match (&store.error, self.when_store_fails) {
            (None, _) => None,
            (Some(_), WhenStoreFails::KeepLast) => match self.when_unknown_at_start {
                WhenUnknownAtStart::On if is_unknown => Some(Forced::On),
                _ => None,
            },
            (Some(_), WhenStoreFails::On) => Some(Forced::On),
            (Some(_), WhenStoreFails::Off) => Some(Forced::Off),
        });
        let of = |number, rules, instead, store| {
            let modes = self
                .modes
                .iter()
                .map(|mode| ModeView::new(mode, document, instead, at))
                .collect();
            Snapshot::new(number, rules, modes, self.forced, document, store, at)
        };
        let when_cut_off = (self.when_cut_off == WhenCutOff::Close).then(|| {
            let closed = self.forced.or(Some(Forced::On));
            let (rules, store) = (Arc::clone(&rules), store.clone());
            of(number | CUT_OFF, rules, closed, store)
        });
        let mut snapshot = of(number, rules, instead, store);
        snapshot.when_cut_off = when_cut_off.map(Arc::new);
        snapshot
    }
}

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
            skew::compare(&*self.store, &self.shared.knowledge, now).await;
        }
        let (store, shared) = (Arc::clone(&self.store), Arc::clone(&self.shared));
        // It ends with the runtime.
        tokio::spawn(async move {
            let now = || shared.clock.now();
            skew::follow(&*store, &shared.knowledge, now).await;
        });
        let (look_again, mut looks) = mpsc::unbounded_channel();
        let (heard, mut fleets) = mpsc::unbounded_channel();
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
                () = until(known.rest_at) => self.put_back(&mut known, Lacks::Rest).await,
                () = until(self.next_edge()) => self.cross_edge(&mut known, &heard).await,
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
        self.shared.seat.is_taken()
            || (known.failure.is_none()
                && matches!(self.leases.fleet().await, Ok(fleet) if fleet.has_no_nodes()))
    }

    async fn load(&self) -> Result<Option<Loaded>, StoreError> {
        let patience = || patience::of_answer(&*self.store);
        match within(Instant::now(), patience, self.store.load()).await {
            Ok(loaded) => loaded,
            Err(waited) => Err(StoreError::new(format!(
                "the store {} does not answer within {} seconds",
                self.store.url(),
                waited.as_secs()
            ))),
        }
    }

    /// Reads the store and publishes what is new.
    async fn reload(&self, known: &mut Known) {
        known.look_at = Some(Instant::now() + jittered(LOOK_EVERY));
        match self.load().await {
            Ok(loaded) => {
                let version = loaded.as_ref().map(|loaded| loaded.version.clone());
                let is_news =
                    known.at.is_none() || known.failure.is_some() || known.version != version;
                if is_news {
                    match self.believe(known, loaded.as_ref()) {
                        Ok(believed) => {
                            let stored = loaded.as_ref().map(|loaded| &*loaded.document);
                            let lacks = believed.lacks;
                            // It counts at once. That the store gets the rest may take its time.
                            self.adopt(known, believed, version, StateId::of(stored));
                            match lacks {
                                // A tool writes when it is told to.
                                _ if self.plan.is_tool => {}
                                Some(Lacks::Lost) => self.put_back(known, Lacks::Lost).await,
                                // Whose settings decide leaves the store to the others.
                                Some(Lacks::Rest) if self.plan.forced.is_none() => {
                                    known.rest_at = Some(Instant::now() + jittered(HAND_IS_DONE));
                                }
                                Some(Lacks::Rest) | None => {}
                            }
                        }
                        Err(error) => {
                            known.version = version;
                            self.fail(known, self.misunderstood(&error, loaded.as_ref()));
                            // What is stored changes only by somebody's hand, and then there is a
                            // hint.
                            known.retry = None;
                        }
                    }
                } else {
                    self.shared.knowledge.is_confirmed(self.shared.clock.now());
                }
            }
            Err(error) => {
                self.fail(known, describe(&error));
                known.permanent = error.is_permanent().then_some(error);
            }
        }
    }

    fn misunderstood(&self, error: &DecodeError, loaded: Option<&Loaded>) -> String {
        let content = loaded.map_or_else(String::new, |loaded| {
            String::from_utf8_lossy(&loaded.document).into_owned()
        });
        tracing::debug!(content = %Excerpt(&content), "what the store holds");
        format!(
            "what the store {} holds cannot be used: {error}",
            self.store.url()
        )
    }

    /// Takes over what is stored, and tells when the store is back.
    fn adopt(
        &self,
        known: &mut Known,
        believed: impl Into<Believed>,
        version: Option<Version>,
        state_id: StateId,
    ) {
        let Believed {
            mut document,
            lacks,
        } = believed.into();
        if lacks != Some(Lacks::Rest) {
            known.is_unnumbered = document.generation == 0;
        }
        if let (0, Some(last)) = (document.generation, &known.document) {
            // Written by hand, which counts as a change if it changes anything.
            document.generation = last.generation;
            if document != *last {
                document.generation = last.generation.saturating_add(1);
            }
        }
        if known.failure.take().is_some() {
            tracing::info!(
                event = events::STORE_BACK,
                store = %self.store.url(),
                "the maintenance store is back"
            );
        }
        known.before_hand = match lacks {
            Some(Lacks::Rest) => {
                let known_before = known.before_hand.take().or_else(|| known.document.take());
                known_before.or_else(|| known.remembered.take().map(|copy| copy.document))
            }
            Some(Lacks::Lost) | None => None,
        };
        known.is_owed = lacks == Some(Lacks::Lost);
        known.rest_at = None;
        if version.is_none() && known.version.is_some() && lacks.is_none() {
            tracing::warn!(
                store = %self.store.url(),
                "the maintenance state was removed from the store, which means off"
            );
        }
        known.document = Some(document);
        known.state_id = state_id;
        known.version = version;
        known.at = Some(self.shared.clock.now());
        known.loss_told = false;
        known.retry = None;
        self.shared.knowledge.is_confirmed(self.shared.clock.now());
        self.publish(known);
    }

    /// Takes note of a failure, tells it once, and tries again later.
    fn fail(&self, known: &mut Known, error: String) {
        figures::store_failed();
        let pause = match known.retry {
            Some((_, pause)) => (pause * 2).min(LONGEST_RETRY),
            None => FIRST_RETRY,
        };
        known.retry = Some((Instant::now() + jittered(pause), pause));
        self.recall(known);
        if known.failure.as_ref() == Some(&error) {
            return;
        }
        let is_first = known.failure.is_none();
        match (is_first, &known.document) {
            (true, Some(_)) if known.at.is_none() => tracing::error!(
                event = events::STORE_FAILED,
                %error,
                when_store_fails = self.plan.when_store_fails.as_str(),
                "the maintenance store fails at start; what this node knew last counts"
            ),
            (true, Some(_)) => tracing::error!(
                event = events::STORE_FAILED,
                %error,
                when_store_fails = self.plan.when_store_fails.as_str(),
                "the maintenance store fails"
            ),
            (true, None) => tracing::error!(
                event = events::STORE_FAILED,
                %error,
                when_store_fails = self.plan.when_store_fails.as_str(),
                "the maintenance store fails at start, and nothing is known of what it holds"
            ),
            (false, _) => tracing::debug!(%error, "the maintenance store still fails"),
        }
        known.failure = Some(error);
        known.rest_at = None;
        self.publish(known);
    }

    fn publish(&self, known: &Known) -> Arc<Snapshot> {
        let before = self.shared.published.stored();
        let store = self
            .shared
            .knowledge
            .status(self.store.url(), known.failure.clone());
        let empty = Document::default();
        let mut snapshot = self.plan.snapshot(
            before.number + 1,
            Arc::clone(&before.rules),
            known.document.as_ref().unwrap_or(&empty),
            store,
            self.shared.clock.now(),
        );
        snapshot.state_id = known.state_id;
        let snapshot = Arc::new(snapshot);
        self.shared.seat.about_to_publish(&self.shared, &snapshot);
        self.shared.published.publish(Arc::clone(&snapshot));
        log_phases(&before, &snapshot);
        log_changes(&before, &snapshot, &self.shared.cancelling);
        if !known.is_quiet {
            self.shared.hooks.tell(&before, &snapshot);
        }
        self.published.send_replace(snapshot.number);
        snapshot
    }

    async fn change(&self, known: &mut Known, command: Command) {
        known.is_quiet = !command.call_hooks;
        // Conflicts and waiting for its turn included.
        let patience = || patience::of_change(&*self.store);
        let outcome = match within(
            command.asked_at,
            patience,
            self.apply(known, &command.operation, command.says.as_deref()),
        )
        .await
        {
            Ok(outcome) => outcome,
            Err(waited) => {
                let error = StoreError::new(format!(
                    "the store {} did not take the change within {} seconds",
                    self.store.url(),
                    waited.as_secs()
                ));
                match self.last_look(known).await {
                    Some(changed) => Ok(changed),
                    None if known.asked.is_some() => Err(ChangeError::NotKnown(error)),
                    None => Err(ChangeError::Store(error)),
                }
            }
        };
        known.is_quiet = false;
        if let Err(error) = &outcome {
            tracing::error!(
                event = events::CHANGE_FAILED,
                %error,
                "a change of maintenance failed"
            );
        }
        // When the caller hears of the change, the web server knows it too.
        self.follow(known).await;
        // The caller may have gone; the change is made all the same.
        let _ = command.reply.send(outcome);
    }

    /// Applies an operation to what is stored, again and again until nobody else was faster. `said`
    /// is the mode whose switch somebody throws by it.
    async fn apply(
        &self,
        known: &mut Known,
        operation: &Operation,
        said: Option<&str>,
    ) -> Result<Changed, ChangeError> {
        known.asked = None;
        let mut loaded = match self.load().await {
            Ok(loaded) => loaded,
            Err(error) => {
                self.fail(known, describe(&error));
                return Err(ChangeError::Store(error));
            }
        };
        loop {
            let version = loaded.as_ref().map(|loaded| loaded.version.clone());
            let (stored, lacks, damaged) = match self.believe(known, loaded.as_ref()) {
                Ok(Believed { document, lacks }) => (document, lacks, false),
                Err(error) => {
                    let last = self.last_good(known, &error, loaded.as_ref())?;
                    (last, None, true)
                }
            };
            let now = self.shared.clock.now();
            // What is over for everybody leaves the document by the way.
            let settled = settled_up_to(&stored, known.agreement.horizon(now));
            let before = settled.as_ref().unwrap_or(&stored);
            let Applied {
                seen,
                operated,
                next,
            } = applied(before, said, now, operation);
            if let Some(after) = &operated {
                let seen = seen.as_ref().unwrap_or(before);
                limits::check(seen, after, || after.encode().len())?;
            }
            let changed = operated.is_some() || damaged;
            // Where a store may have forgotten, also that it is so already is to be stored: else
            // what somebody remembers would count more than what was said now.
            let is_to_be_said = said.is_some() && self.store.may_lose_state();
            // What is stored must not stay damaged although nothing is to change: the next process
            // to start would know nothing.
            let next = next.or(settled).or_else(|| {
                let is_to_be_stored = lacks.is_some() || damaged || is_to_be_said;
                is_to_be_stored.then(|| stored.clone())
            });
            let Some(mut next) = next else {
                let is_news = known.version != version || known.failure.is_some();
                if is_news || known.at.is_none() {
                    let content = loaded.as_ref().map(|loaded| &*loaded.document);
                    self.adopt(known, stored, version, StateId::of(content));
                }
                return Ok(Changed {
                    changed: false,
                    snapshot: self.shared.published.stored(),
                });
            };
            let newest = known
                .document
                .as_ref()
                .map_or(0, |document| document.generation)
                .max(stored.generation);
            next.generation = newest.saturating_add(1);
            if let Some(key) = said.filter(|_| is_to_be_said) {
                next.modes.entry(key.to_owned()).or_default();
            }
            let next = next.signed(&stored, said, now, random_name);
            let content = next.encode();
            known.asked = Some(next.clone());
            let saved = self.store.save(&content, version.as_ref()).await;
            match saved {
                Ok(Saved::Stored(version)) => {
                    known.asked = None;
                    known.has_saved = true;
                    self.adopt(known, next, Some(version), StateId::of(Some(&content)));
                    return Ok(Changed {
                        changed,
                        snapshot: self.shared.published.stored(),
                    });
                }
                Ok(Saved::Conflict(newer)) => {
                    known.asked = None;
                    loaded = newer;
                }
                Err(error) => {
                    // It may be stored all the same, and no hint may tell.
                    known.look_at = Some(Instant::now() + FIRST_RETRY);
                    match self.fate_of(known, &next, version.as_ref()).await {
                        // It can be seen, and may be gone after a crash.
                        Fate::Done(_) if error.is_of_durability() => {
                            known.asked = None;
                            return Err(ChangeError::NotKnown(error));
                        }
                        Fate::Done(done) => {
                            known.asked = None;
                            tracing::warn!(
                                error = describe(&error),
                                "the maintenance store has taken a change, and says that it failed"
                            );
                            return Ok(Changed { changed, ..done });
                        }
                        Fate::AsBefore => {
                            known.asked = None;
                            return Err(ChangeError::Store(error));
                        }
                        Fate::Overtaken(newer) => {
                            known.asked = None;
                            loaded = newer;
                        }
                        Fate::NotKnown => return Err(ChangeError::NotKnown(error)),
                    }
                }
            }
        }
    }

    /// What a change builds on when what is stored is damaged: the last good document. A newer
    /// format is not damage, and nothing known is nothing to build on.
    fn last_good(
        &self,
        known: &Known,
        error: &DecodeError,
        loaded: Option<&Loaded>,
    ) -> Result<Document, ChangeError> {
        match (error, &known.document) {
            (DecodeError::Damaged(_), Some(document)) => {
                tracing::warn!(
                    %error,
                    content = %Excerpt(&String::from_utf8_lossy(
                        loaded.map_or(&[][..], |loaded| &loaded.document)
                    )),
                    "what the maintenance store holds is damaged and is replaced"
                );
                Ok(document.clone())
            }
            _ => Err(ChangeError::Store(StoreError::new(
                self.misunderstood(error, loaded),
            ))),
        }
    }

    /// When the next edge is due, or the next look at the clock.
    fn next_edge(&self) -> Option<Instant> {
        let snapshot = self.shared.published.stored();
        let now = self.shared.clock.now();
        if !snapshot.is_timed() && !snapshot.is_draining(now) {
            return None;
        }
        let left = snapshot
            .next_edge(now)
            .and_then(|edge| Duration::try_from(edge.duration_since(now)).ok())
            .unwrap_or(LONGEST_NAP);
        Some(Instant::now() + left.min(LONGEST_NAP))
    }

    /// Publishes again when a phase is another, for those who follow changes, and settles what is
    /// over. Requests judge edges by themselves.
    async fn cross_edge(&self, known: &mut Known, heard: &mpsc::UnboundedSender<Heard>) {
        let now = self.shared.clock.now();
        let snapshot = self.shared.published.stored();
        let phases = |at| snapshot.modes.iter().map(move |mode| mode.phase(at));
        let is_outdated = snapshot.modes.iter().any(|mode| mode.is_outdated(now));
        if is_outdated || !phases(snapshot.at).eq(phases(now)) {
            self.publish(known);
        }
        self.settle(known, heard).await;
        self.look_after_drain(known, heard);
    }

    /// Makes a change that nobody asked for. If it fails, it is tried again later.
    async fn try_quietly(&self, known: &mut Known, operation: &Operation) -> Result<(), String> {
        known.settle_after = None;
        let patience = || patience::of_change(&*self.store);
        let change = self.apply(known, operation, None);
        let error = match within(Instant::now(), patience, change).await {
            Ok(Ok(_)) => return Ok(()),
            Ok(Err(error)) => crate::core::text::chain(&error),
            Err(waited) => format!(
                "the store {} did not take a change within {} seconds",
                self.store.url(),
                waited.as_secs()
            ),
        };
        tracing::debug!(error, "what follows by itself could not be stored yet");
        known.settle_after = Some(Instant::now() + SETTLE_RETRY);
        Err(error)
    }
}

/// Between half of the pause and all of it, so that nodes do not come back in one wave.
fn jittered(pause: Duration) -> Duration {
    pause.mul_f64(0.5 + fastrand::f64() / 2.0)
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

fn log_phases(before: &Snapshot, after: &Snapshot) {
    let cause = if before.generation == after.generation {
        "edge"
    } else {
        "change"
    };
    for (old, new) in before.modes.iter().zip(&after.modes) {
        let (old, new_standing) = (old.phase(before.at), new.standing(after.at));
        if old != new_standing.phase {
            let by = new_standing
                .by
                .as_deref()
                .or_else(|| ended_by(before, after, &new.key));
            tracing::info!(
                event = events::PHASE,
                mode = %new.key,
                before = %old,
                phase = %new_standing.phase,
                cause,
                by,
                reason = new_standing.reason,
                generation = after.generation,
                "maintenance changes"
            );
        }
    }
}

/// Who ended what a mode was in, by the history that the change has written.
fn ended_by<'s>(before: &Snapshot, after: &'s Snapshot, mode: &str) -> Option<&'s str> {
    let is_of_mode = |period: &&PastPeriod| period.mode == mode;
    let last = after.history.iter().rev().find(is_of_mode)?;
    let is_new = before.history.iter().rev().find(is_of_mode) != Some(last);
    last.ended_by.as_deref().filter(|_| is_new)
}

/// A store's error with what it follows from.
fn describe(error: &StoreError) -> String {
    crate::core::text::chain(error)
}

#[cfg(test)]
#[path = "driver_tests.rs"]
mod tests;
