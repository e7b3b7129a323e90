use super::*;

#[test]
fn a_file_is_replaced_as_a_whole_and_leaves_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = path_beside(&folder.path().join("state"), ".memory");
    replace_whole(&path, b"one", None).unwrap();
    replace_whole(&path, b"two", None).unwrap();
    assert_eq!(
        fs::read(folder.path().join("state.memory")).unwrap(),
        b"two"
    );
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn who_may_read_the_state_may_read_what_is_beside_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let path = path_beside(&state, ".memory");
    let mode = || fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    replace_whole(&path, b"one", Some(&state)).unwrap();
    assert_eq!(mode(), 0o600);
    fs::write(&state, "on").unwrap();
    for readers in [0o600, 0o640, 0o644] {
        fs::set_permissions(&state, fs::Permissions::from_mode(readers)).unwrap();
        replace_whole(&path, b"one", Some(&state)).unwrap();
        assert_eq!(mode(), readers);
    }
}

#[test]
fn only_old_temporary_files_of_this_file_are_stale() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.memory");
    let old = SystemTime::now() - 2 * STALE;
    for (name, is_old) in [
        (".state.memory.abcdef.tmp", true),
        (".state.memory.ghijkl.tmp", false),
        (".other.memory.abcdef.tmp", true),
        ("state.memory", true),
    ] {
        let file = fs::File::create(folder.path().join(name)).unwrap();
        if is_old {
            file.set_modified(old).unwrap();
        }
    }
    remove_stale(&path);
    let left = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(left, 3);
    assert!(!folder.path().join(".state.memory.abcdef.tmp").exists());
}
