//! Why this program cannot go on.

use std::fmt;

#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// For `map_err`.
pub(crate) fn because<E: fmt::Display>(what: &str) -> impl FnOnce(E) -> Failure {
    move |error| Failure(format!("{what}: {error}"))
}
