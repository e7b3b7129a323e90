//! The store that is one file on a disk.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use self::{
    backlog::Backlog,
    file_version::Identity,
    leases::Leases,
    read::{Blank, look_settled},
    whereabouts::Whereabouts,
};
use super::{
    Hints, Lease, LeaseCondition, LiveLease, Loaded, PutLease, Saved, Store, StoreError,
    StoreFuture, Version, reserve::Reserve,
};
use crate::core::schedule::duration_in_words;

#[cfg(unix)]
mod access;
#[cfg(unix)]
pub(crate) use self::access::open_to_those_of;
mod backlog;
pub(crate) mod beside;
mod clock;
mod events;
mod failure;
mod lease_file;
mod lease_folder;
#[cfg(any(fuzzing, test))]
pub(crate) use self::lease_file::check as check_lease_file;
pub(crate) mod file_version;
mod leases;
mod links;
mod lock;
mod read;
pub(crate) mod replace;
mod watch;
mod watch_thread;
mod whereabouts;

/// How long a save waits for other writers.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many descriptors the most demanding work needs at a time: lock, folder, temporary file, and one
/// to look at what is there.
const DESCRIPTORS: usize = 4;

/// After how long a read hangs, and a write, which waits for others and for the disk.
const READ_HANGS: Duration = Duration::from_secs(5);
const WRITE_HANGS: Duration = Duration::from_secs(10);

/// Keeps the state in one file, which any process on the machine can share.
///
/// The content is the document as it is, so an operator can read the file, and can write it too:
/// `echo on > maintenance.state` is noticed as any other change. Its URL is `file:` and the
/// absolute path.
///
/// # Promises
///
/// - A reader sees a whole document, never a part of one that this store wrote: the file is
///   replaced by a rename. After a crash, even of the machine, it holds the old document or the
///   new one.
/// - Of several writers that replace the same document one wins and the others get
///   [`Saved::Conflict`]. They take turns by a lock file beside the state file, named after it with
///   `.lock` at the end. It notes that there were leases, it is left there, and its existence says
///   nothing.
/// - Loading never writes. A folder that does not exist is an error, not an empty store, as the
///   volume may not be mounted. A missing file in an existing folder is an empty store, unless the
///   folder is another one than that in which the state was seen last: that is an error, too, until
///   somebody writes the file.
/// - A file that is suddenly empty or gone is looked at again a moment later, so that a shell that
///   truncates before it writes, or an editor that removes before it creates, does not show as
///   "nothing stored".
/// - The replaced file's mode, owner and group are kept. A new file has the mode that the umask
///   leaves. If `path` is a symbolic link, the file that it points to is replaced.
/// - [`watch`](Store::watch) tells of changes by anybody within about a tenth of a second on a local
///   disk. A slow poll behind it finds within about a second what the system does not announce. The
///   first hint comes at once, for what may have changed before.
/// - Leases are files in a folder beside the state file, named after it with `.leases` at the end.
///   The first lease makes the folder; it may be removed while nobody holds a lease. On a Linux
///   machine setting the wall clock neither ends a lease that is renewed nor prolongs another.
/// - Four descriptors are kept back for it, so that the site can be closed although its process has
///   used up all that it may open.
/// - Where a file system hangs, what has been asked of it cannot be called back. While a request
///   hangs (for five seconds; ten for one that writes), further ones of its kind fail at once, so
///   that they do not pile up.
///
/// # Caveats
///
/// - Writers outside this crate do not take the lock. What they write in the instant between the
///   comparison and the rename is overwritten, and a reader can see a part of what they write.
/// - An unprivileged process cannot give a file to another user: the owner becomes the one who
///   saved. Mode and group are kept, so give processes of different users a common group, and let
///   the group read the file. If the group cannot be kept either, the mode shrinks so that nobody
///   gains access, and if somebody would lose the right to read by that, the save fails. Access
///   control lists, extended attributes and hard links of the replaced file are not kept.
/// - The process needs the right to create files in the folder, not only to write the file.
/// - A single file that is mounted into a container cannot be replaced by a rename; saving says so.
///   Mount the folder.
/// - On network file systems the lock works as well as theirs does, changes by other machines are
///   found by the poll, and the client's attribute cache adds its own delay (for NFS commonly some
///   seconds). For a fleet a shared store is the better choice.
///
/// # Examples
///
/// ```
/// use actix_maintenance_mode::store::{FileStore, Saved, Store};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("maintenance.state");
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let store = FileStore::new(&path)?;
/// assert_eq!(store.load().await?, None);
///
/// let Saved::Stored(version) = store.save(b"on", None).await? else {
///     panic!("somebody else was faster");
/// };
///
/// // An operator at a shell:
/// std::fs::write(&path, "off\n")?;
///
/// // Whoever saw the old document cannot overwrite the new one.
/// let Saved::Conflict(Some(newer)) = store.save(b"on", Some(&version)).await? else {
///     panic!("the operator's change was overlooked");
/// };
/// assert_eq!(newer.document, b"off\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct FileStore {
    path: PathBuf,
    /// Whether the last look found the file missing or empty, and has made sure of it.
    blank: Arc<Mutex<Option<Blank>>>,
    whereabouts: Whereabouts,
    reserve: Reserve,
    leases: Arc<Leases>,
    // Apart, since one kind may work while another hangs.
    reads: Backlog,
    writes: Backlog,
    lease_reads: Backlog,
    lease_writes: Backlog,
}

