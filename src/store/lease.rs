//! Leases: entries that vanish when their holder stops renewing them.

use std::time::Duration;

use super::StoreError;

/// As long as a file name can hold in any encoding that the stores use.
const TEXT_LIMIT: usize = 120;

/// Far above what a node reports; below what would be a burden to every reader.
const CONTENT_LIMIT: usize = 1024 * 1024;

const SHORTEST: Duration = Duration::from_millis(1);
/// A lease is about a live process. It also keeps sums of instants within what clocks can hold.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// An entry in the store that vanishes when its holder stops renewing it: a node's report, a
/// running task, a lock.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
///
/// use actix_maintenance_mode::store::{Lease, LeaseCondition, MemoryStore, PutLease, Store};
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let store = MemoryStore::new();
/// let time_to_live = Duration::from_secs(15);
///
/// let mine = Lease::new("lock/site", "host-1", "since noon")?;
/// let put = store.put_lease(&mine, time_to_live, LeaseCondition::IfAbsent).await?;
/// assert_eq!(put, PutLease::Held);
///
/// let theirs = Lease::new("lock/site", "host-2", "")?;
/// match store.put_lease(&theirs, time_to_live, LeaseCondition::IfAbsent).await? {
///     PutLease::Taken(by) => assert_eq!(by.lease, mine),
///     PutLease::Held => panic!("two hold the same lock"),
/// }
///
/// assert!(store.renew_lease(&mine, time_to_live).await?);
/// store.drop_lease(&mine).await?;
/// assert_eq!(store.leases("lock/").await?, []);
/// # Ok::<(), actix_maintenance_mode::store::StoreError>(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    name: String,
    holder: String,
    content: Vec<u8>,
}

impl Lease {
    /// Makes a lease, which is not in any store yet.
    ///
    /// - `name`: what there is one of, such as `task/import` or `lock/site`. Any characters do.
    /// - `holder`: tells holders apart. Two that give the same holder count as one, so it has to
    ///   differ from process to process, and from one start to the next.
    /// - `content`: what the holder wants to tell.
    ///
    /// # Errors
    ///
    /// When the name or the holder is empty or longer than 120 bytes, or the content is larger than
    /// 1 MiB.
    pub fn new(
        name: impl Into<String>,
        holder: impl Into<String>,
        content: impl Into<Vec<u8>>,
    ) -> Result<Self, StoreError> {
        let (name, holder) = (name.into(), holder.into());
        for (what, text) in [("name", &name), ("holder", &holder)] {
            if text.is_empty() || text.len() > TEXT_LIMIT {
                return Err(StoreError::new(format!(
                    "cannot use {text:?} as the {what} of a lease: it has {} bytes; give it 1 to \
                     {TEXT_LIMIT}",
                    text.len(),
                )));
            }
        }
        let lease = Self {
            name,
            holder,
            content: Vec::new(),
        };
        lease.with_content(content)
    }

    /// The same lease with another content, to be stored by the next renewal.
    ///
    /// # Errors
    ///
    /// When the content is larger than 1 MiB.
    pub fn with_content(mut self, content: impl Into<Vec<u8>>) -> Result<Self, StoreError> {
        self.content = content.into();
        if self.content.len() > CONTENT_LIMIT {
            return Err(StoreError::new(format!(
                "cannot use a content of {} bytes for the lease {:?}: more than {CONTENT_LIMIT} \
                 are a burden to every reader; tell less",
                self.content.len(),
                self.name,
            )));
        }
        Ok(self)
    }

    /// What there is one of.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells holders apart.
    #[must_use]
    pub fn holder(&self) -> &str {
        &self.holder
    }

    /// What the holder tells.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }
}

/// A lease as a store returned it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveLease {
    /// The lease itself.
    pub lease: Lease,
    /// When it lapses unless it is renewed, counted from the moment that the store was asked.
    pub expires_in: Duration,
}

/// When [`put_lease`](super::Store::put_lease) may put a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseCondition {
    /// In any case. Another holder's lease of that name is replaced.
    Always,
    /// Only if no other holder has a live lease of that name. One's own is replaced, so that a
    /// request whose answer was lost can be made again.
    IfAbsent,
}

/// What became of a [`put_lease`](super::Store::put_lease).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutLease {
    /// The lease is in the store.
    Held,
    /// Another holder has this one.
    Taken(LiveLease),
}

/// The time to live that is used for the one that was asked for.
pub(super) fn bounded(time_to_live: Duration) -> Duration {
    time_to_live.clamp(SHORTEST, LONGEST)
}

#[cfg(test)]
#[path = "lease_tests.rs"]
mod tests;
