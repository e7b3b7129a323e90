//! What visitors would get, as it is shown ahead.

use actix_web::{HttpRequest, HttpResponse, http::header::CONTENT_LANGUAGE};
use jiff::Timestamp;

use super::{
    negotiate::ResponseFormat,
    page::Links,
    rendered::truthful,
    responses::{Refusing, Responses, seconds_until},
    words::general_message,
};
use crate::core::{phase::Phase, rules::rule::Rule, snapshot::Snapshot};
use crate::web::closures::ResponseContext;

/// In how many seconds a page looks again that is only shown ahead: a century.
const NEVER: u64 = 3_155_760_000;

/// What is to be shown ahead.
#[derive(Debug)]
pub(crate) struct Previewed<'a> {
    /// The index of the mode that would answer.
    pub(crate) mode: usize,
    pub(crate) format: ResponseFormat,
    pub(crate) language: usize,
    /// What visitors would be told, if it is not what is said already.
    pub(crate) message: Option<&'a str>,
    pub(crate) until: Option<Timestamp>,
    /// What a proxy strips of paths.
    pub(crate) prefix: &'a str,
}

impl Responses {
    /// What visitors would get, as it is shown ahead: without what makes a page look again.
    pub(crate) fn preview(
        &self,
        request: &HttpRequest,
        snapshot: &Snapshot,
        previewed: &Previewed<'_>,
        now: Timestamp,
    ) -> HttpResponse {
        let refusing = Refusing {
            mode: previewed.mode,
            rule: Rule::NoExemption,
            format: previewed.format,
            language: previewed.language,
            sent: false,
            turn: None,
        };
        let own = self.of_mode(previewed.mode);
        let catalogue = self.languages.get(previewed.language);
        let mut refusal = self.refusal(snapshot, refusing, now);
        let standing = snapshot.modes[previewed.mode].standing(now);
        if !standing.phase.is_maintenance() {
            // What an announced window says is not said by a switch that is thrown before.
            let general = || general_message(catalogue, Phase::Offline, own.access).to_owned();
            refusal.message = own.message.clone().unwrap_or_else(general);
            refusal.since = Some(now);
            refusal.until = None;
            refusal.retry_after = own.retry_after;
        }
        if let Some(message) = previewed.message {
            message.clone_into(&mut refusal.message);
        }
        if let Some(until) = previewed.until {
            refusal.until = Some(until);
            refusal.retry_after = Some(seconds_until(until, now));
        }
        if let Some(renderer) = &own.renderer {
            return truthful(renderer(request, &refusal), own.status, &refusal);
        }
        let extra = match &own.context {
            ResponseContext::PerRequest(context) => context(request, &refusal),
            ResponseContext::Fixed(_) | ResponseContext::None => own.fixed_context(),
        };
        let is_page = previewed.format == ResponseFormat::Html;
        if !is_page || own.redirect.is_some() {
            let prefix = previewed.prefix;
            let rendered = self.rendered_with(own, &refusal, extra, is_page, prefix);
            return rendered.response();
        }
        let links = Links {
            refresh: NEVER,
            script: None,
            plan: self.plan(previewed.prefix),
        };
        let page = self.page(own, &refusal, catalogue, &links, extra);
        HttpResponse::build(own.status)
            .content_type(ResponseFormat::Html.content_type())
            .insert_header((CONTENT_LANGUAGE, catalogue.header.clone()))
            .body(page)
    }
}
