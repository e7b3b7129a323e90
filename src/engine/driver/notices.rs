//! What the driver does for notices: it has the sender started, and stores what time leads to.

use tokio::sync::mpsc;

use super::{Driver, Known, NoticeCommand};

#[cfg(feature = "notices")]
impl Driver {
    /// Has this process send when it is its turn. A program that looks and ends leaves that to others,
    /// and so does whoever does not go by the store.
    pub(super) fn tell_others(&self, notes: &mpsc::UnboundedSender<NoticeCommand>) {
        let has_targets = !self.shared.notices.targets.is_empty();
        if self.plan.is_tool || self.plan.forced.is_some() || !has_targets {
            return;
        }
        let sender = crate::engine::notices::Sender {
            shared: std::sync::Arc::clone(&self.shared),
            leases: self.leases.clone(),
            commands: notes.clone(),
        };
        // It ends with the runtime.
        tokio::spawn(sender.run());
    }

    /// Notes what is to be told of what nobody has done: time has, or a hand.
    pub(super) async fn tell_time(&self, known: &mut Known) {
        let is_due = known
            .settle_after
            .is_none_or(|after| after <= tokio::time::Instant::now());
        if !self.shared.notices.sends() || !is_due || known.failure.is_some() {
            return;
        }
        let now = self.shared.clock.now();
        let document = known.document.as_ref();
        if document.is_some_and(|it| it.noticed(now, String::new).is_some()) {
            let told: super::Operation = Box::new(|document, now| {
                let notices = document.noticed(now, super::believe::random_name)?;
                let mut next = document.clone();
                next.notices = Some(notices);
                Some(next)
            });
            // It has been noted when to try again.
            let _ = self.try_quietly(known, &told).await;
        }
    }
}

#[cfg(not(feature = "notices"))]
#[allow(clippy::unused_self, clippy::unused_async)]
impl Driver {
    pub(super) fn tell_others(&self, _: &mpsc::UnboundedSender<NoticeCommand>) {}

    pub(super) async fn tell_time(&self, _: &mut Known) {}
}
