//! Who may look in although a mode is closed, as the dashboard shows it.

use serde::Serialize;

use super::{Reader, Shown};
use crate::core::status::grants::GrantStatus;

#[derive(Debug, Serialize)]
pub(super) struct GrantShown {
    name: String,
    kind: String,
    scope: String,
    until: Option<Shown>,
    /// What is said where it has no end of its own.
    end: String,
    uses: u64,
    last_used: Option<String>,
    by: Option<String>,
}

impl GrantShown {
    pub(super) fn new(grant: &GrantStatus, labels: &[(&str, &str)], reader: &Reader<'_>) -> Self {
        let kind = reader.text(&format!("grant_{}", grant.kind.as_str()));
        let modes = grant.modes.iter().map(|key| {
            let known = labels.iter().find(|(known, _)| known == key);
            known.map_or(key.as_str(), |(_, label)| *label)
        });
        let prefixes = grant.prefixes.iter().map(String::as_str);
        let scope: Vec<&str> = modes.chain(prefixes).collect();
        Self {
            name: grant.name.clone(),
            kind: match &grant.address {
                Some(network) => network.clone(),
                None => kind.to_owned(),
            },
            scope: scope.join(", "),
            until: grant.until.map(|until| reader.instant(until)),
            end: reader
                .text(match grant.with_switch {
                    true => "grant_with_switch",
                    false => "grant_no_end",
                })
                .to_owned(),
            uses: grant.uses,
            last_used: grant.last_used.map(|at| reader.instant(at).relative),
            by: grant.by.clone(),
        }
    }
}
