//! Leases that are renewed for as long as they are held.

pub(crate) mod held_lease;
