//! On what it depends that it is safe.

use crate::core::status::{UnheardNode, whole::Status};

/// That it is safe, and on what that depends: as the nodes were when they were listed for the answer.
/// A moment later one that was taken for dead may be back.
#[derive(Debug)]
pub(crate) struct Safe {
    /// How many nodes reported.
    pub(crate) nodes: usize,
    /// Those that are taken for dead, while nobody can tell.
    pub(crate) if_dead: Vec<UnheardNode>,
}

impl Safe {
    /// A status of now, with those on whom the answer depends.
    pub(crate) fn told_in(&self, mut status: Status) -> Status {
        let depends = |node: &UnheardNode| self.if_dead.iter().any(|it| it.id == node.id);
        status.unheard.retain(|node| !depends(node));
        status.unheard.extend(self.if_dead.iter().cloned());
        status
    }
}
