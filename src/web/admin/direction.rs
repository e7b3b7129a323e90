//! Which way a switch is turned.

/// Which way a mode is switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    On,
    Off,
}

impl Direction {
    /// What is done, as it follows "to".
    pub(super) fn in_words(self) -> &'static str {
        match self {
            Self::On => "switch maintenance on",
            Self::Off => "switch maintenance off",
        }
    }
}
