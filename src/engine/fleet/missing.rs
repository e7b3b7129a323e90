//! Who is waited for, and why.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::phase::Phase;

/// Who or what is waited for, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Missing {
    /// The id of a node, the name of a task, the key of the mode, `visitors` or `store`.
    pub name: String,
    /// What it has still to do.
    #[serde(flatten)]
    pub why: WhyMissing,
}

/// Why somebody is waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "why", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WhyMissing {
    /// The node starts and has not read the state yet.
    Starting,
    /// The node has not applied the latest change yet.
    Behind,
    /// The node serves requests that came in before the mode was closed.
    Serving {
        /// How many, when it was last heard of.
        requests: u64,
    },
    /// The mode is not closed on the node, although it has applied the latest change.
    Open {
        /// What it is there.
        phase: Phase,
    },
    /// The node's settings have no such mode, so it is not closed by it.
    NoSuchMode,
    /// The node's report cannot be read: it runs another version, or its lease is damaged.
    Unreadable,
    /// The node was seen and does not report any more, and may be at work all the same.
    Silent {
        /// For how many seconds it has not been heard of.
        seconds: u64,
        /// Whether its process is known to live.
        alive: bool,
    },
    /// A task runs.
    TaskRuns {
        /// Who runs it, and where.
        by: String,
    },
    /// Visitors are inside.
    Inside {
        /// How many, at least.
        visitors: usize,
    },
    /// Everybody has left, and the mode is about to go offline.
    Closing,
    /// The store has forgotten who is live, or is new. Whoever is live reports in this time.
    StoreForgot {
        /// How many seconds that may still take.
        seconds: u64,
    },
    /// The store cannot be asked who is live.
    StoreFails {
        /// What it answers.
        error: String,
    },
}

impl Missing {
    /// That nobody can tell who is missing.
    pub(crate) fn store_fails(error: String) -> Self {
        Self {
            name: "store".to_owned(),
            why: WhyMissing::StoreFails { error },
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.why {
            WhyMissing::Starting => write!(formatter, "node {name} starts"),
            WhyMissing::Behind => {
                write!(formatter, "node {name} has not applied the change yet")
            }
            WhyMissing::Serving { requests: 1 } => {
                write!(formatter, "node {name} serves 1 request")
            }
            WhyMissing::Serving { requests } => {
                write!(formatter, "node {name} serves {requests} requests")
            }
            WhyMissing::Open { phase } => write!(formatter, "node {name} is {phase}"),
            WhyMissing::NoSuchMode => write!(
                formatter,
                "node {name} does not know the mode: its settings have no such key"
            ),
            WhyMissing::Unreadable => write!(
                formatter,
                "node {name} reports what cannot be read: it runs another version, or its lease is \
                 damaged"
            ),
            WhyMissing::Silent { seconds, alive } => {
                write!(
                    formatter,
                    "node {name} has not been heard of for {seconds} s"
                )?;
                match alive {
                    true => formatter.write_str(", and its process lives"),
                    false => Ok(()),
                }
            }
            WhyMissing::TaskRuns { by } => {
                write!(formatter, "task {name} runs, by {by}")
            }
            WhyMissing::Inside { visitors: 1 } => write!(formatter, "1 visitor is inside"),
            WhyMissing::Inside { visitors } => write!(formatter, "{visitors} visitors are inside"),
            WhyMissing::Closing => write!(formatter, "mode {name} is about to go offline"),
            WhyMissing::StoreForgot { seconds } => write!(
                formatter,
                "the store remembers nodes only since a moment ago, or has lost them; whoever is \
                 live reports within {seconds} s"
            ),
            WhyMissing::StoreFails { error } => {
                write!(formatter, "the store cannot tell who is live: {error}")
            }
        }
    }
}
