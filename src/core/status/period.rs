//! What is shown of past maintenance.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::core::state::{Ended, Period, Said};

/// One past or present stretch of maintenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PastPeriod {
    /// The key of the mode.
    pub mode: String,
    /// When it started.
    pub started_at: Timestamp,
    /// When it ended; `None`: it goes on.
    pub ended_at: Option<Timestamp>,
    /// Who began it.
    pub by: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// How it ended.
    pub ended: Option<Ended>,
    /// Who ended it.
    pub ended_by: Option<String>,
    /// What was said of it meanwhile, the latest last: at most ten times, the first among them.
    #[serde(default)]
    pub said: Vec<Said>,
}

impl PastPeriod {
    pub(crate) fn new(period: &Period) -> Self {
        Self {
            mode: period.mode.clone(),
            started_at: period.started_at,
            ended_at: period.ended_at,
            by: period.by.clone(),
            reason: period.reason.clone(),
            ended: period.ended,
            ended_by: period.ended_by.clone(),
            said: period.said.clone(),
        }
    }
}
