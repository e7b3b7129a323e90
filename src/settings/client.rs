//! `[client]`: how the client's address is found.

use super::{
    Settings,
    reader::Section,
    values::{Faults, address_fault},
};

/// `[client]`: how the client's address is found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ClientSettings {
    /// The proxies whose `Forwarded` and `X-Forwarded-For` headers count: addresses and CIDR
    /// blocks, as in [`ExemptSettings::addresses`](super::ExemptSettings::addresses). List only
    /// proxies that set or replace the header: anybody else could claim an exempt address. Default
    /// empty: the peer is the client.
    pub trusted_proxies: Vec<String>,
}

pub(super) fn read(section: &mut Section<'_>) -> ClientSettings {
    let default = ClientSettings::default();
    ClientSettings {
        trusted_proxies: section.list("trusted_proxies", default.trusted_proxies),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let client = &settings.client;
    faults.each(
        "client.trusted_proxies",
        &client.trusted_proxies,
        address_fault,
    );
}
