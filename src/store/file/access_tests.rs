use std::{
    env, fs,
    os::unix::{
        fs::{chown, symlink},
        process::CommandExt as _,
    },
    path::Path,
    process::Command,
};

use super::{super::replace::tests::*, *};

#[test]
fn a_mode_without_its_group_gives_nobody_more_than_before() {
    for mode in 0..=0o777_u32 {
        let narrowed = narrowed(mode);
        assert_eq!(narrowed & !mode, 0, "{mode:o} became {narrowed:o}");
        assert_eq!((narrowed >> 3) & 7, narrowed & 7, "{mode:o}");
        assert_eq!(narrowed & 0o700, mode & 0o700);
    }
    assert_eq!(narrowed(0o664), 0o644);
    assert_eq!(narrowed(0o640), 0o600);
    assert_eq!(narrowed(0o604), 0o600);
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn a_new_file_is_for_those_of_its_folder_whatever_the_umask_is() {
    for (of_folder, expected) in [
        (0o700, 0o600),
        (0o750, 0o640),
        (0o755, 0o640),
        (0o2770, 0o640),
        (0o777, 0o644),
        (0o1777, 0o644),
    ] {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(of_folder)).unwrap();
        let path = folder.path().join("new.state");
        assert_stored(store(&path, "one", None), "one");
        assert_eq!(mode(&path), expected, "in a folder of {of_folder:o}");
    }
}

#[test]
fn the_replaced_files_mode_is_kept() {
    for kept in [0o600, 0o640, 0o664, 0o666, 0o444] {
        let (_folder, path) = folder_with("one");
        fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
        assert_stored(store(&path, "two", Some("one")), "two");
        assert_eq!(mode(&path), kept);
    }
}

#[test]
fn the_lock_is_for_those_who_may_write_in_the_folder() {
    for (of_folder, of_lock) in [(0o755, 0o600), (0o775, 0o660), (0o1777, 0o666)] {
        let (folder, path) = folder_with("one");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(of_folder)).unwrap();
        assert_stored(store(&path, "two", Some("one")), "two");
        assert_eq!(mode(&folder.path().join("maintenance.state.lock")), of_lock);
    }
}

#[test]
fn a_link_stays_and_its_target_is_replaced() {
    let (folder, path) = folder_with("one");
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link.state");
    symlink(&path, &link).unwrap();
    let relative = elsewhere.path().join("relative.state");
    symlink("link.state", &relative).unwrap();

    assert_stored(store(&relative, "two", Some("one")), "two");
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert!(fs::symlink_metadata(&path).unwrap().is_file());
    assert_eq!(fs::read_link(&link).unwrap(), path);
    assert_eq!(names(elsewhere.path()), ["link.state", "relative.state"]);
    assert_eq!(
        names(folder.path()),
        ["maintenance.state", "maintenance.state.lock"]
    );
}

#[test]
fn a_link_to_a_file_that_is_not_there_yet_makes_that_file() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("link.state");
    symlink("real.state", &link).unwrap();
    assert_stored(store(&link, "one", None), "one");
    assert_eq!(fs::read(folder.path().join("real.state")).unwrap(), b"one");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
}

#[test]
fn a_loop_of_links_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("loop");
    symlink("loop", &link).unwrap();
    store(&link, "one", None).unwrap_err();
}

mod as_root {
    use super::*;

    #[test]
    #[ignore = "needs root, gives a folder to another user"]
    fn a_new_file_belongs_to_whom_its_folder_belongs() {
        let folder = tempfile::tempdir().unwrap();
        chown(folder.path(), Some(1234), Some(4321)).unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o750)).unwrap();
        let path = folder.path().join("new.state");
        assert_stored(store(&path, "one", None), "one");
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (1234, 4321));
        assert_eq!(mode(&path), 0o640);
    }

    #[test]
    #[ignore = "needs root, gives files to other users"]
    fn the_replaced_files_owner_and_group_are_kept_by_root() {
        let (folder, path) = folder_with("one");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        chown(&path, Some(1234), Some(4321)).unwrap();
        chown(folder.path(), Some(1234), Some(4321)).unwrap();
        assert_stored(store(&path, "two", Some("one")), "two");

        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (1234, 4321));
        assert_eq!(mode(&path), 0o640);
        // Else the app could not save any more after root has.
        let lock = fs::metadata(folder.path().join("maintenance.state.lock")).unwrap();
        assert_eq!((lock.uid(), lock.gid()), (1234, 4321));
    }

    /// Runs this test again as user 65534 of group 65534, on files made by root.
    #[test]
    #[ignore = "needs root, runs itself again as an unprivileged user"]
    fn an_unprivileged_writer_keeps_what_it_may_and_widens_nothing() {
        const NOBODY: u32 = 65534;
        const FOLDER: &str = "MAINTENANCE_TEST_FOLDER";
        if let Some(folder) = env::var_os(FOLDER) {
            return unprivileged(Path::new(&folder));
        }

        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777)).unwrap();
        for (name, group, mode) in [
            ("kept-group", NOBODY, 0o640),
            ("open", 0, 0o664),
            ("group-only", 0, 0o640),
            ("unreadable", 0, 0o600),
        ] {
            let path = folder.join(name);
            fs::write(&path, "one").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            chown(&path, Some(0), Some(group)).unwrap();
        }
        // Readable by the unprivileged one as owner, in a group that it is not in.
        let path = folder.join("group-only");
        chown(&path, Some(NOBODY), Some(0)).unwrap();

        // The program may be where only root comes. Copied by another process, since a program
        // that this one has open for writing cannot be started.
        let program = folder.join("test-program");
        let copied = Command::new("cp")
            .args([&env::current_exe().unwrap(), &program])
            .status();
        assert!(copied.unwrap().success());
        let name = "an_unprivileged_writer_keeps_what_it_may_and_widens_nothing";
        let output = Command::new(program)
            .args([name, "--ignored", "--nocapture"])
            .env(FOLDER, folder)
            .current_dir(folder)
            .uid(NOBODY)
            .gid(NOBODY)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:#?}");
        assert!(
            String::from_utf8_lossy(&output.stdout).contains("1 passed"),
            "{output:#?}"
        );

        let of = |name: &str| {
            let metadata = fs::metadata(folder.join(name)).unwrap();
            (metadata.gid(), metadata.mode() & 0o7777)
        };
        assert_eq!(of("kept-group"), (NOBODY, 0o640));
        // The group's right to write went with the group; all can still read.
        assert_eq!(of("open"), (NOBODY, 0o644));
        assert_eq!(of("group-only"), (0, 0o640));
    }

    fn unprivileged(folder: &Path) {
        assert_stored(store(&folder.join("kept-group"), "two", Some("one")), "two");
        assert_stored(store(&folder.join("open"), "two", Some("one")), "two");

        let error = store(&folder.join("group-only"), "two", Some("one")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("group 0 could not be kept"), "{text}");
        assert_eq!(fs::read(folder.join("group-only")).unwrap(), b"one");

        let error = store(&folder.join("unreadable"), "two", Some("one")).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("cannot read"), "{text}");
        assert!(
            text.contains("unreadable: permission denied; let"),
            "{text}"
        );

        let closed = folder.join("closed");
        fs::create_dir(&closed).unwrap();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o555)).unwrap();
        let error = store(&closed.join("state"), "one", None).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("create and rename files in"), "{text}");
        assert_eq!(names(&closed), Vec::<String>::new());

        let names = names(folder);
        assert!(
            names.iter().all(|name| !name.ends_with(".tmp")),
            "{names:?}"
        );
    }
}
