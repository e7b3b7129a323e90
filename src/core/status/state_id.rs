//! Tells documents apart by what is in them.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// Identifies a stored document by its content. Generations do not: somebody who writes the store
/// by hand begins them anew.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StateId(u128);

impl StateId {
    pub(crate) fn of(document: Option<&[u8]>) -> Self {
        let mut hash = Sha256::new();
        // Nothing stored is something else than an empty document.
        hash.update([u8::from(document.is_some())]);
        hash.update(document.unwrap_or_default());
        let hash = hash.finalize();
        Self(
            hash.iter()
                .take(16)
                .fold(0, |id, byte| id << 8 | u128::from(*byte)),
        )
    }
}

impl fmt::Display for StateId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", self.0)
    }
}
