use std::os::unix::fs::{lchown, symlink};

use super::*;

#[test]
fn every_link_on_the_way_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    fs::create_dir_all(base.join("real/inner")).unwrap();
    fs::write(base.join("real/inner/state"), "on").unwrap();
    symlink("real", base.join("link")).unwrap();
    symlink(base.join("link/inner/state"), base.join("state")).unwrap();
    symlink("nowhere", base.join("dangling")).unwrap();
    let found = |path: &str| foreign_link(&base.join(path), |_| false).map(|(link, _)| link);
    assert_eq!(found("real/inner/state"), None);
    assert_eq!(found("real/inner/none"), None);
    assert_eq!(found("link/inner/state"), Some(base.join("link")));
    assert_eq!(found("link/inner/none"), Some(base.join("link")));
    assert_eq!(found("real/../state"), Some(base.join("state")));
    assert_eq!(found("dangling"), Some(base.join("dangling")));
    // Behind links that are trusted.
    let owner = owner_of(&fs::symlink_metadata(base.join("state")).unwrap());
    assert_eq!(foreign_link(&base.join("state"), |it| it == owner), None);
    symlink("loop", base.join("loop")).unwrap();
    assert_eq!(foreign_link(&base.join("loop"), |_| true), None);
}

#[test]
#[ignore = "needs root, gives links to other users"]
fn root_follows_no_link_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().canonicalize().unwrap();
    let (secret, planted) = (base.join("secret"), base.join("maintenance.state"));
    symlink(&secret, &planted).unwrap();
    check(&planted).unwrap();
    lchown(&planted, Some(65534), Some(65534)).unwrap();
    let error = check(&planted).unwrap_err().to_string();
    assert!(error.contains("user 65534"), "{error}");
    for name in ["maintenance.state", "own.state"] {
        let store = crate::store::FileStore::new(base.join(name)).unwrap();
        let save = crate::store::Store::save(&store, b"on", None);
        let saved = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap()
            .block_on(save);
        assert_eq!(saved.is_ok(), name == "own.state", "{saved:?}");
    }
    assert!(!secret.exists());
}
