//! Who is asking, and in which order the session is loaded.

pub(crate) mod identity;
pub(crate) mod newcomer;
pub(crate) mod session_notes;
pub(crate) mod session_order;
