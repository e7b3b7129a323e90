//! Pass or refuse: the one table of rules, first match wins.
//!
//! Pure. The rows that need to know who is asking stand in [`decide_visitor`], so that a session or
//! an identity look-up is touched only when nothing cheaper has decided.

use std::{collections::HashSet, fmt, net::IpAddr};

use jiff::Timestamp;

use crate::{
    exempt::{AddressSet, PathMatch, PathRules, Patterns},
    identity::Visitor,
    snapshot::Snapshot,
};

/// The rule that decided about a request.
///
/// Its [name](Self::name) is what logs and `explain` show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// The route is forced off: it is never refused.
    ForcedOffRoute,
    /// The route is forced on by its name or its pattern.
    ForcedOnRoute,
    /// The path matches a pattern that is forced on.
    ForcedOnPattern,
    /// The resource or scope is wrapped to be always refused.
    ForcedOnWrapper,
    /// No mode that applies to the request is pending or offline.
    Online,
    /// The path belongs to the admin scope.
    AdminScope,
    /// The path is `/robots.txt`.
    RobotsTxt,
    /// The request is for the very page that refused visitors are sent to.
    RedirectTarget,
    /// The exact path is exempt.
    ExemptPath,
    /// A prefix of the path is exempt.
    ExemptPrefix,
    /// The path belongs to the app's own admin.
    ExemptAdminSite,
    /// The path matches an exempt pattern.
    ExemptPattern,
    /// The client's address is exempt.
    ExemptAddress,
    /// The client's address matches an exempt pattern.
    ExemptAddressPattern,
    /// The app runs under test.
    ExemptTests,
    /// A predicate of the app lets the request through; this is its name.
    Predicate(&'static str),
    /// The request carries an API key.
    ApiKey,
    /// Anonymous visitors are exempt.
    Anonymous,
    /// Authenticated visitors are exempt.
    Authenticated,
    /// Staff is exempt.
    Staff,
    /// Superusers are exempt.
    Superuser,
    /// The mode is closing, and the visitor is already in.
    AlreadyIn,
    /// No exemption matched.
    NoExemption,
}

impl Rule {
    /// The rule's name: lower case, words joined by hyphens. A predicate's is the one it was given.
    pub fn name(self) -> &'static str {
        match self {
            Self::ForcedOffRoute => "forced-off-route",
            Self::ForcedOnRoute => "forced-on-route",
            Self::ForcedOnPattern => "forced-on-pattern",
            Self::ForcedOnWrapper => "forced-on-wrapper",
            Self::Online => "online",
            Self::AdminScope => "admin-scope",
            Self::RobotsTxt => "robots-txt",
            Self::RedirectTarget => "redirect-target",
            Self::ExemptPath => "exempt-path",
            Self::ExemptPrefix => "exempt-prefix",
            Self::ExemptAdminSite => "exempt-admin-site",
            Self::ExemptPattern => "exempt-pattern",
            Self::ExemptAddress => "exempt-address",
            Self::ExemptAddressPattern => "exempt-address-pattern",
            Self::ExemptTests => "exempt-tests",
            Self::Predicate(name) => name,
            Self::ApiKey => "api-key",
            Self::Anonymous => "anonymous",
            Self::Authenticated => "authenticated",
            Self::Staff => "staff",
            Self::Superuser => "superuser",
            Self::AlreadyIn => "already-in",
            Self::NoExemption => "no-exemption",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What the rules may ask about a request. Answers are computed when asked for.
pub(crate) trait Subject {
    /// The path by which the app routes: decoded, without the query.
    fn path(&self) -> &str;
    /// The authority that the client asked for, if it named one.
    fn host(&self) -> Option<&str>;
    /// Whether the request is for one of these routes.
    fn is_route(&self, routes: &Routes) -> bool;
    /// The client's address, if it is known.
    fn address(&self) -> Option<IpAddr>;
    /// The name of the first predicate that lets the request through.
    fn predicate(&self) -> Option<&'static str>;
    /// Whether the request carries a valid API key.
    fn has_api_key(&self) -> bool;
    /// Whether a predicate of the app says that whoever asks is already in.
    fn is_already_in(&self) -> bool;
}

/// Routes by the name of their resource or, with a leading slash, by its pattern.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    pub(crate) names: HashSet<Box<str>>,
    pub(crate) patterns: HashSet<Box<str>>,
}

impl Routes {
    pub(crate) fn new(routes: &[String]) -> Self {
        let (patterns, names) = routes
            .iter()
            .map(|route| Box::<str>::from(route.as_str()))
            .partition(|route| route.starts_with('/'));
        Self { names, patterns }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.patterns.is_empty()
    }
}

/// The settings as rules, compiled once.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) forced_off: Routes,
    pub(crate) forced_on: Routes,
    pub(crate) forced_on_patterns: Patterns,
    pub(crate) admin_scope: PathRules,
    pub(crate) robots_txt: bool,
    pub(crate) redirect_target: Option<RedirectTarget>,
    pub(crate) paths: PathRules,
    pub(crate) admin_site: PathRules,
    pub(crate) addresses: AddressSet,
    pub(crate) address_patterns: Patterns,
    pub(crate) tests: bool,
    pub(crate) visitors: VisitorRules,
}

