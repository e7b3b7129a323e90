//! Guards whose work is in no process that has the store: a program that uses the API.

use crate::engine::{
    change_error::ChangeError,
    changes::{Change, send},
    driver::Operation,
    handle::Engine,
};

/// Takes a guard away by its name, and puts back what was before it, unless what is shall be kept.
/// Where it is not any more, nothing changes.
pub(crate) async fn leave(
    engine: &Engine,
    mode: &str,
    name: &str,
    keep: bool,
) -> Result<Change, ChangeError> {
    engine.find_mode(mode)?;
    let (mode, name) = (mode.to_owned(), name.to_owned());
    let operation: Operation = Box::new(move |document, now| match keep {
        true => document.keep(&mode, &name),
        false => document.leave(&mode, &name, now),
    });
    send(engine, operation, None, true).await
}
