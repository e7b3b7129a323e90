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
pub(crate) fn open_to_those_of(file: &File, folder: &Path) -> io::Result<()> {
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
#[path = "access_tests.rs"]
mod tests;
