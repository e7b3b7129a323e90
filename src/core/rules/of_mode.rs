//! What the settings say of one mode to the rules: to which requests it applies, whom it lets
//! through, and what it still allows.
//!
//! Pure, and compiled once.

use std::collections::HashSet;

use crate::core::rules::{
    exempt::{AddressSet, PathMatch, PathRules, Patterns},
    routes::Routes,
    rule::Rule,
    subject::Subject,
    visitors::VisitorRules,
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
    /// As [`host_name`] has them, in lower case. Empty: any.
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
                .is_none_or(|paths| subject.readings().restricted_by(paths, subject.path()))
            && (self.hosts.is_empty() || self.names_a_host_of(subject))
    }

    /// Whether any host that the request can be routed by is one of those that are named.
    fn names_a_host_of(&self, subject: &impl Subject) -> bool {
        let mut is_named = false;
        subject.each_host(&mut |host| {
            let name = host_name(host);
            is_named = is_named
                || self
                    .hosts
                    .iter()
                    .any(|named| named.eq_ignore_ascii_case(name));
        });
        is_named
    }
}

/// The name of a host alone, without what a client may write around it: a scheme, user
/// information, a port, a path and the root's dot.
pub(crate) fn host_name(host: &str) -> &str {
    let host = host.split_once("://").map_or(host, |(_, rest)| rest);
    let host = host.split(['/', '?', '#']).next().unwrap_or(host);
    let host = host.rsplit_once('@').map_or(host, |(_, rest)| rest);
    let name = without_port(host.trim());
    name.strip_suffix('.').unwrap_or(name)
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
        let readings = || subject.readings();
        (self.deny.is_empty() || !readings().restricted_by(&self.deny, path))
            && (is_safe(subject.method())
                || (!self.allow.is_empty() && readings().opened_by(&self.allow, path).is_some()))
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
        path_rule(&exempt.paths, subject)
            .or_else(|| {
                let reads = self.read_only.as_ref();
                reads
                    .is_some_and(|reads| reads.allows(subject, path))
                    .then_some(Rule::ReadOnly)
            })
            .or_else(|| {
                let is_exempt = !exempt.routes.is_empty() && subject.opens_route(&exempt.routes);
                is_exempt.then_some(Rule::ExemptRoute)
            })
            .or_else(|| address_rule(&exempt.addresses, &exempt.address_patterns, subject))
    }
}

/// The rule by which a path is exempt.
#[inline]
pub(crate) fn path_rule(paths: &PathRules, subject: &impl Subject) -> Option<Rule> {
    if paths.is_empty() {
        return None;
    }
    let kind = subject.readings().opened_by(paths, subject.path())?;
    Some(match kind {
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
