//! Pass or refuse: the one table of rules, first match wins.
//!
//! Pure. The rows that need to know who is asking stand in [`decide_visitor`], so that a session or
//! an identity look-up is touched only when nothing cheaper has decided.

use std::{fmt, iter, net::IpAddr};

use jiff::Timestamp;

use crate::{
    core::rules::readings::Readings,
    core::rules::routes::Routes,
    core::visitor::Visitor,
    core::{
        phase::Phase,
        rules::{
            exempt::{AddressSet, PathRules, Patterns},
            of_mode::{ModeRules, address_rule, path_rule},
        },
        snapshot::{ClosedMode, Snapshot},
    },
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
    /// The route is exempt from this mode by its name or its pattern.
    ExemptRoute,
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
    /// The mode leaves the site readable, and the request only reads.
    ReadOnly,
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
            Self::ExemptRoute => "exempt-route",
            Self::ExemptAddress => "exempt-address",
            Self::ExemptAddressPattern => "exempt-address-pattern",
            Self::ExemptTests => "exempt-tests",
            Self::Predicate(name) => name,
            Self::ApiKey => "api-key",
            Self::Anonymous => "anonymous",
            Self::Authenticated => "authenticated",
            Self::Staff => "staff",
            Self::Superuser => "superuser",
            Self::ReadOnly => "read-only",
            Self::AlreadyIn => "already-in",
            Self::NoExemption => "no-exemption",
        }
    }
}

impl Rule {
    /// Whether it refuses whatever the state is.
    pub(crate) fn is_forced_on(self) -> bool {
        matches!(
            self,
            Self::ForcedOnRoute | Self::ForcedOnPattern | Self::ForcedOnWrapper
        )
    }

    /// Whether it lets a request through by who sends it or from where, and would refuse the same of
    /// somebody else. What a predicate of the app goes by, nobody knows.
    pub(crate) fn is_personal(self) -> bool {
        match self {
            Self::ExemptAddress
            | Self::ExemptAddressPattern
            | Self::Predicate(_)
            | Self::ApiKey
            | Self::Anonymous
            | Self::Authenticated
            | Self::Staff
            | Self::Superuser
            | Self::AlreadyIn => true,
            Self::ForcedOffRoute
            | Self::ForcedOnRoute
            | Self::ForcedOnPattern
            | Self::ForcedOnWrapper
            | Self::Online
            | Self::AdminScope
            | Self::RobotsTxt
            | Self::RedirectTarget
            | Self::ExemptPath
            | Self::ExemptPrefix
            | Self::ExemptAdminSite
            | Self::ExemptPattern
            | Self::ExemptRoute
            | Self::ExemptTests
            | Self::ReadOnly
            | Self::NoExemption => false,
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
    /// The other paths that it may turn out to be for.
    fn readings(&self) -> &Readings;
    /// The method, in capitals.
    fn method(&self) -> &str;
    /// Calls `visit` with every authority that the request can be routed by.
    fn each_host(&self, visit: &mut dyn FnMut(&str));
    /// Whether it is certain that one of these routes serves the request.
    fn opens_route(&self, routes: &Routes) -> bool;
    /// Whether one of these routes may serve the request.
    fn restricts_route(&self, routes: &Routes) -> bool;
    /// Whether the admin scope serves the request. Asked where the path is one of its paths.
    fn is_admin(&self) -> bool;
    /// The client's address, if it is known.
    fn address(&self) -> Option<IpAddr>;
    /// The name of the first predicate that lets the request through.
    fn predicate(&self) -> Option<&'static str>;
    /// Whether the request carries a valid API key.
    fn has_api_key(&self) -> bool;
    /// Whether a predicate of the app says that whoever asks is already in.
    fn is_already_in(&self) -> bool;
    /// Whether the app's own closure says that the mode with this index applies to the request;
    /// `true` where there is none.
    fn is_of_mode(&self, mode: usize) -> bool;
}

/// The settings as rules, compiled once.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) forced_off: Routes,
    pub(crate) forced_on: Routes,
    pub(crate) forced_on_patterns: Patterns,
    pub(crate) admin_scope: PathRules,
    pub(crate) robots_txt: bool,
    /// Where visitors are sent, by any mode.
    pub(crate) redirect_targets: Vec<RedirectTarget>,
    pub(crate) paths: PathRules,
    pub(crate) admin_site: PathRules,
    pub(crate) addresses: AddressSet,
    pub(crate) address_patterns: Patterns,
    pub(crate) tests: bool,
    pub(crate) visitors: VisitorRules,
    /// What is said of single modes, in the order of the modes.
    pub(crate) modes: Vec<ModeRules>,
}

impl Rules {
    /// What is said of one mode.
    #[inline]
    pub(crate) fn of_mode(&self, mode: usize) -> Option<&ModeRules> {
        self.modes.get(mode)
    }

