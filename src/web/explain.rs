//! What would become of a request, and by which rule: the middleware's own decision, told in words.
//!
//! Pure: the same [`decide`], settings and state as the middleware, asked about a request that is
//! described and not sent.

mod inquiry;
mod role;
mod subject;
mod why;

use std::cell::RefCell;

use actix_web::dev::ResourceMap;
use serde::{Serialize, Serializer};

use self::{
    subject::InquirySubject,
    why::{online, why, with_wait},
};
use crate::{
    core::{
        decide::{self, Decision, closed_for, decide, decide_visitor},
        park::patience,
        phase::Phase,
        rules::rule::Rule,
        words::words,
    },
    web::maintenance::Maintenance,
};

pub use self::{
    inquiry::{Inquiry, InquiryError},
    role::{Role, UnknownRole},
};

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It reaches the app.
    Pass,
    /// It is refused.
    Refuse,
}

words! {
    /// The word for it: `pass` or `refuse`.
    pub Outcome in answers {
        Pass = "pass",
        Refuse = "refuse",
    }
}

/// What would become of a request, and why: from
/// [`Maintenance::explain`](crate::Maintenance::explain).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What becomes of it.
    pub outcome: Outcome,
    /// The rule that decides.
    #[serde(serialize_with = "name")]
    pub rule: Rule,
    /// The key of the mode that refuses it, or that would but for the rule.
    pub mode: Option<String>,
    /// The phase of that mode; without one, of the first mode that may be seen.
    pub phase: Phase,
    /// Whether the visitor is logged out on the way, as `[logout]` says.
    pub logout: bool,
    /// For how many seconds at most it would wait for the mode to open before it is refused; `None`: it is
    /// refused at once, or passes. What has a body waits only if that is small.
    pub waits: Option<u64>,
    /// Why, in words.
    pub why: String,
    /// What only a real request shows, and what it could change. Empty: nothing.
    pub not_known: Vec<String>,
}

fn name<S: Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.name())
}

/// Decides about a request as the middleware would. `routes` are the app's, if it is running.
pub(crate) fn explain(
    maintenance: &Maintenance,
    inquiry: &Inquiry,
    routes: Option<&ResourceMap>,
) -> Explanation {
    explain_to(maintenance, inquiry, routes, &|_| true)
}

/// As [`explain`], to somebody who may hear of some modes only, by their keys.
pub(crate) fn explain_to(
    maintenance: &Maintenance,
    inquiry: &Inquiry,
    routes: Option<&ResourceMap>,
    may_hear_of: &dyn Fn(&str) -> bool,
) -> Explanation {
    let shared = &maintenance.engine.shared;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let subject = InquirySubject {
        inquiry,
        front: &maintenance.front,
        snapshot: &snapshot,
        routes,
        may_hear_of,
        not_known: RefCell::default(),
    };
    let mut logout = false;
    let mut turn = None;
    let (outcome, rule, mode) = match decide(&snapshot, &subject, now) {
        Decision::Pass(rule) | Decision::PassModes(rule) => {
            let closed = closed_for(&snapshot, &subject, now).next();
            (Outcome::Pass, rule, closed.map(|mode| mode.index))
        }
        Decision::Refuse { rule, mode } => (Outcome::Refuse, rule, Some(mode)),
        Decision::DependsOnVisitor { mode } => {
            let visitor = inquiry.role.visitor();
            let decision =
                decide_visitor(&snapshot, &subject, &visitor, |_| subject.was_seen(), now);
            logout = decision.logout;
            let is_opening = snapshot.modes[mode].phase(now) == Phase::Opening;
            if is_opening && inquiry.role != Role::Anonymous {
                subject.does_not_know(
                    "Which visitor it is: when somebody who has logged in gets in goes by their id.",
                );
            }
            match decision.outcome {
                decide::Outcome::Pass(rule) | decide::Outcome::PassModes(rule) => {
                    (Outcome::Pass, rule, Some(mode))
                }
                decide::Outcome::Refuse { mode } => {
                    turn = decide::turn(&snapshot, &subject, &visitor, mode, now);
                    (Outcome::Refuse, Rule::NoExemption, Some(mode))
                }
            }
        }
    };
    let grant = match rule {
        Rule::Grant => decide::grant_of(&snapshot, &subject, now),
        _ => None,
    };
    // A route that is forced on is answered in the name of a mode that may well be online.
    let mut audible = snapshot.modes.iter().filter(|mode| may_hear_of(&mode.key));
    let mode = mode
        .map(|mode| &snapshot.modes[mode])
        .filter(|mode| may_hear_of(&mode.key));
    let phase = mode
        .or_else(|| audible.next())
        .map_or(Phase::Online, |mode| mode.phase(now));
    let reads = matches!(inquiry.method(), "GET" | "HEAD");
    // What is refused whatever the state is does not wait for any mode.
    let waits = mode
        .filter(|_| outcome == Outcome::Refuse && rule == Rule::NoExemption)
        .and_then(|mode| mode.park(now))
        .map(|asked| patience(asked, shared.parked.longest));
    let mut not_known = subject.not_known.into_inner();
    if outcome == Outcome::Pass && maintenance.front.forced_on_wrappers() {
        not_known.push(
            "Whether the route is wrapped by `Maintenance::forced_on`: then it is refused."
                .to_owned(),
        );
    }
    if !shared.in_flight.is_registered() {
        not_known.push(
            "What the app sets up in code: this process does not run it. Ask `/explain` of the \
             running app."
                .to_owned(),
        );
    }
    Explanation {
        outcome,
        rule,
        mode: mode.map(|mode| mode.key.as_ref().to_owned()),
        phase,
        logout,
        waits: waits.map(|patience| patience.as_secs_f64().ceil() as u64),
        why: match rule {
            Rule::Online => online(&snapshot, now, may_hear_of),
            rule => {
                let mode = mode.map(|mode| &*mode.key);
                let why = why(rule, &snapshot, mode, logout, turn, grant.as_deref(), now);
                match waits {
                    Some(patience) => with_wait(&why, patience, reads),
                    None => why,
                }
            }
        },
        not_known,
    }
}

impl Maintenance {
    /// Tells what would become of a request now, by which rule and why: the middleware's own
    /// decision, by the settings and the state as they are.
    ///
    /// What only a real request shows is listed in [`Explanation::not_known`]. Routes are among it:
    /// their names are known to a running app, which `/explain` of the admin scope asks.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// use actix_maintenance_mode::{Inquiry, Outcome};
    ///
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let maintenance = Maintenance::builder().store("memory:").build().await?;
    /// maintenance.turn_on().await?;
    /// let explanation = maintenance.explain(&Inquiry::new("GET", "/shop/1")?);
    /// assert_eq!(explanation.outcome, Outcome::Refuse);
    /// assert_eq!(explanation.rule.name(), "no-exemption");
    /// assert_eq!(explanation.why, "The mode `site` is offline. No exemption holds.");
    /// # Ok(())
    /// # }
    /// ```
    pub fn explain(&self, inquiry: &Inquiry) -> Explanation {
        explain(self, inquiry, None)
    }
}

#[cfg(test)]
#[path = "explain_tests.rs"]
mod tests;
