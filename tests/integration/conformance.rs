//! Every store of this crate passes the suite that authors of other ones use.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use actix_maintenance_mode::store::{FileStore, MemoryStore, conformance::Suite};

#[tokio::test]
async fn the_memory_store_is_a_store() {
    let mut count = 0;
    let stores = Arc::new(Mutex::new(BTreeMap::<String, MemoryStore>::new()));
    let fresh = move || {
        count += 1;
        count.to_string()
    };
    let open = move |place| {
        let store = stores.lock().unwrap().entry(place).or_default().clone();
        async move { Ok(store) }
    };
    Suite::new(fresh, open).check().await.unwrap();
}

#[tokio::test]
async fn the_file_store_is_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let mut count = 0;
    let fresh = move || {
        count += 1;
        let name = format!("{count}.state");
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    Suite::new(fresh, |place| async { FileStore::new(place) })
        .processes("conformance::the_file_store_is_a_store")
        .check()
        .await
        .unwrap();
}
