//! `[forced_on]`: what is always refused.

use super::{
    Settings,
    reader::Section,
    routes::route_fault,
    values::{Faults, pattern_fault},
};

/// `[forced_on]`: what is always refused, in maintenance or not.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct ForcedOnSettings {
    /// Names of Actix resources. Default empty.
    pub routes: Vec<String>,
    /// Regular expressions over the path, anchored at its start. Default empty.
    pub patterns: Vec<String>,
}

pub(super) fn read(section: &mut Section<'_>) -> ForcedOnSettings {
    let default = ForcedOnSettings::default();
    ForcedOnSettings {
        routes: section.list("routes", default.routes),
        patterns: section.list("patterns", default.patterns),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let forced_on = &settings.forced_on;
    faults.each("forced_on.routes", &forced_on.routes, route_fault);
    faults.each("forced_on.patterns", &forced_on.patterns, pattern_fault);
}
