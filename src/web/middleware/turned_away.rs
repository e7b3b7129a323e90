//! Whom a worker does not let in: they are refused, or wait for the mode to open.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use jiff::{SignedDuration, Timestamp};

use super::{
    waiting::{MayWait, Waited},
    worker::{Judgement, Worker},
};
use crate::{
    core::{decide::closed_for, park::patience, rules::rule::Rule, snapshot::Snapshot},
    engine::figures,
    web::{
        observe,
        refusal::{described::RefusalMarker, negotiate::ResponseFormat, responses::Refusing},
        request::subject::RequestSubject,
        termination::terminated,
    },
};

impl Worker {
    /// Refuses for want of an exemption, or has the request wait for the mode to open.
    pub(super) fn turn_away(
        &self,
        request: &HttpRequest,
        mut may_wait: MayWait<'_>,
        snapshot: &Snapshot,
        mode: usize,
        now: Timestamp,
    ) -> Judgement {
        if let Some(waited) = self.wait(request, &mut may_wait, snapshot, mode, now) {
            return Judgement::Wait(waited);
        }
        Judgement::Refuse(self.refuse(request, snapshot, mode, Rule::NoExemption, None, now))
    }

    /// A place to wait for a request that would be refused by a mode, if its switch says so and there is
    /// one for such a request.
    #[inline]
    pub(super) fn wait(
        &self,
        request: &HttpRequest,
        may_wait: &mut MayWait<'_>,
        snapshot: &Snapshot,
        mode: usize,
        now: Timestamp,
    ) -> Option<Waited> {
        let asked = snapshot.modes[mode].park(now)?;
        self.place_to_wait(request, may_wait, mode, asked)
    }

    #[inline(never)]
    fn place_to_wait(
        &self,
        request: &HttpRequest,
        may_wait: &mut MayWait<'_>,
        mode: usize,
        asked: SignedDuration,
    ) -> Option<Waited> {
        // The question of a browser has an answer of its own.
        let cors = self.front().responses.cors.as_ref();
        if cors.is_some_and(|cors| cors.preflight(request).is_some()) {
            return None;
        }
        let shared = self.shared();
        let patience = patience(asked, shared.parked.longest);
        let waited = may_wait.find_place(request, shared, mode, patience)?;
        if !self.listens_for_the_end.replace(true) {
            // A server that stops gracefully would wait for those who wait.
            let parked = Arc::clone(&shared.parked);
            tokio::spawn(async move {
                terminated().await;
                parked.stop();
            });
        }
        Some(waited)
    }

    /// Refuses whatever the state is: for what is wrapped to be forced on.
    pub(crate) fn refuse_always(&self, request: &HttpRequest) -> HttpResponse {
        let snapshot = self.snapshot();
        let now = self.shared().now_for(&snapshot);
        let subject = RequestSubject::new(request, self.front(), &self.routes);
        let closed = closed_for(&snapshot, &subject, now).next();
        let mode = closed.map_or(0, |mode| mode.index);
        self.refuse(request, &snapshot, mode, Rule::ForcedOnWrapper, None, now)
    }

    /// Logs every refusal for those who look closely, and some of them for everybody.
    fn note_refusal(&self, mode: &str, rule: Rule, format: ResponseFormat) {
        figures::refused(mode, format.as_str());
        let (rule, format) = (rule.name(), format.as_str());
        tracing::debug!(
            event = observe::REFUSAL,
            mode,
            rule,
            format,
            "maintenance refuses a request"
        );
        let refusals = self.refusals.get() + 1;
        self.refusals.set(refusals);
        if refusals == 1 || refusals.is_multiple_of(crate::engine::events::ONE_IN) {
            tracing::info!(
                event = observe::REFUSALS,
                mode,
                rule,
                format,
                refusals,
                "maintenance refuses requests"
            );
        }
    }

    pub(super) fn refuse(
        &self,
        request: &HttpRequest,
        snapshot: &Snapshot,
        mode: usize,
        rule: Rule,
        turn: Option<Timestamp>,
        now: Timestamp,
    ) -> HttpResponse {
        let responses = &self.front().responses;
        let cors = responses.cors.as_ref();
        if let Some(mut answer) = cors.and_then(|cors| cors.preflight(request)) {
            answer.extensions_mut().insert(RefusalMarker);
            return answer;
        }
        // The app's closures may take their time or look at maintenance themselves.
        let chosen = responses.languages.chosen(request);
        let mut cache = self.cache.borrow_mut();
        let format = cache.format(responses, request);
        self.note_refusal(&snapshot.modes[mode].key, rule, format);
        let language = chosen.unwrap_or_else(|| cache.language(&responses.languages, request));
        let refusing = Refusing {
            mode,
            rule,
            format,
            language,
            sent: !request.method().is_safe(),
            turn,
        };
        let prefix = self.front().public_prefix(request);
        let mut response = if responses.can_be_kept(mode, format) {
            cache.kept(responses, request, snapshot, refusing, &prefix, now)
        } else {
            drop(cache);
            let refusal = responses.refusal(snapshot, refusing, now);
            responses.render(request, mode, &refusal, &prefix)
        };
        if let Some(cors) = cors {
            cors.open(request, &mut response);
        }
        response.extensions_mut().insert(RefusalMarker);
        response
    }
}
