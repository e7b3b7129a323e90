//! The leases of an object store: one object for each.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::Arc,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};
use object_store::{
    Error, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, Result,
    UpdateVersion, path::Path,
};
use parking_lot::Mutex;

use super::lease_object::{self, Found};
use crate::{
    core::skew,
    store::{Lease, LeaseCondition, LiveLease, PutLease},
};

/// When the object of a lease that has lapsed is removed, and how often that is looked after. Nobody
/// who is late by so much still believes that he holds it.
const KEEP_LAPSED: SignedDuration = SignedDuration::from_hours(1);
const SWEEP_EVERY: Duration = Duration::from_secs(3600);

/// Two clocks that differ by less are the same, as far as the service lets one see.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

#[derive(Debug)]
pub(super) struct Leases {
    objects: Arc<dyn ObjectStore>,
    folder: Path,
    /// What objects that have not changed since held, by their paths.
    seen: Mutex<BTreeMap<Path, (String, Found)>>,
    clock: Mutex<Clock>,
}

#[derive(Debug, Default)]
struct Clock {
    /// How far the service's clock is ahead of this machine's.
    ahead: SignedDuration,
    swept_at: Option<Instant>,
}

impl Leases {
    pub(super) fn new(objects: Arc<dyn ObjectStore>, folder: Path) -> Self {
        Self {
            objects,
            folder,
            seen: Mutex::default(),
            clock: Mutex::default(),
        }
    }

    fn path(&self, name: &str) -> Path {
        self.folder.clone().join(lease_object::object_name(name))
    }

    fn now(&self) -> Timestamp {
        let ahead = self.clock.lock().ahead;
        Timestamp::now()
            .saturating_add(ahead)
            .unwrap_or(Timestamp::MAX)
    }

