use super::*;

fn content(look: Result<Look, StoreError>) -> Option<Vec<u8>> {
    look.unwrap().content().map(<[u8]>::to_vec)
}

#[test]
fn a_file_that_is_refilled_meanwhile_was_never_blank() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let refill = || fs::write(&path, "on").unwrap();
    assert_eq!(content(settle(&path, None, refill)), Some(b"on".to_vec()));
    fs::write(&path, "").unwrap();
    assert_eq!(content(settle(&path, None, refill)), Some(b"on".to_vec()));

    // Removed, made anew and then written: blank in two ways, one after the other.
    fs::remove_file(&path).unwrap();
    let mut steps = ["", "on"].into_iter();
    let step = || fs::write(&path, steps.next().unwrap()).unwrap();
    assert_eq!(content(settle(&path, None, step)), Some(b"on".to_vec()));
}

#[test]
fn a_file_that_stays_blank_is_believed_and_then_costs_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let waits = |before| {
        let mut waits = 0;
        settle(&path, before, || waits += 1).unwrap();
        waits
    };
    assert_eq!(waits(None), 1);
    assert_eq!(waits(Some(Blank::Missing)), 0);
    assert_eq!(waits(Some(Blank::Empty)), 1);

    fs::write(&path, "").unwrap();
    assert_eq!(waits(None), 1);
    assert_eq!(waits(Some(Blank::Missing)), 1);
    assert_eq!(waits(Some(Blank::Empty)), 0);

    fs::write(&path, "on").unwrap();
    assert_eq!(waits(None), 0);
}

#[test]
fn a_missing_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let error = look(&folder.path().join("missing/state")).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("missing does not exist; create"), "{text}");
}

#[test]
fn a_file_in_place_of_the_folder_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let text = look(&file.join("state")).unwrap_err().to_string();
    assert!(text.contains("correct the path"), "{text}");
}

#[test]
fn a_folder_in_place_of_the_file_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let text = look(folder.path()).unwrap_err().to_string();
    assert!(text.contains("it is a folder"), "{text}");
}

#[test]
fn a_file_that_is_too_large_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let file = File::create(&path).unwrap();
    file.set_len(SIZE_LIMIT).unwrap();
    look(&path).unwrap();
    file.set_len(SIZE_LIMIT + 1).unwrap();
    let text = look(&path).unwrap_err().to_string();
    assert!(text.contains("larger than 16 MiB"), "{text}");
}

#[cfg(unix)]
mod unix {
    use std::{os::unix::fs::symlink, process::Command};

    use super::*;

    #[test]
    fn pipes_and_devices_are_an_error_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let status = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(status.success());
        for path in [pipe.as_path(), Path::new("/dev/zero")] {
            let text = look(path).unwrap_err().to_string();
            assert!(text.contains("a device, a pipe or a socket"), "{text}");
        }
    }

    #[test]
    fn links_are_followed_from_folder_to_folder() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path();
        fs::create_dir_all(base.join("a/b")).unwrap();
        symlink("a/b", base.join("c")).unwrap();
        symlink("../state", base.join("a/b/link")).unwrap();
        symlink(base.join("c/link"), base.join("first")).unwrap();
        // Seen through the link, `..` is the real folder's parent.
        fs::write(base.join("a/state"), "on").unwrap();

        let hops = follow_links(&base.join("first"));
        let expected = ["first", "c/link", "c/../state"].map(|hop| base.join(hop));
        assert_eq!(hops, expected);
        assert_eq!(fs::read(hops.last().unwrap()).unwrap(), b"on");
        assert_eq!(content(look(&base.join("first"))), Some(b"on".to_vec()));
    }

    #[test]
    fn a_link_into_a_missing_folder_is_an_error_and_into_a_folder_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        symlink("volume/state", &link).unwrap();
        let text = look(&link).unwrap_err().to_string();
        assert!(text.contains("volume does not exist"), "{text}");

        fs::create_dir(folder.path().join("volume")).unwrap();
        assert_eq!(content(look(&link)), None);
    }
}
