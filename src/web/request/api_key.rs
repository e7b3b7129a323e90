//! A key that lets a request through.

use actix_web::{HttpRequest, http::header::HeaderName};
use subtle::{Choice, ConstantTimeEq as _};

use crate::{settings::ApiKeySettings, web::request::query_pairs};

/// A key that lets a request through, in a header or in the query.
pub(crate) struct ApiKey {
    header: Option<HeaderName>,
    query: Option<String>,
    keys: Vec<String>,
}

impl ApiKey {
    pub(crate) fn new(settings: &ApiKeySettings) -> Result<Self, String> {
        let header = settings
            .header
            .as_deref()
            .map(|name| {
                HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| format!("`{name}` is no header name"))
            })
            .transpose()?;
        Ok(Self {
            header,
            query: settings.query.clone(),
            keys: settings.keys.clone(),
        })
    }

    pub(crate) fn is_in(&self, request: &HttpRequest) -> bool {
        let in_header = self.header.as_ref().is_some_and(|header| {
            request
                .headers()
                .get_all(header)
                .any(|value| self.is_valid(value.as_bytes()))
        });
        in_header
            || self.query.as_deref().is_some_and(|wanted| {
                query_pairs(request.query_string())
                    .iter()
                    .any(|(name, value)| name == wanted && self.is_valid(value.as_bytes()))
            })
    }

    /// Compares with every key in a time that does not depend on where they differ.
    fn is_valid(&self, given: &[u8]) -> bool {
        self.keys
            .iter()
            .fold(Choice::from(0), |valid, key| {
                valid | key.as_bytes().ct_eq(given)
            })
            .into()
    }
}
