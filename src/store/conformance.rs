//! The tests that every store must pass, for authors of their own.
//!
//! A store is correct when it keeps what [`Store`] says. This suite tries all of it against a store
//! that is made by the author's own code: documents and their versions, conflicts, large and strange
//! content, watching, leases, the loss of all that is held, the store's clock, many tasks at once,
//! requests that are broken off, and several processes.
//!
//! # Examples
//!
//! A store needs one test. This one is about the file store; the places are files in a folder that
//! vanishes afterwards.
//!
//! ```
//! use actix_maintenance_mode::store::{FileStore, conformance::Suite};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let folder = tempfile::tempdir()?;
//! let mut count = 0;
//! let suite = Suite::new(
//!     // A place that nobody has used before, by a name that any process can open it by.
//!     move || {
//!         count += 1;
//!         format!("{}/{count}.state", folder.path().display())
//!     },
//!     |place| async move { FileStore::new(place) },
//! );
//! // In a real test, with this: `.processes("the_full::path_of_the_test")`.
//! suite.check().await?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Several processes are this test's program, run again with the same test only: so the code before
//! [`Suite::check`] runs in each of them, and must not mind. `check` notices that it is in such a
//! process, and plays its part instead.
//!
//! `examples/custom_store` is a whole store with its test.

use std::{
    env, error::Error as StdError, fmt, future::Future, pin::Pin, process::Command, sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;

use super::{Loaded, Saved, Store, StoreError, Version};

mod break_off;
mod document;
mod leases;
mod lost;
mod many;
mod watch;

/// Names the place to a process that takes part. Not `MAINTENANCE_…`, which would be a setting.
const PLACE: &str = "STORE_CONFORMANCE_PLACE";

type Opening = Pin<Box<dyn Future<Output = Result<Arc<dyn Store>, StoreError>> + Send>>;
type Open = Box<dyn Fn(String) -> Opening + Send + Sync>;
type Fresh = Box<dyn FnMut() -> String + Send>;
type Forgetting = Pin<Box<dyn Future<Output = ()> + Send>>;
type Forget = Box<dyn Fn(String) -> Forgetting + Send + Sync>;
type Processes = Box<dyn Fn() -> Command + Send + Sync>;

/// What a check finds: nothing, or what the store does wrong.
type Finding = Result<(), String>;
type Check<'a> = Pin<Box<dyn Future<Output = Finding> + Send + 'a>>;

/// The tests for one kind of store.
///
/// Takes some seconds: leases have to lapse. Run it on a Tokio runtime with time enabled.
#[must_use = "nothing is tested until `check` is awaited"]
pub struct Suite {
    fresh: Mutex<Fresh>,
    open: Open,
    processes: Option<Processes>,
    forget: Option<Forget>,
    patience: Duration,
    lease_time: Duration,
}

impl fmt::Debug for Suite {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Suite")
            .field("processes", &self.processes.is_some())
            .field("patience", &self.patience)
            .field("lease_time", &self.lease_time)
            .finish_non_exhaustive()
    }
}

