//! `[node]`: how this process reports itself to the others that share the store.

use std::{path::PathBuf, time::Duration};

use super::{Settings, reader::Section, values::Faults};
use crate::settings::conversions::{duration, text};

/// How long a host's name, or an id from the settings, may be within a lease's name.
pub(crate) const ID_LIMIT: usize = 64;

/// `[node]`: how this process reports itself to the others that share the store.
///
/// A process that makes the middleware is a node: it holds a lease in the store that says what it
/// has applied and how many are inside. A drain, and whoever waits for maintenance, waits for all
/// nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NodeSettings {
    /// What names the machine in the status: letters, digits, `-`, `.` and `_`. Default `None`: the
    /// host's name. What tells processes apart is added to it.
    pub id: Option<String>,
    /// How long the others wait for a node that they do not hear from. It is renewed every third of
    /// that. At least one second. Default 15 seconds.
    pub time_to_live: Duration,
    /// The folder for the copy of what this node knew last, which counts when it starts again while
    /// the store cannot be read. It is made if it is not there. Default `None`: beside the file of a
    /// file store; for other stores the folder that systemd names in `STATE_DIRECTORY`, or
    /// `actix-maintenance-mode` in the user's cache folder. A folder on another volume than the
    /// state also helps when that one is not mounted.
    ///
    /// The store `memory:` needs no copy, and of a store of the app's own one is made only if this
    /// names a folder.
    pub memory: Option<PathBuf>,
}

impl Default for NodeSettings {
    fn default() -> Self {
        Self {
            id: None,
            memory: None,
            time_to_live: Duration::from_secs(15),
        }
    }
}

pub(super) fn read(section: &mut Section<'_>) -> NodeSettings {
    let default = NodeSettings::default();
    NodeSettings {
        id: section.optional("id", text, default.id),
        time_to_live: section.value("time_to_live", duration, default.time_to_live),
        memory: section
            .optional("memory", text, None)
            .map(PathBuf::from)
            .or(default.memory),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let node = &settings.node;
    faults.optional("node.id", node.id.as_deref(), node_id_fault);
    let is_too_short = node.time_to_live < Duration::from_secs(1);
    faults.note(
        "node.time_to_live",
        &format!("{:?}", node.time_to_live),
        is_too_short.then(|| "give at least 1 second".to_owned()),
    );
}

fn node_id_fault(id: &str) -> Option<String> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-._".contains(letter);
    (id.is_empty() || id.len() > ID_LIMIT || !id.chars().all(is_plain)).then(|| {
        format!("give 1 to {ID_LIMIT} of the letters a to z and A to Z, digits, `-`, `.` and `_`")
    })
}

#[cfg(test)]
#[path = "node_tests.rs"]
mod tests;
