//! Grants as code makes, lists and revokes them.

use std::{future::IntoFuture, pin::Pin, time::Duration};

use jiff::{SignedDuration, Timestamp};
use serde_json::Map;

use crate::{
    clock::chance,
    core::{
        grants::{cookie_of_link, hash_of},
        limits::{LONGEST_GRANT_NAME, LONGEST_PREFIX, MOST_PREFIXES},
        rules::exempt::plain_network,
        secret::Secret,
        snapshot::Snapshot,
        state::{Document, GrantKind, GrantRecord, name_with_switch},
        status::grants::{GrantStatus, GrantUse},
        text::hexadecimal,
    },
    engine::{
        change_error::ChangeError,
        changes::{Change, ChangeFuture, check_end, unless::propose_unless},
        handle::Engine,
        hooks::{ChangeKind, ProposedChange},
        setters::setters,
        shared::Shared,
    },
};

/// What secrets begin with, so that scanners find those that leak.
const SECRET_PREFIX: &str = "mmg_";

/// Makes a grant, by which one person, program or network may look in although a mode is closed: from
/// [`Maintenance::grant`](crate::Maintenance::grant).
///
/// It is a [link](Self::link) unless something else is said. It opens all modes and all paths unless some
/// are named, and never the admin scope. Nothing happens until it is awaited.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct AddGrant {
    engine: Engine,
    name: String,
    kind: GrantKind,
    address: Option<String>,
    modes: Vec<String>,
    prefixes: Vec<String>,
    until: Option<Timestamp>,
    lasting: Option<Duration>,
    by: Option<String>,
}

/// A grant that was made.
#[derive(Debug)]
#[non_exhaustive]
pub struct Granted {
    /// What it is called.
    pub name: String,
    /// How it is shown.
    pub kind: GrantKind,
    /// When it ends.
    pub until: Option<Timestamp>,
    /// What whoever is to have it gets. It is told once and kept nowhere.
    secret: Option<Secret>,
}

impl Granted {
    /// What whoever is to have it gets: of a token, the value of the header `X-Maintenance-Grant`; of a
    /// link, what follows `/enter/` in the admin scope. `None` of an address.
    pub fn secret(&self) -> Option<&str> {
        self.secret.as_ref().map(Secret::reveal)
    }
}

/// The future of a grant that is made.
pub type GrantedFuture = Pin<Box<dyn Future<Output = Result<Granted, ChangeError>> + Send>>;

impl AddGrant {
    pub(crate) fn new(engine: Engine, name: String) -> Self {
        Self {
            engine,
            name,
            kind: GrantKind::Link,
            address: None,
            modes: Vec::new(),
            prefixes: Vec::new(),
            until: None,
            lasting: None,
            by: None,
        }
    }

    setters! {
        /// By a link that somebody opens: a cookie remembers it, for as long as the grant lasts.
        link(self) => self.kind = GrantKind::Link;

        /// By a token that a program sends in the header `X-Maintenance-Grant`.
        token(self) => self.kind = GrantKind::Token;

        /// A mode that it opens; again for more of them. Without any it opens all.
        mode(self, key: impl Into<String>) => self.modes.push(key.into());

        /// A path prefix that it opens, of whole segments; again for more of them. Without any it opens
        /// all paths.
        prefix(self, prefix: impl Into<String>) => self.prefixes.push(prefix.into());

        /// When it ends. Without an end it is there until it is revoked.
        until(self, until: Timestamp) => self.until = Some(until);

        /// How long it lasts from now.
        lasting(self, duration: Duration) => self.lasting = Some(duration);

        /// Who makes it.
        by(self, by: impl Into<String>) => self.by = Some(by.into());
    }

    /// By an address, or a network in CIDR form.
    pub fn address(mut self, network: impl Into<String>) -> Self {
        self.kind = GrantKind::Address;
        self.address = Some(network.into());
        self
    }

