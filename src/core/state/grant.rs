//! Grants as they are stored: who may look in although a mode is closed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Document, horizon::MARGIN};
use crate::core::words::words;

/// How whoever has a grant shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GrantKind {
    /// By a link that they open, and a cookie that remembers it.
    Link,
    /// By a token in the header `X-Maintenance-Grant`.
    Token,
    /// By the network that they come from.
    Address,
}

words! {
    /// The word for it, as in JSON: `link`, `token` or `address`.
    pub GrantKind in JSON {
        Link = "link",
        Token = "token",
        Address = "address",
    }
}

/// What is kept of a secret. It has 32 random bytes, so that nobody can guess what this is the hash of.
pub(crate) type GrantHash = [u8; 32];

/// A grant, as it is stored under its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GrantRecord {
    pub(crate) kind: GrantKind,
    /// Of a link and a token: enough of the secret to know it again, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) hash: Option<String>,
    /// Of an address: the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) address: Option<String>,
    /// The modes that it opens; empty: all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) modes: Vec<String>,
    /// The path prefixes that it opens; empty: all paths.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) prefixes: Vec<String>,
    /// When it ends; `None`: when somebody revokes it.
    #[serde(default)]
    pub(crate) until: Option<Timestamp>,
    #[serde(default)]
    pub(crate) by: Option<String>,
    pub(crate) made_at: Timestamp,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl GrantRecord {
    pub(crate) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now)
    }
}

/// The name of a grant that ends with the switch of a mode.
pub(crate) fn name_with_switch(mode: &str, network: &str) -> String {
    // What has a slash in it would not be one part of a path.
    format!("{mode}-{}", network.replace('/', "_"))
}

impl Document {
    /// Adds a grant. `None`: there is one of this name already that is not over.
    pub(crate) fn add_grant(
        &self,
        name: &str,
        grant: &GrantRecord,
        now: Timestamp,
    ) -> Option<Self> {
        if self.has_grant(name, now) {
            return None;
        }
        let mut next = self.clone();
        next.forget_grants(now);
        next.grants.insert(name.to_owned(), grant.clone());
        Some(next)
    }

    /// Takes a grant away, also one that ends with the switch of its mode. `None`: there is none of
    /// this name.
    pub(crate) fn revoke_grant(&self, name: &str, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let mut is_there = next.grants.remove(name).is_some();
        for (key, mode) in &mut next.modes {
            let mut switch = mode.switch.clone();
            let Some(on) = switch.record_mut() else {
                continue;
            };
            let before = on.allow.len();
            on.allow
                .retain(|network| name_with_switch(key, network) != name);
            if on.allow.len() < before {
                is_there = true;
                let said = mode.switch.clone();
                mode.replace_switch(&said, switch);
            }
        }
        next.forget_grants(now);
        is_there.then_some(next)
    }

    /// Whether a grant of this name counts.
    pub(crate) fn has_grant(&self, name: &str, now: Timestamp) -> bool {
        let with_switch = self.modes.iter().any(|(key, mode)| {
            let on = mode.switch.record();
            on.is_some_and(|on| {
                let mut networks = on.allow.iter();
                networks.any(|network| name_with_switch(key, network) == name)
            })
        });
        let known = self.grants.get(name);
        with_switch || known.is_some_and(|grant| !grant.is_over(now))
    }

    /// Forgets those that are over by every clock.
    fn forget_grants(&mut self, now: Timestamp) {
        let then = now.checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
        self.grants.retain(|_, grant| !grant.is_over(then));
    }
}

/// All that are stored, by their names.
pub(crate) type GrantRecords = BTreeMap<String, GrantRecord>;

#[cfg(test)]
#[path = "grant_tests.rs"]
mod tests;
