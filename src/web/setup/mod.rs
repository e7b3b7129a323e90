//! Setting maintenance up.

pub(crate) mod builder;
