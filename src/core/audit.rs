//! Who did what: the entries of the audit, and what of a change of the document is told in them.
//!
//! Pure: the engine writes the entries down.

mod budget;
mod derive;

use std::{borrow::Cow, net::IpAddr};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::words::words;

pub(crate) use self::{budget::Budget, derive::changes};

/// In which way somebody asks for something.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) enum How {
    /// By the pages of the admin scope, with a session.
    Browser,
    /// By the admin scope, from a program.
    Api,
    /// By the program `maintenance` at the store.
    Cli,
    /// By the app itself.
    #[default]
    Code,
    /// Nobody asked: it was time.
    Schedule,
}

words! {
    /// The word for it, in the file, in JSON and in the log.
    pub(crate) How in JSON {
        Browser = "browser",
        Api = "api",
        Cli = "cli",
        Code = "code",
        Schedule = "schedule",
    }
}

/// Who asks for something, how, and from where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Author {
    pub(crate) by: Option<String>,
    pub(crate) how: How,
    pub(crate) address: Option<IpAddr>,
}

impl Author {
    /// Whoever does what follows by itself.
    pub(crate) fn schedule() -> Self {
        Self {
            how: How::Schedule,
            ..Self::default()
        }
    }

    /// The same, by somebody who is named where the change is asked for.
    pub(crate) fn named(&self, by: Option<&String>) -> Self {
        Self {
            by: by.or(self.by.as_ref()).cloned(),
            ..self.clone()
        }
    }
}

/// The words for what happened. Another kind of event is another word here, and nothing else.
pub(crate) mod event {
    /// A mode is closed, or closing, that was open.
    pub(crate) const ON: &str = "on";
    /// A mode is open that was closed or closing.
    pub(crate) const OFF: &str = "off";
    /// What is said of a closed mode is another, or a closing one is closed.
    pub(crate) const CHANGED: &str = "changed";
    /// A window is planned.
    pub(crate) const PLANNED: &str = "planned";
    /// A window is another than before.
    pub(crate) const WINDOW_CHANGED: &str = "window-changed";
    /// A window is cancelled, or one time of it.
    pub(crate) const CANCELLED: &str = "cancelled";
    /// The job that held a mode has died.
    pub(crate) const HOLDER_LOST: &str = "holder-lost";
    /// All that was stored of a mode is removed.
    pub(crate) const FORGOTTEN: &str = "forgotten";
    /// Somebody may look in by a grant.
    pub(crate) const GRANTED: &str = "granted";
    /// A grant is revoked.
    pub(crate) const REVOKED: &str = "revoked";
    /// A token is used: the first time from an address, and once an hour.
    pub(crate) const TOKEN_USED: &str = "token-used";
    /// A token does not count.
    pub(crate) const TOKEN_REFUSED: &str = "token-refused";
    /// Somebody asked for a change who may not.
    pub(crate) const TOGGLE_REFUSED: &str = "toggle-refused";
    /// Somebody who is known asked to see what they may not.
    pub(crate) const SEE_REFUSED: &str = "see-refused";
    /// So many refused tries were left out, or entries that could not be written.
    pub(crate) const LEFT_OUT: &str = "left-out";
}

/// What became of what somebody asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum AuditOutcome {
    #[default]
    Done,
    /// Somebody may not, or it does not go now.
    Refused,
    /// The store did not take it.
    Failed,
    /// It may have been stored, or not.
    NotKnown,
}

words! {
    /// The word for it, in the file, in JSON and in the log.
    pub(crate) AuditOutcome in JSON {
        Done = "done",
        Refused = "refused",
        Failed = "failed",
        NotKnown = "not-known",
    }
}

/// One line of the audit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct AuditEntry {
    pub(crate) at: Timestamp,
    /// A word of [`event`], or of a newer version.
    pub(crate) event: Cow<'static, str>,
    #[serde(default)]
    pub(crate) outcome: AuditOutcome,
    /// Which mode it is about; `None`: none of them alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mode: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) window: Option<String>,
    #[serde(default)]
    pub(crate) by: Option<String>,
    pub(crate) how: How,
    #[serde(default)]
    pub(crate) address: Option<IpAddr>,
    /// Which process tells it.
    #[serde(default)]
    pub(crate) node: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) generation: Option<u64>,
    /// Why it was refused or failed, or how something ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) before: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) after: Option<Value>,
}

impl AuditEntry {
    pub(crate) fn new(event: &'static str, author: &Author, at: Timestamp) -> Self {
        Self {
            at,
            event: Cow::Borrowed(event),
            by: author.by.clone(),
            how: author.how,
            address: author.address,
            ..Self::default()
        }
    }

    pub(crate) fn of_mode(mut self, mode: Option<&str>) -> Self {
        self.mode = mode.map(str::to_owned);
        self
    }

    pub(crate) fn ending(mut self, outcome: AuditOutcome, why: impl Into<String>) -> Self {
        self.outcome = outcome;
        self.why = Some(why.into());
        self
    }

    /// The line as it stands in a file: one object of JSON without a break in it, in which nothing
    /// is written as it is that a terminal could take for a command.
    pub(crate) fn line(&self) -> String {
        // Texts, numbers and what was JSON before always have a JSON form.
        let json = serde_json::to_string(self).unwrap_or_default();
        let mut line = crate::core::text::escaped_json(&json);
        line.push('\n');
        line
    }

    /// The entry of a line. `None`: it is none, as one that was cut off by a crash.
    pub(crate) fn read(line: &str) -> Option<Self> {
        serde_json::from_str(line).ok()
    }
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
