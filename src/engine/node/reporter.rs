//! Keeps this process's lease, and what it tells, for as long as the driver runs.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, sleep, timeout},
};

use super::own_node::{FIGURES_EVERY, OwnNode};
use crate::{
    engine::{
        events::NODE_UNREPORTED,
        fleet::{
            report::NodeReport,
            trace::{TRACE_LIVES, TRACES, Trace, renewed_every},
        },
        inside::sessions::FleetKey,
        leases::{
            held_lease::HeldLease,
            keeper::LeaseKeeper,
            wanted::{AcquireError, Wanted},
        },
        shared::Shared,
    },
    settings::WhenCutOff,
    store::{Lease, StoreError},
};

/// The lease whose content is the key by which the nodes of a fleet know visitors. It is kept by
/// all of them, so its holder is the key itself.
const KEY_LEASE: &str = "fleet/key";
/// How often a node looks whether its last requests have ended, while a mode is closed.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How often it looks else. A change of state is never looked for: it is announced.
const LOOK_SELDOM: Duration = Duration::from_secs(1);
/// How long the end of the process waits for the lease to leave the store.
const LEAVE_PATIENCE: Duration = Duration::from_secs(1);

/// The driver is asked to read the store again, and tells whether it could.
pub(crate) type LookAgain = oneshot::Sender<bool>;

/// Keeps this process's lease, and what is known of the others, up to date.
pub(crate) struct Reporter {
    pub(crate) shared: Arc<Shared>,
    pub(crate) leases: LeaseKeeper,
    pub(crate) look_again: mpsc::UnboundedSender<LookAgain>,
    pub(crate) published: watch::Receiver<u64>,
}

impl Reporter {
    /// Runs until it is told to leave, or nobody is left who could; then the lease leaves the
    /// store.
    pub(crate) async fn run(self, leave: oneshot::Receiver<()>) {
        // Outside of what is broken off, since a lease that is dropped waits for this runtime.
        let mut held = None;
        let mut leaving = self.own_node().leaving.subscribe();
        tokio::select! {
            _ = leave => {}
            _ = leaving.wait_for(|leaving| *leaving) => {}
            () = self.be_a_node(&mut held) => {}
            () = self.listen() => {}
        }
        if self.own_node().is_taken() {
            // First, so that nobody finds neither. What does not leave in time lapses.
            let left = timeout(LEAVE_PATIENCE, self.leave_trace(true)).await;
            if let Ok(Err(error)) = left {
                tracing::debug!(%error, "the other nodes are not told that this one leaves");
            }
        }
        if let Some(held) = held {
            let _ = timeout(LEAVE_PATIENCE, HeldLease::release(held)).await;
        }
        self.own_node().left.send_replace(true);
    }

    fn own_node(&self) -> &OwnNode {
        &self.shared.own_node
    }

    /// Asks who is live when somebody wants to know.
    async fn listen(&self) {
        loop {
            self.own_node().look.notified().await;
            self.ask().await;
            sleep(LOOK_EVERY).await;
        }
    }

    async fn ask(&self) {
        match self.leases.fleet().await {
            Ok(fleet) => {
                self.own_node().heard(fleet);
            }
            Err(error) => tracing::debug!(%error, "the nodes could not be listed"),
        }
    }

    async fn be_a_node(&self, held: &mut Option<HeldLease>) {
        let mut wanted = self.own_node().wanted.subscribe();
        if wanted.wait_for(|wanted| *wanted).await.is_err() {
            return;
        }
        loop {
            let joined = self.join(held).await;
            self.own_node().joined.send_replace(true);
            match (joined, &*held) {
                (Ok(()), Some(lease)) => {
                    if self.own_node().set_unreported(None) {
                        tracing::info!(
                            node = %self.own_node().plan.identity.id,
                            "this node reports to the others again"
                        );
                    }
                    self.tell(lease).await;
                }
                (Err(error), _) => self.cannot_report(&error),
                (Ok(()), None) => {}
            }
            // It is lost, or was never there. What others see of it stays: it lapses by their
            // clocks, while this node is still at work.
            if let Some(lost) = held.take() {
                if self.own_node().plan.when_cut_off == WhenCutOff::Close {
                    tracing::warn!(
                        "this node is cut off from the others, and closed until it is back"
                    );
                    self.announce();
                }
                lost.abandon();
            }
            sleep(self.own_node().plan.time_to_live / 12).await;
        }
    }

