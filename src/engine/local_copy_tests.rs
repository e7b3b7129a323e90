use std::collections::BTreeMap;

use super::*;
use crate::core::state::{ModeState, Switch, SwitchedOn};

const URL: &str = "redis://cache/1";

fn now() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn closed() -> Document {
    let state = ModeState {
        switch: Switch::On(SwitchedOn::default()),
        ..ModeState::default()
    };
    Document {
        generation: 7,
        modes: BTreeMap::from([("site".to_owned(), state)]),
        ..Document::default()
    }
}

fn in_folder(folder: &Path) -> LocalCopy {
    let place = Place::of(Of::Remote, URL, Some(folder), |_| None);
    LocalCopy::new(URL.to_owned(), place)
}

#[test]
fn the_copy_is_beside_a_state_file_and_elsewhere_for_other_stores() {
    let set = |pairs: &'static [(&str, &str)]| {
        move |name: &str| {
            let pair = pairs.iter().find(|(known, _)| *known == name);
            pair.map(|(_, value)| OsString::from(value))
        }
    };
    let folder_of =
        |store, named: Option<&Path>, variables| match Place::of(store, URL, named, set(variables))
        {
            Place::In { folder, .. } => Some(folder),
            _ => None,
        };
    let state = Path::new("/srv/shop/maintenance.state");
    assert_eq!(
        Place::of(Of::File(state), URL, None, |_| None),
        Place::Beside(state.to_owned())
    );
    let some = |path: &str| Some(PathBuf::from(path));
    let here = Some(Path::new("/var/lib/shop"));
    assert_eq!(folder_of(Of::File(state), here, &[]), some("/var/lib/shop"));
    assert_eq!(folder_of(Of::Custom, here, &[]), some("/var/lib/shop"));
    assert_eq!(folder_of(Of::Remote, here, &[]), some("/var/lib/shop"));
    for (variables, folder) in [
        (
            &[
                ("STATE_DIRECTORY", "/var/lib/a:/var/lib/b"),
                ("HOME", "/root"),
            ][..],
            some("/var/lib/a"),
        ),
        (
            &[("XDG_CACHE_HOME", "/c"), ("HOME", "/root")],
            some("/c/actix-maintenance-mode"),
        ),
        (
            &[("STATE_DIRECTORY", ""), ("HOME", "/root")],
            some("/root/.cache/actix-maintenance-mode"),
        ),
        (&[("HOME", "nowhere")], None),
        (&[], None),
    ] {
        assert_eq!(
            folder_of(Of::Remote, None, variables),
            folder,
            "{variables:?}"
        );
    }
    let place = |store, named| Place::of(store, URL, named, |_| None);
    assert_eq!(place(Of::Memory, here), Place::Nowhere);
    assert_eq!(place(Of::Custom, None), Place::Nowhere);
    assert_eq!(place(Of::Remote, None), Place::NoFolder);
    assert_ne!(file_name("redis://a"), file_name("redis://b"));
}

#[tokio::test]
async fn what_was_kept_is_remembered_by_the_next_process() {
    let base = tempfile::tempdir().unwrap();
    // It is made.
    let folder = base.path().join("a/b");
    assert_eq!(in_folder(&folder).read().await, None);
    assert!(!folder.exists(), "a read never writes");
    assert!(in_folder(&folder).keep(&closed(), now()).await);
    let remembered = in_folder(&folder).read().await.unwrap();
    assert_eq!(remembered.at, now());
    assert_eq!(remembered.document, closed());
}

#[tokio::test]
async fn a_copy_that_cannot_be_used_is_as_none() {
    let folder = tempfile::tempdir().unwrap();
    let copy = in_folder(folder.path());
    copy.keep(&closed(), now()).await;
    let path = copy.place.path().unwrap();
    let whole = fs::read(&path).unwrap();
    for damaged in [&b""[..], b"{", b"on", &whole[..whole.len() / 2]] {
        fs::write(&path, damaged).unwrap();
        assert_eq!(in_folder(folder.path()).read().await, None);
    }
    let other = String::from_utf8(whole)
        .unwrap()
        .replace("cache/1", "cache/2");
    fs::write(&path, other).unwrap();
    assert_eq!(in_folder(folder.path()).read().await, None);
}

#[tokio::test]
async fn the_folder_of_a_state_file_is_never_made() {
    let base = tempfile::tempdir().unwrap();
    let state = base.path().join("volume/maintenance.state");
    let copy = LocalCopy::new(URL.to_owned(), Place::Beside(state.clone()));
    assert!(!copy.keep(&closed(), now()).await);
    assert!(!base.path().join("volume").exists());
    fs::create_dir(base.path().join("volume")).unwrap();
    assert!(copy.keep(&closed(), now()).await);
    assert!(base.path().join("volume/maintenance.state.memory").exists());
}

#[tokio::test]
async fn without_a_folder_it_works_and_says_so_once() {
    let copy = LocalCopy::new(URL.to_owned(), Place::NoFolder);
    assert_eq!(copy.read().await, None);
    assert!(copy.keep(&closed(), now()).await);
    assert!(copy.is_told.load(Ordering::Relaxed));
    let quiet = LocalCopy::new("memory:".to_owned(), Place::Nowhere);
    assert!(quiet.keep(&closed(), now()).await);
    assert!(!quiet.is_told.load(Ordering::Relaxed));
}
