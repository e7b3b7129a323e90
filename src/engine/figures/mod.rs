//! Figures for the `metrics` facade; without the feature `metrics` there are none.

#[cfg(feature = "metrics")]
mod recorded;
#[cfg(feature = "metrics")]
pub(crate) use self::recorded::{granted, holder_lost, passed, refused, report, store_failed};
#[cfg(not(feature = "metrics"))]
mod none;
#[cfg(not(feature = "metrics"))]
pub(crate) use self::none::{granted, holder_lost, passed, refused, report, store_failed};
