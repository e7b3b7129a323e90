//! When what is over leaves the document: once it is over by every clock.

use tokio::{sync::mpsc, time::Instant};

use super::{
    Driver, Known, Operation,
    agreement::{FIRST_PAUSE, LONGEST_PAUSE},
    drain::Heard,
};
use crate::core::state::settle::{seen, settled_up_to};

/// How much less often than the first of the nodes the others ask what time it is.
const OTHERS: u32 = 10;

impl Driver {
    /// Turns what is over for everybody into history. A failure is no harm: what is over stays over,
    /// and it is tried again.
    pub(super) async fn settle(&self, known: &mut Known, heard: &mpsc::UnboundedSender<Heard>) {
        let is_due = known
            .settle_after
            .is_none_or(|after| after <= Instant::now());
        let (Some(document), true, None) = (&known.document, is_due, self.plan.forced) else {
            return;
        };
        let now = self.shared.clock.now();
        if settled_up_to(document, known.agreement.horizon(now)).is_some() {
            // Every change settles what is over for everybody; this one does nothing else.
            let nothing: Operation = Box::new(|_, _| None);
            // It has been noted when to try again.
            let _ = self.try_quietly(known, &nothing).await;
        } else if seen(document, now).is_some() {
            self.ask_for_time(known, heard);
        } else {
            known.agreement.pause = FIRST_PAUSE;
        }
    }

    /// Asks what time it is for the other nodes. One of the nodes is enough to ask often.
    fn ask_for_time(&self, known: &mut Known, heard: &mpsc::UnboundedSender<Heard>) {
        let own_node = &self.shared.own_node;
        let agreement = &mut known.agreement;
        let pause = match own_node.is_first() {
            true => agreement.pause,
            false => agreement.pause * OTHERS,
        };
        let is_due = agreement.asked_at.is_none_or(|at| at.elapsed() >= pause);
        if is_due && !known.is_looking && own_node.is_taken() {
            agreement.asked_at = Some(Instant::now());
            agreement.pause = (agreement.pause * 2).min(LONGEST_PAUSE);
            self.look_at_nodes(known, heard);
        }
    }

    /// Takes note of what time it is for all nodes, if all of them tell.
    pub(super) async fn agree(&self, known: &mut Known, heard: &Heard) {
        let own_node = &self.shared.own_node;
        let (Ok(fleet), true) = (heard, own_node.is_taken()) else {
            return;
        };
        let fleet = own_node
            .heard(fleet.clone())
            .with_own(own_node.report(&self.shared));
        let Some(mut agreed) = fleet.time_passed() else {
            return;
        };
        // The store's clock has a say, too: this may be the only node, and wrong.
        let ahead = self.shared.freshness.ahead().unwrap_or_default();
        if let Ok(theirs) = self.shared.clock.now().checked_sub(ahead) {
            agreed = agreed.min(theirs);
        }
        let is_believed = self.leases.unsure_for(own_node.plan.time_to_live).await;
        if matches!(is_believed, Ok(None)) {
            known.agreement.until = known.agreement.until.max(Some(agreed));
        }
    }
}