impl Rules {
    /// Whether a request can be refused although no mode is pending or offline.
    pub(crate) fn force_on(&self) -> bool {
        !self.forced_on.is_empty() || !self.forced_on_patterns.is_empty()
    }
}

/// Where refused visitors are sent, as far as it is on this site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedirectTarget {
    /// `None`: the same host as the request's.
    pub(crate) host: Option<String>,
    pub(crate) path: String,
}

/// The exemptions by who is asking, and who is logged out.
#[derive(Debug, Clone, Default)]
pub(crate) struct VisitorRules {
    pub(crate) anonymous: bool,
    pub(crate) authenticated: bool,
    pub(crate) staff: bool,
    pub(crate) superusers: bool,
    pub(crate) logout_authenticated: bool,
    pub(crate) logout_staff: bool,
    pub(crate) logout_superusers: bool,
}

impl VisitorRules {
    /// Whether any rule needs to know who is asking.
    pub(crate) fn need_visitor(&self) -> bool {
        self.anonymous
            || self.authenticated
            || self.staff
            || self.superusers
            || self.logout_authenticated
            || self.logout_staff
            || self.logout_superusers
    }

    fn logs_out(&self, visitor: &Visitor) -> bool {
        if visitor.superuser {
            self.logout_superusers
        } else if visitor.staff {
            self.logout_staff
        } else {
            visitor.authenticated && self.logout_authenticated
        }
    }

    fn exemption(&self, visitor: &Visitor) -> Option<Rule> {
        if visitor.superuser && self.superusers {
            Some(Rule::Superuser)
        } else if visitor.staff && self.staff {
            Some(Rule::Staff)
        } else if visitor.authenticated && self.authenticated {
            Some(Rule::Authenticated)
        } else if !visitor.authenticated && self.anonymous {
            Some(Rule::Anonymous)
        } else {
            None
        }
    }
}

/// What was decided about a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Pass(Rule),
    Refuse {
        rule: Rule,
        /// The index of the mode that answers.
        mode: usize,
    },
    /// It depends on who is asking: [`decide_visitor`] tells.
    DependsOnVisitor {
        mode: usize,
    },
}

/// What was decided once it is known who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VisitorDecision {
    /// `Some`: pass, by this rule. `None`: refuse.
    pub(crate) pass: Option<Rule>,
    /// The visitor's session is to be ended.
    pub(crate) logout: bool,
}

