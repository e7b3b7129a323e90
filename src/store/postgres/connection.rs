//! The connection over which requests to a Postgres server go.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ::tokio_postgres::{Error, Row, error::SqlState};

use super::{
    address::Address,
    failure,
    session::{Session, Value, open},
};
use crate::store::server::{
    connections::Server,
    reason::{Failure, Reason},
};

/// How often a statement is made again that others got in the way of: as by a lock that each waits for
/// the other to give up, or where the database is set to serialize.
const TRIES: usize = 5;
/// How long is tried to break off a statement that nobody waits for.
const CANCEL_WITHIN: Duration = Duration::from_secs(5);

/// Some servers, of which one takes writes.
#[derive(Debug)]
pub(super) struct Servers {
    pub(super) address: Address,
    /// Which one that was last.
    primary: AtomicUsize,
}

impl Servers {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            primary: AtomicUsize::new(0),
        }
    }

    pub(super) fn primary(&self) -> usize {
        self.primary.load(Ordering::Relaxed)
    }
}

impl Server for Servers {
    type Connection = Arc<Session>;
    type Error = Error;

    fn shown(&self) -> &str {
        &self.address.shown
    }

    async fn connect(&self, most: Duration) -> Result<(Arc<Session>, Option<Duration>), Reason> {
        let (session, took, at) = open(&self.address, self.primary(), most, None).await?;
        self.primary.store(at, Ordering::Relaxed);
        Ok((Arc::new(session), Some(took)))
    }

    fn judge(&self, error: &Error) -> Failure {
        failure::judge(error)
    }

    fn is_closed(session: &Arc<Session>) -> bool {
        session.is_closed()
    }

    fn give_up(&self, session: Arc<Session>, was_silent: bool) {
        Session::give_up(session, was_silent, CANCEL_WITHIN);
    }
}

/// What a statement found.
pub(super) enum Found {
    Rows(Vec<Row>),
    /// The table is not there.
    NoTable,
}

/// Runs one statement, which is a transaction of its own.
pub(super) async fn run(
    session: &Session,
    statement: &str,
    values: &[Value<'_>],
) -> Result<Found, Error> {
    let mut tries = TRIES;
    loop {
        tries -= 1;
        let error = match session.client.query_typed(statement, values).await {
            Ok(rows) => return Ok(Found::Rows(rows)),
            Err(error) => error,
        };
        match error.code() {
            Some(&SqlState::UNDEFINED_TABLE) => return Ok(Found::NoTable),
            Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED)
                if tries > 0 => {}
            _ => return Err(error),
        }
    }
}

/// Makes the table, unless somebody else is faster.
pub(super) async fn make_table(session: &Session) -> Result<(), Error> {
    match session.client.batch_execute(super::TABLE).await {
        Err(error) if is_there_already(&error) => Ok(()),
        made => made,
    }
}

/// Two who make it at once can both find that it is not there.
fn is_there_already(error: &Error) -> bool {
    matches!(
        error.code(),
        Some(
            &SqlState::UNIQUE_VIOLATION | &SqlState::DUPLICATE_TABLE | &SqlState::DUPLICATE_OBJECT
        )
    )
}
