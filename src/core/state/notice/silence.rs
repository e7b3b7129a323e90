//! A silence that lives and dies with the maintenance of a mode.

use jiff::{SignedDuration, Timestamp};

use super::Silence;

/// What is to be done about the silence of a mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SilenceStep {
    /// Make one that ends then, unless it is made longer.
    Make { until: Timestamp },
    /// Let the one that there is last longer.
    Extend { until: Timestamp },
    /// End it.
    Expire,
    /// Nothing, until then.
    Wait(Option<Timestamp>),
}

/// What to do about the silence of one mode. `made`: the one that is known, and until when it lasts by
/// what this process has heard. `is_closed`: whether the mode is closed, or closing, now.
///
/// A silence never lasts longer than `time_to_live` by itself, so that it ends also where nobody is
/// left who could end it.
pub(crate) fn silence_step(
    made: Option<(&Silence, Option<Timestamp>)>,
    is_closed: bool,
    time_to_live: SignedDuration,
    now: Timestamp,
) -> SilenceStep {
    let until = now.saturating_add(time_to_live).unwrap_or(Timestamp::MAX);
    let half = time_to_live / 2;
    match (made, is_closed) {
        (None, true) => SilenceStep::Make { until },
        (None, false) => SilenceStep::Wait(None),
        (Some(_), false) => SilenceStep::Expire,
        (Some((_, None)), true) => SilenceStep::Extend { until },
        (Some((_, Some(lasts))), true) => {
            let left = lasts.duration_since(now);
            // A clock that was set back must not let it lapse.
            if left <= half || left > time_to_live {
                SilenceStep::Extend { until }
            } else {
                SilenceStep::Wait(lasts.checked_sub(half).ok())
            }
        }
    }
}