impl Suite {
    /// Makes a suite.
    ///
    /// - `fresh` names a place that nobody has used yet: a path, a URL, a key. It is called for each
    ///   test, and gives another name each time.
    /// - `open` opens the store at a place, and is called several times with the same name. What is
    ///   opened then has to be the same store: what one saves the other loads. A store that lives in
    ///   one process only returns clones.
    pub fn new<F, S>(
        fresh: impl FnMut() -> String + Send + 'static,
        open: impl Fn(String) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<S, StoreError>> + Send + 'static,
        S: Store,
    {
        Self {
            fresh: Mutex::new(Box::new(fresh)),
            open: Box::new(move |place| {
                let opening = open(place);
                Box::pin(async move { Ok(Arc::new(opening.await?) as Arc<dyn Store>) })
            }),
            processes: None,
            forget: None,
            patience: Duration::from_secs(30),
            lease_time: Duration::from_secs(1),
        }
    }

    /// Has several processes use a place together. They are this program, run again with the one
    /// test of this name, as the test harness knows it: its path without the crate's name, such as
    /// `tests::it_is_a_store`.
    pub fn processes(self, test: &str) -> Self {
        let test = test.to_owned();
        self.processes_by(move || {
            let program = env::current_exe().unwrap_or_default();
            let mut command = Command::new(program);
            command.args([&test, "--exact", "--include-ignored", "--nocapture"]);
            command
        })
    }

    /// The same for a program without the test harness: `command` starts it so that it comes to
    /// [`check`](Self::check), and ends it with a failure if that returns an error.
    pub fn processes_by(mut self, command: impl Fn() -> Command + Send + Sync + 'static) -> Self {
        self.processes = Some(Box::new(command));
        self
    }

    /// How a place loses all that it holds, document and leases, as by a flush or a restart without a
    /// saved copy: for a store with [`Store::may_lose_state`]. Stores that are open stay open.
    pub fn forget<F>(mut self, forget: impl Fn(String) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.forget = Some(Box::new(move |place| Box::pin(forget(place))));
        self
    }

    /// How long to wait for what must happen in the end, such as a hint. Default 30 seconds: only a
    /// failing test waits so long.
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long the leases live that are to lapse. Default one second. Longer where a request can
    /// take a good part of that.
    pub fn lease_time(mut self, lease_time: Duration) -> Self {
        self.lease_time = lease_time;
        self
    }

    /// Runs all tests, one after the other.
    ///
    /// # Errors
    ///
    /// Everything that the store does wrong, with the test that found it.
    pub async fn check(self) -> Result<(), Violations> {
        if let Ok(place) = env::var(PLACE) {
            return violations([("a process takes part", many::take_part(&self, place).await)]);
        }
        let mut findings = Vec::new();
        for (name, check) in self.checks() {
            findings.push((name, check.await));
        }
        violations(findings)
    }

    fn checks(&self) -> Vec<(&'static str, Check<'_>)> {
        let mut checks: Vec<(&'static str, Check<'_>)> = Vec::new();
        checks.extend(document::checks(self));
        checks.extend(watch::checks(self));
        checks.extend(leases::checks(self));
        checks.extend(lost::checks(self));
        checks.extend(break_off::checks(self));
        checks.extend(many::checks(self));
        checks
    }

    /// A place that nobody has used.
    fn place(&self) -> String {
        let mut fresh = self.fresh.lock();
        fresh()
    }

    /// Opens the store at a place.
    async fn open(&self, place: &str) -> Result<Arc<dyn Store>, String> {
        (self.open)(place.to_owned())
            .await
            .map_err(|error| format!("{place} cannot be opened: {}", told(&error)))
    }

    /// A store of a place that nobody has used.
    async fn fresh(&self) -> Result<Arc<dyn Store>, String> {
        self.open(&self.place()).await
    }
}

fn violations(
    findings: impl IntoIterator<Item = (&'static str, Finding)>,
) -> Result<(), Violations> {
    let found: Vec<_> = findings
        .into_iter()
        .filter_map(|(name, finding)| Some((name, finding.err()?)))
        .collect();
    if found.is_empty() {
        Ok(())
    } else {
        Err(Violations(found))
    }
}

/// What a store does wrong: from [`Suite::check`].
#[derive(Clone, PartialEq, Eq)]
pub struct Violations(Vec<(&'static str, String)>);

impl Violations {
    /// Each test that failed, with what it found.
    pub fn each(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, found)| (*name, found.as_str()))
    }
}

impl fmt::Display for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("this is no store as it must be:")?;
        for (name, found) in self.each() {
            write!(formatter, "\n- {name}: {found}")?;
        }
        Ok(())
    }
}

/// The same as [`Display`](fmt::Display), so that `unwrap` shows it well.
impl fmt::Debug for Violations {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl StdError for Violations {}

/// Says what is wrong unless this holds.
fn ensure(holds: bool, wrong: impl FnOnce() -> String) -> Finding {
    if holds { Ok(()) } else { Err(wrong()) }
}

/// An error with what it follows from.
fn told(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// A document in a message; large ones by their size.
fn shown(document: &[u8]) -> String {
    match document.len() {
        0..=60 => format!("\"{}\"", document.escape_ascii()),
        length => format!("{length} bytes"),
    }
}

fn shown_loaded(loaded: Option<&Loaded>) -> String {
    loaded.map_or_else(
        || "nothing".to_owned(),
        |loaded| format!("{} of {:.60?}", shown(&loaded.document), loaded.version),
    )
}

async fn load(store: &dyn Store) -> Result<Option<Loaded>, String> {
    let loaded = store.load().await;
    loaded.map_err(|error| format!("load fails: {}", told(&error)))
}

async fn save(
    store: &dyn Store,
    document: &[u8],
    expected: Option<&Version>,
) -> Result<Saved, String> {
    let saved = store.save(document, expected).await;
    saved.map_err(|error| format!("save fails: {}", told(&error)))
}

/// Saves what must be accepted.
async fn stored(
    store: &dyn Store,
    document: &[u8],
    expected: Option<&Version>,
) -> Result<Version, String> {
    match save(store, document, expected).await? {
        Saved::Stored(version) => Ok(version),
        Saved::Conflict(newer) => Err(format!(
            "save({}) with the version that is stored is a conflict with {}",
            shown(document),
            shown_loaded(newer.as_ref())
        )),
    }
}

#[cfg(test)]
mod tests;