impl FileStore {
    /// Makes a store of the file at `path`, which need not exist yet. Its folder must exist when
    /// the store is used.
    ///
    /// A relative path counts from the present working directory, and stays there when the working
    /// directory changes. Nothing on the disk is touched.
    ///
    /// # Errors
    ///
    /// When the path does not name a file, or the working directory is unknown.
    pub fn new(path: impl Into<PathBuf>) -> Result<Self, StoreError> {
        let given = path.into();
        // `Path` overlooks a separator at the end, by which a folder is meant.
        let ends_open = given
            .as_os_str()
            .as_encoded_bytes()
            .last()
            .is_some_and(|&last| std::path::is_separator(char::from(last)));
        if ends_open || given.file_name().is_none() {
            return Err(StoreError::new(format!(
                "cannot keep the maintenance state in {:?}: the path does not end in the name of a \
                 file; add one, for example `maintenance.state`",
                given.display().to_string(),
            )));
        }
        let path = std::path::absolute(&given).map_err(|error| {
            StoreError::new(format!(
                "cannot make the path {} absolute: {error}; give an absolute path",
                given.display(),
            ))
            .with_source(error)
        })?;
        Ok(Self {
            leases: Arc::new(Leases::new(path.clone(), clock::system())),
            path,
            blank: Arc::default(),
            whereabouts: Whereabouts::default(),
            reserve: Reserve::of(DESCRIPTORS),
            reads: Backlog::new(READ_HANGS),
            writes: Backlog::new(WRITE_HANGS),
            lease_reads: Backlog::new(READ_HANGS),
            lease_writes: Backlog::new(WRITE_HANGS),
        })
    }

    /// The absolute path of the file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder in which the state was seen last.
    pub(crate) fn folder(&self) -> Option<Identity> {
        self.whereabouts.known()
    }

    /// Says in which folder an earlier process saw the state last.
    pub(crate) fn expect_folder(&self, folder: Identity) {
        self.whereabouts.expect(folder);
    }

    fn load_blocking(&self) -> Result<Option<Loaded>, StoreError> {
        let look = self.whereabouts.judge(
            &self.path,
            || look_settled(&self.path, self.blank()),
            |look| look.content().is_some(),
        );
        self.remember(look.as_ref().map_or(None, read::Look::blank));
        Ok(look?.into_loaded())
    }

    fn save_blocking(
        &self,
        document: &[u8],
        expected: Option<&Version>,
    ) -> Result<Saved, StoreError> {
        let is_there = |saved: &Saved| !matches!(saved, Saved::Conflict(None));
        if !self.path.exists() {
            // Before anything is written: it would be hidden once the volume is back.
            self.whereabouts.judge(&self.path, || Ok(()), |()| false)?;
        }
        let saved = self.whereabouts.judge(
            &self.path,
            || replace::replace(&self.path, document, expected, PATIENCE),
            is_there,
        )?;
        self.remember(match &saved {
            Saved::Stored(_) => Blank::of(Some(document)),
            Saved::Conflict(newer) => Blank::of(newer.as_ref().map(|it| it.document.as_slice())),
        });
        Ok(saved)
    }

    fn blank(&self) -> Option<Blank> {
        *self.blank.lock()
    }

    fn remember(&self, blank: Option<Blank>) {
        *self.blank.lock() = blank;
    }

    /// Runs file work where it may block. Once begun it goes on to its end, even if nobody waits
    /// for it any more.
    async fn in_background<T: Send + 'static>(
        &self,
        backlog: &Backlog,
        work: impl Fn(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let begun = backlog.begin(Instant::now()).map_err(|hanging| {
            StoreError::new(format!(
                "cannot use the maintenance state {}: an earlier request of this kind has been \
                 hanging for {}, so no further one is made; check the disk or the network \
                 file system that it is on",
                self.path.display(),
                duration_in_words(hanging),
            ))
        })?;
        let store = self.clone();
        let work = move || {
            // Ends with the work, not with the one who waits for it.
            let _begun = begun;
            store.reserve.spend_on(|| work(&store))
        };
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|error| {
                Err(StoreError::new(format!(
                    "cannot use the maintenance state {}: the work was broken off; try again unless \
                     the process is ending",
                    self.path.display(),
                ))
                .with_source(error))
            })
    }
}

impl Store for FileStore {
    fn url(&self) -> String {
        format!("file:{}", self.path.display())
    }

    fn load(&self) -> StoreFuture<'_, Option<Loaded>> {
        Box::pin(self.in_background(&self.reads, Self::load_blocking))
    }

    fn save<'a>(
        &'a self,
        document: &'a [u8],
        expected: Option<&'a Version>,
    ) -> StoreFuture<'a, Saved> {
        let document = document.to_vec();
        let expected = expected.cloned();
        Box::pin(self.in_background(&self.writes, move |store| {
            store.save_blocking(&document, expected.as_ref())
        }))
    }

    fn watch(&self) -> Hints {
        watch::watch(self.path.clone())
    }

    fn life(&self) -> StoreFuture<'_, Option<String>> {
        Box::pin(self.in_background(&self.lease_reads, |store| {
            let were_lost = store.leases.were_lost()?;
            Ok(were_lost.then(|| "made again".to_owned()))
        }))
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        let lease = lease.clone();
        Box::pin(self.in_background(&self.lease_writes, move |store| {
            store.leases.put(&lease, time_to_live, condition)
        }))
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        let lease = lease.clone();
        Box::pin(self.in_background(&self.lease_writes, move |store| {
            store.leases.renew(&lease, time_to_live)
        }))
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        let lease = lease.clone();
        Box::pin(self.in_background(&self.lease_writes, move |store| store.leases.remove(&lease)))
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        let prefix = prefix.to_owned();
        Box::pin(self.in_background(&self.lease_reads, move |store| store.leases.list(&prefix)))
    }
}

#[cfg(test)]
#[path = "file_tests.rs"]
mod tests;
