//! What the lease of a task says of it.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{clock::chance, core::status::LockHolder, store::LiveLease};

/// What of the host's name is in the name of a lease, in characters.
pub(crate) const HOST_LIMIT: usize = 24;

/// What the lease of a task tells. Stored as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    #[serde(default)]
    pub(crate) by: Option<String>,
    pub(crate) host: String,
    pub(crate) pid: u32,
    pub(crate) since: Timestamp,
}

impl Content {
    pub(crate) fn of(lease: &LiveLease) -> Option<Self> {
        serde_json::from_slice(lease.lease.content()).ok()
    }

    /// What something that this process holds tells, and a name for its holder that no other has:
    /// two things that one process holds have two holders.
    pub(crate) fn of_this_process(by: Option<String>, since: Timestamp) -> (Self, String) {
        let host: String = crate::engine::node::host::name()
            .chars()
            .filter(|letter| letter.is_ascii_alphanumeric() || "-._".contains(*letter))
            .take(HOST_LIMIT)
            .collect();
        let pid = std::process::id();
        let token = chance::name(12);
        let holder = format!("{host}-{pid}-{token}");
        let content = Self {
            by,
            host,
            pid,
            since,
        };
        (content, holder)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        // Texts and numbers always have a JSON form.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl fmt::Display for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(by) = &self.by {
            write!(formatter, "{by} ")?;
        }
        write!(formatter, "on {}, process {}", self.host, self.pid)
    }
}

impl LockHolder {
    pub(crate) fn of(lease: &LiveLease) -> Self {
        let content = Content::of(lease);
        Self {
            since: content.as_ref().map(|content| content.since),
            by: match content {
                Some(content) => content.to_string(),
                None => lease.lease.holder().to_owned(),
            },
        }
    }
}
