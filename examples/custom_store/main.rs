//! A store of one's own: the state in SQLite, for an app that has such a database anyway.
//!
//! ```sh
//! cargo run -p custom_store        # http://127.0.0.1:8080/
//! cargo test -p custom_store
//! ```
//!
//! Switch it by hand, too: `sqlite3 maintenance.db "UPDATE state SET document = 'on', version = version + 1"`.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use actix_maintenance_mode::{
    Maintenance,
    store::{
        Hint, Hints, Lease, LeaseCondition, LiveLease, Loaded, PutLease, Saved, Store, StoreError,
        StoreFuture, Version,
    },
};
use actix_web::{App, HttpServer, web};
use futures_util::{StreamExt as _, stream};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};

/// How often to look for changes by others.
const POLL_EVERY: Duration = Duration::from_millis(200);
/// How long to wait for others that write. Less than a request to a store may take.
const BUSY: Duration = Duration::from_secs(3);
/// The shortest and the longest that a lease may live.
const SHORTEST: Duration = Duration::from_millis(1);
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The names are blobs and not texts, as theirs are compared byte by byte.
const TABLES: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS state (
        id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, document BLOB NOT NULL
    );
    CREATE TABLE IF NOT EXISTS lease (
        name BLOB PRIMARY KEY, holder TEXT NOT NULL, content BLOB NOT NULL, lapses_at INTEGER NOT NULL
    );
";

/// The state in a database file.
#[derive(Debug, Clone)]
struct SqliteStore {
    path: PathBuf,
    connection: Arc<Mutex<Connection>>,
}

impl SqliteStore {
    fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref().to_owned();
        let opened = Connection::open(&path).and_then(|connection| {
            connection.busy_timeout(BUSY)?;
            connection.execute_batch(TABLES)?;
            Ok(connection)
        });
        match opened {
            Ok(connection) => Ok(Self {
                path,
                connection: Arc::new(Mutex::new(connection)),
            }),
            Err(error) => Err(fault(&path, error)),
        }
    }

    /// Runs work on the database in a transaction, on a thread that may block. Once begun it goes on
    /// to its end, also if nobody waits for it any more.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        let Self { path, connection } = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let mut connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
            // From the beginning as a writer: nobody writes between a look and the change after it.
            let transaction =
                connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            rusqlite::Result::Ok(value)
        });
        match done.await {
            Ok(done) => done.map_err(|error| fault(&path, error)),
            Err(error) => Err(StoreError::new("the process is ending").with_source(error)),
        }
    }
}

fn fault(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.display();
    StoreError::new(format!(
        "cannot use the maintenance state in {path}: {error}; check the file and its folder"
    ))
    .with_source(error)
}

fn present(database: &Connection) -> rusqlite::Result<Option<Loaded>> {
    // What somebody writes by hand is a text.
    let query = "SELECT version, CAST(document AS BLOB) FROM state";
    database
        .query_row(query, [], |row| {
            let version: i64 = row.get(0)?;
            Ok(Loaded {
                version: Version::new(version.to_string().into_bytes()),
                document: row.get(1)?,
            })
        })
        .optional()
}

/// Nanoseconds of the wall clock, which the processes of this machine share. Coarser ones cut off
/// the rest, and a lease would lapse by so much before its time.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    nanoseconds(since.unwrap_or_default())
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

/// When a lease lapses that is taken now.
fn lapse(time_to_live: Duration) -> i64 {
    now().saturating_add(nanoseconds(time_to_live.clamp(SHORTEST, YEAR)))
}

fn live(row: &Row<'_>) -> rusqlite::Result<LiveLease> {
    let name: Vec<u8> = row.get(0)?;
    let name = String::from_utf8(name).map_err(|_| rusqlite::Error::InvalidQuery)?;
    let (holder, content): (String, Vec<u8>) = (row.get(1)?, row.get(2)?);
    let left: i64 = row.get::<_, i64>(3)? - now();
    Ok(LiveLease {
        lease: Lease::new(name, holder, content).map_err(|_| rusqlite::Error::InvalidQuery)?,
        expires_in: Duration::from_nanos(left.try_into().unwrap_or(0)),
    })
}

fn holder_of(database: &Connection, name: &str) -> rusqlite::Result<Option<LiveLease>> {
    let query =
        "SELECT name, holder, content, lapses_at FROM lease WHERE name = ?1 AND lapses_at > ?2";
    database
        .query_row(query, params![name.as_bytes(), now()], live)
        .optional()
}

