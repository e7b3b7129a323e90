//! Where the state lives: the [`Store`] trait and the stores that come with the crate.
//!
//! A store moves bytes. It knows nothing of modes or windows: the one document that it holds is
//! encoded and understood elsewhere. What it promises is that a reader never sees half a document
//! and that of two writers who saw the same document only one succeeds.
//!
//! Beside the document it holds leases: entries that vanish when their holder stops renewing them.
//!
//! # Choosing a store
//!
//! | the app runs | store | a change is seen elsewhere |
//! |---|---|---|
//! | in one process, and forgets at its end | [`MemoryStore`] | |
//! | on one machine, in any number of processes | [`FileStore`] | within a tenth of a second |
//! | on several machines, with Redis or Valkey | `RedisStore` (feature `redis`) | within milliseconds |
//! | on several machines, with Postgres | `PostgresStore` (feature `postgres`) | within milliseconds |
//! | on several machines, with nothing but a bucket | `BucketStore` (feature `object-store`) | within seconds |
//! | with something else that compares and swaps | one's own [`Store`] | |
//!
//! - The file store is the one to begin with: it needs nothing, survives everything that the disk
//!   survives, and is switched by `echo on`. On a network file system it works as well as its locks.
//! - Do not keep the state in what maintenance is for. A migration of the database should not need
//!   the database to say that the site is closed.
//! - Postgres keeps what it has confirmed, and costs two connections a node. Give the state another
//!   database than the one that is migrated, or read in the guide what holds while that one is down.
//! - Redis is memory first. What it loses the nodes put back; turn on its append-only file for the
//!   case that all of them are gone, too.
//! - A bucket is the most durable and the slowest, and each look costs something.
//! - No request ever waits for any of them: `when_store_fails` says what counts while a store is away.
//!
//! # A store of one's own
//!
//! Implement [`Store`], hand it to [`Builder::custom_store`](crate::Builder::custom_store), and run
//! `conformance::Suite` (feature `testing`) against it in a test. `examples/custom_store` is one in
//! SQLite.

use std::{error::Error as StdError, fmt, future::Future, pin::Pin, time::Duration};

use futures_core::Stream;
use jiff::Timestamp;

#[cfg(feature = "object-store")]
pub(crate) mod bucket;
#[cfg(feature = "testing")]
pub mod conformance;
pub(crate) mod file;
mod lease;
mod memory;
#[cfg(feature = "postgres")]
pub(crate) mod postgres;
#[cfg(feature = "redis")]
pub(crate) mod redis;
mod reserve;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod server;
pub(crate) mod url;

#[cfg(feature = "object-store")]
pub use self::bucket::BucketStore;
#[cfg(feature = "postgres")]
pub use self::postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use self::redis::RedisStore;
pub use self::{
    file::FileStore,
    lease::{Lease, LeaseCondition, LiveLease, PutLease},
    memory::MemoryStore,
};

/// Whom a lease has as its holder that is there and cannot be read.
pub(crate) const UNREADABLE: &str = "?";

/// What the methods of a [`Store`] return.
pub type StoreFuture<'a, T> = Pin<Box<dyn Future<Output = Result<T, StoreError>> + Send + 'a>>;

/// A stream of hints that the stored document may have changed.
///
/// A hint carries nothing: whoever gets one loads the document. A missed or a spurious hint harms
/// nothing.
pub type Hints = Pin<Box<dyn Stream<Item = Hint> + Send>>;

/// "Look again": what [`Store::watch`] yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint;

