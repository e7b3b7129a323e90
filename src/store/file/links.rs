//! Links on the way to a file that root must not follow.
//!
//! Whoever owns a folder can put a link there that leads to where only root may write. Root follows
//! no link but its own; anybody else has no more rights at the end of a link than without it.

use std::{
    fs, io,
    path::{Component, Path, PathBuf},
};

use super::failure::Explained;

/// As many links as Linux follows.
const LINK_LIMIT: usize = 40;

/// Refuses a path that this process must not follow, if it runs as root.
///
/// # Errors
///
/// When somebody else owns a link on the way; the text says which and what to do.
pub(super) fn check(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root()
        && let Some((link, owner)) = foreign_link(path, |owner| owner == 0)
    {
        return Err(Explained(format!(
            "it leads through the link {}, which belongs to user {owner}, and root follows no link \
             of others; give the path without it, or make the link root's own by `chown -h root`",
            link.display()
        ))
        .into());
    }
    #[cfg(not(unix))]
    let _ = (path, foreign_link);
    Ok(())
}

/// The first link on the way that belongs to nobody who is trusted, and whose it is. What cannot be
/// looked at cannot be followed either.
#[cfg_attr(not(unix), allow(dead_code, reason = "links have no owners there"))]
fn foreign_link(path: &Path, is_trusted: impl Fn(u32) -> bool) -> Option<(PathBuf, u32)> {
    let parts = |path: &Path| -> Vec<PathBuf> {
        let parts = path.components().rev();
        parts.map(|part| part.as_os_str().into()).collect()
    };
    let mut way = PathBuf::new();
    // The next part is the last one.
    let mut left = parts(path);
    let mut links = 0;
    while let Some(part) = left.pop() {
        if part.components().next() == Some(Component::ParentDir) {
            // As the file system has it: `way` holds no link any more.
            way.pop();
            continue;
        }
        way.push(&part);
        let Ok(metadata) = fs::symlink_metadata(&way) else {
            return None;
        };
        if !metadata.is_symlink() {
            continue;
        }
        let owner = owner_of(&metadata);
        if !is_trusted(owner) {
            return Some((way, owner));
        }
        links += 1;
        if links > LINK_LIMIT {
            return None;
        }
        let target = fs::read_link(&way).ok()?;
        way.pop();
        // An absolute target replaces what came before, as its first part is the root.
        left.extend(parts(&target));
    }
    None
}

#[cfg(unix)]
fn owner_of(metadata: &fs::Metadata) -> u32 {
    std::os::unix::fs::MetadataExt::uid(metadata)
}

#[cfg(not(unix))]
fn owner_of(_metadata: &fs::Metadata) -> u32 {
    0
}

#[cfg(all(test, unix))]
#[path = "links_tests.rs"]
mod tests;
