//! Whether a new window makes sense.

use std::fmt;

use jiff::Timestamp;

use super::YEAR;

/// Why a window cannot be planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlanError {
    /// Most likely the two are swapped, or the end is on the next day.
    #[error("the end, {end}, is not after the start, {start}")]
    EndNotAfterStart { start: Timestamp, end: Timestamp },
    #[error("the end, {end}, is in the past")]
    EndInPast { end: Timestamp },
}

/// What the planner of a window is told; the window is planned all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warning {
    /// The start is in the past, so that the window is open at once.
    StartsNow { start: Timestamp },
    /// The window has no end.
    NoEnd,
    /// The window starts more than a year ahead, which may be a slip of the pen.
    FarStart { start: Timestamp },
    /// The window ends more than a year ahead, which may be a slip of the pen.
    FarEnd { end: Timestamp },
}

impl fmt::Display for Warning {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StartsNow { start } => {
                write!(
                    formatter,
                    "the start, {start}, is in the past: it starts now"
                )
            }
            Self::NoEnd => formatter.write_str("it has no end: it stays until somebody ends it"),
            Self::FarStart { start } => {
                write!(formatter, "the start, {start}, is more than a year ahead")
            }
            Self::FarEnd { end } => {
                write!(formatter, "the end, {end}, is more than a year ahead")
            }
        }
    }
}

/// Checks a new window `[start, end)` before it is stored.
///
/// What can mean nothing is refused. What may be meant is planned, with a warning: a start in the
/// past (it starts now), no end (it stays until somebody ends it), and a start or an end more than
/// a year ahead. No start at all means "now" and is no surprise.
///
/// # Errors
///
/// When the end is not after the start, or not after `now`.
pub(crate) fn check_plan(
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    now: Timestamp,
) -> Result<Vec<Warning>, PlanError> {
    if let (Some(start), Some(end)) = (start, end)
        && end <= start
    {
        return Err(PlanError::EndNotAfterStart { start, end });
    }
    if let Some(end) = end
        && end <= now
    {
        return Err(PlanError::EndInPast { end });
    }
    let far = |time: &Timestamp| time.duration_since(now) > YEAR;
    let mut warnings = Vec::new();
    if let Some(start) = start.filter(|start| *start < now) {
        warnings.push(Warning::StartsNow { start });
    }
    // A far start has a far end, and one warning says it.
    if let Some(start) = start.filter(far) {
        warnings.push(Warning::FarStart { start });
    } else if let Some(end) = end.filter(far) {
        warnings.push(Warning::FarEnd { end });
    }
    if end.is_none() {
        warnings.push(Warning::NoEnd);
    }
    Ok(warnings)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
