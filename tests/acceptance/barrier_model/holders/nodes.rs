//! What nodes do: they go by the document, and look after the job that holds the mode.

use super::{Document, Guard, IfLost, Node, Protocol, TIME_TO_LIVE, World};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum OfNode {
    Read,
    PutBack,
    Look,
    Stop,
    Wake,
}

impl Protocol {
    pub(super) fn at_once_by_node(&self, world: &World, place: usize) -> Option<OfNode> {
        let node = &world.nodes[place];
        if node.is_stopped {
            None
        } else if self.puts_back && world.is_behind(node.knows.number) {
            Some(OfNode::PutBack)
        } else if world.document() != node.knows {
            Some(OfNode::Read)
        } else if self.is_to_look(node) {
            Some(OfNode::Look)
        } else {
            None
        }
    }

    fn is_to_look(&self, node: &Node) -> bool {
        let is_due = !node.has_looked || node.believes == 0;
        self.looks_after_jobs && node.knows.living().is_some() && is_due
    }

    pub(super) fn node_does(&self, world: &mut World, place: usize, does: &OfNode) {
        let document = world.document();
        let node = &mut world.nodes[place];
        match does {
            OfNode::Read => {
                if document.living() != node.knows.living() {
                    node.believes = match document.living() {
                        Some(_) => TIME_TO_LIVE,
                        None => 0,
                    };
                    node.has_seen = false;
                    node.has_looked = false;
                }
                node.knows = document;
            }
            OfNode::PutBack => world.stored = Some(node.knows),
            OfNode::Look => self.look(world, place),
            OfNode::Stop => node.is_stopped = true,
            OfNode::Wake => node.is_stopped = false,
        }
    }

    fn look(&self, world: &mut World, place: usize) {
        let document = world.document();
        let Some(holds) = document.living() else {
            return;
        };
        let node = &mut world.nodes[place];
        let lease = world.jobs[holds].lease;
        node.has_looked = true;
        let is_late = std::mem::take(&mut node.is_late);
        if lease > 0 {
            node.believes = lease;
            node.has_seen = true;
            return;
        }
        // The node may have been stopped together with the job.
        if is_late && self.believes_when_late {
            node.believes = TIME_TO_LIVE;
            node.has_seen = false;
            return;
        }
        if node.believes > 0 {
            // It cannot have lapsed yet: the store has lost it, and it may have been renewed since.
            if node.has_seen && self.believes_after_an_eviction {
                node.believes = TIME_TO_LIVE;
                node.has_seen = false;
            }
            return;
        }
        let remembers = *world.remembers.get_or_insert(0);
        if self.asks_since_when && remembers < TIME_TO_LIVE {
            node.believes = TIME_TO_LIVE - remembers;
            node.has_seen = false;
            return;
        }
        world.write(match self.if_lost {
            IfLost::Stay => Document {
                guard: Some(Guard {
                    job: holds,
                    is_lost: true,
                }),
                ..document
            },
            IfLost::Reopen => Document {
                guard: None,
                reopened: Some(holds),
                ..document
            },
        });
    }
}
