//! A mode as the settings have it, apart from the rules and the refusals.

use std::{fmt, sync::Arc};

use jiff::SignedDuration;
use serde_json::{Map, Value};

use super::access::Access;
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
