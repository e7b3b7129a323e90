//! Changes that hold only while a mode is what somebody has seen of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use jiff::Timestamp;

use crate::core::state::{Document, amend::Seen};

/// An operation on the document, as the driver takes it.
type Guarded = Box<dyn Fn(&Document, Timestamp) -> Option<Document> + Send>;

/// Makes of an operation one that does nothing when the mode is not what was seen of it any more.
///
/// It is looked at where the operation is applied, to the very document that the store holds then:
/// nobody can be faster in between.
pub(super) struct IfSeen {
    mode: String,
    seen: Option<Seen>,
    is_other: Arc<AtomicBool>,
}

impl IfSeen {
    pub(super) fn new(mode: &str, seen: Option<Seen>) -> Self {
        Self {
            mode: mode.to_owned(),
            seen,
            is_other: Arc::default(),
        }
    }

    pub(super) fn guard(
        &self,
        operation: impl Fn(&Document, Timestamp) -> Option<Document> + Send + 'static,
    ) -> Guarded {
        let Some(seen) = self.seen.clone() else {
            return Box::new(operation);
        };
        let (mode, is_other) = (self.mode.clone(), Arc::clone(&self.is_other));
        Box::new(move |document, now| {
            let is = Seen::of(document.mode(&mode), now);
            // Each time anew: only the last one counts.
            is_other.store(is != seen, Ordering::Relaxed);
            if is == seen {
                operation(document, now)
            } else {
                None
            }
        })
    }

    /// The mode, if the operation has done nothing because it is something else.
    pub(super) fn outdated(self) -> Option<String> {
        self.is_other.load(Ordering::Relaxed).then_some(self.mode)
    }
}
