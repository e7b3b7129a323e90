//! The store that is a Postgres database.

use std::{sync::Arc, sync::atomic::AtomicBool, time::Duration};

use ::tokio_postgres::{
    Error, Row,
    types::{FromSqlOwned, Type},
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use self::{
    address::Address,
    connection::{Found, Servers, make_table, run},
    leases::Leases,
    session::Value,
    watch::{CHANNEL, Channel},
};
use super::{
    Hints, LARGEST_DOCUMENT, Lease, LeaseCondition, LiveLease, Loaded, PutLease, Saved, Store,
    StoreError, StoreFuture, Version,
    server::{
        connections::{Answer, Connections, Server as _},
        watch::watch,
    },
    too_large,
};

pub(crate) mod address;
mod connection;
mod encryption;
mod failure;
mod leases;
mod pass_file;
mod session;
mod watch;

/// Makes the table.
const TABLE: &str = include_str!("postgres/table.sql");

/// Keeps the state in a Postgres database, which any number of machines can share.
///
/// Needs the feature `postgres`. Tested with Postgres 15, and with PgBouncer in front; it needs nothing
/// that is newer than Postgres 11.
///
/// # URLs
///
/// | URL | leads to |
/// |---|---|
/// | `postgres://user@host/database` | a database by TCP; the port is 5432 unless given |
/// | `postgres://user:password@one:5433,two/database` | the first of these servers that takes writes |
/// | `postgres:///database?host=/run/postgresql` | a server by a socket in this folder |
/// | `…?sslmode=verify-full&sslrootcert=/etc/ca.pem` | by TLS, from a server with a certificate of this authority |
/// | `…?prefix=shop` | rows under `shop` instead of `maintenance`, for each app its own |
///
/// `postgresql` can stand for `postgres`. The other parameters are those of libpq: `user`, `password`,
/// `dbname`, `host`, `hostaddr`, `port`, `options`, `application_name`, `connect_timeout`,
/// `tcp_user_timeout`, `keepalives…`, `channel_binding`, `sslnegotiation`, `sslcert`, `sslkey` and
/// `passfile`. What the URL leaves out is taken from `PGHOST`, `PGPORT`, `PGUSER`, `PGDATABASE`,
/// `PGSSLMODE`, `PGSSLROOTCERT`, `PGSSLCERT`, `PGSSLKEY`, and the password from `PGPASSWORD`, or from
/// `PGPASSFILE` or `~/.pgpass`, which is read again for each connection. There is no service file. User and
/// password are never shown.
///
/// `sslmode` means what it means to libpq: `prefer`, the default, and `require` encrypt and ask nobody who
/// it is; `verify-ca` and `verify-full` check the certificate. Without `sslrootcert` the system's
/// authorities count. Over a network that is not your own give `verify-full`.
///
/// # The table
///
/// One table, `maintenance`, in the first schema of the search path. It is made at the first change if the
/// user may make one; for those who make it themselves `maintenance export postgres` prints it. Reading
/// needs `SELECT`; a node needs `INSERT`, `UPDATE` and `DELETE`, too. The document is the row with the empty
/// name, so this closes a site from a psql, and is seen within five seconds:
///
/// ```sql
/// INSERT INTO maintenance (prefix, name, content) VALUES ('maintenance', '', 'on')
///     ON CONFLICT (prefix, name) DO UPDATE SET content = 'on';
/// ```
///
/// # Promises
///
/// - A node has at most two connections: one for requests, and one that listens. There is no pool.
/// - Of several writers that replace the same document one wins: by the row's version and its content. A
///   change is as durable as a commit of this database is.
/// - A change is seen at once by `NOTIFY`, with a slow look behind it. Behind a pooler in transaction mode
///   nobody can listen; then it is seen within a second or two, and the log says so once.
/// - A request takes no longer than about four seconds, whatever the server does. Where its answers are
///   slow, they get more time: some times what they have taken so far, and never more than
///   [`wait_at_most`](Self::wait_at_most) says. What nobody waits for any more is cancelled.
/// - A lease is a row with its end, by the server's clock.
///
/// # What the database may lose
///
/// A fail-over to a standby that was behind, a dump that is restored, or `DROP TABLE` take changes away.
/// The nodes put back what they know that is newer, so a row that is deleted comes back: set it to `off`
/// instead.
///
/// # Examples
///
/// ```
/// use actix_maintenance_mode::store::{PostgresStore, Store};
///
/// // Connects when it is first used.
/// let store = PostgresStore::new("postgres://shop:geheim@db.example.com/shop?prefix=shop")?;
/// assert_eq!(store.url(), "postgres://db.example.com/shop?prefix=shop");
/// # Ok::<(), actix_maintenance_mode::store::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct PostgresStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    database: Database,
    leases: Leases,
    pooler_told: Arc<AtomicBool>,
}

