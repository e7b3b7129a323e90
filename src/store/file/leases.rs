//! The leases of the file store: a folder with one file for each.
//!
//! # Taking turns
//!
//! There is no lock for all leases, so that a process that is stopped in the middle of its work
//! holds up nobody's renewals but its own. A lease that is missing is made by a step that fails if
//! the file exists. One that exists is replaced or removed by whoever has locked that very file:
//! the lock is worth something only while the locked file is still the one at the path, and each
//! change puts another file there, or none.
//!
//! Files are replaced by a rename, so that a reader sees a whole lease. They are not synced to the
//! disk: a lease is about a live process, and none outlives a crash of the machine. What such a
//! crash leaves of a file counts as damage.
//!
//! # When a lease lapses
//!
//! Each file says when it was written and how long it lives from then. Setting the wall clock must
//! neither end a lease that is renewed nor revive one that is not, so it is asked as little as
//! possible:
//!
//! - Where writer and reader share the clock that counts from the machine's start (all processes
//!   on a Linux machine do), that clock tells the file's age, whatever happens to the wall clock.
//! - Else (another system, another machine on a network file system, a start of the machine in
//!   between) a reader asks the wall clock once for each writing of the file, when it first sees
//!   it. An age below nothing counts as nothing. From then on the reader's own clock goes on.
//! - In any case a file that a reader has itself seen unchanged for its time to live has lapsed. So
//!   no stamp makes a lease live forever for those who keep looking.
//!
//! What remains: without a shared clock, a wall clock that is set forward between a renewal and
//! somebody's first look at it makes the lease seem lapsed to that one until the next renewal; one
//! that is set back makes a lease that has ended seem alive for one more time to live.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read as _, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime},
};

use parking_lot::{Mutex, MutexGuard};
use tempfile::{Builder, NamedTempFile};

use super::{
    clock::{Clock, Reading},
    failure::reason,
    lease_file::{LeaseFile, SIZE_LIMIT, Stamp, file_name, is_file_name, lease_name},
    lease_folder, links,
    lock::{is_still_at, lock_path},
    read::{folder_of, real_path},
};
use crate::store::{Lease, LeaseCondition, LiveLease, PutLease, StoreError, UNREADABLE};

/// The end of a temporary file's name.
const TEMPORARY: &str = ".tmp";

/// How long to wait for somebody else who changes the same lease, which takes a moment.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(1);

/// When what a killed process left half-made, and what nobody understands, is removed. Far above
/// what a write takes, as the wall clock measures it.
const STALE: Duration = Duration::from_secs(60 * 60);

pub(super) struct Leases {
    /// The state file, beside which the folder is.
    state: PathBuf,
    clock: Clock,
    seen: Mutex<Seen>,
}

/// What this process remembers of the files that it has seen, by their names.
#[derive(Debug, Default)]
struct Seen {
    /// The writing that was seen, and when it lapses by this process's own clock.
    lapses_at: HashMap<String, (Stamp, Instant)>,
    /// The damaged ones that the log tells of already.
    damaged: HashSet<String>,
}

/// A lease that was live when the clocks were read.
#[derive(Debug, Clone)]
struct Live {
    lease: Lease,
    stamp: Stamp,
    left: Duration,
    at: Reading,
}

impl Live {
    /// Whether this writing of the lease has lapsed meanwhile.
    fn is_over(&self, now: &Reading) -> bool {
        let by_own_clock = now.own.saturating_duration_since(self.at.own);
        let passed = match (self.stamp.sure_age(&self.at), self.stamp.sure_age(now)) {
            // Goes on while the machine sleeps.
            (Some(then), Some(now)) => by_own_clock.max(now.saturating_sub(then)),
            _ => by_own_clock,
        };
        passed >= self.left
    }

    fn into_lease(self) -> LiveLease {
        LiveLease {
            lease: self.lease,
            expires_in: self.left,
        }
    }
}

/// What a file holds.
#[derive(Debug)]
enum Entry {
    Live(Live),
    Lapsed(Lease),
    /// Nobody's lease. Nothing of this crate wrote it, or the machine crashed meanwhile.
    Damaged,
}

impl Entry {
    fn belongs_to(&self, holder: &str) -> bool {
        match self {
            Self::Live(Live { lease, .. }) | Self::Lapsed(lease) => lease.holder() == holder,
            Self::Damaged => false,
        }
    }
}

/// A lease file that nobody else may change until this is dropped.
struct Locked {
    entry: Entry,
    _file: File,
}

/// Whether to wait for another who has locked the file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wait {
    Yes,
    No,
}

impl Leases {
    pub(super) fn new(state: PathBuf, clock: Clock) -> Self {
        Self {
            state,
            clock,
            seen: Mutex::default(),
        }
    }

