//! Who may read and write a file: keeping it when the file is replaced.

use std::{
    fs::{File, Metadata, Permissions},
    io::{self, ErrorKind},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::Path,
};

use super::failure::Explained;

const READ_BY_GROUP_OR_OTHERS: u32 = 0o044;

/// Whether an unprivileged process could give the file away.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Given {
    pub(super) owner: bool,
    pub(super) group: bool,
}

/// Gives `file` the owner, group and mode of the file that it replaces.
///
/// An owner that cannot be kept is let go. So is a group, as long as nobody gains access by it and
/// nobody loses the right to read.
pub(super) fn keep(file: &File, replaced: &Metadata) -> io::Result<Given> {
    let mode = replaced.mode() & 0o7777;
    let given = give(file, replaced.uid(), replaced.gid(), mode)?;
    let lost = mode & !narrowed(mode);
    if !given.group && lost & READ_BY_GROUP_OR_OTHERS != 0 {
        return Err(io::Error::new(
            ErrorKind::PermissionDenied,
            format!("the file's group {} could not be kept", replaced.gid()),
        ));
    }
    Ok(given)
}

/// The mode of a new file for those who take part: whoever owns the folder, and its group as far as
/// the folder lets it read. Others read it only where anybody may write, as in `/tmp`: it tells more
/// than everybody is to know, such as who is inside.
fn mode_in(folder: &Metadata) -> u32 {
    let others = match folder.mode() & 0o002 {
        0 => 0,
        _ => folder.mode() & 0o004,
    };
    0o600 | folder.mode() & 0o040 | others
}

/// Gives a new file to the owner and the group of its folder, and lets those read it who take part
/// there, whatever the umask is. A folder with a default access list says itself who that is.
///
/// # Errors
///
/// When the owner of the folder could not read it, who most likely is who the app runs as.
pub(super) fn open_to_those_of(file: &File, folder: &Path) -> io::Result<()> {
    let metadata = std::fs::metadata(folder)?;
    let mode = mode_in(&metadata);
    if has_default_list(folder) {
        // The bits of the group are what the list's entries get at most.
        return file.set_permissions(Permissions::from_mode(0o640 | mode));
    }
    let given = give(file, metadata.uid(), metadata.gid(), mode)?;
    let is_read_by_owner = given.owner
        || metadata.uid() == 0
        || given.group && mode & 0o040 != 0
        || file.metadata()?.mode() & 0o004 != 0;
    if is_read_by_owner {
        return Ok(());
    }
    Err(Explained(format!(
        "user {}, who owns the folder {}, could not read it, and neither could an app that runs as \
         that user; do it as that user or as root, or give the folder a group that both are in",
        metadata.uid(),
        folder.display()
    ))
    .into())
}

/// Whether new files of a folder get an access list of the folder's.
fn has_default_list(folder: &Path) -> bool {
    #[cfg(target_os = "linux")]
    {
        let mut list = [0_u8; 4096];
        // A list that is longer is one, too.
        match rustix::fs::getxattr(folder, "system.posix_acl_default", &mut list[..]) {
            Ok(_) | Err(rustix::io::Errno::RANGE) => true,
            Err(_) => false,
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = folder;
        false
    }
}

/// Sets owner, group and mode, as far as this process may. Where the group cannot be set, its
/// rights shrink to what everybody has, for the mode would now speak of another group.
pub(super) fn give(file: &File, owner: u32, group: u32, mode: u32) -> io::Result<Given> {
    let now = file.metadata()?;
    let mut given = Given {
        owner: now.uid() == owner,
        group: now.gid() == group,
    };
    if !given.owner && fchown(file, Some(owner), Some(group)).is_ok() {
        given = Given {
            owner: true,
            group: true,
        };
    }
    if !given.group {
        given.group = fchown(file, None, Some(group)).is_ok();
    }
    let mode = if given.group { mode } else { narrowed(mode) };
    // After the owner, because a change of owner clears some bits.
    file.set_permissions(Permissions::from_mode(mode))?;
    Ok(given)
}

/// The mode with only those rights for group and others that both have: members of the old group
/// are "others" now.
fn narrowed(mode: u32) -> u32 {
    let shared = (mode >> 3) & mode & 0o007;
    mode & 0o700 | shared << 3 | shared
}

#[cfg(test)]
mod tests {
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
}
