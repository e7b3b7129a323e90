//! What the doctor has found.

use serde::Serialize;

use crate::core::words::words;

/// What is found of one thing. To know nothing of it is an answer, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Right,
    Wrong,
    Unknown,
}

words! {
    /// The word for it, as in JSON.
    pub(super) Verdict in answers {
        Right = "right",
        Wrong = "wrong",
        Unknown = "unknown",
    }
}

/// What was looked at, how it is, and what to do if it is not right.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub(super) check: &'static str,
    pub(super) verdict: Verdict,
    pub(super) says: String,
    pub(super) remedy: Option<String>,
}

impl Finding {
    pub(super) fn right(check: &'static str, says: impl Into<String>) -> Self {
        Self {
            check,
            verdict: Verdict::Right,
            says: says.into(),
            remedy: None,
        }
    }

    pub(super) fn wrong(
        check: &'static str,
        says: impl Into<String>,
        remedy: Option<&str>,
    ) -> Self {
        Self {
            verdict: Verdict::Wrong,
            remedy: remedy.map(str::to_owned),
            ..Self::right(check, says)
        }
    }

    pub(super) fn unknown(check: &'static str, says: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Unknown,
            ..Self::right(check, says)
        }
    }

    pub(super) fn with_remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }
}
