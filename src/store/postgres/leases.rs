//! Leases as rows, each with its end by the server's clock.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ::tokio_postgres::{Row, types::Type};

use super::{
    Database,
    connection::{Found, run},
    session::{Session, Value},
};
use crate::store::{
    Lease, LeaseCondition, LiveLease, PutLease, StoreError, UNREADABLE, lease::bounded,
    server::reason::Reason,
};

/// Above any lease's content.
const LARGEST_CONTENT: i64 = 1024 * 1024;
/// How often a lease is wanted again that was another's, who has given it back meanwhile.
const TRIES: usize = 5;

/// What is asked of a live lease. `now()` is when the statement came, before it saw any row: so that one
/// that is renewed in time is live to everybody, whenever that is written.
const LIVE: &str = "SELECT name, holder,
    CASE WHEN octet_length(content) <= $2 THEN content END,
    (extract(epoch FROM expires_at - now()) * 1000000)::bigint
    FROM maintenance WHERE prefix = $1 AND expires_at > now()";

#[derive(Debug)]
pub(super) struct Leases(pub(super) Database);

impl Leases {
    pub(super) async fn put(
        &self,
        lease: &Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> Result<PutLease, StoreError> {
        // Whoever puts one looks after two that have lapsed long ago, so that they leave in the end.
        const PUT: &str = "WITH old AS (
            DELETE FROM maintenance WHERE prefix = $1 AND name IN (
                SELECT name FROM maintenance
                WHERE prefix = $1 AND name <> $2 AND expires_at < now() - interval '1 minute'
                LIMIT 2 FOR UPDATE SKIP LOCKED))
            INSERT INTO maintenance AS held (prefix, name, holder, content, expires_at)
            VALUES ($1, $2, $3, $4, clock_timestamp() + $5 * interval '1 microsecond')
            ON CONFLICT (prefix, name) DO UPDATE SET
                holder = $3, content = $4,
                expires_at = clock_timestamp() + $5 * interval '1 microsecond'
            WHERE $6 OR held.holder = $3 OR held.expires_at <= clock_timestamp()
            RETURNING 1";
        const WHAT: &str = "take a lease";
        let (name, holder) = (lease.name().as_bytes(), lease.holder().as_bytes());
        let content = lease.content();
        let (lives, always) = (micros(time_to_live), condition == LeaseCondition::Always);
        let values: [Value<'_>; 6] = [
            (&self.0.prefix, Type::TEXT),
            (&name, Type::BYTEA),
            (&holder, Type::BYTEA),
            (&content, Type::BYTEA),
            (&lives, Type::INT8),
            (&always, Type::BOOL),
        ];
        for _ in 0..TRIES {
            if !self.0.make(WHAT, PUT, &values).await?.value.is_empty() {
                return Ok(PutLease::Held);
            }
            let statement = format!("{LIVE} AND name = $3");
            let values: [Value<'_>; 3] = [
                (&self.0.prefix, Type::TEXT),
                (&LARGEST_CONTENT, Type::INT8),
                (&name, Type::BYTEA),
            ];
            if let Found::Rows(rows) = self.0.ask(WHAT, &statement, &values).await?.value
                && let Some(row) = rows.first()
            {
                return Ok(PutLease::Taken(self.live(WHAT, row)?));
            }
        }
        let reason = Reason::passing("others take it and give it back all the time; try again");
        Err(self.0.connections.error(WHAT, &reason))
    }

