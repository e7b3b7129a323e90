//! What a refused visitor gets.

pub(crate) mod cors;
pub(crate) mod data;
pub(crate) mod described;
pub(crate) mod language;
pub(crate) mod negotiate;
pub(crate) mod of_mode;
pub(crate) mod page;
pub(crate) mod pages;
pub(crate) mod preview;
pub(crate) mod rendered;
pub(crate) mod responses;
pub(crate) mod templates;
pub(crate) mod trial;
pub(crate) mod words;
