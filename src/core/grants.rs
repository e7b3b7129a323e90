//! Grants as requests meet them: compiled, and asked only of a request that a mode is about to refuse.

use std::sync::Arc;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::core::{
    mode_view::ModeView,
    rules::{
        exempt::{AddressSet, PathRules},
        subject::Subject,
    },
    state::{Document, GrantHash, GrantKind, GrantRecord, name_with_switch},
    text::{hash_from_hexadecimal, hexadecimal},
};

/// What a link leads to, as the cookie has it: whoever sees the cookie does not know the link.
pub(crate) fn cookie_of_link(secret: &str) -> String {
    hexadecimal(&Sha256::digest(format!("link {secret}")))
}

/// What is kept of a token, or of the cookie of a link.
pub(crate) fn hash_of(shown: &str) -> GrantHash {
    Sha256::digest(shown).into()
}

/// The grants of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    grants: Vec<Grant>,
}

/// A grant that may let somebody through.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) name: Arc<str>,
    shown: Shown,
    /// Empty: all.
    modes: Vec<String>,
    /// `None`: all paths.
    paths: Option<PathRules>,
    until: Option<Timestamp>,
    /// Whether it ends with the switch of its mode.
    is_with_switch: bool,
}

#[derive(Debug)]
enum Shown {
    Link(GrantHash),
    Token(GrantHash),
    Address(AddressSet),
}

impl Grants {
    /// What a hand has written wrongly opens nothing.
    pub(crate) fn new(document: &Document, modes: &[ModeView]) -> Self {
        let stored = document.grants.iter();
        let mut grants: Vec<Grant> = stored
            .filter_map(|(name, record)| Grant::new(name, record))
            .collect();
        for mode in modes {
            let on = mode.state.switch.record();
            for network in on.into_iter().flat_map(|on| &on.allow) {
                if let Ok(addresses) = AddressSet::parse(std::slice::from_ref(network)) {
                    grants.push(Grant {
                        name: name_with_switch(&mode.key, network).into(),
                        shown: Shown::Address(addresses),
                        modes: vec![mode.key.as_ref().to_owned()],
                        paths: None,
                        until: None,
                        is_with_switch: true,
                    });
                }
            }
        }
        Self { grants }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.grants.is_empty()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.grants.iter().map(|grant| &*grant.name)
    }

    /// Whether the time must be looked at to know which ones count.
    pub(crate) fn are_timed(&self) -> bool {
        self.grants.iter().any(|grant| grant.until.is_some())
    }

    /// The grant by which a request passes a mode that is closed.
    pub(crate) fn passing(
        &self,
        mode: &ModeView,
        subject: &impl Subject,
        now: Timestamp,
    ) -> Option<&Grant> {
        let mut found = None;
        for grant in &self.grants {
            // What is shown is compared with each, in a time that does not depend on where they differ.
            if grant.is_for(mode, now) && grant.is_shown_by(subject) && grant.opens(subject) {
                found = found.or(Some(grant));
            }
        }
        found
    }

    /// When the grant ends whose link this is. `None`: it is none, or that of one that is over.
    pub(crate) fn link(&self, secret: &str, now: Timestamp) -> Option<Option<Timestamp>> {
        let shown = hash_of(&cookie_of_link(secret));
        let mut found = None;
        for grant in &self.grants {
            if let Shown::Link(hash) = &grant.shown
                && bool::from(hash.ct_eq(&shown))
            {
                found = Some(grant);
            }
        }
        let counts = |grant: &&Grant| grant.until.is_none_or(|until| now < until);
        found.filter(counts).map(|grant| grant.until)
    }
}

impl Grant {
    fn new(name: &str, record: &GrantRecord) -> Option<Self> {
        let hash = || hash_from_hexadecimal(record.hash.as_deref()?);
        let shown = match record.kind {
            GrantKind::Link => Shown::Link(hash()?),
            GrantKind::Token => Shown::Token(hash()?),
            GrantKind::Address => {
                let network = record.address.clone()?;
                Shown::Address(AddressSet::parse(&[network]).ok()?)
            }
        };
        let paths = match record.prefixes.as_slice() {
            [] => None,
            prefixes => Some(PathRules::new(&[], prefixes, &[]).ok()?),
        };
        Some(Self {
            name: name.into(),
            shown,
            modes: record.modes.clone(),
            paths,
            until: record.until,
            is_with_switch: false,
        })
    }

    fn is_for(&self, mode: &ModeView, now: Timestamp) -> bool {
        let is_of_mode = self.modes.is_empty() || self.modes.iter().any(|key| **key == *mode.key);
        is_of_mode
            && self.until.is_none_or(|until| now < until)
            && (!self.is_with_switch || mode.state.switch_phase(now).is_maintenance())
    }

    fn is_shown_by(&self, subject: &impl Subject) -> bool {
        let shows = |kind, hash: &GrantHash| {
            let mut is_it = false;
            subject.each_grant(kind, &mut |shown| {
                is_it |= bool::from(hash.ct_eq(shown));
            });
            is_it
        };
        match &self.shown {
            Shown::Link(hash) => shows(GrantKind::Link, hash),
            Shown::Token(hash) => shows(GrantKind::Token, hash),
            Shown::Address(addresses) => subject
                .address()
                .is_some_and(|address| addresses.contains(address)),
        }
    }

    /// Whether it is certain that what is asked for is below one of its prefixes.
    fn opens(&self, subject: &impl Subject) -> bool {
        self.paths.as_ref().is_none_or(|paths| {
            let readings = subject.readings();
            readings.opened_by(paths, subject.path()).is_some()
        })
    }
}

#[cfg(test)]
#[path = "grants_tests.rs"]
mod tests;
