//! A filter for logs.

use std::fmt::Debug;

use tracing::{
    Event, Metadata,
    field::{Field, Visit},
};
use tracing_subscriber::layer::{Context, Filter};

use crate::web::maintenance::Maintenance;

/// The fields under which middlewares and apps log the status of a response.
const STATUS_FIELDS: [&str; 5] = [
    "status",
    "status_code",
    "http.status_code",
    "http.response.status_code",
    "http_status",
];

/// Keeps events about refusals out of a layer for as long as maintenance explains them: those that
/// carry the status of a refusal, 503 unless set otherwise, while a mode is pending or offline.
///
/// The status is looked for in the event's fields `status`, `status_code`, `http_status`,
/// `http.status_code` and `http.response.status_code`, as a number or as text. Everything else
/// passes, also every other error.
///
/// ```
/// use actix_maintenance_mode::{Maintenance, observe::NotWhileInMaintenance};
/// use tracing_subscriber::{Layer as _, layer::SubscriberExt as _, registry::Registry};
///
/// # #[actix_web::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let maintenance = Maintenance::builder().store("memory:").build().await?;
/// # struct Pager; impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Pager {}
/// let alarms = Pager.with_filter(NotWhileInMaintenance::new(maintenance.clone()));
/// let subscriber = Registry::default().with(alarms);
/// # drop(subscriber);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct NotWhileInMaintenance {
    maintenance: Maintenance,
}

impl NotWhileInMaintenance {
    /// Asks this handle whether maintenance explains a refusal.
    pub fn new(maintenance: Maintenance) -> Self {
        Self { maintenance }
    }
}

impl<S> Filter<S> for NotWhileInMaintenance {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let fields = event.metadata().fields();
        if !STATUS_FIELDS
            .iter()
            .any(|name| fields.field(name).is_some())
        {
            return true;
        }
        let mut status = Status(None);
        event.record(&mut status);
        let explained = |status| {
            let is_refusal = self.maintenance.front.responses.is_status(status);
            is_refusal && self.maintenance.is_on()
        };
        !status.0.is_some_and(explained)
    }
}

/// The status that an event carries.
struct Status(Option<u16>);

impl Status {
    fn take(&mut self, field: &Field, status: impl FnOnce() -> Option<u16>) {
        if STATUS_FIELDS.contains(&field.name()) {
            self.0 = status().or(self.0);
        }
    }
}

impl Visit for Status {
    fn record_u64(&mut self, field: &Field, value: u64) {
        self.take(field, || u16::try_from(value).ok());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.take(field, || u16::try_from(value).ok());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.take(field, || leading_number(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.take(field, || leading_number(&format!("{value:?}")));
    }
}

/// The number of `503` and of `503 Service Unavailable`.
fn leading_number(text: &str) -> Option<u16> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
