//! The names of log events.

/// A mode enters another phase.
pub const PHASE: &str = "maintenance.phase";
/// Somebody changed what is said or planned of a mode, and its phase stays.
pub const CHANGED: &str = "maintenance.changed";
/// The app asks about a mode that there is not.
pub const UNKNOWN_MODE: &str = "maintenance.unknown-mode";
/// A drain found nobody inside any more.
pub const DRAINED: &str = "maintenance.drained";
/// The job that held a mode has died.
pub(crate) const HOLDER_LOST: &str = "maintenance.holder-lost";
/// The announced end of a held mode has passed, and its job goes on.
pub(crate) const OVERDUE: &str = "maintenance.overdue";
/// A change was not made.
pub const CHANGE_FAILED: &str = "maintenance.change-failed";
/// Who did what, one event for each line of the audit.
pub(crate) const AUDIT: &str = "maintenance.audit";
/// Somebody who is to be told of changes cannot be reached.
#[cfg(feature = "notices")]
pub(crate) const NOTICE_FAILED: &str = "maintenance.notice-failed";
/// They can be reached again.
#[cfg(feature = "notices")]
pub(crate) const NOTICE_BACK: &str = "maintenance.notice-back";
/// The audit cannot be written.
pub(crate) const AUDIT_FAILED: &str = "maintenance.audit-failed";
/// The audit is written again.
pub(crate) const AUDIT_BACK: &str = "maintenance.audit-back";
/// Somebody asked to change what they may not.
pub const TOGGLE_REFUSED: &str = "maintenance.toggle-refused";
/// Somebody asked to see what they may not.
pub const SEE_REFUSED: &str = "maintenance.see-refused";
/// A token is unknown, has expired, or was one of too many.
pub const TOKEN_REFUSED: &str = "maintenance.token-refused";
/// The store fails.
pub const STORE_FAILED: &str = "maintenance.store-failed";
/// The store answers again.
pub const STORE_BACK: &str = "maintenance.store-back";
/// The clock of this process is more than two seconds from the store's, or is not any more.
pub const CLOCK_DIFFERS: &str = "maintenance.clock-differs";
/// A node cannot report to the others.
pub const NODE_UNREPORTED: &str = "maintenance.node-unreported";
/// An app serves the admin scope and wraps no middleware.
pub const UNENFORCED: &str = "maintenance.unenforced";
/// A request is refused.
pub const REFUSAL: &str = "maintenance.refusal";
/// How many requests a worker has refused.
pub const REFUSALS: &str = "maintenance.refusals";
/// A mode has opened for which requests waited.
pub const RELEASE: &str = "maintenance.release";
/// A request is let through during maintenance.
pub const PASS: &str = "maintenance.pass";

/// One refusal in so many is logged at level info, after the first.
pub(crate) const ONE_IN: u64 = 1000;