/// Decides about a request as far as that is possible without knowing who is asking.
pub(crate) fn decide(snapshot: &Snapshot, subject: &impl Subject, now: Timestamp) -> Decision {
    let rules = &*snapshot.rules;
    if !rules.forced_off.is_empty() && subject.is_route(&rules.forced_off) {
        return Decision::Pass(Rule::ForcedOffRoute);
    }
    let refuse = |rule| Decision::Refuse {
        rule,
        mode: snapshot.closed_mode(now).unwrap_or(0),
    };
    if !rules.forced_on.is_empty() && subject.is_route(&rules.forced_on) {
        return refuse(Rule::ForcedOnRoute);
    }
    let path = subject.path();
    if rules.forced_on_patterns.is_match(path) {
        return refuse(Rule::ForcedOnPattern);
    }
    let Some(mode) = snapshot.closed_mode(now) else {
        return Decision::Pass(Rule::Online);
    };
    if let Some(rule) = own_path(rules, subject, path)
        .or_else(|| exempt_path(rules, path))
        .or_else(|| exempt_address(rules, subject))
    {
        return Decision::Pass(rule);
    }
    if rules.tests {
        return Decision::Pass(Rule::ExemptTests);
    }
    if let Some(name) = subject.predicate() {
        return Decision::Pass(Rule::Predicate(name));
    }
    if subject.has_api_key() {
        return Decision::Pass(Rule::ApiKey);
    }
    let is_draining = snapshot.is_draining(now);
    if is_draining && subject.is_already_in() {
        return Decision::Pass(Rule::AlreadyIn);
    }
    if is_draining || rules.visitors.need_visitor() {
        return Decision::DependsOnVisitor { mode };
    }
    Decision::Refuse {
        rule: Rule::NoExemption,
        mode,
    }
}

/// Decides about a request that depends on who is asking.
///
/// `is_already_in` tells of an authenticated visitor whether they were in before; it is asked only
/// while the site is closing. Nobody is logged out before it is closed: they may finish.
pub(crate) fn decide_visitor(
    snapshot: &Snapshot,
    visitor: &Visitor,
    is_already_in: impl FnOnce() -> bool,
    now: Timestamp,
) -> VisitorDecision {
    let rules = &snapshot.rules.visitors;
    let is_draining = snapshot.is_draining(now);
    let logout = !is_draining && rules.logs_out(visitor);
    let pass = if logout {
        rules.exemption(&Visitor::anonymous())
    } else {
        rules.exemption(visitor)
    };
    let pass = pass.or_else(|| {
        (is_draining && visitor.authenticated && is_already_in()).then_some(Rule::AlreadyIn)
    });
    VisitorDecision { pass, logout }
}

/// What must stay reachable for maintenance to work.
fn own_path(rules: &Rules, subject: &impl Subject, path: &str) -> Option<Rule> {
    if rules.admin_scope.matching(path).is_some() {
        return Some(Rule::AdminScope);
    }
    if rules.robots_txt && path == "/robots.txt" {
        return Some(Rule::RobotsTxt);
    }
    let target = rules.redirect_target.as_ref()?;
    let same_host = target.host.as_deref().is_none_or(|host| {
        subject
            .host()
            .is_some_and(|asked| asked.eq_ignore_ascii_case(host))
    });
    (same_host && path == target.path).then_some(Rule::RedirectTarget)
}

fn exempt_path(rules: &Rules, path: &str) -> Option<Rule> {
    match rules.paths.matching(path) {
        Some(PathMatch::Exact) => Some(Rule::ExemptPath),
        Some(PathMatch::Prefix) => Some(Rule::ExemptPrefix),
        Some(PathMatch::Pattern) => Some(Rule::ExemptPattern),
        None => rules
            .admin_site
            .matching(path)
            .map(|_| Rule::ExemptAdminSite),
    }
}

fn exempt_address(rules: &Rules, subject: &impl Subject) -> Option<Rule> {
    if rules.addresses.is_empty() && rules.address_patterns.is_empty() {
        return None;
    }
    let address = subject.address()?.to_canonical();
    if rules.addresses.contains(address) {
        Some(Rule::ExemptAddress)
    } else if !rules.address_patterns.is_empty()
        && rules.address_patterns.is_match(&address.to_string())
    {
        Some(Rule::ExemptAddressPattern)
    } else {
        None
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
