//! Pass or refuse: the one table of rules, first match wins.
//!
//! Pure. The rows that need to know who is asking stand in [`decide_visitor`], so that a session or
//! an identity look-up is touched only when nothing cheaper has decided.

use std::{iter, sync::Arc};

use jiff::Timestamp;

use crate::core::{
    grants::Grant,
    opening::Place,
    phase::Phase,
    rules::{
        compiled::Rules,
        of_mode::{address_rule, path_rule},
        rule::Rule,
        subject::Subject,
    },
    snapshot::{ClosedMode, Snapshot},
    visitor::Visitor,
};

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
        match stance(snapshot, subject, mode, now) {
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
    let stances = || {
        closed_for(snapshot, subject, now).map(|mode| (mode, stance(snapshot, subject, mode, now)))
    };
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
                .or_else(|| match mode.phase {
                    Phase::Pending => (visitor.authenticated && is_already_in(mode.index))
                        .then_some(Rule::AlreadyIn),
                    Phase::Opening => turn(snapshot, subject, visitor, mode.index, now)
                        .is_some_and(|turn| turn <= now)
                        .then_some(Rule::TurnHasCome),
                    _ => None,
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

/// When a visitor gets into a mode that is opening. `None`: it is not, or that is not known.
pub(crate) fn turn(
    snapshot: &Snapshot,
    subject: &impl Subject,
    visitor: &Visitor,
    mode: usize,
    now: Timestamp,
) -> Option<Timestamp> {
    let mode = &snapshot.modes[mode];
    if mode.phase(now) != Phase::Opening {
        return None;
    }
    mode.turn(Place::of(visitor, subject.address()))
}

/// The grant by which a request passes a mode that is closed, whatever else lets it pass.
pub(crate) fn grant<'s>(
    snapshot: &'s Snapshot,
    subject: &impl Subject,
    mode: usize,
    now: Timestamp,
) -> Option<&'s Grant> {
    if snapshot.grants.is_empty() {
        return None;
    }
    snapshot.grants.passing(&snapshot.modes[mode], subject, now)
}

/// The grant by which a request passes the first mode that it passes by one.
pub(crate) fn grant_of(
    snapshot: &Snapshot,
    subject: &impl Subject,
    now: Timestamp,
) -> Option<Arc<str>> {
    let mut closed = closed_for(snapshot, subject, now);
    closed
        .find_map(|mode| grant(snapshot, subject, mode.index, now))
        .map(|grant| Arc::clone(&grant.name))
}

/// The modes that are closed for a request: pending, offline or opening, and it is theirs.
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

fn stance(snapshot: &Snapshot, subject: &impl Subject, mode: ClosedMode, now: Timestamp) -> Stance {
    let rules = &*snapshot.rules;
    let own = rules.of_mode(mode.index);
    let passes = own.and_then(|own| own.pass(subject));
    // Whoever only reads may do so by a grant as well, which comes first.
    let is_to_be_asked = matches!(passes, None | Some(Rule::ReadOnly));
    if is_to_be_asked && grant(snapshot, subject, mode.index, now).is_some() {
        return Stance::Passes(Rule::Grant);
    }
    if let Some(rule) = passes {
        return Stance::Passes(rule);
    }
    let is_closing = mode.phase == Phase::Pending;
    if is_closing && subject.is_already_in() {
        return Stance::Passes(Rule::AlreadyIn);
    }
    let asks = is_closing
        || mode.phase == Phase::Opening
        || rules.visitors.need_visitor()
        || own.is_some_and(|own| own.exempt.visitors.need_visitor());
    if asks { Stance::Asks } else { Stance::Refuses }
}

/// Of two rules by which modes let a request through, the one that is told: that the visitor is
/// in and meant to be, since a drain waits for such a request; else one that goes by who or where they are,
/// since others are not to be shown the answer; else the first.
fn weightier(before: Option<Rule>, rule: Rule) -> Rule {
    let weight = |rule: Rule| (rule.is_inside(), rule.is_personal());
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