fn write(database: &Connection, lease: &Lease, time_to_live: Duration) -> rusqlite::Result<()> {
    let statement = "INSERT OR REPLACE INTO lease VALUES (?1, ?2, ?3, ?4)";
    let (name, lapses_at) = (lease.name().as_bytes(), lapse(time_to_live));
    let values = params![name, lease.holder(), lease.content(), lapses_at];
    database.execute(statement, values)?;
    Ok(())
}

impl Store for SqliteStore {
    fn url(&self) -> String {
        format!("sqlite:{}", self.path.display())
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(self.run(|database| present(database)))
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        let (document, expected) = (document.to_vec(), expected.cloned());
        Box::pin(self.run(move |database| {
            let stored = present(database)?;
            if stored.as_ref().map(|it| &it.version) != expected.as_ref() {
                return Ok(Saved::Conflict(stored));
            }
            // Not from one on: what somebody has seen before the row was lost is not what is there now.
            let statement = "INSERT INTO state VALUES (1, abs(random() / 2), ?1)
                ON CONFLICT (id) DO UPDATE SET document = ?1, version = version + 1
                RETURNING version";
            let version: i64 = database.query_row(statement, [document], |row| row.get(0))?;
            Ok(Saved::Stored(Version::new(
                version.to_string().into_bytes(),
            )))
        }))
    }

    /// SQLite tells nobody of changes by other processes, so this looks.
    fn watch(&self) -> Hints {
        let store = self.clone();
        let looks = stream::unfold(None, move |mut last| {
            let store = store.clone();
            async move {
                loop {
                    tokio::time::sleep(POLL_EVERY).await;
                    let loaded = store.load().await.ok().flatten();
                    let version = loaded.map(|it| it.version);
                    if version != last {
                        last = version;
                        return Some((Hint, last));
                    }
                }
            }
        });
        looks.boxed()
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        let lease = lease.clone();
        Box::pin(self.run(move |database| {
            if condition == LeaseCondition::IfAbsent
                && let Some(by) = holder_of(database, lease.name())?
                && by.lease.holder() != lease.holder()
            {
                return Ok(PutLease::Taken(by));
            }
            // What has lapsed goes when somebody writes.
            database.execute("DELETE FROM lease WHERE lapses_at <= ?1", [now()])?;
            write(database, &lease, time_to_live)?;
            Ok(PutLease::Held)
        }))
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        let lease = lease.clone();
        Box::pin(self.run(move |database| {
            let held = holder_of(database, lease.name())?;
            let is_held = held.is_some_and(|it| it.lease.holder() == lease.holder());
            if is_held {
                write(database, &lease, time_to_live)?;
            }
            Ok(is_held)
        }))
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        let lease = lease.clone();
        Box::pin(self.run(move |database| {
            let statement = "DELETE FROM lease WHERE name = ?1 AND holder = ?2";
            database.execute(statement, params![lease.name().as_bytes(), lease.holder()])?;
            Ok(())
        }))
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        let prefix = prefix.as_bytes().to_vec();
        Box::pin(self.run(move |database| {
            let query = "SELECT name, holder, content, lapses_at FROM lease
                WHERE substr(name, 1, length(?1)) = ?1 AND lapses_at > ?2 ORDER BY name";
            let mut statement = database.prepare(query)?;
            statement.query_map(params![prefix, now()], live)?.collect()
        }))
    }
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = SqliteStore::open("maintenance.db")?;
    let maintenance = Maintenance::builder().custom_store(store).build().await?;
    println!("http://127.0.0.1:8080/ is kept by maintenance.db");
    HttpServer::new(move || {
        App::new()
            .service(maintenance.admin())
            .route("/", web::get().to(|| async { "Hello" }))
            .wrap(maintenance.middleware())
    })
    .bind(("127.0.0.1", 8080))?
    .run()
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use actix_maintenance_mode::store::conformance::Suite;

    use super::*;

    #[tokio::test]
    async fn it_is_a_store() {
        let folder = tempfile::tempdir().unwrap();
        let mut count = 0;
        let fresh = move || {
            count += 1;
            format!("{}/{count}.db", folder.path().display())
        };
        // As somebody would who restores a database without these tables.
        let forget = |path: String| async move {
            let connection = Connection::open(path).unwrap();
            connection.busy_timeout(BUSY).unwrap();
            let forget = "DELETE FROM state; DELETE FROM lease;";
            connection.execute_batch(forget).unwrap();
        };
        Suite::new(fresh, |path| async move { SqliteStore::open(path) })
            .forget(forget)
            .processes("tests::it_is_a_store")
            .check()
            .await
            .unwrap();
    }
}
