//! Whom a change has reached: the nodes that go by it, and those that do not yet.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{
    context::Context,
    failure::Failure,
    wording::{self, line},
};
use crate::{
    core::status::{store::StoreStatus, whole::Status},
    engine::barrier::Safe,
};

/// How long nodes may take to follow before they are named, and how often they are looked at.
const PATIENCE: Duration = Duration::from_secs(1);
const LOOK: Duration = Duration::from_millis(20);

/// Whom a change has reached.
#[derive(Debug)]
pub(super) enum Reach {
    /// These go by it.
    Nodes {
        applied: usize,
        all: usize,
        /// Who does not, in words.
        missing: Vec<String>,
    },
    /// No app reports to the store.
    Nobody,
    /// The store does not tell who there is.
    Unknown(String),
}

impl Reach {
    /// Waits a moment for all nodes.
    pub(super) async fn find(context: &Context<'_>) -> Self {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let reach = match context.site.ask_status().await {
                Ok(status) => Self::of(&status),
                Err(error) => return Self::Unknown(error),
            };
            match &reach {
                Self::Nodes { missing, .. } if !missing.is_empty() && Instant::now() < deadline => {
                }
                _ => return reach,
            }
            sleep(context.site.pause(LOOK)).await;
        }
    }

    /// Whom the state that a status tells of has reached.
    pub(super) fn of(status: &Status) -> Self {
        let behind = status.nodes.iter().filter(|node| !node.up_to_date);
        let behind = behind.map(|node| line(&node.id));
        let unheard = status.unheard.iter().filter(|node| node.waited_for);
        let unheard = unheard.map(|node| {
            let age = wording::duration(Duration::from_secs(node.age));
            format!("{} (not heard of for {age})", line(&node.id))
        });
        let missing: Vec<String> = behind.chain(unheard).collect();
        let applied = status.nodes.iter().filter(|node| node.up_to_date).count();
        match applied + missing.len() {
            0 => Self::Nobody,
            all => Self::Nodes {
                applied,
                all,
                missing,
            },
        }
    }

    /// What follows the phase in a sentence.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Nodes { applied, all, .. } => format!(" on {applied} of {all} nodes"),
            Self::Nobody | Self::Unknown(_) => String::new(),
        }
    }

    pub(super) fn document(&self) -> Value {
        match self {
            Self::Nodes {
                applied,
                all,
                missing,
            } => json!({"nodes": applied, "of": all, "missing": missing}),
            Self::Nobody => json!({"nodes": 0, "of": 0, "missing": []}),
            Self::Unknown(_) => Value::Null,
        }
    }

    /// Tells who has not been reached.
    pub(super) fn tell(&self, context: &Context<'_>) {
        match self {
            Self::Nodes { missing, .. } if missing.is_empty() => {}
            Self::Nodes { missing, .. } => context
                .output
                .warn(&format!("not reached yet: {}", missing.join(", "))),
            Self::Nobody => context.output.note(&nobody(&context.site.status().store)),
            Self::Unknown(error) => context
                .output
                .warn(&format!("nobody knows whom it reached: {}", line(error))),
        }
    }
}

fn nobody(store: &StoreStatus) -> String {
    format!("no app reports to {}", line(&store.url))
}

/// Refuses to call safe what nobody has told of, and says on whom it depends.
pub(super) fn is_safe(context: &Context<'_>, safe: &Safe, no_nodes: bool) -> Result<(), Failure> {
    if safe.nodes == 0 && !no_nodes {
        return Err(Failure::cancelled(format!(
            "{}, so nobody knows whether {} is empty; give --no-nodes if no app runs",
            nobody(&context.site.status().store),
            context.mode()
        )));
    }
    for node in &safe.if_dead {
        let age = wording::duration(Duration::from_secs(node.age));
        context.output.warn(&format!(
            "safe, if {}, not heard of for {age}, is dead",
            line(&node.id)
        ));
    }
    Ok(())
}