/// A place that holds the state document and leases.
///
/// The futures run on the driver's own thread, inside a Tokio runtime with time enabled. They are
/// dropped when they take too long, so dropping one must leave the stored document whole: either
/// the old one or the new one. The same goes for a lease.
///
/// # Leases
///
/// A store keeps to this, whatever clocks it has:
///
/// - A lease that is renewed in time is in every list, and nobody else gets it "if absent".
/// - A lease that is no longer renewed is in no list and in nobody's way once its time to live is
///   over. That time counts from when the store took it, so a holder who relies on it counts from
///   before it asked.
/// - A store whose clock is coarse rounds so that no lease lapses before its time; it may then live a
///   millisecond longer, and no more.
/// - A time to live below a millisecond counts as one, and one above a year (365 days) as one.
/// - Leases need not outlive the machine or the server that keeps them.
/// - Leases are for those who look for them: a change of one is not a [`Hint`].
pub trait Store: fmt::Debug + Send + Sync + 'static {
    /// The store's URL, as logs and the status show it. It must not contain a password.
    fn url(&self) -> String;

    /// Reads the stored document. `None` means that nothing has been stored yet. Never writes.
    ///
    /// # Errors
    ///
    /// When the store is out of reach, so that nothing can be said about what it holds.
    fn load(&self) -> StoreFuture<'_, Option<Loaded>>;

    /// Replaces the document, but only if the stored one is still `expected` (`None`: still
    /// nothing). Durable and visible to every reader once it returns [`Saved::Stored`].
    ///
    /// # Errors
    ///
    /// When it is not certain that the document is stored and durable. Mostly the old one is then
    /// intact. But what fails last, such as a sync of the disk or the way back of a server's
    /// answer, fails after the replacement: then the new one may be visible already, and may or may
    /// not survive a crash. Whoever needs to know loads again.
    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved>;

    /// Tells when the document may have changed, by whomever. A store that has no such signal
    /// polls.
    ///
    /// Called once, on the driver's runtime. Dropping the stream ends the watch.
    fn watch(&self) -> Hints;

    /// Whether the store can lose its document without anybody's will, as a server in memory does by
    /// a flush, an eviction, a restart without a saved copy or a fail-over. Then the nodes that know
    /// a newer document than is stored put it back. Default `false`: what is gone was removed.
    fn may_lose_state(&self) -> bool {
        false
    }

    /// How long an answer of it may take at present, by what it has measured. `None`: it does not
    /// measure; then five seconds are waited, which is also the least. The default.
    fn answers_within(&self) -> Option<Duration> {
        None
    }

    /// What time it is by the store's own clock, at some moment between the call and the answer, to
    /// within half a second. `None`: it has no clock of its own, or does not tell; the default. Never
    /// writes.
    ///
    /// Each process compares its clock with it and tells of a difference. Nothing else follows from it.
    ///
    /// # Errors
    ///
    /// When the store is out of reach.
    fn clock(&self) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(async { Ok(None) })
    }

    /// What tells this life of the store from the one before, where it may have lost leases that it
    /// had confirmed: a server that restarts from a saved copy, a folder that was removed. Nobody can
    /// tell by what is there. So whoever waits for all nodes believes no list before the store has
    /// been kept for one time to live in this life.
    ///
    /// The default is `None`: nobody can tell, or it has lost nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot be asked.
    fn life(&self) -> StoreFuture<'_, Option<String>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Puts a lease, which vanishes after the time to live unless it is renewed.
    ///
    /// # Errors
    ///
    /// When it is not certain that the lease is held. It may be in the store all the same; then it
    /// lapses, or the same call made again finds it as one's own.
    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease>;

    /// Renews a lease with its present content, from now on for the time to live. `false`: its
    /// holder does not hold it any more, because it has lapsed or was put by another; nothing has
    /// changed then. `true` also means that nobody saw it lapse in between.
    ///
    /// # Errors
    ///
    /// When it is not certain that the lease is renewed.
    fn renew_lease<'a>(&'a self, lease: &'a Lease, time_to_live: Duration)
    -> StoreFuture<'a, bool>;

    /// Removes a lease at once, if its holder still holds it. Its content does not matter.
    ///
    /// # Errors
    ///
    /// When it is not certain that the lease is gone. It lapses in the end.
    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()>;

    /// The live leases whose names begin with `prefix`, sorted by name. Never writes.
    ///
    /// A lease that is there and cannot be read is among them, with the holder `?`: nobody knows
    /// that it has lapsed.
    ///
    /// # Errors
    ///
    /// When a live lease may be missing from the list.
    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>>;
}

/// How long a store on a server is waited for at most, unless the settings say otherwise.
pub(crate) const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The largest document, in bytes. Far above any real state; below what would hurt to read by
/// mistake.
pub(crate) const LARGEST_DOCUMENT: usize = 16 * 1024 * 1024;

/// Why a document cannot be read that has more bytes than [`LARGEST_DOCUMENT`].
#[cfg(any(feature = "redis", feature = "postgres", feature = "object-store"))]
fn too_large(place: &str, size: u64) -> StoreError {
    StoreError::new(format!(
        "cannot read the maintenance state at {place}: it has {size} bytes, and no maintenance state \
         has more than {} MiB; name another place, or remove what is there",
        LARGEST_DOCUMENT / 1024 / 1024
    ))
}

/// The document as a store returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The document's bytes.
    pub document: Vec<u8>,
    /// What [`Store::save`] takes as `expected`.
    pub version: Version,
}

/// Identifies one stored document, so that a writer can say which one it replaces.
///
/// What it consists of is the store's own business: a generation, an entity tag, the content.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(Box<[u8]>);

impl Version {
    /// Makes a version from the bytes by which the store tells documents apart.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The bytes that the version was made from.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Version({})", self.0.escape_ascii())
    }
}

/// What became of a [`Store::save`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// The document is stored; this is its version.
    Stored(Version),
    /// Somebody else was faster; this is what is stored now (`None`: it was removed).
    Conflict(Option<Loaded>),
}

/// Why a store could not do what it was asked.
///
/// The text says what was tried, what failed and what to do about it.
#[derive(Debug)]
pub struct StoreError {
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
    is_permanent: bool,
    may_be_lost: bool,
}

impl StoreError {
    /// Makes an error from a text that says what failed and what to do.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
            is_permanent: false,
            may_be_lost: false,
        }
    }

    /// Says that trying again cannot help: somebody has to change the settings first, as of a wrong
    /// password or of a place that is no store. It stops the start of an app.
    #[must_use]
    pub fn permanent(mut self) -> Self {
        self.is_permanent = true;
        self
    }

    /// Whether trying again cannot help.
    pub fn is_permanent(&self) -> bool {
        self.is_permanent
    }

    /// Says that what was to be stored can be read, and may not survive a crash: as when the last sync
    /// of the disk fails. Nobody can say then whether it is changed.
    #[must_use]
    pub fn may_be_lost(mut self) -> Self {
        self.may_be_lost = true;
        self
    }

    /// Whether what was stored may not survive a crash.
    pub(crate) fn is_of_durability(&self) -> bool {
        self.may_be_lost
    }

    /// Adds the error that this one follows from.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.source {
            Some(source) => Some(source.as_ref()),
            None => None,
        }
    }
}
