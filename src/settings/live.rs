//! `[live]`: the WebSocket that tells pages of changes.

use std::time::Duration;

use super::{
    Settings,
    check::Faults,
    reader::{Section, duration, number},
};

const CONNECTIONS_EXPECTED: &str = "give a whole number; 0 for none at all";
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(3600);

/// `[live]`: the WebSocket that tells pages of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveSettings {
    /// How many connections a process holds at most; further ones are refused, and pages ask
    /// `/ping` instead. 0: none. Default 10,000.
    pub connections: usize,
    /// How long a connection may be silent before it is asked whether anybody is there; who does not
    /// answer for as long again is dropped. From one second to an hour. Default 30 seconds.
    pub heartbeat: Duration,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            connections: 10_000,
            heartbeat: Duration::from_secs(30),
        }
    }
}

pub(super) fn read(section: &mut Section<'_>) -> LiveSettings {
    let default = LiveSettings::default();
    LiveSettings {
        connections: section.value(
            "connections",
            number(CONNECTIONS_EXPECTED),
            default.connections,
        ),
        heartbeat: section.value("heartbeat", duration, default.heartbeat),
    }
}

pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let heartbeat = settings.live.heartbeat;
    let fits = (Duration::from_secs(1)..=LONGEST_HEARTBEAT).contains(&heartbeat);
    faults.note(
        "live.heartbeat",
        &format!("{heartbeat:?}"),
        (!fits).then(|| "give from one second to an hour".to_owned()),
    );
}