    async fn find(&self, path: &Path) -> Result<Option<(Option<Found>, UpdateVersion)>> {
        match self.objects.get(path).await {
            Ok(object) => read(object).await.map(Some),
            Err(error @ Error::NotFound { .. }) if !super::failure::is_no_bucket(&error) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes if nobody else was faster, and says whether that is so.
    async fn write(&self, path: &Path, bytes: Vec<u8>, mode: PutMode) -> Result<bool> {
        let options = PutOptions::from(mode);
        match self.objects.put_opts(path, bytes.into(), options).await {
            Ok(_) => Ok(true),
            Err(error) if super::failure::is_conflict(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) async fn put(
        &self,
        lease: &Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> Result<PutLease> {
        let path = self.path(lease.name());
        loop {
            let mode = match condition {
                LeaseCondition::Always => PutMode::Overwrite,
                LeaseCondition::IfAbsent => match self.find(&path).await? {
                    None => PutMode::Create,
                    Some((found, version)) => {
                        let live = found.and_then(|found| found.live(self.now()));
                        match live {
                            Some(live) if live.lease.holder() != lease.holder() => {
                                return Ok(PutLease::Taken(live));
                            }
                            _ => PutMode::Update(version),
                        }
                    }
                },
            };
            let asked = Timestamp::now();
            let bytes = lease_object::encode(lease, time_to_live, self.now());
            if self.write(&path, bytes, mode).await? {
                self.compare_clocks(&path, asked).await;
                self.sweep().await;
                return Ok(PutLease::Held);
            }
        }
    }

    pub(super) async fn renew(&self, lease: &Lease, time_to_live: Duration) -> Result<bool> {
        let path = self.path(lease.name());
        loop {
            let Some((found, version)) = self.find(&path).await? else {
                return Ok(false);
            };
            let is_held = found
                .and_then(|found| found.live(self.now()))
                .is_some_and(|live| live.lease.holder() == lease.holder());
            if !is_held {
                return Ok(false);
            }
            let bytes = lease_object::encode(lease, time_to_live, self.now());
            if self.write(&path, bytes, PutMode::Update(version)).await? {
                return Ok(true);
            }
        }
    }

    pub(super) async fn remove(&self, lease: &Lease) -> Result<()> {
        let path = self.path(lease.name());
        loop {
            let Some((Some(found), version)) = self.find(&path).await? else {
                return Ok(());
            };
            if found.lease.holder() != lease.holder() || found.live(self.now()).is_none() {
                return Ok(());
            }
            let bytes = lease_object::encode_given_back(lease, self.now());
            if self.write(&path, bytes, PutMode::Update(version)).await? {
                return Ok(());
            }
        }
    }

    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<LiveLease>> {
        let found = self.all().await?;
        let now = self.now();
        let mut live: Vec<_> = found
            .into_iter()
            .filter(|(_, found)| found.lease.name().starts_with(prefix))
            .filter_map(|(_, found)| found.live(now))
            .collect();
        live.sort_by(|one, other| one.lease.name().cmp(other.lease.name()));
        Ok(live)
    }

    /// Every lease that there is, also those that have lapsed. Only what has changed is read again.
    async fn all(&self) -> Result<BTreeMap<Path, Found>> {
        let mut listed = self.objects.list(Some(&self.folder));
        let mut all = BTreeMap::new();
        let mut seen = BTreeMap::new();
        while let Some(meta) = poll_fn(|context| listed.as_mut().poll_next(context)).await {
            let meta = meta?;
            let known = self.known(&meta);
            let found = match known {
                Some(found) => Some(found),
                None => match self.find(&meta.location).await? {
                    Some((found, _)) => found,
                    None => None,
                },
            };
            if let Some(found) = found {
                if let Some(tag) = meta.e_tag {
                    seen.insert(meta.location.clone(), (tag, found.clone()));
                }
                all.insert(meta.location, found);
            }
        }
        *self.seen.lock() = seen;
        Ok(all)
    }

    fn known(&self, meta: &ObjectMeta) -> Option<Found> {
        let seen = self.seen.lock();
        let (tag, found) = seen.get(&meta.location)?;
        (meta.e_tag.as_ref() == Some(tag)).then(|| found.clone())
    }

    /// Learns how far the service's clock is from this machine's, from when it says that something
    /// was written that this machine asked for at `asked`. A failure is no harm: the next lease tells.
    async fn compare_clocks(&self, path: &Path, asked: Timestamp) {
        let Ok(meta) = self.objects.head(path).await else {
            return;
        };
        self.clock.lock().ahead = ahead(asked, written_at(&meta), Timestamp::now());
    }

    /// Removes what lapsed long ago. A failure is no harm.
    async fn sweep(&self) {
        {
            let mut clock = self.clock.lock();
            if clock.swept_at.is_some_and(|at| at.elapsed() < SWEEP_EVERY) {
                return;
            }
            clock.swept_at = Some(Instant::now());
        }
        let Ok(all) = self.all().await else {
            return;
        };
        let now = self.now();
        for (path, found) in all {
            if now.duration_since(found.lapses_at) > KEEP_LAPSED {
                let removed = self.objects.delete(&path).await;
                tracing::debug!(?removed, %path, "a lease that lapsed long ago is removed");
            }
        }
    }
}

/// How far the service's clock is ahead, that says when something was written between two instants of
/// this machine's.
fn ahead(asked: Timestamp, written_at: Timestamp, answered: Timestamp) -> SignedDuration {
    let ahead = -skew::ahead(asked, written_at, answered);
    match ahead.abs() <= TOLERANCE {
        true => SignedDuration::ZERO,
        false => ahead,
    }
}

async fn read(object: GetResult) -> Result<(Option<Found>, UpdateVersion)> {
    let version = UpdateVersion {
        e_tag: object.meta.e_tag.clone(),
        version: object.meta.version.clone(),
    };
    let written_at = written_at(&object.meta);
    if object.meta.size > lease_object::LARGEST {
        return Ok((None, version));
    }
    let bytes = object.bytes().await?;
    Ok((lease_object::decode(&bytes, written_at), version))
}

fn written_at(meta: &ObjectMeta) -> Timestamp {
    Timestamp::from_millisecond(meta.last_modified.timestamp_millis()).unwrap_or(Timestamp::MIN)
}

#[cfg(test)]
#[path = "leases_tests.rs"]
mod tests;