    /// Tells once that the others do not hear of this node, in the log and in its own status.
    fn cannot_report(&self, error: &AcquireError) {
        let own_node = self.own_node();
        let why = format!("this node cannot report to the others: {}", error);
        if own_node.set_unreported(Some(why)) {
            tracing::error!(
                event = NODE_UNREPORTED,
                %error,
                node = %own_node.plan.identity.id,
                when_cut_off = own_node.plan.when_cut_off.as_str(),
                "this node cannot report to the others; who waits for all nodes may not know of it; \
                 it tries again"
            );
        }
    }

    /// Puts the lease, then reads the state, then relies on the lease: in this order.
    async fn join(&self, held: &mut Option<HeldLease>) -> Result<(), AcquireError> {
        let own_node = self.own_node();
        self.share_key().await?;
        self.leases.mark().await?;
        self.leave_trace(false).await?;
        let identity = &own_node.plan.identity;
        let wanted = Wanted::own(
            identity.lease_name(),
            &identity.id,
            own_node.first_report().encode(),
        );
        let lease = held.insert(
            self.leases
                .acquire(wanted.time_to_live(own_node.plan.time_to_live).once())
                .await?,
        );
        if !self.announce().await.unwrap_or(false) {
            return Err(StoreError::new("the store cannot be read").into());
        }
        own_node.fence.0.store(lease.deadline());
        self.announce();
        tracing::debug!(node = %identity.id, "this process is a node of the fleet");
        self.ask().await;
        Ok(())
    }

    /// Puts what others know this node by when its lease is gone.
    async fn leave_trace(&self, left: bool) -> Result<(), StoreError> {
        let own_node = self.own_node();
        let identity = &own_node.plan.identity;
        let trace = Trace {
            left,
            ..own_node.first_report().trace()
        };
        let name = format!("{TRACES}{}", identity.id);
        let lease = Lease::new(name, &identity.id, trace.encode())?;
        // Who has left is forgotten when nobody can remember the lease any more.
        let lives = match left {
            true => own_node.plan.time_to_live * 2,
            false => TRACE_LIVES,
        };
        self.leases.leave_behind(lease, lives).await
    }

    /// Has the state read again, and told to those who follow it.
    fn announce(&self) -> oneshot::Receiver<bool> {
        let (reply, answer) = oneshot::channel();
        // Without a driver the process ends.
        let _ = self.look_again.send(reply);
        answer
    }

    /// Agrees with the other nodes on the key by which they know visitors.
    async fn share_key(&self) -> Result<(), AcquireError> {
        let key = match self.shared.sessions.fleet_key() {
            Some(key) => key,
            None => FleetKey::random(),
        };
        let time_to_live = self.own_node().plan.time_to_live;
        match self
            .leases
            .keep_shared(KEY_LEASE, key.as_text(), time_to_live)
            .await?
        {
            Some(theirs) => self.shared.sessions.share_key(FleetKey::from_text(&theirs)),
            None => self.shared.sessions.share_key(key),
        }
        Ok(())
    }

    /// Tells what there is to tell until the lease is lost.
    async fn tell(&self, lease: &HeldLease) {
        let own_node = self.own_node();
        let mut published = self.published.clone();
        let mut told: Option<(NodeReport, Instant)> = None;
        let mut key_renewed = Instant::now();
        let time_to_live = own_node.plan.time_to_live;
        let mut trace_due = Instant::now() + renewed_every(time_to_live);
        // Often enough for the trace, whose age tells others how old the lease may be.
        let seldom = LOOK_SELDOM.min(time_to_live / 12);
        loop {
            published.mark_unchanged();
            let report = own_node.report(&self.shared);
            let waits = report.is_waited_for();
            let is_due = told.as_ref().is_none_or(|(before, at)| {
                let has_figures = waits || report.parked != before.parked;
                report.is_news_after(before) || (has_figures && at.elapsed() >= FIGURES_EVERY)
            });
            if is_due {
                lease.tell_now(report.encode());
                told = Some((report, Instant::now()));
            } else {
                lease.tell(report.encode());
            }
            if key_renewed.elapsed() >= time_to_live / 2 {
                key_renewed = Instant::now();
                if let Err(error) = self.share_key().await {
                    tracing::debug!(%error, "the key of the fleet was not renewed");
                }
            }
            if trace_due <= Instant::now() {
                let pause = match self.leave_trace(false).await {
                    Ok(()) => renewed_every(time_to_live),
                    Err(error) => {
                        tracing::debug!(%error, "the trace of this node was not renewed");
                        // Soon, and not at each look: a store that fails is not to be pressed.
                        seldom
                    }
                };
                trace_due = Instant::now() + pause;
            }
            tokio::select! {
                changed = published.changed() => if changed.is_err() { return },
                () = sleep(if waits { LOOK_EVERY } else { seldom }) => {}
                () = lease.lost() => return,
            }
        }
    }
}
