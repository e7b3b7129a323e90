//! Who is inside: requests in flight and visitors.

pub(crate) mod in_flight;
pub(crate) mod sessions;
