//! What the state of a mode means at an instant.

use std::fmt;

use jiff::Timestamp;

use super::words::words;

/// The phase of a mode at an instant.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Everybody gets in.
    #[default]
    Online,
    /// Everybody gets in, and a planned window that starts soon is announced.
    Scheduled,
    /// The mode is closing: visitors who are in may finish, nobody new gets in.
    Pending,
    /// Nobody gets in but those whom an exemption lets through.
    Offline,
    /// The mode is opening again: a share of the visitors that grows with time gets in.
    Opening,
}

impl Phase {
    /// Whether visitors are refused, all or some: [`Pending`](Self::Pending),
    /// [`Offline`](Self::Offline) or [`Opening`](Self::Opening).
    pub fn is_maintenance(self) -> bool {
        matches!(self, Self::Pending | Self::Offline | Self::Opening)
    }
}

words! {
    /// The phase's word, as in JSON: `online`, `scheduled`, `pending`, `offline` or `opening`.
    pub Phase in JSON {
        Online = "online",
        Scheduled = "scheduled",
        Pending = "pending",
        Offline = "offline",
        Opening = "opening",
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A mode's phase with what is known about it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Standing {
    pub(crate) phase: Phase,
    /// When the announced window starts.
    pub(crate) start: Option<Timestamp>,
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    pub(crate) by: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) message: Option<String>,
}

impl Standing {
    pub(crate) fn online() -> Self {
        Self::default()
    }
}
