//! Opens the store that the settings name.

use std::sync::Arc;

use super::{builder::BuildError, rules::fault};
use crate::{
    engine::local_copy::{LocalCopy, Of, Place},
    settings::{Settings, StoreUrl, without_password},
    store::{FileStore, MemoryStore, Store},
};

/// The store that the settings name, and the copy of what it holds.
pub(super) fn open_store(settings: &Settings) -> Result<(Arc<dyn Store>, LocalCopy), BuildError> {
    let url = StoreUrl::parse(&settings.store)
        .map_err(|message| fault("store", &without_password(&settings.store), message))?;
    let (store, of): (Arc<dyn Store>, _) = match &url {
        StoreUrl::Memory => (Arc::new(MemoryStore::new()), Of::Memory),
        StoreUrl::File(path) => {
            let store = FileStore::new(path)?;
            let copy = local_copy(&store, Of::File(store.path()), settings);
            let copy = copy.of_files(store.clone());
            return Ok((Arc::new(store), copy));
        }
        #[cfg(feature = "postgres")]
        StoreUrl::Postgres(url) => {
            let store = crate::store::PostgresStore::new(url)?.wait_at_most(settings.store_timeout);
            (Arc::new(store), Of::Remote)
        }
        #[cfg(feature = "redis")]
        StoreUrl::Redis(url) => {
            let store = crate::store::RedisStore::new(url)?.wait_at_most(settings.store_timeout);
            (Arc::new(store), Of::Remote)
        }
        #[cfg(feature = "object-store")]
        StoreUrl::Bucket(url) => (Arc::new(crate::store::BucketStore::new(url)?), Of::Remote),
    };
    let copy = local_copy(&*store, of, settings);
    Ok((store, copy))
}

pub(super) fn local_copy(store: &dyn Store, of: Of<'_>, settings: &Settings) -> LocalCopy {
    let url = store.url();
    let named = settings.node.memory.as_deref();
    let place = Place::of(of, &url, named, |name| std::env::var_os(name));
    LocalCopy::new(url, place)
}
