//! `[public]`: what anybody may know ahead.

use super::{Settings, reader::Section, values::Faults};
use crate::settings::conversions::boolean;

/// `[public]`: what anybody may know ahead.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PublicSettings {
    /// Whether anybody may read what is planned, as `plan.json` and as the calendar `plan.ics` of the
    /// admin scope: times, titles and the labels of modes, and never why or by whom. Default `false`.
    pub plan: bool,
    /// The keys of the modes whose windows are told. Default empty: all.
    pub modes: Vec<String>,
}

pub(super) fn read(section: &mut Section<'_>) -> PublicSettings {
    let default = PublicSettings::default();
    PublicSettings {
        plan: section.value("plan", boolean, default.plan),
        modes: section.list("modes", default.modes),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    for (item, mode) in settings.public.modes.iter().enumerate() {
        if !settings.has_mode(mode) {
            let message = "no mode has this key; give one of those under `[[mode]]`";
            faults.item("public.modes", item, mode, message);
        }
    }
}
