//! The modes of settings and code together.

use std::collections::HashMap;

use crate::{
    settings::{ModeSettings, Settings},
    web::{
        closures::ModeClosures,
        mode::{ConfiguredMode, ModeBuilder},
    },
};

/// Lays what code says of modes over the settings, and returns the closures by the modes' keys.
pub(super) fn add_modes(
    settings: &mut Settings,
    modes: Vec<(String, ModeBuilder)>,
) -> HashMap<String, ModeClosures> {
    let mut closures: HashMap<String, ModeClosures> = HashMap::new();
    for (key, mode) in modes {
        let place = settings.modes.iter().position(|known| known.key == key);
        let place = place.unwrap_or_else(|| {
            settings.modes.push(ModeSettings::new(key.clone()));
            settings.modes.len() - 1
        });
        for edit in mode.edits {
            edit(&mut settings.modes[place]);
        }
        closures.insert(settings.modes[place].key.clone(), mode.closures);
    }
    closures
}

/// The modes in the order in which they answer; without any in the settings there is one.
pub(super) fn configured_modes(
    settings: &Settings,
    closures: &HashMap<String, ModeClosures>,
) -> Vec<ConfiguredMode> {
    let default = [ModeSettings {
        label: Some("Whole site".to_owned()),
        ..ModeSettings::default()
    }];
    let configured = match settings.modes.as_slice() {
        [] => &default[..],
        modes => modes,
    };
    let mut modes: Vec<ConfiguredMode> = configured
        .iter()
        .map(|mode| ConfiguredMode {
            settings: mode.clone(),
            closures: closures.get(&mode.key).cloned().unwrap_or_default(),
        })
        .collect();
    modes.sort_by_key(|mode| mode.settings.order);
    modes
}