    /// Whether any setting names routes of the app.
    pub(crate) fn name_routes(&self) -> bool {
        let by_modes = || self.modes.iter().any(|mode| !mode.exempt.routes.is_empty());
        !self.forced_off.is_empty() || !self.forced_on.is_empty() || by_modes()
    }

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

    pub(crate) fn exemption(&self, visitor: &Visitor) -> Option<Rule> {
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
    /// It passes the modes that are closed now; another one might refuse it.
    PassModes(Rule),
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

/// What becomes of a request whose visitor is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Pass(Rule),
    /// It passes the modes that are closed now; another one might refuse it.
    PassModes(Rule),
    /// The index of the mode that answers.
    Refuse {
        mode: usize,
    },
}

/// What was decided once it is known who is asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VisitorDecision {
    pub(crate) outcome: Outcome,
    /// The visitor's session is to be ended.
    pub(crate) logout: bool,
}

/// What one closed mode makes of a request.
enum Stance {
    /// It lets the request through, whoever is asking.
    Passes(Rule),
    /// It depends on who is asking.
    Asks,
    Refuses,
}

/// Decides about a request as far as that is possible without knowing who is asking.
pub(crate) fn decide(snapshot: &Snapshot, subject: &impl Subject, now: Timestamp) -> Decision {
    let rules = &*snapshot.rules;
    if !rules.forced_off.is_empty() && subject.opens_route(&rules.forced_off) {
        return Decision::Pass(Rule::ForcedOffRoute);
    }
    let mut closed = closed_for(snapshot, subject, now);
    let forced_on = if !rules.forced_on.is_empty() && subject.restricts_route(&rules.forced_on) {
        Some(Rule::ForcedOnRoute)
    } else if !rules.forced_on_patterns.is_empty()
        && subject
            .readings()
            .restricted_by_patterns(&rules.forced_on_patterns, subject.path())
    {
        Some(Rule::ForcedOnPattern)
    } else {
        None
    };
    if let Some(rule) = forced_on {
        let mode = closed.next().map_or(0, |mode| mode.index);
        return Decision::Refuse { rule, mode };
    }
    let Some(first) = closed.next() else {
        return Decision::Pass(Rule::Online);
    };
    if let Some(rule) = common_exemption(rules, subject) {
        return Decision::Pass(rule);
    }
    // Every closed mode has a say: what one lets through, the next may refuse.
    let mut passed = None;
    let mut asks = None;
    for mode in iter::once(first).chain(closed) {
        match stance(rules, subject, mode) {
            Stance::Passes(rule) => passed = Some(weightier(passed, rule)),
            Stance::Asks => asks = asks.or(Some(mode.index)),
            // By which mode it is refused may still depend on who is asking.
            Stance::Refuses if asks.is_none() => {
                return Decision::Refuse {
                    rule: Rule::NoExemption,
                    mode: mode.index,
                };
            }
            Stance::Refuses => break,
        }
    }
    match asks {
        Some(mode) => Decision::DependsOnVisitor { mode },
        None => Decision::PassModes(passed.unwrap_or(Rule::Online)),
    }
}

/// Decides about a request that depends on who is asking.
///
/// `is_already_in` tells of an authenticated visitor whether they were in before a mode began to close;
/// it is asked only where one is closing. Nobody is logged out before one is closed: they may finish.
pub(crate) fn decide_visitor(
    snapshot: &Snapshot,
    subject: &impl Subject,
    visitor: &Visitor,
    is_already_in: impl Fn(usize) -> bool,
    now: Timestamp,
) -> VisitorDecision {
    let rules = &*snapshot.rules;
    let stances =
        || closed_for(snapshot, subject, now).map(|mode| (mode, stance(rules, subject, mode)));
    let meets_closed = || {
        stances().any(|(mode, stance)| {
            mode.phase == Phase::Offline && !matches!(stance, Stance::Passes(_))
        })
    };
    let logout = rules.visitors.logs_out(visitor) && meets_closed();
    let nobody = Visitor::anonymous();
    let visitor = if logout { &nobody } else { visitor };
    if let Some(rule) = rules.visitors.exemption(visitor) {
        return VisitorDecision {
            outcome: Outcome::Pass(rule),
            logout,
        };
    }
    let mut passed = None;
    for (mode, stance) in stances() {
        let rule = match stance {
            Stance::Passes(rule) => Some(rule),
            Stance::Refuses => None,
            Stance::Asks => rules
                .of_mode(mode.index)
                .and_then(|own| own.exempt.visitors.exemption(visitor))
                .or_else(|| {
                    let goes_on = mode.phase == Phase::Pending
                        && visitor.authenticated
                        && is_already_in(mode.index);
                    goes_on.then_some(Rule::AlreadyIn)
                }),
        };
        let Some(rule) = rule else {
            return VisitorDecision {
                outcome: Outcome::Refuse { mode: mode.index },
                logout,
            };
        };
        passed = Some(weightier(passed, rule));
    }
    VisitorDecision {
        outcome: Outcome::PassModes(passed.unwrap_or(Rule::Online)),
        logout,
    }
}

/// The modes that are closed for a request: pending or offline, and it is theirs.
pub(crate) fn closed_for(
    snapshot: &Snapshot,
    subject: &impl Subject,
    now: Timestamp,
) -> impl Iterator<Item = ClosedMode> {
    snapshot
        .closed_modes(now)
        .filter(move |mode| applies(&snapshot.rules, subject, mode.index))
}

/// Whether a mode applies to a request.
pub(crate) fn applies(rules: &Rules, subject: &impl Subject, mode: usize) -> bool {
    let own = rules.of_mode(mode);
    own.is_none_or(|own| own.apply(subject)) && subject.is_of_mode(mode)
}

fn stance(rules: &Rules, subject: &impl Subject, mode: ClosedMode) -> Stance {
    let own = rules.of_mode(mode.index);
    if let Some(rule) = own.and_then(|own| own.pass(subject)) {
        return Stance::Passes(rule);
    }
    let is_closing = mode.phase == Phase::Pending;
    if is_closing && subject.is_already_in() {
        return Stance::Passes(Rule::AlreadyIn);
    }
    let asks = is_closing
        || rules.visitors.need_visitor()
        || own.is_some_and(|own| own.exempt.visitors.need_visitor());
    if asks { Stance::Asks } else { Stance::Refuses }
}

/// Of two rules by which modes let a request through, the one that is told: that the visitor is
/// already in, since a drain waits for such a request; else one that goes by who or where they are,
/// since others are not to be shown the answer; else the first.
fn weightier(before: Option<Rule>, rule: Rule) -> Rule {
    let weight = |rule: Rule| (rule == Rule::AlreadyIn, rule.is_personal());
    match before {
        Some(before) if weight(rule) <= weight(before) => before,
        _ => rule,
    }
}

/// The exemptions that all modes have in common, up to those that need to know who is asking.
fn common_exemption(rules: &Rules, subject: &impl Subject) -> Option<Rule> {
    let path = subject.path();
    let by_request = own_path(rules, subject, path)
        .or_else(|| path_rule(&rules.paths, subject))
        .or_else(|| path_rule(&rules.admin_site, subject).map(|_| Rule::ExemptAdminSite))
        .or_else(|| address_rule(&rules.addresses, &rules.address_patterns, subject));
    if by_request.is_some() {
        return by_request;
    }
    if rules.tests {
        return Some(Rule::ExemptTests);
    }
    if let Some(name) = subject.predicate() {
        return Some(Rule::Predicate(name));
    }
    subject.has_api_key().then_some(Rule::ApiKey)
}

/// What must stay reachable for maintenance to work.
fn own_path(rules: &Rules, subject: &impl Subject, path: &str) -> Option<Rule> {
    if rules.admin_scope.matching(path).is_some() && subject.is_admin() {
        return Some(Rule::AdminScope);
    }
    if rules.robots_txt && path == "/robots.txt" && !subject.readings().has_dots() {
        return Some(Rule::RobotsTxt);
    }
    let is_target = rules.redirect_targets.iter().any(|target| {
        path == target.path
            && !subject.readings().has_dots()
            && target
                .host
                .as_deref()
                .is_none_or(|host| is_only_host(subject, host))
    });
    is_target.then_some(Rule::RedirectTarget)
}

/// Whether the request can be routed by no other host than this one.
fn is_only_host(subject: &impl Subject, host: &str) -> bool {
    let (mut is_there, mut is_another) = (false, false);
    subject.each_host(&mut |asked| {
        is_there |= asked.eq_ignore_ascii_case(host);
        is_another |= !asked.eq_ignore_ascii_case(host);
    });
    is_there && !is_another
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
