//! A refusal, as the closures for the context and for the whole response see it.

use jiff::Timestamp;
use serde::Serialize;

use crate::{
    core::{phase::Phase, rules::rule::Rule},
    settings::Access,
    web::refusal::negotiate::ResponseFormat,
};

/// The marker of a refusal in the extensions of its response.
///
/// A logger, an error reporter or a metrics middleware outside of the maintenance middleware can
/// tell by it that this 503 was meant and is no outage.
///
/// ```
/// use actix_maintenance_mode::RefusalMarker;
/// use actix_web::dev::ServiceResponse;
///
/// fn is_outage<B>(response: &ServiceResponse<B>) -> bool {
///     response.status().is_server_error()
///         && !response.response().extensions().contains::<RefusalMarker>()
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusalMarker;

/// A refusal, as the closures for the context and for the whole response see it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// The key of the mode that refuses.
    pub mode: String,
    /// That mode's name for people.
    pub label: String,
    /// That mode's phase; [`Phase::Offline`] also where a route is forced on.
    pub phase: Phase,
    /// What is still possible.
    pub access: Access,
    /// Whether the visitor may still read: [`access`](Self::access) in a word.
    pub read_only: bool,
    /// What the visitor is told.
    pub message: String,
    /// The tag of the language that was chosen for this client; an operator's own message is as it
    /// was written.
    pub language: String,
    /// Since when, if that is known.
    pub since: Option<Timestamp>,
    /// Until when, if that is known.
    pub until: Option<Timestamp>,
    /// In how many seconds the client may try again; `None`: nothing is said about it.
    pub retry_after: Option<u64>,
    /// Whether the request would have changed something, as a form does that is sent by `POST`: what
    /// was sent is not saved.
    #[serde(skip)]
    pub sent: bool,
    /// The rule that decided.
    #[serde(skip)]
    pub rule: Rule,
    /// The form that was chosen for this client.
    #[serde(skip)]
    pub format: ResponseFormat,
}
