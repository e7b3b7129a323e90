//! What a failure of a Postgres server means, and what to do about it.

use std::{error::Error as _, io};

use ::tokio_postgres::{Error, error::SqlState};

use crate::{
    core::text::chain,
    store::server::reason::{Failure, NOTHING_LISTENS, Reason, SILENT},
};

pub(super) const REPLICA: &str = "it is a standby, which takes no writes; give the address of the primary, \
     or of all of them: \"postgres://one,two/database\"";

pub(super) const READ_ONLY: &str = "the database is set to read-only (`default_transaction_read_only`); \
     have it take writes, or give the store another database";

const LOGIN: &str = "give the user and the password in the URL, or the password in PGPASSWORD or in \
     `~/.pgpass`";

const FOREIGN: &str = "the table `maintenance` is there and is another's; give the store a schema of its \
     own, by `?options=-csearch_path%3Dschema`";

/// What has happened, and what helps.
pub(super) fn reason(error: &Error) -> Reason {
    if let Some(known) = error.as_db_error() {
        return by_code(known.code(), known.message());
    }
    let text = chain(error);
    match source_of::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) => {
            Reason::passing(NOTHING_LISTENS)
        }
        Some(io::ErrorKind::TimedOut) => Reason::passing(SILENT),
        // The driver lacks what the server asks for.
        None if text.contains("password missing") => {
            Reason::permanent(format!("the server asks for a password; {LOGIN}"))
        }
        None if text.contains("does not support TLS") => Reason::passing(
            "the server does not support TLS; turn it on there, or take `sslmode` out of the URL",
        ),
        _ => Reason::passing(format!(
            "the connection failed ({text}); check the address, the network and the server"
        )),
    }
}

/// What a request failed of, and what that says of the connection.
pub(super) fn judge(error: &Error) -> Failure {
    let code = error.code();
    // 08: the connection; 57P0: the server ends it, by an administrator, a crash, or as it is idle.
    let is_ended = code.is_some_and(|code| {
        let code = code.code();
        code.starts_with("08") || code.starts_with("57P")
    });
    let is_dropped = is_ended || error.is_closed() || (code.is_none() && is_of_the_way(error));
    Failure {
        reason: reason(error),
        // Whoever takes no writes any more may have been replaced at its address.
        is_lost: is_dropped || code == Some(&SqlState::READ_ONLY_SQL_TRANSACTION),
        is_dropped,
    }
}

/// Whether bytes did not come through.
fn is_of_the_way(error: &Error) -> bool {
    source_of::<io::Error>(error).is_some()
}

fn source_of<E: std::error::Error + 'static>(error: &Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        source = error.source();
    }
    None
}

fn by_code(code: &SqlState, message: &str) -> Reason {
    let says = format!("the server answers: {message}");
    match code.code() {
        // Rules of access, and log-ins.
        "28000" | "28P01" => Reason::permanent(format!(
            "the server lets nobody in so ({message}); {LOGIN}, and see its `pg_hba.conf`"
        )),
        "3D000" => Reason::permanent(format!("{says}; make it, or name another one")),
        "42501" | "3F000" => Reason::permanent(format!(
            "the server does not allow it ({message}); `maintenance export postgres` prints the table \
             and the rights that are needed"
        )),
        // Columns that there are not, or of another type.
        "42703" | "42804" | "42883" | "42P10" | "23502" | "42809" => {
            Reason::permanent(format!("{FOREIGN} ({message})"))
        }
        "25006" => Reason::passing(REPLICA),
        "53300" => Reason::passing(
            "the server has too many connections; raise its `max_connections`, or close some",
        ),
        "53100" => Reason::passing("the server's disk is full; make room there"),
        "57P03" => Reason::passing(format!("{says}; it answers when it is done")),
        "57014" | "55P03" => Reason::passing(format!(
            "the server has broken it off ({message}); see what else holds the table, and its \
             `statement_timeout`"
        )),
        _ => Reason::passing(says),
    }
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;