    fn check(&self, now: Timestamp) -> Result<Option<Timestamp>, ChangeError> {
        let fault = |text: String| Err(ChangeError::Grant(text));
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
        let length = self.name.chars().count();
        if !(1..=LONGEST_GRANT_NAME).contains(&length) || !self.name.chars().all(is_plain) {
            return fault(format!(
                "give it a name of 1 to {LONGEST_GRANT_NAME} letters, digits, `-`, `.` and `_`"
            ));
        }
        if self.prefixes.len() > MOST_PREFIXES {
            return fault(format!("give at most {MOST_PREFIXES} prefixes"));
        }
        for prefix in &self.prefixes {
            let is_path = prefix.starts_with('/') && !prefix.contains(['?', '#']);
            let is_fit = !prefix.chars().any(char::is_control) && prefix.len() <= LONGEST_PREFIX;
            if !is_path || !is_fit {
                return fault(format!(
                    "a prefix is a path such as /shop, of at most {LONGEST_PREFIX} bytes"
                ));
            }
            if prefix.trim_end_matches('/').is_empty() {
                return fault("the prefix / is all paths; leave it out for that".to_owned());
            }
        }
        for mode in &self.modes {
            self.engine.find_mode(mode)?;
        }
        let until = match (self.until, self.lasting) {
            (Some(_), Some(_)) => {
                return fault("give an end or how long it lasts, not both".to_owned());
            }
            (Some(until), None) => Some(until),
            (None, Some(lasting)) => {
                let lasting = SignedDuration::try_from(lasting).unwrap_or(SignedDuration::MAX);
                // What is longer than can be said is for ever.
                now.checked_add(lasting).ok()
            }
            (None, None) => None,
        };
        if let Some(until) = until {
            check_end(until, now)?;
        }
        Ok(until)
    }
}

impl IntoFuture for AddGrant {
    type Output = Result<Granted, ChangeError>;
    type IntoFuture = GrantedFuture;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let now = self.engine.shared.clock.now();
            let until = self.check(now)?;
            let Self {
                engine,
                name,
                kind,
                address,
                mut modes,
                mut prefixes,
                by,
                ..
            } = self;
            modes.sort();
            modes.dedup();
            prefixes.sort();
            prefixes.dedup();
            let address = address.as_deref().map(plain_network).transpose();
            let address = address.map_err(ChangeError::Grant)?;
            let secret = match kind {
                GrantKind::Address => None,
                GrantKind::Link | GrantKind::Token => Some(new_secret()?),
            };
            let shown = secret.as_ref().map(|secret| match kind {
                GrantKind::Link => cookie_of_link(secret),
                _ => secret.clone(),
            });
            let record = GrantRecord {
                kind,
                hash: shown.map(|shown| hexadecimal(&hash_of(&shown))),
                address,
                modes,
                prefixes,
                until,
                by,
                made_at: now,
                unknown: Map::new(),
            };
            let about = record.modes.first().cloned();
            let about = about.unwrap_or_else(|| engine.default_mode());
            let proposal = ProposedChange::new(ChangeKind::AddGrant, about).by(record.by.as_ref());
            let granted = Granted {
                name: name.clone(),
                kind,
                until,
                secret: secret.map(Secret::new),
            };
            let key = name.clone();
            let forbidden = move |document: &Document, now| {
                let is_there = document.has_grant(&key, now);
                is_there.then(|| ChangeError::GrantExists(key.clone()))
            };
            let operation = move |document: &Document, now| document.add_grant(&name, &record, now);
            propose_unless(&engine, proposal, true, forbidden, operation).await?;
            Ok(granted)
        })
    }
}

fn new_secret() -> Result<String, ChangeError> {
    let secret = chance::secret()
        .map_err(|error| ChangeError::Grant(format!("the system gives no secret: {error}")))?;
    Ok(format!("{SECRET_PREFIX}{}", hexadecimal(&secret)))
}

/// Revokes a grant: from [`Maintenance::revoke_grant`](crate::Maintenance::revoke_grant).
///
/// Once it has, no node that has heard of it lets anybody through by it. Nothing happens until it is
/// awaited.
#[derive(Debug)]
#[must_use = "nothing happens until it is awaited"]
pub struct RevokeGrant {
    engine: Engine,
    name: String,
    by: Option<String>,
}

