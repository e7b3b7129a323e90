//! What those are told who are refused.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value};

use super::Builder;
use crate::web::{
    closures::ResponseContext,
    refusal::{described::Refusal, negotiate::ResponseFormat, of_mode::FormatChoice},
};

impl Builder {
    /// Chooses the form of each refusal, instead of by `Accept`. A closure that says `None` leaves it
    /// to `Accept`.
    ///
    /// ```
    /// # use actix_maintenance_mode::{Maintenance, ResponseFormat};
    /// let builder = Maintenance::builder().response_format(|request| {
    ///     request.path().starts_with("/api/").then_some(ResponseFormat::Json)
    /// });
    /// ```
    pub fn response_format<R: Into<Option<ResponseFormat>>>(
        mut self,
        choose: impl Fn(&HttpRequest) -> R + Send + Sync + 'static,
    ) -> Self {
        self.format = Some(FormatChoice::PerRequest(Arc::new(move |request| {
            choose(request).into()
        })));
        self
    }

    /// Chooses the language of each answer, by its tag, before `Accept-Language`: by a cookie, say,
    /// or by the path. Where it says nothing, or names a language that there is not,
    /// `Accept-Language` decides. The setting `language.force` wins over it.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().language(|request| {
    ///     request.cookie("language").map(|cookie| cookie.value().to_owned())
    /// });
    /// ```
    pub fn language(
        mut self,
        choose: impl Fn(&HttpRequest) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.language = Some(Arc::new(choose));
        self
    }

    /// Adds a language, by its tag and a catalogue in TOML; or changes words of one that there is.
    ///
    /// The catalogues that come with the crate, in its folder `languages`, show which texts there
    /// are. What a new one lacks is in English. As files, catalogues go into the folder that the
    /// setting `language.folder` names.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # #[actix_web::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let dutch = r#"
    ///     [refusal]
    ///     offline_title = "We zijn zo terug"
    ///     back_at = "We verwachten terug te zijn om {time}."
    /// "#;
    /// let builder = Maintenance::builder().language_catalogue("nl", dutch);
    /// # builder.store("memory:").build().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn language_catalogue(mut self, tag: impl Into<String>, toml: impl Into<String>) -> Self {
        self.catalogues.push((tag.into(), toml.into()));
        self
    }

    /// Adds to the context of the page and to the JSON body. It is the same for everybody, so the
    /// page is rendered once.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let context = serde_json::json!({ "support": "help@shop.example" });
    /// let context = context.as_object().cloned().unwrap_or_default();
    /// let builder = Maintenance::builder().response_context(context);
    /// ```
    pub fn response_context(mut self, context: Map<String, Value>) -> Self {
        self.context = ResponseContext::Fixed(context);
        self
    }

    /// Adds to the context of the page and to the JSON body, request by request. The page is then
    /// rendered for each refusal.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// let builder = Maintenance::builder().response_context_with(|request, _refusal| {
    ///     serde_json::Map::from_iter([("path".to_owned(), request.path().into())])
    /// });
    /// ```
    pub fn response_context_with(
        mut self,
        context: impl Fn(&HttpRequest, &Refusal) -> Map<String, Value> + Send + Sync + 'static,
    ) -> Self {
        self.context = ResponseContext::PerRequest(Arc::new(context));
        self
    }

    /// Makes the whole response to a refused request.
    ///
    /// `no-store`, `X-Maintenance-Mode` and, where it has none, `Retry-After` are added to it. A
    /// status below 300 is replaced by the configured one: a refusal is never a success.
    ///
    /// ```
    /// # use actix_maintenance_mode::Maintenance;
    /// # use actix_web::HttpResponse;
    /// let builder = Maintenance::builder().response_renderer(|_request, refusal| {
    ///     HttpResponse::ServiceUnavailable().body(format!("{} is closed", refusal.label))
    /// });
    /// ```
    pub fn response_renderer(
        mut self,
        render: impl Fn(&HttpRequest, &Refusal) -> HttpResponse + Send + Sync + 'static,
    ) -> Self {
        self.renderer = Some(Arc::new(render));
        self
    }
}
