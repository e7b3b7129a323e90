//! What the driver is asked to change, and what became of it.

use std::sync::Arc;

use jiff::Timestamp;
use tokio::{sync::oneshot, time::Instant};

use crate::{
    core::{audit::Author, snapshot::Snapshot, state::Document},
    engine::change_error::ChangeError,
};

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
    /// Who asks for it.
    pub(crate) author: Author,
    /// Whether hooks are told of what it leads to.
    pub(crate) call_hooks: bool,
}
