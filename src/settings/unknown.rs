//! What counts while something cannot be known: the store cannot be read, or the node is cut off.

use crate::core::words::words;

/// What counts while the store cannot be read: the key `when_store_fails`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenStoreFails {
    /// `"keep-last"`: the last state that could be read. The default.
    #[default]
    KeepLast,
    /// `"on"`: the site is in maintenance.
    On,
    /// `"off"`: the site is not in maintenance.
    Off,
}

words! {
    /// The word in the settings: `keep-last`, `on` or `off`.
    pub WhenStoreFails {
        KeepLast = "keep-last",
        On = "on",
        Off = "off",
    }
}

/// What a node does that cannot renew its lease: the key `when_cut_off`.
///
/// A node is cut off when three quarters of `node.time_to_live` have passed since it last asked the
/// store for its lease with success, also if it was stopped in between. At the end of the time to
/// live the other nodes count it out, and whoever waits for maintenance does not wait for it any
/// more. `docs/barrier.md` says what that means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenCutOff {
    /// `"keep-last"`: it goes on by the last state that it knows. The default. Whoever was told
    /// meanwhile that the site is closed and empty was told wrong, should the node still serve.
    #[default]
    KeepLast,
    /// `"close"`: it is in maintenance until it is back, before anybody counts it out. A request
    /// then costs a look at the clock.
    Close,
}

words! {
    /// The word in the settings: `keep-last` or `close`.
    pub WhenCutOff {
        KeepLast = "keep-last",
        Close = "close",
    }
}

/// What counts at the start while the store cannot be read and nothing is remembered of it: the key
/// `when_unknown_at_start`.
///
/// A node remembers what it knew last in a small file
/// ([`NodeSettings::memory`](super::NodeSettings::memory)), so that this counts on its first start
/// only, or where that file is lost. It counts while
/// [`when_store_fails`](super::Settings::when_store_fails) is `keep-last`: the other words say themselves what
/// counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum WhenUnknownAtStart {
    /// `"wait"`: the start waits for the store, up to 5 seconds. If it cannot be read by then, the
    /// site is not in maintenance, which the status and the log tell as an error. The default.
    #[default]
    Wait,
    /// `"on"`: the site is in maintenance until the store can be read.
    On,
    /// `"off"`: the site is not in maintenance until the store can be read.
    Off,
}

words! {
    /// The word in the settings: `wait`, `on` or `off`.
    pub WhenUnknownAtStart {
        Wait = "wait",
        On = "on",
        Off = "off",
    }
}
