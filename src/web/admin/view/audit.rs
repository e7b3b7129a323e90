//! Who did what, as the dashboard shows it.

use serde::Serialize;

use super::{Reader, Shown};
use crate::core::audit::{AuditEntry, AuditOutcome};

/// How many entries are shown: the rest is in `/audit` and in the file.
pub(crate) const SHOWN: usize = 20;

#[derive(Debug, Serialize)]
pub(super) struct AuditShown {
    at: Shown,
    /// The word that the file has, by which people look for it there.
    what: String,
    mode: Option<String>,
    by: Option<String>,
    /// In which way, and from where.
    how: String,
    why: Option<String>,
    is_done: bool,
    outcome: &'static str,
}

impl AuditShown {
    pub(super) fn new(entry: &AuditEntry, labels: &[(&str, &str)], reader: &Reader<'_>) -> Self {
        let key = entry.mode.as_deref();
        let label = labels.iter().find(|(known, _)| Some(*known) == key);
        let how = entry.how.as_str();
        Self {
            at: reader.instant(entry.at),
            what: entry.event.to_string(),
            mode: label
                .map(|(_, label)| (*label).to_owned())
                .or_else(|| entry.mode.clone()),
            by: entry.by.clone(),
            how: match entry.address {
                Some(address) => format!("{how}, {address}"),
                None => how.to_owned(),
            },
            why: entry.why.clone(),
            is_done: entry.outcome == AuditOutcome::Done,
            outcome: entry.outcome.as_str(),
        }
    }
}