    pub(super) fn put(
        &self,
        lease: &Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> Result<PutLease, StoreError> {
        let folder = self.folder()?;
        let failed = |step| self.cannot(lease, step);
        lease_folder::make(&folder, &self.lock_file_of_state())
            .map_err(failed("cannot make the folder of the leases"))?;
        let path = folder.join(file_name(lease.name()));
        let started = Instant::now();
        loop {
            let locked = self.lock(lease, &path)?;
            if condition == LeaseCondition::IfAbsent
                && let Some(Locked { entry, .. }) = &locked
                && !entry.belongs_to(lease.holder())
                && let Entry::Live(live) = entry
            {
                return Ok(PutLease::Taken(live.clone().into_lease()));
            }
            let temporary = self.write_temporary(&folder, lease, time_to_live)?;
            let placed = match locked {
                Some(_) => temporary.persist(&path),
                None => temporary.persist_noclobber(&path),
            };
            match placed {
                Ok(_) => break,
                // Somebody else put it first, and may have dropped it again.
                Err(error)
                    if error.error.kind() == ErrorKind::AlreadyExists
                        && started.elapsed() < PATIENCE => {}
                Err(error) => return Err(failed("cannot rename its file")(error.error)),
            }
        }
        self.sweep(&folder);
        Ok(PutLease::Held)
    }

    pub(super) fn renew(&self, lease: &Lease, time_to_live: Duration) -> Result<bool, StoreError> {
        let folder = self.folder()?;
        let path = folder.join(file_name(lease.name()));
        let Some(locked) = self.lock(lease, &path)? else {
            return Ok(false);
        };
        let Entry::Live(before) = &locked.entry else {
            return Ok(false);
        };
        if before.lease.holder() != lease.holder() {
            return Ok(false);
        }
        let before = before.clone();
        let temporary = self.write_temporary(&folder, lease, time_to_live)?;
        temporary
            .persist(&path)
            .map_err(|error| self.cannot(lease, "cannot rename its file")(error.error))?;
        drop(locked);
        // A slow disk or a stopped process: somebody may have looked after the old time was over
        // and before the new file was there, and acted on what they saw.
        if before.is_over(&(self.clock)()) {
            self.remove(lease)?;
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn remove(&self, lease: &Lease) -> Result<(), StoreError> {
        let folder = self.folder()?;
        let path = folder.join(file_name(lease.name()));
        if let Some(locked) = self.lock(lease, &path)?
            && locked.entry.belongs_to(lease.holder())
        {
            fs::remove_file(&path).map_err(self.cannot(lease, "cannot remove its file"))?;
        }
        self.sweep(&folder);
        Ok(())
    }

    pub(super) fn list(&self, prefix: &str) -> Result<Vec<LiveLease>, StoreError> {
        let folder = self.folder()?;
        let cannot_list = |path: &Path, error: io::Error| {
            StoreError::new(format!(
                "cannot read the leases beside the maintenance state {}: {}: {error}; let the user \
                 that runs this program read it, and check the file system that it is on",
                self.state.display(),
                path.display(),
            ))
            .with_source(error)
        };
        let mut names = BTreeSet::new();
        // Whether one who reads a folder meets a file that is replaced meanwhile is left open by
        // POSIX. A second pass meets it, as nobody renews so often.
        for _ in 0..2 {
            names.extend(lease_files_in(&folder).map_err(|error| cannot_list(&folder, error))?);
        }
        let mut leases = Vec::new();
        for name in &names {
            let path = folder.join(name);
            match self.look(&path, name) {
                Ok(Some(Entry::Live(live))) if live.lease.name().starts_with(prefix) => {
                    leases.push(live.into_lease());
                }
                Ok(Some(Entry::Damaged)) if may_be_alive(&path) => {
                    leases
                        .extend(unreadable(name).filter(|it| it.lease.name().starts_with(prefix)));
                }
                Ok(_) => {}
                Err(error) => return Err(cannot_list(&path, error)),
            }
        }
        let mut seen = self.seen();
        seen.lapses_at.retain(|name, _| names.contains(name));
        seen.damaged.retain(|name| names.contains(name));
        drop(seen);
        leases.sort_by(|one, other| one.lease.name().cmp(other.lease.name()));
        Ok(leases)
    }

    /// The folder of the leases, which need not exist. The folder of the state must, or else the
    /// leases may be on a volume that is not mounted.
    fn folder(&self) -> Result<PathBuf, StoreError> {
        // Beside the real file, so that those who come by a link and those who do not agree.
        let target = real_path(&self.state);
        let around = folder_of(&target);
        if let Err(error) = fs::metadata(around) {
            return Err(StoreError::new(format!(
                "cannot use leases beside the maintenance state {}: {}",
                self.state.display(),
                reason(around, &error),
            ))
            .with_source(error));
        }
        let mut folder = target.into_os_string();
        folder.push(".leases");
        let folder = PathBuf::from(folder);
        links::check(&self.state)
            .and_then(|()| links::check(&folder))
            .map_err(|error| {
                StoreError::new(format!(
                    "cannot use leases beside the maintenance state {}: {error}",
                    self.state.display()
                ))
                .with_source(error)
            })?;
        Ok(folder)
    }

    fn lock_file_of_state(&self) -> PathBuf {
        lock_path(&real_path(&self.state))
    }

    /// Whether the leases are in another folder than the first ones were, or in none.
    pub(super) fn were_lost(&self) -> Result<bool, StoreError> {
        let folder = self.folder()?;
        Ok(lease_folder::is_another(
            &folder,
            &self.lock_file_of_state(),
        ))
    }

    /// Locks the file of a lease. `None`: there is none.
    fn lock(&self, lease: &Lease, path: &Path) -> Result<Option<Locked>, StoreError> {
        self.lock_file(path, Wait::Yes)
            .map_err(self.cannot(lease, "cannot lock its file"))
    }

    fn lock_file(&self, path: &Path, wait: Wait) -> io::Result<Option<Locked>> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let started = Instant::now();
        loop {
            let Some(file) = open_to_lock(path)? else {
                return Ok(None);
            };
            if take(&file, path)? {
                let entry = self.look(path, &name)?;
                return Ok(entry.map(|entry| Locked { entry, _file: file }));
            }
            if wait == Wait::No || started.elapsed() >= PATIENCE {
                return Err(io::Error::new(
                    ErrorKind::TimedOut,
                    "another process is changing it and does not come to an end",
                ));
            }
            thread::sleep(PAUSE);
        }
    }

    /// Looks at a file. `None`: there is none. The error: it cannot be told what it holds.
    fn look(&self, path: &Path, name: &str) -> io::Result<Option<Entry>> {
        // Before the file is read: if its time is over by now and it is renewed, then before it is
        // read.
        let before = (self.clock)();
        let Some(bytes) = read(path)? else {
            return Ok(None);
        };
        let after = (self.clock)();
        let Some(file) = LeaseFile::decode(&bytes, name) else {
            if self.seen().damaged.insert(name.to_owned()) {
                tracing::warn!(
                    path = %path.display(),
                    "a lease file is damaged: whose it is counts as unknown until it is written \
                     again, or removed"
                );
            }
            return Ok(Some(Entry::Damaged));
        };
        let left = self.left(&file, name, &before, &after);
        Ok(Some(if left.is_zero() {
            Entry::Lapsed(file.lease)
        } else {
            Entry::Live(Live {
                lease: file.lease,
                stamp: file.stamp,
                left,
                at: before,
            })
        }))
    }

    /// How long the lease still lives; nothing if it has lapsed. `before` and `after` are from
    /// before and after the file was read.
    fn left(&self, file: &LeaseFile, name: &str, before: &Reading, after: &Reading) -> Duration {
        let sure_age = file.stamp.sure_age(before);
        let mut seen = self.seen();
        let by_own_clock = match seen.lapses_at.get(name) {
            Some((stamp, lapses_at)) if *stamp == file.stamp => *lapses_at,
            _ => {
                let age = sure_age.unwrap_or_else(|| file.stamp.supposed_age(before));
                // From after the reading, so that it is not too early for a file that was written
                // just before.
                let lapses_at = after.own + file.time_to_live.saturating_sub(age);
                let writing = (file.stamp.clone(), lapses_at);
                seen.lapses_at.insert(name.to_owned(), writing);
                // A lease that has lapsed at first sight has lapsed, however long the reading took.
                if age >= file.time_to_live {
                    return Duration::ZERO;
                }
                lapses_at
            }
        }
        .saturating_duration_since(before.own);
        match sure_age {
            Some(age) => by_own_clock.min(file.time_to_live.saturating_sub(age)),
            None => by_own_clock,
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock()
    }

    fn write_temporary(
        &self,
        folder: &Path,
        lease: &Lease,
        time_to_live: Duration,
    ) -> Result<NamedTempFile, StoreError> {
        let write = || {
            let mut temporary = Builder::new()
                .prefix(".")
                .suffix(TEMPORARY)
                .tempfile_in(folder)?;
            open_to_readers_of(temporary.as_file(), folder);
            // The time counts from here: the holder thinks so too.
            let bytes = LeaseFile::encode(lease, time_to_live, &(self.clock)());
            temporary.write_all(&bytes)?;
            Ok(temporary)
        };
        write().map_err(self.cannot(lease, "cannot write its file"))
    }

    /// Removes what nobody needs any more: leases that have lapsed, and what killed processes left.
    /// What cannot be removed harms nobody.
    fn sweep(&self, folder: &Path) {
        let Ok(entries) = fs::read_dir(folder) else {
            return;
        };
        for entry in entries.flatten() {
            let (name, path) = (entry.file_name(), entry.path());
            let Some(name) = name.to_str() else {
                continue;
            };
            if is_file_name(name) {
                self.sweep_lease(&path, name);
            } else if name.starts_with('.') && name.ends_with(TEMPORARY) && is_stale(&path) {
                let _ = fs::remove_file(&path);
            }
        }
    }

    fn sweep_lease(&self, path: &Path, name: &str) {
        let is_over = |entry: &Entry| match entry {
            Entry::Live(..) => false,
            Entry::Lapsed(_) => true,
            Entry::Damaged => is_stale(path),
        };
        // A look first, as the lock would be in the way of a holder who renews.
        if let Ok(Some(entry)) = self.look(path, name)
            && is_over(&entry)
            && let Ok(Some(locked)) = self.lock_file(path, Wait::No)
            && is_over(&locked.entry)
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(%error, path = %path.display(), "a lease that is over is not removed");
        }
    }

    fn cannot(&self, lease: &Lease, step: &str) -> impl Fn(io::Error) -> StoreError + use<> {
        let folder = folder_of(&real_path(&self.state)).to_owned();
        let begin = format!(
            "cannot keep the lease {:?} beside the maintenance state {}: {step}",
            lease.name(),
            self.state.display(),
        );
        move |error| {
            let reason = reason(&folder, &error);
            StoreError::new(format!("{begin}: {reason}")).with_source(error)
        }
    }
}

impl fmt::Debug for Leases {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Leases")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

fn lease_files_in(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        // Nobody has put a lease yet.
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        if let Ok(name) = entry?.file_name().into_string()
            && is_file_name(&name)
        {
            names.push(name);
        }
    }
    Ok(names)
}

/// Reads a file. What is no file, or too large for a lease, reads as nothing, which is damage.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let gone = |error: io::Error| match error.kind() {
        ErrorKind::NotFound => Ok(None),
        _ => Err(error),
    };
    // Opening a pipe waits for a writer, so ask first.
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => return Ok(Some(Vec::new())),
        Err(error) => return gone(error),
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) => return gone(error),
    };
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SIZE_LIMIT {
        bytes.clear();
    }
    Ok(Some(bytes))
}