    pub(super) async fn renew(
        &self,
        lease: &Lease,
        time_to_live: Duration,
    ) -> Result<bool, StoreError> {
        // Tells how much was left of it.
        const RENEW: &str = "WITH old AS (
            SELECT expires_at FROM maintenance WHERE prefix = $1 AND name = $2)
            UPDATE maintenance SET content = $4,
                expires_at = clock_timestamp() + $5 * interval '1 microsecond'
            WHERE prefix = $1 AND name = $2 AND holder = $3 AND expires_at > clock_timestamp()
            RETURNING (SELECT (extract(epoch FROM old.expires_at - now()) * 1000000)::bigint FROM old)";
        const WHAT: &str = "renew a lease";
        let (name, holder) = (lease.name().as_bytes(), lease.holder().as_bytes());
        let (content, lives) = (lease.content(), micros(time_to_live));
        let values: [Value<'_>; 5] = [
            (&self.0.prefix, Type::TEXT),
            (&name, Type::BYTEA),
            (&holder, Type::BYTEA),
            (&content, Type::BYTEA),
            (&lives, Type::INT8),
        ];
        let question = |session: Arc<Session>| {
            let values = &values;
            async move {
                let began = Instant::now();
                let found = run(&session, RENEW, values).await?;
                Ok((found, began.elapsed()))
            }
        };
        let answer = self.0.connections.ask(WHAT, question).await?;
        let (Found::Rows(rows), took) = answer.value else {
            return Ok(false);
        };
        let Some(row) = rows.first() else {
            return Ok(false);
        };
        let left: Option<i64> = self.0.field(WHAT, row, 0)?;
        let left = Duration::from_micros(left.and_then(|left| left.try_into().ok()).unwrap_or(0));
        if took < left {
            return Ok(true);
        }
        // It may have been written after its time, so that somebody has seen it lapse in between.
        self.remove(lease).await?;
        Ok(false)
    }

    pub(super) async fn remove(&self, lease: &Lease) -> Result<(), StoreError> {
        const REMOVE: &str =
            "DELETE FROM maintenance WHERE prefix = $1 AND name = $2 AND holder = $3";
        let (name, holder) = (lease.name().as_bytes(), lease.holder().as_bytes());
        let values: [Value<'_>; 3] = [
            (&self.0.prefix, Type::TEXT),
            (&name, Type::BYTEA),
            (&holder, Type::BYTEA),
        ];
        self.0.ask("give a lease back", REMOVE, &values).await?;
        Ok(())
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<LiveLease>, StoreError> {
        const WHAT: &str = "list leases";
        let statement = format!("{LIVE} AND name >= $3 AND name < $4 ORDER BY name");
        let first = prefix.as_bytes();
        // Names are UTF-8, which has no such byte.
        let end = [first, b"\xff"].concat();
        let values: [Value<'_>; 4] = [
            (&self.0.prefix, Type::TEXT),
            (&LARGEST_CONTENT, Type::INT8),
            (&first, Type::BYTEA),
            (&end, Type::BYTEA),
        ];
        match self.0.ask(WHAT, &statement, &values).await?.value {
            Found::Rows(rows) => rows.iter().map(|row| self.live(WHAT, row)).collect(),
            Found::NoTable => Ok(Vec::new()),
        }
    }

    /// A lease as a statement found it.
    fn live(&self, what: &str, row: &Row) -> Result<LiveLease, StoreError> {
        let name: Vec<u8> = self.0.field(what, row, 0)?;
        let name = String::from_utf8_lossy(&name);
        let holder: Option<Vec<u8>> = self.0.field(what, row, 1)?;
        let content: Option<Vec<u8>> = self.0.field(what, row, 2)?;
        let left: i64 = self.0.field(what, row, 3)?;
        let holder = holder.and_then(|holder| String::from_utf8(holder).ok());
        // One that is too large, or has no holder, was written by others, and is there all the same.
        let lease = match (holder, content) {
            (Some(holder), Some(content)) => Lease::new(&*name, holder, content),
            _ => Lease::new(&*name, UNREADABLE, ""),
        };
        Ok(LiveLease {
            lease: lease.or_else(|_| Lease::new(&*name, UNREADABLE, ""))?,
            expires_in: Duration::from_micros(left.try_into().unwrap_or(0)),
        })
    }
}

/// Rounded up: a lease must not lapse before its holder thinks so.
fn micros(time_to_live: Duration) -> i64 {
    let micros = bounded(time_to_live).as_nanos().div_ceil(1000);
    micros.try_into().unwrap_or(i64::MAX)
}
