//! What one worker keeps so that requests touch nothing that workers share: the snapshot, the
//! refusals that it made of it, and the forms that clients asked for.

use std::{
    cell::{Cell, RefCell},
    ops::Range,
    rc::Rc,
    sync::Arc,
};

use actix_session::SessionExt as _;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::cache::Cache;
use crate::{
    core::{
        decide::{Decision, Outcome, decide, decide_visitor, grant_of, turn},
        rules::rule::Rule,
        snapshot::Snapshot,
        visitor::Visitor,
    },
    engine::{
        figures,
        leases::deadline::Deadline,
        shared::{GateFlags, Shared},
    },
    web::{
        front::Front,
        maintenance::Maintenance,
        middleware::{
            admission::{Admission, Admissions, Inside},
            cache::HeldSnapshot,
            waiting::{MayWait, Waited},
        },
        observe,
        request::{app_routes::AppRoutes, subject::RequestSubject},
        visitor::{
            identity::{Answer, Identity, VisitorFuture},
            newcomer,
            session_notes::SessionNotes,
        },
    },
};

pub(crate) struct Worker {
    pub(crate) maintenance: Maintenance,
    pub(crate) admissions: Admissions,
    /// The routes of the app around which the middleware is.
    pub(super) routes: AppRoutes,
    pub(super) cache: RefCell<Cache>,
    /// How many requests have been refused.
    pub(super) refusals: Cell<u64>,
    /// Whether the end of the process is listened for.
    pub(super) listens_for_the_end: Cell<bool>,
    open_stretch: Cell<OpenStretch>,
}

/// The snapshot under which a request was let in during maintenance, in its extensions.
///
/// What templates show of maintenance is then what was decided by.
#[derive(Clone)]
pub(crate) struct AdmittedUnder(pub(crate) Arc<Snapshot>);

/// Over which time requests pass without a look at a snapshot.
#[derive(Debug, Clone, Copy)]
struct OpenStretch {
    /// The snapshot's.
    number: u64,
    from: Timestamp,
    until: Timestamp,
}

impl OpenStretch {
    fn of(snapshot: &Snapshot) -> Self {
        let empty = snapshot.at..snapshot.at;
        let Range { start, end } = snapshot.open_stretch().unwrap_or(empty);
        Self {
            number: snapshot.number,
            from: start,
            until: end,
        }
    }
}

/// What the worker makes of a request.
pub(crate) enum Judgement {
    Pass(Admission),
    /// As `Pass`, for somebody only: shared caches are to keep nothing of the answer.
    PassPrivately(Admission),
    Refuse(HttpResponse),
    /// It waits for a mode to open instead of being refused.
    Wait(Waited),
    /// It depends on who is asking, which takes time.
    Ask(VisitorFuture),
}

impl Worker {
    pub(crate) fn new(maintenance: Maintenance) -> Self {
        let snapshot = maintenance.engine.shared.published.snapshot();
        Self {
            admissions: Admissions::new(
                &maintenance.engine.shared,
                SessionNotes::new(&maintenance),
            ),
            maintenance,
            routes: AppRoutes::default(),
            refusals: Cell::new(0),
            listens_for_the_end: Cell::new(false),
            open_stretch: Cell::new(OpenStretch::of(&snapshot)),
            cache: RefCell::new(Cache::new(Rc::new(snapshot))),
        }
    }

