//! `[live]`: the WebSocket that tells pages of changes.

use std::time::Duration;

use super::{Settings, reader::Section, values::Faults};
use crate::settings::conversions::{duration, number};

const CONNECTIONS_EXPECTED: &str = "give a whole number; 0 for none at all";
const PER_ADDRESS_EXPECTED: &str = "give a whole number from 1";
const LONGEST_HEARTBEAT: Duration = Duration::from_secs(3600);

/// `[live]`: the WebSocket that tells pages of changes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LiveSettings {
    /// How many connections a process holds at most; further ones are refused, and pages ask
    /// `/ping` instead. 0: none. Never more than a quarter of the descriptors that the process may
    /// open (`ulimit -n`), whatever is set: the log says at start how many there are. Default 10,000.
    pub connections: usize,
    /// How many of them one client has at most, by its address (of IPv6 by its /64): behind
    /// [trusted proxies](super::ClientSettings::trusted_proxies) the real one. Default 64.
    pub per_address: usize,
    /// How long a connection may be silent before it is asked whether anybody is there; who does not
    /// answer for as long again is dropped. From one second to an hour. Default 30 seconds.
    pub heartbeat: Duration,
}

impl Default for LiveSettings {
    fn default() -> Self {
        Self {
            connections: 10_000,
            per_address: 64,
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
        per_address: section.value(
            "per_address",
            number(PER_ADDRESS_EXPECTED),
            default.per_address,
        ),
        heartbeat: section.value("heartbeat", duration, default.heartbeat),
    }
}

pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let heartbeat = settings.live.heartbeat;
    let fits = (Duration::from_secs(1)..=LONGEST_HEARTBEAT).contains(&heartbeat);
    let per_address = settings.live.per_address;
    faults.note(
        "live.per_address",
        &per_address.to_string(),
        (per_address == 0).then(|| PER_ADDRESS_EXPECTED.to_owned()),
    );
    faults.note(
        "live.heartbeat",
        &format!("{heartbeat:?}"),
        (!fits).then(|| "give from one second to an hour".to_owned()),
    );
}
