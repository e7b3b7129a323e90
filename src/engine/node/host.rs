//! The machine that this process runs on.

/// The machine's name, as people there know it.
#[cfg(unix)]
pub(crate) fn name() -> String {
    let system = rustix::system::uname();
    system.nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
pub(crate) fn name() -> String {
    gethostname::gethostname().to_string_lossy().into_owned()
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