/// The database, and under what the rows are.
#[derive(Debug, Clone)]
struct Database {
    connections: Connections<Servers>,
    prefix: String,
}

impl PostgresStore {
    /// Makes a store of the database that the URL names. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// When the URL does not name a database.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let address = Address::parse(url).map_err(|reason| {
            StoreError::new(format!(
                "cannot keep the maintenance state in `{}`: {reason}",
                crate::store::url::without_password(url)
            ))
        })?;
        let database = Database {
            prefix: address.prefix.clone(),
            connections: Connections::new(Servers::new(address)),
        };
        Ok(Self(Arc::new(Inner {
            leases: Leases(database.clone()),
            database,
            pooler_told: Arc::default(),
        })))
    }

    /// Waits for no answer of the server longer than this; the default is 30 seconds. Where answers are
    /// quick, much less is waited. Less than two seconds are two.
    #[must_use]
    pub fn wait_at_most(self, longest: Duration) -> Self {
        self.0.database.connections.wait_at_most(longest);
        self
    }
}

impl Database {
    fn shown(&self) -> &str {
        self.connections.server().shown()
    }

    /// Runs a statement that changes nothing, or nothing where there is no table.
    async fn ask(
        &self,
        what: &str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Answer<Found>, StoreError> {
        let question =
            |session: Arc<session::Session>| async move { run(&session, statement, values).await };
        self.connections.ask(what, question).await
    }

    /// Runs a statement that makes a row, in a table that is made if it is not there.
    async fn make(
        &self,
        what: &str,
        statement: &str,
        values: &[Value<'_>],
    ) -> Result<Answer<Vec<Row>>, StoreError> {
        let question = |session: Arc<session::Session>| async move {
            if let Found::Rows(rows) = run(&session, statement, values).await? {
                return Ok(rows);
            }
            make_table(&session).await?;
            match run(&session, statement, values).await? {
                Found::Rows(rows) => Ok(rows),
                // Dropped again at once. Nothing is made.
                Found::NoTable => Ok(Vec::new()),
            }
        };
        self.connections.ask(what, question).await
    }

    /// What a row has, of which the statement says that it is there and of which type.
    fn field<T: FromSqlOwned>(&self, what: &str, row: &Row, at: usize) -> Result<T, StoreError> {
        row.try_get(at).map_err(|error: Error| {
            let reason = failure::reason(&error);
            self.connections.error(what, &reason)
        })
    }
}

/// What tells a document from others: the number of its change, and what it is; a row that is written by
/// hand, by a dump or by a server that was behind may have the same number.
fn version(number: i64, document: &[u8]) -> Version {
    let digest = Sha256::digest(document);
    Version::new([&number.to_be_bytes()[..], &digest[..]].concat())
}

/// What a version was made of; `None` if it cannot be one of this store.
fn parts(version: &Version) -> Option<(i64, &[u8])> {
    let (number, digest) = version.as_bytes().split_first_chunk()?;
    Some((i64::from_be_bytes(*number), digest))
}

const READ: &str = "read the maintenance state";
const STORE: &str = "store the maintenance state";

impl Inner {
    async fn load(&self) -> Result<Option<Loaded>, StoreError> {
        const LOAD: &str = "SELECT version, octet_length(content)::bigint,
            CASE WHEN octet_length(content) <= $2 THEN content END
            FROM maintenance WHERE prefix = $1 AND name = ''";
        let database = &self.database;
        let most = LARGEST_DOCUMENT as i64;
        let values: [Value<'_>; 2] = [(&database.prefix, Type::TEXT), (&most, Type::INT8)];
        let Found::Rows(rows) = database.ask(READ, LOAD, &values).await?.value else {
            return Ok(None);
        };
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let Some(document) = database.field::<Option<Vec<u8>>>(READ, row, 2)? else {
            let size: i64 = database.field(READ, row, 1)?;
            return Err(too_large(database.shown(), size.unsigned_abs()));
        };
        Ok(Some(Loaded {
            version: version(database.field(READ, row, 0)?, &document),
            document,
        }))
    }

    async fn save(&self, document: &[u8], expected: Option<&Version>) -> Result<Saved, StoreError> {
        // Told within the same transaction: with the change, or not at all.
        const BEGIN: &str = "WITH stored AS (
            INSERT INTO maintenance (prefix, name, content) VALUES ($1, '', $2)
            ON CONFLICT (prefix, name) DO NOTHING RETURNING version)
            SELECT version, pg_notify($3, $1)::text FROM stored";
        const REPLACE: &str = "WITH stored AS (
            UPDATE maintenance SET content = $2, version = version + 1
            WHERE prefix = $1 AND name = '' AND version = $4 AND sha256(content) = $5
            RETURNING version)
            SELECT version, pg_notify($3, $1)::text FROM stored";
        let database = &self.database;
        if document.len() > LARGEST_DOCUMENT {
            return Err(StoreError::new(format!(
                "cannot {STORE} at {}: it has {} bytes, and more than {} MiB are never read again",
                database.shown(),
                document.len(),
                LARGEST_DOCUMENT / 1024 / 1024
            )));
        }
        let mut values: Vec<Value<'_>> = vec![
            (&database.prefix, Type::TEXT),
            (&document, Type::BYTEA),
            (&CHANNEL, Type::TEXT),
        ];
        let (rows, asked_twice) = match expected.map(parts) {
            None => {
                let answer = database.make(STORE, BEGIN, &values).await?;
                (answer.value, answer.asked_twice)
            }
            Some(Some((number, digest))) => {
                values.extend([(&number as _, Type::INT8), (&digest as _, Type::BYTEA)]);
                let answer = database.ask(STORE, REPLACE, &values).await?;
                match answer.value {
                    Found::Rows(rows) => (rows, answer.asked_twice),
                    Found::NoTable => return Ok(Saved::Conflict(None)),
                }
            }
            // None of this store's.
            Some(None) => (Vec::new(), false),
        };
        if let Some(row) = rows.first() {
            let number = database.field(STORE, row, 0)?;
            return Ok(Saved::Stored(version(number, document)));
        }
        let newer = self.load().await?;
        // Asked a second time, one finds one's own document.
        Ok(match newer {
            Some(newer) if asked_twice && newer.document == document => {
                Saved::Stored(newer.version)
            }
            newer => Saved::Conflict(newer),
        })
    }

