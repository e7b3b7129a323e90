//! The clock of the service: the `Date` of its answers.

use std::{future::Future, pin::Pin, sync::Arc};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822::DateTimeParser};
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpRequest, HttpResponse, HttpService,
    ReqwestConnector,
};
use parking_lot::Mutex;

/// A date tells whole seconds, so that half a second more is as near as can be.
const HALF_A_SECOND: SignedDuration = SignedDuration::from_millis(500);

/// Remembers the date of the last answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Dates(Arc<Mutex<Option<Timestamp>>>);

impl Dates {
    /// The date of the last answer, if there has been one since this was asked last.
    pub(super) fn take(&self) -> Option<Timestamp> {
        self.0.lock().take()
    }

    fn note(&self, date: &str) {
        if let Some(date) = read(date) {
            *self.0.lock() = Some(date);
        }
    }
}

fn read(date: &str) -> Option<Timestamp> {
    let date = DateTimeParser::new().parse_timestamp(date).ok()?;
    date.checked_add(HALF_A_SECOND).ok()
}

impl HttpConnector for Dates {
    fn connect(&self, options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(Dated {
            client: ReqwestConnector::default().connect(options)?,
            dates: self.clone(),
        }))
    }
}

/// A client whose answers are looked at.
#[derive(Debug)]
struct Dated {
    client: HttpClient,
    dates: Dates,
}

impl HttpService for Dated {
    fn call<'a, 'b>(
        &'a self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        Box::pin(async move {
            let response = self.client.execute(request).await?;
            let date = response.headers().get("date");
            if let Some(date) = date.and_then(|date| date.to_str().ok()) {
                self.dates.note(date);
            }
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_read_to_the_half_second() {
        let expected: Timestamp = "2026-06-01T12:00:00.5Z".parse().unwrap();
        assert_eq!(read("Mon, 01 Jun 2026 12:00:00 GMT"), Some(expected));
        assert_eq!(read("yesterday"), None);
        let dates = Dates::default();
        dates.note("Mon, 01 Jun 2026 12:00:00 GMT");
        dates.note("what is no date");
        assert_eq!(dates.take(), Some(expected));
        assert_eq!(dates.take(), None);
    }
}
