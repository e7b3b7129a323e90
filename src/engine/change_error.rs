//! Why a change was not made.

use std::{fmt, time::Duration};

use crate::{
    core::{
        limits::Excess,
        schedule::duration_in_words,
        state::{Document, Hold},
        status::LockHolder,
    },
    settings::Forced,
    store::StoreError,
};

/// Why a change was not made, or may not have been made
/// ([`NotKnown`](Self::NotKnown)). In all other cases what is stored is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// The settings force maintenance on or off, and they win over whatever is stored.
    #[error(
        "maintenance is forced {} by the settings; remove `forced` (or MAINTENANCE_FORCED) to switch it",
        .0.as_str()
    )]
    Forced(Forced),
    /// There is no mode with this key.
    #[error("there is no mode `{key}`; there is {}", .known.join(", "))]
    UnknownMode {
        /// The key that was asked for.
        key: String,
        /// The keys that there are.
        known: Vec<String>,
    },
    /// A hook of the app's refuses the change.
    #[error("the change is refused: {reason}")]
    Refused {
        /// Why, as the hook says.
        reason: String,
    },
    /// Somebody has switched or changed the mode since whoever asked for this change has seen it.
    #[error("the mode `{mode}` has been switched or changed since you looked at it")]
    Outdated {
        /// The mode's key.
        mode: String,
    },
    /// Another guard holds the lock on the mode.
    #[error(
        "the mode `{mode}` is locked by {}{}", .holder.by,
        .holder.since.map(|since| format!(" since {since}")).unwrap_or_default()
    )]
    Locked {
        /// The mode's key.
        mode: String,
        /// Who holds the lock.
        holder: LockHolder,
    },
    /// The store has not heard of the guard for too long. Another may hold the lock on the mode.
    #[error("the lock on the mode `{0}` is lost: another may hold it; the job was stopped")]
    LockLost(String),
    /// A job holds the mode, and only one may: the switch is its own until it lets go.
    #[error("the mode `{mode}` is held by {name}{} since {since}; wait until it is done, or switch the mode off", .by.as_ref().map(|by| format!(" ({by})")).unwrap_or_default())]
    Held {
        /// The mode's key.
        mode: String,
        /// What the job is called.
        name: String,
        /// Who runs it.
        by: Option<String>,
        /// Since when it holds the mode.
        since: jiff::Timestamp,
    },
    /// The lease of the job that held the mode has lapsed, and others have seen that: it decides
    /// nothing any more.
    #[error(
        "the hold on the mode `{0}` is lost: its lease has lapsed, and what was to follow then has; look \
         with `maintenance status`"
    )]
    HolderLost(String),
    /// Nobody holds the mode by what was given: somebody has switched it off meanwhile, or it is
    /// another's.
    #[error(
        "nobody holds the mode `{0}` by this id: somebody has switched it off, or it is another's; look \
         with `maintenance status`"
    )]
    NotHeld(String),
    /// Only a mode that is opening can be paused in that.
    #[error("the mode `{0}` is not opening; `maintenance off --over 10m` opens it share by share")]
    NotOpening(String),
    /// Requests would wait for longer than the setting `park.longest` says.
    #[error(
        "requests may wait for {} at most, as the setting `park.longest` says; give less, or set more",
        duration_in_words(*.longest)
    )]
    Park {
        /// For how long they may wait at most.
        longest: Duration,
    },
    /// What was asked for is no grant.
    #[error("this grant cannot be made: {0}")]
    Grant(String),
    /// There is a grant of this name already.
    #[error("there is a grant `{0}` already; revoke it, or give this one another name")]
    GrantExists(String),
    /// There is no grant of this name.
    #[error("there is no grant `{0}`; look at those that there are with `maintenance grant list`")]
    UnknownGrant(String),
    /// What was asked for makes no sense.
    #[error("this cannot be planned: {0}")]
    Plan(String),
    /// A text is too long, or has control characters.
    #[error("this cannot be stored: {0}")]
    Text(String),
    /// No more windows are stored, so that there is room for switches.
    #[error("no more can be stored: {0}")]
    Full(String),
    /// There is no window with this id.
    #[error("there is no window `{0}`; look at the status for those that there are")]
    UnknownWindow(String),
    /// The store did not take the change: what it holds has been looked at, or it was never asked.
    #[error("maintenance could not be changed: {0}")]
    Store(#[source] StoreError),
    /// The store may have taken the change, or may still take it: it was asked, did not say, and
    /// could not be read afterwards.
    #[error("{}", not_known(.0))]
    NotKnown(#[source] StoreError),
    /// The driver is gone, because the process ends.
    #[error("maintenance is shutting down in this process; try again on another")]
    Stopped,
}

/// That nobody knows whether a change was made, and why.
pub(crate) fn not_known(why: impl fmt::Display) -> String {
    format!(
        "it is not known whether maintenance was changed: {why}; it may have been changed; look \
         with `maintenance status`"
    )
}

impl ChangeError {
    /// The word for what kind of error it is, for programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Forced(_) => "forced",
            Self::UnknownMode { .. } => "unknown-mode",
            Self::Refused { .. } => "refused",
            Self::Outdated { .. } => "outdated",
            Self::Locked { .. } => "locked",
            Self::LockLost(_) => "lock-lost",
            Self::Held { .. } => "held",
            Self::HolderLost(_) => "holder-lost",
            Self::NotHeld(_) => "not-held",
            Self::NotOpening(_) => "not-opening",
            Self::Park { .. } => "park",
            Self::Grant(_) => "grant",
            Self::GrantExists(_) => "grant-exists",
            Self::UnknownGrant(_) => "unknown-grant",
            Self::Plan(_) => "plan",
            Self::Text(_) => "text",
            Self::Full(_) => "full",
            Self::UnknownWindow(_) => "unknown-window",
            Self::Store(_) => "not-stored",
            Self::NotKnown(_) => "not-known",
            Self::Stopped => "stopped",
        }
    }

    /// That somebody else holds a mode, if somebody does who is in the way.
    pub(crate) fn held(document: &Document, mode: &str, hold: Option<&Hold>) -> Option<Self> {
        let holder = document.mode(mode)?.holder_in_the_way(hold?)?;
        Some(Self::Held {
            mode: mode.to_owned(),
            name: holder.name.clone(),
            by: holder.by.clone(),
            since: holder.since,
        })
    }
}

impl From<Excess> for ChangeError {
    fn from(excess: Excess) -> Self {
        if excess.is_of_text() {
            Self::Text(excess.to_string())
        } else {
            Self::Full(excess.to_string())
        }
    }
}
