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
    collections::BTreeSet,
    fmt, fs,
    io::{self, ErrorKind, Write as _},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};
use tempfile::{Builder, NamedTempFile};

use self::{
    entry::{Entry, Live, Locked, Seen, Wait},
    folder::{lease_files_in, open_to_lock, read, take, unreadable},
    sweep::may_be_alive,
};
use super::{
    clock::{Clock, Reading},
    failure::reason,
    lease_file::{LeaseFile, file_name},
    lease_folder,
    read::{folder_of, real_path},
};
use crate::store::{
    Lease, LeaseCondition, LiveLease, PutLease, StoreError,
    file::{leases::folder::open_to_readers_of, lock::lock_path},
};

mod entry;
mod folder;
mod sweep;

/// The end of a temporary file's name.
const TEMPORARY: &str = ".tmp";

/// How long to wait for somebody else who changes the same lease, which takes a moment.
const PATIENCE: Duration = Duration::from_secs(2);
const PAUSE: Duration = Duration::from_millis(1);

pub(super) struct Leases {
    /// The state file, beside which the folder is.
    state: PathBuf,
    clock: Clock,
    seen: Mutex<Seen>,
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

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
