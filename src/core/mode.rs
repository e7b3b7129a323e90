//! A mode as the settings have it, apart from the rules and the refusals.

use std::{fmt, sync::Arc};

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::core::status::modes::ModeStatus;

/// Adds to what the status says of a mode.
pub(crate) type StatusDetails = Arc<dyn Fn(&ModeStatus) -> Map<String, Value> + Send + Sync>;

/// What settings and app say of a mode, apart from the rules and the refusals.
pub(crate) struct Mode {
    pub(crate) key: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
    pub(crate) access: Access,
    /// How long before its start a window is announced; zero: not at all.
    pub(crate) announce: SignedDuration,
    /// How long it stays on when nobody says until when.
    pub(crate) time_out: Option<SignedDuration>,
    /// Whether code of the app has a say in which requests it applies to.
    pub(crate) has_condition: bool,
    pub(crate) details: Option<StatusDetails>,
}

impl fmt::Debug for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mode")
            .field("key", &self.key)
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}

/// What is possible while a mode is on: the key `access`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
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

impl Access {
    /// The word in the settings: `none` or `read-only`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ReadOnly => "read-only",
        }
    }
}

/// A state that wins over the store's: the key `forced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Forced {
    /// `"on"`: in maintenance, whatever the store holds.
    On,
    /// `"off"`: not in maintenance, whatever the store holds.
    Off,
}

impl Forced {
    /// The word in the settings: `on` or `off`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Off => "off",
        }
    }
}

#[cfg(test)]
impl Mode {
    /// A mode of which nothing but the key is set.
    pub(crate) fn named(key: impl Into<String>) -> Self {
        let key = key.into();
        Self {
            label: key.clone(),
            key,
            help: None,
            access: Access::None,
            announce: SignedDuration::ZERO,
            time_out: None,
            has_condition: false,
            details: None,
        }
    }
}
