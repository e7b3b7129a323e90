//! What a failure of an object store means, and what to do about it.

use std::error::Error as StdError;

use object_store::Error;

/// The longest that the service's own words get.
const WORDS: usize = 300;

/// Says in words what has happened and what helps.
pub(super) fn told(error: &Error) -> String {
    let words = words(error);
    match error {
        _ if is_no_bucket(error) => {
            "there is no such bucket; make it, or correct the name and the region".to_owned()
        }
        Error::PermissionDenied { .. } | Error::Unauthenticated { .. } => format!(
            "the service does not let these credentials do that ({words}); allow them to get, put \
             and list objects there"
        ),
        Error::NotImplemented { .. } | Error::NotSupported { .. } => format!(
            "the service has no conditional writes ({words}), without which two nodes overwrite each \
             other; use another"
        ),
        _ => format!(
            "{words}; check the network, the credentials and the endpoint in the environment"
        ),
    }
}

/// Whether trying again cannot help before somebody has changed the settings or the service's.
pub(super) fn is_permanent(error: &Error) -> bool {
    is_no_bucket(error)
        || matches!(
            error,
            Error::PermissionDenied { .. }
                | Error::Unauthenticated { .. }
                | Error::NotImplemented { .. }
                | Error::NotSupported { .. }
        )
}

/// Whether somebody else has changed the object meanwhile.
pub(super) fn is_conflict(error: &Error) -> bool {
    matches!(
        error,
        Error::AlreadyExists { .. } | Error::Precondition { .. } | Error::NotFound { .. }
    ) && !is_no_bucket(error)
}

/// Whether there is no bucket, which is told like a missing object.
pub(super) fn is_no_bucket(error: &Error) -> bool {
    let words = words(error);
    ["NoSuchBucket", "ContainerNotFound", "bucket does not exist"]
        .iter()
        .any(|code| words.contains(code))
}

/// What the library and the service say, without the queries of URLs, which may hold a signature.
fn words(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let more = error.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = error.source();
    }
    let mut shown = String::new();
    let mut in_query = false;
    for character in text.chars().take(WORDS) {
        in_query = match character {
            '?' => true,
            _ => in_query && !character.is_whitespace() && !matches!(character, '"' | ')' | '<'),
        };
        if !in_query {
            shown.push(if character.is_control() {
                ' '
            } else {
                character
            });
        }
    }
    shown
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
