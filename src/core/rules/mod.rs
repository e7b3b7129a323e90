//! Who gets through and what a mode applies to: the rules as data.

pub(crate) mod address_texts;
pub(crate) mod compiled;
pub(crate) mod exempt;
pub(crate) mod of_mode;
pub(crate) mod readings;
pub(crate) mod routes;
pub(crate) mod rule;
pub(crate) mod subject;
pub(crate) mod visitors;
