//! Why a server did not do what it was asked.

use std::time::Duration;

use crate::core::schedule::duration_in_words;

/// What has happened, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::store) struct Reason {
    pub(in crate::store) text: String,
    /// Whether trying again cannot help before somebody has changed the settings or the server's.
    pub(in crate::store) is_permanent: bool,
}

/// A failure of one request, and what it says of the connection.
#[derive(Debug)]
pub(in crate::store) struct Failure {
    pub(in crate::store) reason: Reason,
    /// The connection is of no use any more, or leads to the wrong place.
    pub(in crate::store) is_lost: bool,
    /// It was closed, as one that was idle for long may be. What was asked may have been done.
    pub(in crate::store) is_dropped: bool,
}

pub(in crate::store) const SILENT: &str = "it does not answer in time; check that the server is up, not \
     overloaded, and can be reached";

pub(in crate::store) const NOTHING_LISTENS: &str =
    "nothing listens there; start the server, or correct the address";

impl Reason {
    /// One that may pass.
    pub(in crate::store) fn passing(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_permanent: false,
        }
    }

    /// One that stays until somebody does something about it.
    pub(in crate::store) fn permanent(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_permanent: true,
        }
    }

    /// It has not answered for so long.
    pub(in crate::store) fn silent(waited: Duration) -> Self {
        Self::passing(format!(
            "{SILENT} (waited for {})",
            duration_in_words(waited)
        ))
    }
}
