//! The store that is a bucket of an object store: S3, Google Cloud Storage, Azure Blob Storage.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use jiff::Timestamp;
use object_store::{
    Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion, path::Path,
};
use tokio::time::{Sleep, sleep};

use self::{address::Address, date::Dates, leases::Leases};
use super::{
    Hint, Hints, LARGEST_DOCUMENT, Lease, LeaseCondition, LiveLease, Loaded, PutLease, Saved,
    Store, StoreError, StoreFuture, Version, too_large,
};
use crate::clock::chance::jittered;

pub(crate) mod address;
mod date;
mod failure;
mod lease_object;
mod leases;

/// How often to look for changes: object stores tell nobody.
const POLL_EVERY: Duration = Duration::from_secs(4);

/// Between the parts of a version: no tag has it.
const SEPARATOR: u8 = b'\n';

/// Keeps the state in a bucket of an object store, which any number of machines can share.
///
/// Needs the feature `object-store`. The URL is `s3://bucket/prefix`, `gs://bucket/prefix` or
/// `az://container/prefix`. Credentials, region and endpoint come from the environment, as the crate
/// [`object_store`](https://docs.rs/object_store) takes them: `AWS_…`, `GOOGLE_…`, `AZURE_…`, or what
/// the machine is given by its cloud.
///
/// # Promises
///
/// - The document is the object `maintenance.state` under the prefix, as it is: upload a file that
///   says `on` to switch it on by hand.
/// - Of several writers that replace the same document one wins: each write is conditional on the
///   entity tag (for Google on the generation). A service without conditional writes is refused when
///   something is to be written.
/// - Changes are found by looking, every two to four seconds. A
///   [`RedisStore`](super::RedisStore) tells them at once; take it where seconds matter.
/// - A request takes some seconds at most, whatever the service does.
///
/// # Leases and clocks
///
/// A lease is an object that says when it was renewed. Whether it has lapsed is judged by clocks, so
/// those of the machines have to agree within a quarter of the time to live, as machines with NTP
/// do. Where a clock is more than two seconds from that of the service, the service's times count
/// instead. A node that gives a lease back, or that dies, leaves a small object, which is removed
/// after an hour.
///
/// Each renewal is a request that costs something, as is each look at the document.
///
/// # Examples
///
/// ```
/// use actix_maintenance_mode::store::{BucketStore, Store};
///
/// // Connects when it is first used.
/// let store = BucketStore::new("s3://example-bucket/shop")?;
/// assert_eq!(store.url(), "s3://example-bucket/shop");
/// # Ok::<(), actix_maintenance_mode::store::StoreError>(())
/// ```
#[derive(Debug, Clone)]
pub struct BucketStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    objects: Arc<dyn ObjectStore>,
    state: Path,
    leases: Leases,
    shown: String,
    /// When the service has answered last, by its own clock.
    dates: Dates,
}

impl BucketStore {
    /// Makes a store of the bucket that the URL names, with what the environment says. Nothing is
    /// connected yet.
    ///
    /// # Errors
    ///
    /// When the URL does not name a bucket, or the environment holds values that cannot be used.
    pub fn new(url: &str) -> Result<Self, StoreError> {
        let fault = |reason: &str| {
            let shown = crate::store::url::without_password(url);
            StoreError::new(format!(
                "cannot keep the maintenance state in `{shown}`: {reason}"
            ))
        };
        let address = Address::parse(url).map_err(|reason| fault(&reason))?;
        let dates = Dates::default();
        let objects = address
            .open(&dates)
            .map_err(|error| fault(&failure::told(&error)).with_source(error))?;
        Ok(Self::of(objects, &address.prefix, address.shown(), dates))
    }

    fn of(objects: Arc<dyn ObjectStore>, prefix: &Path, shown: String, dates: Dates) -> Self {
        Self(Arc::new(Inner {
            state: prefix.clone().join("maintenance.state"),
            leases: Leases::new(
                Arc::clone(&objects),
                prefix.clone().join("maintenance.leases"),
            ),
            objects,
            shown,
            dates,
        }))
    }
}

impl Inner {
    fn error(&self, what: &str, error: &Error) -> StoreError {
        let reason = failure::told(error);
        let is_permanent = failure::is_permanent(error);
        let told = StoreError::new(format!("cannot {what} at {}: {reason}", self.shown));
        match is_permanent {
            true => told.permanent(),
            false => told,
        }
    }

