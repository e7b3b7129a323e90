//! `[park]`: requests that wait for the reopening instead of being refused.

use std::time::Duration;

use super::{Settings, reader::Section, values::Faults};
use crate::settings::conversions::{duration, number};

const MOST_EXPECTED: &str = "give a whole number; 0 for none at all";
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// `[park]`: requests that wait for the reopening instead of being refused, where the switch of a mode
/// says so: `maintenance on --park 10s`, [`TurnOn::park`](crate::TurnOn::park).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ParkSettings {
    /// How long a request waits at most: no switch may ask for more. From one second to an hour. Default
    /// 30 seconds.
    pub longest: Duration,
    /// How many requests of a process wait at a time; further ones are refused at once. 0: none. Default
    /// 1,000.
    pub most: usize,
}

impl Default for ParkSettings {
    fn default() -> Self {
        Self {
            longest: Duration::from_secs(30),
            most: 1000,
        }
    }
}

pub(super) fn read(section: &mut Section<'_>) -> ParkSettings {
    let default = ParkSettings::default();
    ParkSettings {
        longest: section.value("longest", duration, default.longest),
        most: section.value("most", number(MOST_EXPECTED), default.most),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let longest = settings.park.longest;
    let fits = (Duration::from_secs(1)..=LONGEST_WAIT).contains(&longest);
    faults.note(
        "park.longest",
        &format!("{longest:?}"),
        (!fits).then(|| "give from one second to an hour".to_owned()),
    );
}

#[cfg(test)]
#[path = "park_tests.rs"]
mod tests;
