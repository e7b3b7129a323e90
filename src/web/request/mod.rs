//! A request of actix as the rules see it.

pub(crate) mod address;
pub(crate) mod subject;
