//! Without the feature `metrics` there are no figures, and none of this costs anything.

use crate::{
    core::{rules::rule::Rule, state::IfLost},
    engine::shared::Shared,
};

#[inline]
pub(crate) fn refused(_: &str, _: &'static str) {}

#[inline]
pub(crate) fn holder_lost(_: &str, _: IfLost) {}

#[inline]
pub(crate) fn granted(_: &str) {}

#[inline]
pub(crate) fn passed(_: Rule) {}

#[inline]
pub(crate) fn store_failed() {}

#[allow(clippy::unused_async, reason = "it has the form of its counterpart")]
pub(crate) async fn report(_: &Shared) {}
