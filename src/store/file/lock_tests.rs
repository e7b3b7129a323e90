use super::*;

const SHORT: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(5);

#[test]
fn waiting_ends_with_an_error_that_names_the_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let turn = wait_for_turn(&path, SHORT).unwrap();

    let text = wait_for_turn(&path, SHORT).unwrap_err().to_string();
    assert!(text.contains("state.lock for 0.1 s;"), "{text}");

    drop(turn);
    wait_for_turn(&path, SHORT).unwrap();
}

#[test]
fn a_turn_comes_as_soon_as_the_other_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let turn = wait_for_turn(&path, SHORT).unwrap();
    let other = thread::spawn(move || wait_for_turn(&path, LONG).map(drop));
    thread::sleep(SHORT);
    assert!(!other.is_finished());
    drop(turn);
    other.join().unwrap().unwrap();
}

#[cfg(unix)]
#[test]
fn a_lock_file_that_was_removed_meanwhile_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let lock_path = lock_path(&path);
    let stale = wait_for_turn(&path, SHORT).unwrap();
    let waiting = thread::spawn({
        let path = path.clone();
        move || wait_for_turn(&path, LONG)
    });
    thread::sleep(SHORT);
    fs::remove_file(&lock_path).unwrap();
    drop(stale);

    let turn = waiting.join().unwrap().unwrap();
    assert!(is_still_at(&turn._lock, &lock_path));
    wait_for_turn(&path, SHORT).unwrap_err();
}

#[cfg(unix)]
#[test]
fn those_who_come_by_a_link_wait_for_the_same_lock() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let link = folder.path().join("link");
    std::os::unix::fs::symlink("state", &link).unwrap();
    let turn = wait_for_turn(&path, SHORT).unwrap();
    wait_for_turn(&link, SHORT).unwrap_err();
    drop(turn);
    assert_eq!(wait_for_turn(&link, SHORT).unwrap().target, path);
}
