//! Why a task may not begin.

use jiff::Timestamp;

use crate::{core::phase::Phase, engine::change_error::ChangeError, store::StoreError};

/// Why a task does not run, or does not run any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// Another of its name runs, and one of the two is exclusive.
    #[error(
        "the task `{name}` runs already, by {by}{}",
        .since.map(|since| format!(" since {since}")).unwrap_or_default()
    )]
    Taken {
        /// The task's name.
        name: String,
        /// Who runs it: what it was [told](crate::Task::by), the host and the process.
        by: String,
        /// Since when, if that is known.
        since: Option<Timestamp>,
    },
    /// There is maintenance, and the task is not to run meanwhile.
    #[error(
        "the task `{name}` is refused: the mode `{mode}` is {phase}{}",
        .until.map(|until| format!(" until {until}")).unwrap_or_default()
    )]
    Refused {
        /// The task's name.
        name: String,
        /// The key of the mode that is pending or offline.
        mode: String,
        /// Its phase.
        phase: Phase,
        /// When it is online again, if that is known.
        until: Option<Timestamp>,
    },
    /// The store has not heard of the task for too long, or it was taken over. Another may run.
    #[error("the task `{0}` is lost: another may run in its place; it was stopped")]
    Lost(String),
    /// A name that no task can have.
    #[error("`{name}` cannot be the name of a task: {why}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// There is no mode with the key in which the task is to be refused.
    #[error(transparent)]
    Mode(ChangeError),
    /// The store did not take the task, or could not be asked whether there is maintenance.
    #[error("the task could not be started: {0}")]
    Store(#[source] StoreError),
    /// The process ends.
    #[error("maintenance is shutting down in this process; try again on another")]
    Stopped,
}
