//! Pages as they are rendered: of refusals, and of the admin scope.

use std::sync::atomic::Ordering;

use actix_web::{
    HttpResponse,
    body::BoxBody,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, VARY},
    },
    web::Bytes,
};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    data::{json_body, problem_details},
    described::Refusal,
    language::Catalogue,
    negotiate::{ResponseFormat, negotiate},
    of_mode::ModeResponse,
    page::{Links, SHORTEST_REFRESH, page_context},
    responses::{Refusing, Responses},
    words::text,
};
use crate::{
    core::{rules::rule::Rule, snapshot::Snapshot},
    engine::events::ONE_IN,
    web::embedded::NOTICE_TEMPLATE,
};

impl Responses {
    /// The page by the app's template, or the embedded one when that fails: a mistake in a template
    /// must not turn a refusal into an error.
    pub(super) fn page(
        &self,
        own: &ModeResponse,
        refusal: &Refusal,
        catalogue: &Catalogue,
        links: &Links,
        extra: Map<String, Value>,
    ) -> String {
        let context = page_context(refusal, catalogue, links, extra);
        match self.templates.render(&own.template, &context) {
            Ok(page) => page,
            Err(error) => {
                let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
                if failures == 1 || failures.is_multiple_of(ONE_IN) {
                    tracing::error!(
                        template = own.template,
                        error,
                        failures,
                        "the maintenance page cannot be rendered; visitors get the embedded one"
                    );
                }
                self.templates
                    .embedded_page(&context)
                    .unwrap_or_else(|| text(refusal, catalogue))
            }
        }
    }

    /// The page as a file that a web server sends without this process: in one language, and without
    /// the script, which this process has.
    pub(crate) fn page_file(&self, snapshot: &Snapshot, mode: usize, now: Timestamp) -> String {
        let language = self.languages.default();
        let refusing = Refusing {
            mode,
            rule: Rule::NoExemption,
            format: ResponseFormat::Html,
            language,
            sent: false,
            turn: None,
        };
        let refusal = self.refusal(snapshot, refusing, now);
        let links = Links {
            refresh: SHORTEST_REFRESH,
            script: None,
            // Who sends the file may be asked when this process is down.
            plan: None,
        };
        let own = self.of_mode(mode);
        let catalogue = self.languages.get(language);
        self.page(own, &refusal, catalogue, &links, own.fixed_context())
    }

    /// A page of the admin scope.
    ///
    /// # Errors
    ///
    /// When the template cannot be rendered; the text says why.
    pub(crate) fn page_by(
        &self,
        template: &str,
        context: &tera::Context,
    ) -> Result<String, String> {
        self.templates.render(template, context)
    }

    /// An answer of the admin scope that is neither the thing asked for nor a refusal.
    pub(crate) fn notice(
        &self,
        headers: &HeaderMap,
        status: StatusCode,
        title: &str,
        detail: &str,
    ) -> HttpResponse {
        let format = negotiate(headers);
        let body: Bytes = match format {
            ResponseFormat::Html => {
                let mut context = tera::Context::new();
                context.insert("title", title);
                context.insert("detail", detail);
                self.templates
                    .render(NOTICE_TEMPLATE.0, &context)
                    .unwrap_or_else(|_| detail.to_owned())
                    .into()
            }
            ResponseFormat::Json | ResponseFormat::Problem => {
                json_body(problem_details(status, detail))
            }
            ResponseFormat::Text => format!("{title}: {detail}\n").into(),
        };
        // An error of an API is a problem document, whatever kind of JSON was asked for.
        let format = match format {
            ResponseFormat::Json => ResponseFormat::Problem,
            other => other,
        };
        HttpResponse::build(status)
            .insert_header((CONTENT_TYPE, format.content_type()))
            .insert_header((CACHE_CONTROL, "no-store"))
            .insert_header((VARY, "Accept"))
            .message_body(body)
            .map_or_else(
                |_| HttpResponse::new(status),
                |response| response.map_body(|_, body| BoxBody::new(body)),
            )
    }
}
