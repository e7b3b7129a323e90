//! Why a command did not do what it was asked, and the exit code that says so.

use crate::{
    core::text::chain,
    engine::{
        change_error::{ChangeError, not_known},
        task::TaskError,
    },
    settings::SettingsError,
    web::setup::builder::BuildError,
};

/// The exit codes that every command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Exit {
    Failed = 1,
    Usage = 2,
    StoreOutOfReach = 3,
    Cancelled = 4,
}

/// Why a command failed, in words, and its exit code.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) exit: Exit,
    pub(super) message: String,
    /// Each fault of the settings, if that is why.
    pub(super) faults: Vec<String>,
    /// What it says of who holds a mode.
    pub(super) of_hold: Option<OfHold>,
}

/// What a failure says of who holds a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OfHold {
    /// Another job holds it, which may be waited for.
    Taken,
    /// Others have seen this job die, or hold the lock now.
    Lost,
    /// Somebody has switched the mode off.
    TakenAway,
}

impl Failure {
    pub(super) fn failed(message: impl Into<String>) -> Self {
        Self::new(Exit::Failed, message)
    }

    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(super) fn store(message: impl Into<String>) -> Self {
        Self::new(Exit::StoreOutOfReach, message)
    }

    pub(super) fn cancelled(message: impl Into<String>) -> Self {
        Self::new(Exit::Cancelled, message)
    }

    /// Of a change that was not made, by the word for why.
    pub(super) fn of_change(code: &str, message: impl Into<String>) -> Self {
        let exit = match code {
            "not-stored" | "not-known" => Exit::StoreOutOfReach,
            "unknown-mode" | "plan" | "text" | "grant" | "park" => Exit::Usage,
            _ => Exit::Failed,
        };
        let of_hold = match code {
            "held" | "locked" => Some(OfHold::Taken),
            "holder-lost" | "lock-lost" => Some(OfHold::Lost),
            "not-held" => Some(OfHold::TakenAway),
            _ => None,
        };
        Self {
            of_hold,
            ..Self::new(exit, message)
        }
    }

    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            faults: Vec::new(),
            of_hold: None,
        }
    }
}

impl From<ChangeError> for Failure {
    fn from(error: ChangeError) -> Self {
        let message = match &error {
            // Its text says what failed; what that follows from is said, too.
            ChangeError::Store(source) => {
                format!("maintenance could not be changed: {}", chain(source))
            }
            ChangeError::NotKnown(source) => not_known(chain(source)),
            other => other.to_string(),
        };
        Self::of_change(error.code(), message)
    }
}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        let exit = match &error {
            TaskError::Store(_) => Exit::StoreOutOfReach,
            TaskError::Name { .. } | TaskError::Mode(_) => Exit::Usage,
            _ => Exit::Failed,
        };
        let message = match &error {
            TaskError::Store(source) => format!("the task could not be started: {}", chain(source)),
            other => other.to_string(),
        };
        Self::new(exit, message)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Store(error) => Self::store(chain(&error)),
            BuildError::Settings(error) => error.into(),
            other => Self::failed(other.to_string()),
        }
    }
}

impl From<SettingsError> for Failure {
    fn from(error: SettingsError) -> Self {
        let faults = error.faults().iter().map(ToString::to_string);
        Self {
            faults: faults.collect(),
            ..Self::failed(error.to_string())
        }
    }
}
