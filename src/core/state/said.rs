//! What was said of a mode while it was closed, as the history keeps it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Document;

/// How much is kept of a period: the first that was said, and what was said last.
const MOST_KEPT: usize = 10;
/// How much is kept of a text, in characters.
const LONGEST_KEPT: usize = 500;

/// What was said of a mode from an instant on, in a [`PastPeriod`](crate::PastPeriod).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Said {
    /// When it was said.
    pub at: Timestamp,
    /// Who said it.
    #[serde(default)]
    pub by: Option<String>,
    /// When it was to end; `None`: nobody knew.
    #[serde(default)]
    pub until: Option<Timestamp>,
    /// Why, for operators.
    #[serde(default)]
    pub reason: Option<String>,
    /// What visitors were told; `None`: what the settings say. Of a long text its beginning.
    #[serde(default)]
    pub message: Option<String>,
}

impl Said {
    fn is_same(&self, other: &Self) -> bool {
        let told = |said: &Self| (said.until, said.reason.clone(), said.message.clone());
        told(self) == told(other)
    }

    fn says_something(&self) -> bool {
        self.until.is_some() || self.reason.is_some() || self.message.is_some()
    }
}

impl Document {
    /// Adds to the history what is said now of each mode that is closed, where it is another than
    /// before.
    pub(crate) fn with_said(mut self, now: Timestamp) -> Self {
        for period in &mut self.history {
            let Some(mode) = self.modes.get(&period.mode) else {
                continue;
            };
            if period.ended_at.is_some() || !mode.phase(now).is_maintenance() {
                continue;
            }
            let standing = mode.standing(now);
            let said = Said {
                at: now,
                by: standing.by,
                until: standing.until,
                reason: standing.reason.as_deref().map(beginning),
                message: standing.message.as_deref().map(beginning),
            };
            let is_news = match period.said.last() {
                Some(last) => !last.is_same(&said),
                None => said.says_something(),
            };
            if is_news {
                period.said.push(said);
            }
            if period.said.len() > MOST_KEPT {
                // The first says what it began with.
                period.said.remove(1);
            }
        }
        self
    }
}

fn beginning(text: &str) -> String {
    match text.char_indices().nth(LONGEST_KEPT) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
#[path = "said_tests.rs"]
mod tests;
