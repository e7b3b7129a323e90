//! The one that sends: it waits for its turn, and then serves each target in a task of its own.

use std::{sync::Arc, time::Duration};

use jiff::Timestamp;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
    time::{sleep, timeout},
};
use ureq::http::Method;

use super::{
    desk::NoticeDesk,
    payload::message,
    silences::Silences,
    target::{Kind, Refusal, Target},
};
use crate::{
    core::state::{
        Document,
        notice::{Notice, Outcome},
    },
    engine::{
        driver::{NoticeCommand, Operation},
        events,
        leases::{content::Content, held_lease::HeldLease, keeper::LeaseKeeper, wanted::Wanted},
        shared::Shared,
    },
};

/// The lease of whoever sends.
const LEASE: &str = "notices";
/// How long one waits for its turn before it asks anew.
const TURN: Duration = Duration::from_secs(60);
const RETRY: Duration = Duration::from_secs(1);
/// How often a message is tried that the target does not take as it is.
const TRIES_OF_CONTENT: u32 = 3;

pub(crate) struct Sender {
    pub(crate) shared: Arc<Shared>,
    pub(crate) leases: LeaseKeeper,
    pub(crate) commands: mpsc::UnboundedSender<NoticeCommand>,
}

impl Sender {
    /// Sends whenever it is this process's turn. It ends with the runtime.
    pub(crate) async fn run(self) {
        let sender = Arc::new(self);
        loop {
            let now = sender.shared.clock.now();
            let (content, holder) = Content::of_this_process(None, now);
            let wanted = Wanted::alone(LEASE, holder, content.encode())
                .time_to_live(sender.shared.own_node.plan.time_to_live)
                .waiting(TURN);
            match sender.leases.acquire(wanted).await {
                Ok(lease) => {
                    tracing::debug!("this node tells others of changes");
                    Arc::clone(&sender).serve(Arc::new(lease)).await;
                }
                Err(error) => {
                    tracing::debug!(%error, "another node tells others of changes, or none can");
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Serves every target for as long as the lease is held.
    async fn serve(self: Arc<Self>, lease: Arc<HeldLease>) {
        while !self.store(known_by(self.desk().names())).await {
            if !lease.is_held() {
                return;
            }
            sleep(RETRY).await;
        }
        self.desk().set_sends(true);
        let mut serving = JoinSet::new();
        for target in &self.desk().targets {
            let (sender, target) = (Arc::clone(&self), Arc::clone(target));
            let lease = Arc::clone(&lease);
            serving.spawn(async move {
                match target.kind {
                    Kind::Alertmanager { .. } => sender.silence(&target, &lease).await,
                    Kind::Webhook { .. } | Kind::Slack => sender.feed(&target, &lease).await,
                }
            });
        }
        lease.lost().await;
        self.desk().set_sends(false);
        // They are stopped with it.
    }

    fn desk(&self) -> &NoticeDesk {
        &self.shared.notices
    }

    /// Has something stored of notices. `false`: not now.
    async fn store(&self, operation: Operation) -> bool {
        let (reply, stored) = oneshot::channel();
        let sent = self.commands.send(NoticeCommand { operation, reply });
        sent.is_ok() && stored.await.unwrap_or(false)
    }

    /// Notes what became of a try, until that is stored: what is not noted is sent again.
    async fn note(&self, target: &Target, outcome: Outcome) {
        for _ in 0..10 {
            let (name, what) = (target.name.clone(), outcome.clone());
            let operation: Operation =
                Box::new(move |document: &Document, now| document.with_outcome(&name, &what, now));
            if self.store(operation).await {
                return;
            }
            sleep(RETRY).await;
        }
    }

    /// Sends a target one notice after the other.
    async fn feed(&self, target: &Arc<Target>, lease: &HeldLease) {
        let mut known = self.desk().follow();
        let mut failed = 0_u32;
        loop {
            let notices = known.borrow_and_update().clone();
            let next = notices
                .as_deref()
                .and_then(|it| it.next_for(&target.name, &target.interest).cloned());
            let Some(notice) = next else {
                if known.changed().await.is_err() {
                    return;
                }
                continue;
            };
            if !lease.is_held() {
                return;
            }
            let sequence = notice.sequence;
            match self.send(target, notice).await {
                Ok(()) => {
                    self.is_back(target, failed);
                    failed = 0;
                    self.note(target, Outcome::Sent(sequence)).await;
                }
                Err(refusal) => {
                    failed = failed.saturating_add(1);
                    self.is_failing(target, &refusal, failed);
                    if refusal.is_of_content() && failed >= TRIES_OF_CONTENT {
                        failed = 0;
                        let outcome = Outcome::GivenUp(sequence, refusal.why);
                        self.note(target, outcome).await;
                        continue;
                    }
                    if failed == 1 {
                        self.note(target, Outcome::Failing(refusal.why)).await;
                    }
                    let pause = pause_after(failed);
                    sleep(refusal.wait.map_or(pause, |wait| wait.max(pause))).await;
                }
            }
        }
    }

    async fn send(&self, target: &Arc<Target>, notice: Notice) -> Result<(), Refusal> {
        let shared = Arc::clone(&self.shared);
        let target = Arc::clone(target);
        let at = shared.clock.now();
        blocking(move || {
            let text = (shared.notices.text)(&notice, &target).map_err(|why| Refusal {
                why: format!("its text cannot be made: {why}"),
                status: None,
                wait: None,
            })?;
            let label = label_of(&shared, &notice.mode);
            let message = message(&notice, &target, &label, &text, at);
            let sent = target.call(&Method::POST, "", &message.headers, Some(message.body));
            sent.map(drop)
        })
        .await
    }

    /// Keeps the silences of a target in step with what is.
    async fn silence(&self, target: &Arc<Target>, lease: &HeldLease) {
        let mut known = self.desk().follow();
        let mut silences = Silences::default();
        let mut failed = 0_u32;
        loop {
            let notices = known.borrow_and_update().clone();
            if !lease.is_held() {
                return;
            }
            let mut pause = None;
            if let Some(notices) = notices {
                let now = self.shared.clock.now();
                let (of_round, round_target) = (silences.clone(), Arc::clone(target));
                let former = notices
                    .targets
                    .get(&target.name)
                    .cloned()
                    .unwrap_or_default();
                let done = blocking(move || {
                    let mut silences = of_round;
                    let round = silences.round(&round_target, &notices, now);
                    Ok((round, silences))
                });
                let Ok((round, after)) = done.await else {
                    return;
                };
                silences = after;
                let is_news = round.made != former.silences;
                match round.failed {
                    Some(refusal) => {
                        failed = failed.saturating_add(1);
                        self.is_failing(target, &refusal, failed);
                        if is_news {
                            self.note(target, Outcome::Silenced(round.made)).await;
                        }
                        if failed == 1 {
                            self.note(target, Outcome::Failing(refusal.why)).await;
                        }
                        let usual = pause_after(failed);
                        pause = Some(refusal.wait.map_or(usual, |wait| wait.max(usual)));
                    }
                    None => {
                        self.is_back(target, failed);
                        failed = 0;
                        if is_news || former.failing_since.is_some() {
                            self.note(target, Outcome::Silenced(round.made)).await;
                        }
                        pause = round.next.map(|next| until(next, self.shared.clock.now()));
                    }
                }
            }
            match pause {
                // A target that fails is left alone, whatever changes.
                Some(pause) if failed > 0 => sleep(pause).await,
                Some(pause) => {
                    // Whichever comes first.
                    let _ = timeout(pause, known.changed()).await;
                }
                None if known.changed().await.is_err() => return,
                None => {}
            }
        }
    }

    fn is_failing(&self, target: &Target, refusal: &Refusal, failed: u32) {
        if failed == 1 {
            tracing::warn!(
                event = events::NOTICE_FAILED,
                target = target.name,
                host = target.host(),
                error = refusal.why,
                "somebody who is to be told of changes cannot be reached"
            );
        }
    }

    fn is_back(&self, target: &Target, failed: u32) {
        if failed > 0 {
            tracing::info!(
                event = events::NOTICE_BACK,
                target = target.name,
                "somebody who is told of changes can be reached again"
            );
        }
    }
}

/// Takes note of the targets that there are.
fn known_by(names: Vec<String>) -> Operation {
    Box::new(move |document: &Document, now| document.with_targets(&names, now))
}

/// How long it is until an instant, by the clock of this process; looked at again soon, should that be
/// set.
fn until(instant: Timestamp, now: Timestamp) -> Duration {
    const LONGEST_NAP: Duration = Duration::from_secs(5);
    let left = Duration::try_from(instant.duration_since(now)).unwrap_or_default();
    left.clamp(Duration::from_millis(10), LONGEST_NAP)
}

fn label_of(shared: &Shared, mode: &str) -> String {
    let known = shared.modes.iter().find(|it| it.key == mode);
    known.map_or_else(|| mode.to_owned(), |it| it.label.clone())
}

/// Runs what blocks where nothing waits for it.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| {
        Err(Refusal {
            why: "the call was broken off".to_owned(),
            status: None,
            wait: None,
        })
    })
}

/// How long to wait before a try is repeated, after so many in a row have failed.
fn pause_after(failed: u32) -> std::time::Duration {
    const LONGEST: std::time::Duration = std::time::Duration::from_secs(300);
    let seconds = 1_u64 << failed.saturating_sub(1).min(9);
    crate::clock::chance::jittered(std::time::Duration::from_secs(seconds).min(LONGEST))
}
