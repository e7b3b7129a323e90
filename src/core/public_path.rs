//! What a proxy strips from paths before the app sees them, and puts back into none of its answers.

/// Whether a text is a path to be put before others: plain segments, each after one slash.
///
/// It goes into links, so nothing in it may lead elsewhere.
pub(crate) fn is_plain(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|segment| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
            !segment.is_empty()
                && segment != "."
                && segment != ".."
                && segment.bytes().all(is_plain)
        })
    })
}

/// A path of the app as its visitors see it. One that has the prefix already stays as it is.
pub(crate) fn in_public(prefix: &str, path: &str) -> String {
    let is_inside = path
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
    if prefix.is_empty() || is_inside {
        path.to_owned()
    } else {
        format!("{prefix}{path}")
    }
}

#[cfg(test)]
#[path = "public_path_tests.rs"]
mod tests;