    async fn clock(&self) -> Result<Option<Timestamp>, StoreError> {
        const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
        let what = "ask what time it is";
        let answer = self.database.ask(what, CLOCK, &[]).await?;
        let Found::Rows(rows) = answer.value else {
            return Ok(None);
        };
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let micros = self.database.field(what, row, 0)?;
        Ok(Timestamp::from_microsecond(micros).ok())
    }

    /// This start of the server, and this table: leases do not outlive one that is another, as after a
    /// fail-over, from a backup or from a dump.
    async fn life(&self) -> Result<Option<String>, StoreError> {
        const LIFE: &str = "SELECT concat_ws('/', extract(epoch FROM pg_postmaster_start_time()),
            found::oid, pg_relation_filenode(found))
            FROM to_regclass('maintenance') AS found";
        let what = "ask since when it runs";
        let answer = self.database.ask(what, LIFE, &[]).await?;
        let Found::Rows(rows) = answer.value else {
            return Ok(None);
        };
        let row = rows.first();
        row.map(|row| self.database.field(what, row, 0)).transpose()
    }
}

impl Store for PostgresStore {
    fn url(&self) -> String {
        self.0.database.shown().to_owned()
    }

    fn may_lose_state(&self) -> bool {
        true
    }

    fn life(&self) -> StoreFuture<'_, Option<String>> {
        Box::pin(self.0.life())
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(self.0.load())
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(self.0.save(document, expected))
    }

    fn watch(&self) -> Hints {
        watch(Channel {
            connections: self.0.database.connections.clone(),
            pooler_told: Arc::clone(&self.0.pooler_told),
        })
    }

    fn answers_within(&self) -> Option<Duration> {
        Some(self.0.database.connections.answers_within())
    }

    fn clock(&self) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(self.0.clock())
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        Box::pin(self.0.leases.put(lease, time_to_live, condition))
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(self.0.leases.renew(lease, time_to_live))
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(self.0.leases.remove(lease))
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        Box::pin(self.0.leases.list(prefix))
    }
}
