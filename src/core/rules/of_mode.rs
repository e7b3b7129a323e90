//! What the settings say of one mode to the rules: to which requests it applies, whom it lets
//! through, and what it still allows.
//!
//! Pure, and compiled once.

use std::collections::HashSet;

use crate::core::{
    decide::{Routes, Rule, Subject, VisitorRules},
    rules::exempt::{AddressSet, PathMatch, PathRules, Patterns},
};

/// The rules of one mode, besides those that all modes have in common.
#[derive(Debug, Default)]
pub(crate) struct ModeRules {
    pub(crate) applies_to: AppliesTo,
    pub(crate) exempt: OwnExemptions,
    /// `None`: nothing is allowed any more.
    pub(crate) read_only: Option<ReadOnly>,
}

/// The requests to which a mode applies: those that fit everything that is said.
#[derive(Debug, Default)]
pub(crate) struct AppliesTo {
    /// In lower case, with or without a port. Empty: any.
    pub(crate) hosts: HashSet<Box<str>>,
    /// `None`: any.
    pub(crate) paths: Option<PathRules>,
    /// Empty: any.
    pub(crate) methods: HashSet<Box<str>>,
}

impl AppliesTo {
    /// Whether no request is left out.
    pub(crate) fn is_everything(&self) -> bool {
        self.hosts.is_empty() && self.paths.is_none() && self.methods.is_empty()
    }

    #[inline]
    fn holds(&self, subject: &impl Subject) -> bool {
        (self.methods.is_empty() || self.methods.contains(subject.method()))
            && self
                .paths
                .as_ref()
                .is_none_or(|paths| paths.matching(subject.path()).is_some())
            && (self.hosts.is_empty() || subject.host().is_some_and(|host| self.is_named(host)))
    }

    /// Whether a host is one of those that are named, with its port or without.
    fn is_named(&self, host: &str) -> bool {
        let host = host.to_ascii_lowercase();
        let name = without_port(&host);
        let name = name.strip_suffix('.').unwrap_or(name);
        self.hosts.contains(host.as_str()) || self.hosts.contains(name)
    }
}

/// A host without its port; of an IPv6 address, only what follows the bracket is a port.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let is_address = name.contains(':') && !name.ends_with(']');
            if is_address { host } else { name }
        }
        _ => host,
    }
}

/// Whom one mode lets through, besides those whom all modes do.
#[derive(Debug, Default)]
pub(crate) struct OwnExemptions {
    pub(crate) routes: Routes,
    pub(crate) paths: PathRules,
    pub(crate) addresses: AddressSet,
    pub(crate) address_patterns: Patterns,
    pub(crate) visitors: VisitorRules,
}

/// What a mode with read-only access still allows.
#[derive(Debug, Default)]
pub(crate) struct ReadOnly {
    /// Allowed by any method.
    pub(crate) allow: PathRules,
    /// Refused by any method.
    pub(crate) deny: PathRules,
}

impl ReadOnly {
    fn allows(&self, subject: &impl Subject, path: &str) -> bool {
        self.deny.matching(path).is_none()
            && (is_safe(subject.method()) || self.allow.matching(path).is_some())
    }
}

/// Whether a method only reads (RFC 9110, section 9.2.1).
pub(crate) fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS" | "TRACE")
}

impl ModeRules {
    /// Whether the mode applies to a request, as far as the settings say.
    #[inline]
    pub(crate) fn apply(&self, subject: &impl Subject) -> bool {
        self.applies_to.holds(subject)
    }

    /// The rule by which this mode lets a request through, whoever is asking.
    pub(crate) fn pass(&self, subject: &impl Subject) -> Option<Rule> {
        let path = subject.path();
        let exempt = &self.exempt;
        path_rule(&exempt.paths, path)
            .or_else(|| {
                let reads = self.read_only.as_ref();
                reads
                    .is_some_and(|reads| reads.allows(subject, path))
                    .then_some(Rule::ReadOnly)
            })
            .or_else(|| {
                let is_exempt = !exempt.routes.is_empty() && subject.is_route(&exempt.routes);
                is_exempt.then_some(Rule::ExemptRoute)
            })
            .or_else(|| address_rule(&exempt.addresses, &exempt.address_patterns, subject))
    }
}

/// The rule by which a path is exempt.
pub(crate) fn path_rule(paths: &PathRules, path: &str) -> Option<Rule> {
    paths.matching(path).map(|kind| match kind {
        PathMatch::Exact => Rule::ExemptPath,
        PathMatch::Prefix => Rule::ExemptPrefix,
        PathMatch::Pattern => Rule::ExemptPattern,
    })
}

/// The rule by which the client's address is exempt. It is asked for only if there is any.
pub(crate) fn address_rule(
    addresses: &AddressSet,
    patterns: &Patterns,
    subject: &impl Subject,
) -> Option<Rule> {
    if addresses.is_empty() && patterns.is_empty() {
        return None;
    }
    let address = subject.address()?.to_canonical();
    if addresses.contains(address) {
        Some(Rule::ExemptAddress)
    } else if !patterns.is_empty() && patterns.is_match(&address.to_string()) {
        Some(Rule::ExemptAddressPattern)
    } else {
        None
    }
}

#[cfg(test)]
#[path = "mode_rules_tests.rs"]
mod tests;
