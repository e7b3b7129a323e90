//! How long leases live, and the pauses before something is looked at or tried again.

use std::time::Duration;

/// How long a lease lives without being renewed, unless its holder says otherwise.
pub(crate) const TIME_TO_LIVE: Duration = Duration::from_secs(15);
/// How often one who waits for a lease asks for it.
pub(crate) const ASK_EVERY: Duration = Duration::from_millis(100);
/// The first and the longest pause before a failed store is tried again.
pub(crate) const FIRST_RETRY: Duration = Duration::from_millis(100);
pub(crate) const LONGEST_RETRY: Duration = Duration::from_secs(5);
