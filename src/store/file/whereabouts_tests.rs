use super::*;
use crate::store::{FileStore, Saved, Store};

#[tokio::test]
async fn a_state_that_is_missing_from_another_folder_is_lost_and_from_the_same_one_removed() {
    let base = tempfile::tempdir().unwrap();
    let folder = base.path().join("volume");
    let kept = base.path().join("kept");
    fs::create_dir(&folder).unwrap();
    let store = FileStore::new(folder.join("state")).unwrap();
    assert_eq!(store.load().await.unwrap(), None, "nothing was ever there");
    let Saved::Stored(version) = store.save(b"on", None).await.unwrap() else {
        panic!("nobody else saves");
    };

    // As by `umount`: another folder is there now.
    fs::rename(&folder, &kept).unwrap();
    fs::create_dir(&folder).unwrap();
    for expected in [Some(&version), None] {
        let error = store.save(b"off", expected).await.unwrap_err().to_string();
        assert!(error.contains("mount the volume"), "{error}");
    }
    let error = store.load().await.unwrap_err().to_string();
    assert!(error.contains("is not the one in which it was"), "{error}");
    assert!(!folder.join("state").exists());

    fs::remove_dir_all(&folder).unwrap();
    fs::rename(&kept, &folder).unwrap();
    assert_eq!(store.load().await.unwrap().unwrap().document, b"on");
    fs::remove_file(folder.join("state")).unwrap();
    assert_eq!(store.load().await.unwrap(), None, "it was removed");
    assert!(matches!(
        store.save(b"on", None).await.unwrap(),
        Saved::Stored(_)
    ));

    // A folder that is made anew counts once somebody has written the state there.
    for _ in 0..3 {
        fs::remove_dir_all(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        store.load().await.unwrap_err();
        fs::write(folder.join("state"), "off").unwrap();
        assert_eq!(store.load().await.unwrap().unwrap().document, b"off");
    }
}

#[tokio::test]
async fn what_an_earlier_process_knew_of_the_folder_counts() {
    let base = tempfile::tempdir().unwrap();
    let [one, other] = ["one", "other"].map(|name| {
        let folder = base.path().join(name);
        fs::create_dir(&folder).unwrap();
        FileStore::new(folder.join("state")).unwrap()
    });
    assert_eq!(one.folder(), None);
    one.save(b"on", None).await.unwrap();
    other.expect_folder(one.folder().unwrap());
    other.load().await.unwrap_err();
}
