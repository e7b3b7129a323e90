//! What operators watch: the names of log events, a filter for logs, metrics and health.
//!
//! # Log events
//!
//! The crate logs by [`tracing`] under the target `actix_maintenance_mode`. Events that are worth an
//! alarm or a search carry the field `event`. Its values, and the fields beside it, stay as they are
//! within a major version; the sentences do not.
//!
//! | `event` | level | fields | when |
//! |---|---|---|---|
//! | [`PHASE`] | info | `mode`, `before`, `phase`, `cause`, `by`, `reason`, `generation` | a mode enters another phase; `cause` is `change` where somebody changed the state, else `edge` |
//! | [`CHANGED`] | info | `mode`, `what`, `by`, `window`, `reason`, `generation` | somebody changed what is said or planned of a mode, and its phase stays: `what` is `window-planned`, `window-changed`, `window-cancelled` or `said`, which is its end, message or reason; who cancelled a window is told by the process that did it |
//! | [`UNKNOWN_MODE`] | warn | | the app asks about a mode that there is not, by [`is_in_maintenance`](crate::Maintenance::is_in_maintenance); told once for each |
//! | [`DRAINED`] | info | `mode`, `generation` | a drain found nobody inside any more |
//! | [`CHANGE_FAILED`] | error | `error` | a change was not made |
//! | [`TOGGLE_REFUSED`] | info, warn | `by`, `token`, `address`, `mode`, `why` | somebody asked to change what they may not; or, as a warning, their browser was made to ask by another site |
//! | [`SEE_REFUSED`] | debug | `by`, `token`, `address`, `why` | somebody asked to see what they may not; of every day |
//! | [`TOKEN_REFUSED`] | warn, debug | `token`, `address`, `why` | a request came with a token that is unknown (`wrong-token`) or expired (`expired-token`); `too-many-wrong-tokens`, at debug, was not looked at |
//! | [`STORE_FAILED`] | error | `error`, `when_store_fails` | the store fails; told once |
//! | [`STORE_BACK`] | info | `store` | the store answers again |
//! | [`REFUSAL`] | debug | `mode`, `rule`, `format` | a request is refused |
//! | [`REFUSALS`] | info | `mode`, `rule`, `format`, `refusals` | the first refusal of a worker, and each thousandth |
//! | [`PASS`] | debug | `rule` | a request is let through during maintenance |
//! | [`RELEASE`] | info | `requests` | a mode has opened for which so many requests of this process waited; they are let in within a second |
//!
//! # Error reports and access logs
//!
//! [`is_refusal`] tells a 503 that was meant from an outage, for actix's `Logger`, error reporters
//! and middlewares that count responses. With the feature `tracing-filter`,
//! `NotWhileInMaintenance` is a filter that keeps 503s out of a log while maintenance explains them.
//!
//! # Metrics
//!
//! With the feature `metrics` figures go to the [`metrics`](https://docs.rs/metrics) facade, from
//! which any exporter takes them:
//!
//! | name | kind | labels | what |
//! |---|---|---|---|
//! | `maintenance_phase` | gauge | `mode`, `phase` | 1 for the phase that the mode is in, 0 for the others |
//! | `maintenance_phase_seconds` | gauge | `mode` | how long it has been in that phase, as far as this process knows |
//! | `maintenance_refusals_total` | counter | `mode`, `format` | refused requests |
//! | `maintenance_passes_total` | counter | `rule` | requests that were let through although a mode was closed or a window was planned |
//! | `maintenance_in_flight_requests` | gauge | | requests that this process is serving |
//! | `maintenance_endless_responses` | gauge | | upgraded connections and responses without an end |
//! | `maintenance_parked_requests` | gauge | | requests that wait outside of this process for a mode to open |
//! | `maintenance_parked_total` | counter | `outcome` | requests that have waited so: `let-in`, `refused` or `gone` |
//! | `maintenance_parked_turned_away_total` | counter | | requests that were refused at once because too many waited |
//! | `maintenance_sessions` | gauge | | visitors who are inside |
//! | `maintenance_tasks` | gauge | | running tasks, as far as this process knows |
//! | `maintenance_store_errors_total` | counter | | how often the store failed to answer or to be understood |
//! | `maintenance_knowledge_age_seconds` | gauge | | how long ago the store was last known to say what is published |
//!
//! Gauges are set once a second. Install the exporter's recorder before
//! [`Builder::build`](crate::Builder::build) is awaited.
//!
//! # Health
//!
//! The admin scope answers the probes of an orchestrator, to anybody and whatever the state is; see
//! [`Maintenance::admin`](crate::Maintenance::admin).
//!
//! - `/maintenance-mode/livez` is 200 for as long as the app answers. An orchestrator that sees 503
//!   there restarts an app that is well.
//! - `/maintenance-mode/readyz` is 503 while a mode is offline that leaves nothing readable, or the
//!   one that `?mode=` names: then traffic moves away. Probe `livez` for readiness, too, if visitors
//!   are to see the page instead. While a mode is closing it stays 200: those who are in go on.

use actix_web::dev::ServiceResponse;

pub use crate::engine::events::{
    CHANGE_FAILED, CHANGED, CLOCK_DIFFERS, DRAINED, NODE_UNREPORTED, PASS, PHASE, REFUSAL,
    REFUSALS, RELEASE, SEE_REFUSED, STORE_BACK, STORE_FAILED, TOGGLE_REFUSED, TOKEN_REFUSED,
    UNENFORCED, UNKNOWN_MODE,
};
use crate::web::refusal::described::RefusalMarker;

#[cfg(feature = "tracing-filter")]
mod filter;
pub(crate) mod health;
#[cfg(feature = "tracing-filter")]
pub use self::filter::NotWhileInMaintenance;

/// Whether a response is a refusal by maintenance: a 503 that was meant, and no outage.
///
/// For middlewares outside of the maintenance middleware, such as actix's own log:
///
/// ```
/// use actix_maintenance_mode::observe::is_refusal;
/// use actix_web::middleware::Logger;
///
/// let logger = Logger::new("%r %s %{why}xo").custom_response_replace("why", |response| {
///     let why = if is_refusal(response) { "maintenance" } else { "-" };
///     why.to_owned()
/// });
/// ```
pub fn is_refusal<B>(response: &ServiceResponse<B>) -> bool {
    response.response().extensions().contains::<RefusalMarker>()
}
