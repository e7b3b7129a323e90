//! One stretch of maintenance, kept as history.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::said::Said;
use crate::core::words::words;

/// One past or present stretch of maintenance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Period {
    pub(crate) mode: String,
    pub(crate) started_at: Timestamp,
    #[serde(default)]
    pub(crate) ended_at: Option<Timestamp>,
    #[serde(default)]
    pub(crate) by: Option<String>,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// How it ended; unknown of periods that an older version recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended: Option<Ended>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ended_by: Option<String>,
    /// What was said of it, the latest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) said: Vec<Said>,
    #[serde(flatten)]
    pub(crate) unknown: Map<String, Value>,
}

impl Period {
    pub(crate) fn starting(mode: &str, at: Timestamp) -> Self {
        Self {
            mode: mode.to_owned(),
            started_at: at,
            ended_at: None,
            by: None,
            reason: None,
            ended: None,
            ended_by: None,
            said: Vec::new(),
            unknown: Map::new(),
        }
    }

    pub(crate) fn end(&mut self, at: Timestamp, how: Ended, by: Option<&str>) {
        // Clocks differ, and nothing ends before it begins.
        self.ended_at = Some(at.max(self.started_at));
        self.ended = Some(how);
        self.ended_by = by.map(str::to_owned);
    }
}

/// How a period ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Ended {
    /// Somebody switched it off.
    Off,
    /// The time that it was switched on for was over.
    TimeOut,
    /// Its planned window was over.
    WindowEnd,
    /// It was called off while it was closing, or its window was cancelled.
    Cancelled,
    /// The job that held it had died, and nobody else had opened it.
    HolderLost,
}

words! {
    /// The word for it, as in JSON: `off`, `time-out`, `window-end`, `cancelled` or
    /// `holder-lost`.
    pub Ended in JSON {
        Off = "off",
        TimeOut = "time-out",
        WindowEnd = "window-end",
        Cancelled = "cancelled",
        HolderLost = "holder-lost",
    }
}