    /// Whether a request that has been counted passes without a look at the snapshot.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        let word = self.maintenance.engine.shared.published.word();
        word.is_quiet() || (word.is_open_for_now() && self.is_open_for_now(word))
    }

    // Out of line: where nothing is planned, what is not there costs nothing.
    #[inline(never)]
    fn is_open_for_now(&self, word: GateFlags) -> bool {
        let mut stretch = self.open_stretch.get();
        if stretch.number != word.number() {
            stretch = OpenStretch::of(&self.shared().published.stored());
            self.open_stretch.set(stretch);
        }
        let now = self.shared().clock.now();
        stretch.number == word.number() && stretch.from <= now && now < stretch.until
    }

    pub(super) fn front(&self) -> &Front {
        &self.maintenance.front
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.maintenance.engine.shared
    }

    pub(super) fn snapshot(&self) -> HeldSnapshot {
        let mut cache = self.cache.borrow_mut();
        if cache.snapshot.number != self.shared().published.number() {
            cache.renew(Rc::new(self.shared().published.snapshot()));
        }
        Rc::clone(&cache.snapshot)
    }

    /// Judges a request that does not pass unseen, and that has been counted.
    ///
    /// `visitor` is who is asking, if that is known already. The state may have changed while it was
    /// found out, so everything is judged by what is now.
    pub(crate) fn judge(
        &self,
        request: &HttpRequest,
        may_wait: MayWait<'_>,
        inside: Inside,
        visitor: Option<Visitor>,
    ) -> Judgement {
        let shared = self.shared();
        let snapshot = self.snapshot();
        if shared.published.are_routes_to_check() {
            let map = request.resource_map();
            self.routes
                .check(&snapshot.rules, map, &self.front().told_of_routes);
            shared.published.routes_are_checked();
        }
        let now = shared.now_for(&snapshot);
        match decide(
            &snapshot,
            &RequestSubject::new(request, self.front(), &self.routes),
            now,
        ) {
            Decision::Pass(Rule::Online) => {
                Judgement::Pass(self.admission(request, inside, &snapshot, Rule::Online, now))
            }
            Decision::Pass(rule) => {
                self.notice_order(request, &snapshot);
                // Whom every mode lets through is in when the site is closed too: to wait until they
                // are out would be to wait for ever.
                self.admit(request, Admission::uncounted(), &snapshot, rule)
            }
            Decision::PassModes(rule) => {
                self.notice_order(request, &snapshot);
                if let Some(mode) = self.sealed_mode(rule, &snapshot) {
                    return self.turn_away(request, may_wait, &snapshot, mode, now);
                }
                let admission = self.admission(request, inside, &snapshot, rule, now);
                self.admit(request, admission, &snapshot, rule)
            }
            Decision::Refuse {
                rule: Rule::NoExemption,
                mode,
            } => self.turn_away(request, may_wait, &snapshot, mode, now),
            Decision::Refuse { rule, mode } => {
                Judgement::Refuse(self.refuse(request, &snapshot, mode, rule, None, now))
            }
            Decision::DependsOnVisitor { .. } => {
                let visitor = match visitor {
                    Some(visitor) => visitor,
                    None => match self.front().identity.ask(request) {
                        Answer::Known(visitor) => visitor,
                        Answer::Asked(visitor) => return Judgement::Ask(visitor),
                    },
                };
                self.judge_visitor(request, may_wait, inside, &visitor, &snapshot, now)
            }
        }
    }

    /// The lease that what is let in now is bound to, if the node closes when it is cut off.
    pub(crate) fn lease(&self) -> Option<Arc<Deadline>> {
        self.shared().published.fence().map(|fence| fence.lease())
    }

    /// Whether a request is refused while the node is cut off, unless who is asking is exempt.
    pub(crate) fn closes_to(&self, request: &HttpRequest) -> bool {
        let shared = self.shared();
        let stored = shared.published.stored();
        let closed = stored.when_cut_off.as_ref().unwrap_or(&stored);
        let subject = RequestSubject::new(request, self.front(), &self.routes);
        let decision = decide(closed, &subject, shared.now_for(closed));
        !matches!(decision, Decision::Pass(_))
    }

    fn judge_visitor(
        &self,
        request: &HttpRequest,
        mut may_wait: MayWait<'_>,
        inside: Inside,
        visitor: &Visitor,
        snapshot: &Arc<Snapshot>,
        now: Timestamp,
    ) -> Judgement {
        let is_already_in = |mode| self.is_already_in(request, snapshot, mode);
        let subject = RequestSubject::new(request, self.front(), &self.routes);
        let decision = decide_visitor(snapshot, &subject, visitor, is_already_in, now);
        // Whoever waits is not logged out: the mode may open before they are answered.
        if let Outcome::Refuse { mode } = decision.outcome
            && let Some(waited) = self.wait(request, &mut may_wait, snapshot, mode, now)
        {
            return Judgement::Wait(waited);
        }
        if decision.logout {
            request.get_session().purge();
            if let Some(hook) = &self.front().logout_hook {
                hook(request);
            }
        }
        let mode = match decision.outcome {
            Outcome::Pass(rule) => {
                return self.admit(request, Admission::uncounted(), snapshot, rule);
            }
            Outcome::PassModes(rule) => {
                if let Some(mode) = self.sealed_mode(rule, snapshot) {
                    return self.turn_away(request, may_wait, snapshot, mode, now);
                }
                let admission = self.admission(request, inside, snapshot, rule, now);
                return self.admit(request, admission, snapshot, rule);
            }
            Outcome::Refuse { mode } => mode,
        };
        if self.reads_session() && !decision.logout {
            self.front().session_order.refused(request);
        }
        let asks = match decision.logout {
            true => &Visitor::anonymous(),
            false => visitor,
        };
        let turn = turn(snapshot, &subject, asks, mode, now).map(next_second);
        Judgement::Refuse(self.refuse(request, snapshot, mode, Rule::NoExemption, turn, now))
    }

    /// Whether an authenticated visitor was in before the site began to close. A visitor whom only
    /// the app can find out about is not followed while the site is online, so nobody knows better.
    fn is_already_in(&self, request: &HttpRequest, snapshot: &Snapshot, mode: usize) -> bool {
        let shared = self.shared();
        if !self.reads_session() {
            return true;
        }
        if newcomer::is_newcomer(request, snapshot, mode) {
            return false;
        }
        self.admissions
            .notes()
            .and_then(|notes| notes.visitor(request))
            .is_some_and(|visitor| {
                shared
                    .sessions
                    .is_inside(visitor, shared.drain.session_idle)
            })
    }

    /// The mode that refuses whom a rule would let in because they are in, if the drain is over but for
    /// the writing of it.
    fn sealed_mode(&self, rule: Rule, snapshot: &Snapshot) -> Option<usize> {
        let shared = self.shared();
        let is_sealed = rule == Rule::AlreadyIn && shared.published.is_sealed(snapshot.number);
        is_sealed.then(|| {
            let now = shared.now_for(snapshot);
            snapshot.closed_mode(now).unwrap_or(0)
        })
    }

    fn reads_session(&self) -> bool {
        matches!(self.front().identity, Identity::Session(_))
    }

    fn admit(
        &self,
        request: &HttpRequest,
        admission: Admission,
        snapshot: &Arc<Snapshot>,
        rule: Rule,
    ) -> Judgement {
        figures::passed(rule);
        let grant = match rule {
            Rule::Grant => self.note_grant(request, snapshot),
            _ => None,
        };
        tracing::debug!(
            event = observe::PASS,
            rule = rule.name(),
            grant = grant.as_deref(),
            "maintenance lets a request through"
        );
        request
            .extensions_mut()
            .insert(AdmittedUnder(Arc::clone(snapshot)));
        let now = self.shared().now_for(snapshot);
        let admission = match &self.front().identity {
            Identity::Session(keys) if snapshot.is_draining(now) => {
                newcomer::watch(request, keys.user_key(), snapshot, now);
                admission.watched()
            }
            _ => admission,
        };
        if self.front().is_private && rule.is_personal() {
            Judgement::PassPrivately(admission)
        } else {
            Judgement::Pass(admission)
        }
    }

    /// Counts the use of the grant by which a request passes, and returns its name.
    fn note_grant(&self, request: &HttpRequest, snapshot: &Snapshot) -> Option<Arc<str>> {
        let shared = self.shared();
        let subject = RequestSubject::new(request, self.front(), &self.routes);
        let grant = grant_of(snapshot, &subject, shared.now_for(snapshot))?;
        shared.grant_uses.note(&grant, shared.clock.now());
        figures::granted(&grant);
        Some(grant)
    }

    /// How a request is inside that passes the modes that are closed now, or to which none applies.
    ///
    /// Whoever waits for one of these modes does not wait for it; whoever closes another one later
    /// does. While a drain goes on, its visitor is not noted: they may stay for ever.
    fn admission(
        &self,
        request: &HttpRequest,
        inside: Inside,
        snapshot: &Snapshot,
        rule: Rule,
        now: Timestamp,
    ) -> Admission {
        if rule.is_inside() || snapshot.closed_mode(now).is_none() {
            self.admissions.pass(inside, request)
        } else {
            let is_noted = !snapshot.is_draining(now);
            self.admissions.pass_elsewhere(inside, request, is_noted)
        }
    }

    /// Takes note of a request that passes before its session is looked at.
    fn notice_order(&self, request: &HttpRequest, snapshot: &Snapshot) {
        if snapshot.rules.visitors.need_visitor() && self.reads_session() {
            self.front().session_order.passed(request);
        }
    }
}

/// The whole second in which an instant has passed.
fn next_second(instant: Timestamp) -> Timestamp {
    let up = TimestampRound::new()
        .smallest(Unit::Second)
        .mode(RoundMode::Ceil);
    instant.round(up).unwrap_or(instant)
}