fn open_to_lock(path: &Path) -> io::Result<Option<File>> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => {}
        Ok(_) => {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                format!("{} is no regular file; remove it", path.display()),
            ));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        // Another user's. Most file systems let a reader lock as well.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => File::open(path).map(Some),
        Err(error) => Err(error),
    }
}

/// Tries to lock an open file. The lock counts only if the file is still the one at the path.
fn take(file: &File, path: &Path) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(is_still_at(file, path)),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Lets those read a lease who take part, whatever the umask: one who could not would have to fail,
/// since nothing may be missing from a list.
fn open_to_readers_of(file: &File, folder: &Path) {
    #[cfg(unix)]
    {
        // Best effort, as above.
        let _ = super::access::open_to_those_of(file, folder);
    }
    #[cfg(not(unix))]
    let _ = (file, folder);
}

/// The lease of a file that holds none: somebody's, who may be at work.
fn unreadable(file: &str) -> Option<LiveLease> {
    Some(LiveLease {
        lease: Lease::new(lease_name(file)?, UNREADABLE, "").ok()?,
        // Nobody can tell for how long. It is there again at the next look.
        expires_in: Duration::ZERO,
    })
}

/// Whether somebody may hold the lease of a damaged file: its holder would have written it again
/// since, and none outlives the machine.
fn may_be_alive(path: &Path) -> bool {
    let started =
        crate::clock::steady::since_boot().and_then(|up| SystemTime::now().checked_sub(up));
    let is_of_before = started.is_some_and(|started| {
        fs::symlink_metadata(path)
            .and_then(|metadata| metadata.modified())
            .is_ok_and(|modified| modified < started)
    });
    !is_of_before && !is_stale(path)
}

/// Whether a file is so old that nobody is at work on it.
fn is_stale(path: &Path) -> bool {
    fs::symlink_metadata(path)
        .and_then(|metadata| metadata.modified())
        .is_ok_and(|modified| {
            SystemTime::now()
                .duration_since(modified)
                .is_ok_and(|age| age >= STALE)
        })
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
