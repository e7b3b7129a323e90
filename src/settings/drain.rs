//! `[drain]`: how those who are in may finish.

use std::time::Duration;

use super::{OnTimeout, Settings, reader::Section, values::Faults};
use crate::settings::conversions::{duration, one_of};

/// `[drain]`: how a mode closes when those who are in may finish.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainSettings {
    /// Who was not seen for this long is not inside any more. Default 15 minutes.
    pub session_idle: Duration,
    /// How long a drain waits. Default 15 minutes.
    pub timeout: Duration,
    /// What happens when it is not over by then. Default [`OnTimeout::Offline`].
    pub on_timeout: OnTimeout,
}

impl Default for DrainSettings {
    fn default() -> Self {
        const QUARTER_OF_AN_HOUR: Duration = Duration::from_secs(15 * 60);
        Self {
            session_idle: QUARTER_OF_AN_HOUR,
            timeout: QUARTER_OF_AN_HOUR,
            on_timeout: OnTimeout::default(),
        }
    }
}

pub(super) fn read(section: &mut Section<'_>) -> DrainSettings {
    let default = DrainSettings::default();
    DrainSettings {
        session_idle: section.value("session_idle", duration, default.session_idle),
        timeout: section.value("timeout", duration, default.timeout),
        on_timeout: section.value("on_timeout", one_of::<OnTimeout>, default.on_timeout),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let drain = &settings.drain;
    let too_short =
        |duration: Duration, message: &str| duration.is_zero().then(|| message.to_owned());
    faults.note(
        "drain.session_idle",
        "0",
        too_short(
            drain.session_idle,
            "nobody would ever be in; give at least 1 second",
        ),
    );
    faults.note(
        "drain.timeout",
        "0",
        too_short(
            drain.timeout,
            "give at least 1 second, or switch on without a drain",
        ),
    );
}