impl RevokeGrant {
    pub(crate) fn new(engine: Engine, name: String) -> Self {
        Self {
            engine,
            name,
            by: None,
        }
    }

    setters! {
        /// Who revokes it.
        by(self, by: impl Into<String>) => self.by = Some(by.into());
    }
}

impl IntoFuture for RevokeGrant {
    type Output = Result<Change, ChangeError>;
    type IntoFuture = ChangeFuture;

    fn into_future(self) -> Self::IntoFuture {
        let Self { engine, name, by } = self;
        Box::pin(async move {
            let about = engine
                .shared
                .modes_of_grant(&name)
                .and_then(|it| it.into_iter().next());
            let about = about.unwrap_or_else(|| engine.default_mode());
            let proposal = ProposedChange::new(ChangeKind::RevokeGrant, about).by(by.as_ref());
            let wanted = name.clone();
            let operation = move |document: &Document, now| document.revoke_grant(&name, now);
            let nothing = |_: &Document, _| None;
            let revoking = &engine.shared.cancelling;
            revoking.begin(&wanted, by.as_deref());
            let change = propose_unless(&engine, proposal, true, nothing, operation).await;
            revoking.end(&wanted);
            let change = change?;
            match change.changed {
                true => Ok(change),
                false => Err(ChangeError::UnknownGrant(wanted)),
            }
        })
    }
}

impl Shared {
    /// The grants that count, by their names, as far as is known of their uses.
    pub(crate) fn grants(&self) -> Vec<GrantStatus> {
        let snapshot = self.published.stored();
        let now = self.clock.now();
        let mut fleet = self.own_node.fleet();
        if self.own_node.is_taken() {
            fleet = fleet.with_own(self.own_node.report(self));
        }
        let mut grants = statuses(&snapshot, now);
        for grant in &mut grants {
            grant.nodes = fleet
                .grant_uses(&grant.name)
                .map(|(node, uses)| GrantUse {
                    node: node.to_owned(),
                    uses: uses.uses,
                    last_used: uses.last,
                })
                .collect();
            grant.uses = grant.nodes.iter().map(|node| node.uses).sum();
            grant.last_used = grant.nodes.iter().filter_map(|node| node.last_used).max();
        }
        grants
    }

    /// The modes that a grant opens; empty: all. `None`: there is none of this name.
    pub(crate) fn modes_of_grant(&self, name: &str) -> Option<Vec<String>> {
        let grants = statuses(&self.published.stored(), self.clock.now());
        let mut grants = grants.into_iter();
        grants
            .find(|grant| grant.name == name)
            .map(|grant| grant.modes)
    }
}

fn statuses(snapshot: &Snapshot, now: Timestamp) -> Vec<GrantStatus> {
    let records = snapshot.grant_records.iter();
    let of_records = records.filter(|(_, record)| !record.is_over(now));
    let mut grants: Vec<GrantStatus> = of_records
        .map(|(name, record)| GrantStatus {
            name: name.clone(),
            kind: record.kind,
            modes: record.modes.clone(),
            prefixes: record.prefixes.clone(),
            address: record.address.clone(),
            until: record.until,
            with_switch: false,
            by: record.by.clone(),
            made_at: Some(record.made_at),
            uses: 0,
            last_used: None,
            nodes: Vec::new(),
        })
        .collect();
    for mode in &snapshot.modes {
        let is_thrown = mode.state.switch_phase(now).is_maintenance();
        let on = mode.state.switch.record().filter(|_| is_thrown);
        for network in on.into_iter().flat_map(|on| &on.allow) {
            grants.push(GrantStatus {
                name: name_with_switch(&mode.key, network),
                kind: GrantKind::Address,
                modes: vec![mode.key.as_ref().to_owned()],
                prefixes: Vec::new(),
                address: Some(network.clone()),
                until: mode.state.switch_end(now),
                with_switch: true,
                by: on.and_then(|on| on.by.clone()),
                made_at: None,
                uses: 0,
                last_used: None,
                nodes: Vec::new(),
            });
        }
    }
    grants.sort_by(|one, other| one.name.cmp(&other.name));
    grants
}