    async fn load(&self) -> Result<Option<Loaded>, StoreError> {
        let loaded = async {
            let object = self.objects.get(&self.state).await?;
            let version = version(&object.meta.e_tag, &object.meta.version);
            let size = object.meta.size;
            if size > LARGEST_DOCUMENT as u64 {
                return Ok(Err(too_large(&self.shown, size)));
            }
            let document = object.bytes().await?.to_vec();
            Ok(Ok(Loaded { document, version }))
        };
        match loaded.await {
            Ok(loaded) => loaded.map(Some),
            Err(error @ Error::NotFound { .. }) if !failure::is_no_bucket(&error) => Ok(None),
            Err(error) => Err(self.error("read the maintenance state", &error)),
        }
    }

    async fn save(&self, document: &[u8], expected: Option<&Version>) -> Result<Saved, StoreError> {
        let mode = match expected.map(expectation) {
            None => PutMode::Create,
            Some(Some(version)) => PutMode::Update(version),
            // None of this store's.
            Some(None) => return Ok(Saved::Conflict(self.load().await?)),
        };
        let payload = document.to_vec().into();
        let put = self
            .objects
            .put_opts(&self.state, payload, PutOptions::from(mode));
        match put.await {
            Ok(put) => Ok(Saved::Stored(version(&put.e_tag, &put.version))),
            Err(error) if failure::is_conflict(&error) => Ok(Saved::Conflict(self.load().await?)),
            Err(error) => Err(self.error("store the maintenance state", &error)),
        }
    }
}

fn version(tag: &Option<String>, number: &Option<String>) -> Version {
    let mut bytes = tag.clone().unwrap_or_default().into_bytes();
    if let Some(number) = number {
        bytes.push(SEPARATOR);
        bytes.extend_from_slice(number.as_bytes());
    }
    Version::new(bytes)
}

/// What a version was made of; `None` if it cannot be one of this store.
fn expectation(version: &Version) -> Option<UpdateVersion> {
    let text = str::from_utf8(version.as_bytes()).ok()?;
    // Tags go into a header.
    if text.is_empty() || text.contains(|it: char| it.is_control() && it != '\n') {
        return None;
    }
    let (tag, number) = match text.split_once(char::from(SEPARATOR)) {
        Some((tag, number)) => (tag, Some(number.to_owned())),
        None => (text, None),
    };
    Some(UpdateVersion {
        e_tag: (!tag.is_empty()).then(|| tag.to_owned()),
        version: number,
    })
}

/// A hint every few seconds.
struct Ticks(Pin<Box<Sleep>>);

impl Ticks {
    fn pause() -> Pin<Box<Sleep>> {
        Box::pin(sleep(jittered(POLL_EVERY)))
    }
}

impl Stream for Ticks {
    type Item = Hint;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Hint>> {
        ready!(self.0.as_mut().poll(context));
        self.0 = Self::pause();
        Poll::Ready(Some(Hint))
    }
}

impl Store for BucketStore {
    fn url(&self) -> String {
        self.0.shown.clone()
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
        Box::pin(Ticks(Ticks::pause()))
    }

    fn clock(&self) -> StoreFuture<'_, Option<Timestamp>> {
        Box::pin(async move {
            // An answer of before would be of another moment.
            self.0.dates.take();
            match self.0.objects.head(&self.0.state).await {
                Ok(_) | Err(Error::NotFound { .. }) => Ok(self.0.dates.take()),
                Err(error) => Err(self.0.error("ask what time it is", &error)),
            }
        })
    }

    fn put_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
        condition: LeaseCondition,
    ) -> StoreFuture<'a, PutLease> {
        Box::pin(async move {
            let put = self.0.leases.put(lease, time_to_live, condition).await;
            put.map_err(|error| self.0.error("take a lease", &error))
        })
    }

    fn renew_lease<'a>(
        &'a self,
        lease: &'a Lease,
        time_to_live: Duration,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let renewed = self.0.leases.renew(lease, time_to_live).await;
            renewed.map_err(|error| self.0.error("renew a lease", &error))
        })
    }

    fn drop_lease<'a>(&'a self, lease: &'a Lease) -> StoreFuture<'a, ()> {
        Box::pin(async move {
            let removed = self.0.leases.remove(lease).await;
            removed.map_err(|error| self.0.error("give a lease back", &error))
        })
    }

    fn leases<'a>(&'a self, prefix: &'a str) -> StoreFuture<'a, Vec<LiveLease>> {
        Box::pin(async move {
            let listed = self.0.leases.list(prefix).await;
            listed.map_err(|error| self.0.error("list leases", &error))
        })
    }
}

#[cfg(test)]
#[path = "bucket_tests.rs"]
mod tests;
