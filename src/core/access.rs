//! What a mode leaves possible, and what settings force.

use super::words::words;

/// What is possible while a mode is on: the key `access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
#[non_exhaustive]
pub enum Access {
    /// `"none"`: nothing. The default.
    #[default]
    None,
    /// `"read-only"`: the methods that only read, which are GET, HEAD, OPTIONS and TRACE (RFC 9110,
    /// section 9.2.1).
    ///
    /// A WebSocket begins as a GET, whatever is sent over it; and some GETs write.
    /// [`ReadOnlySettings::deny`](crate::settings::ReadOnlySettings::deny) is for these.
    ReadOnly,
}

words! {
    /// The word in the settings: `none` or `read-only`.
    pub Access in JSON {
        None = "none",
        ReadOnly = "read-only",
    }
}

/// A state that wins over the store's: the key `forced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forced {
    /// `"on"`: in maintenance, whatever the store holds.
    On,
    /// `"off"`: not in maintenance, whatever the store holds.
    Off,
}

words! {
    /// The word in the settings: `on` or `off`.
    pub Forced in JSON {
        On = "on",
        Off = "off",
    }
}
