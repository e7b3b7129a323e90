//! What a form says, or the query in its place.

use actix_web::{
    HttpRequest,
    http::{StatusCode, header::CONTENT_TYPE},
};

use crate::web::request::query_pairs;

/// Why a body cannot be read. A change without the message that came with it is not what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    #[error("The body is no form. Send it as application/x-www-form-urlencoded, or none.")]
    NoForm,
    #[error("The form is not in UTF-8.")]
    NotUtf8,
}

impl Unreadable {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::NoForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::NotUtf8 => StatusCode::BAD_REQUEST,
        }
    }
}

/// The fields of a form. What is not asked for is left out.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    pub(super) fn read(request: &HttpRequest, body: &[u8]) -> Result<Self, Unreadable> {
        let is_form = request.headers().get(CONTENT_TYPE).is_some_and(|kind| {
            let kind = kind.as_bytes().split(|byte| *byte == b';').next();
            kind.is_some_and(|kind| {
                kind.trim_ascii()
                    .eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
            })
        });
        if !body.is_empty() && !is_form {
            return Err(Unreadable::NoForm);
        }
        let form = std::str::from_utf8(body).map_err(|_| Unreadable::NotUtf8)?;
        let mut fields = query_pairs(request.query_string());
        fields.extend(query_pairs(form));
        Ok(Self(fields))
    }

    /// The fields of the body alone: what nobody can put into a link.
    pub(super) fn of_body(body: &[u8]) -> Self {
        Self(query_pairs(std::str::from_utf8(body).unwrap_or_default()))
    }

    /// The fields of the query alone.
    pub(super) fn of_query(request: &HttpRequest) -> Self {
        Self(query_pairs(request.query_string()))
    }

    /// Whether there is such a field, with whatever in it.
    pub(super) fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    /// A field that is not empty. The form comes after the query, so it wins.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, value)| known == name && !value.trim().is_empty())
            .map(|(_, value)| value.as_str())
    }
}
