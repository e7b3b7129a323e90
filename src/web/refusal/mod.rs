//! What a refused visitor gets.

pub(crate) mod language;
pub(crate) mod negotiate;
pub(crate) mod response;
