//! Where the API of a site is, and what may be sent there.

use std::net::IpAddr;

use ureq::http::Uri;

use crate::core::text::without_password;

/// The address of an admin scope, such as `https://shop.example/maintenance-mode`.
#[derive(Debug, Clone)]
pub(super) struct Address {
    /// Without a slash at its end.
    text: String,
    is_encrypted: bool,
    is_this_machine: bool,
}

/// What an address should be.
const EXAMPLE: &str =
    "give the address of the admin scope, such as https://shop.example/maintenance-mode";

impl Address {
    /// # Errors
    ///
    /// What is wrong with it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let shown = without_password(text);
        let uri: Uri = text
            .trim()
            .parse()
            .map_err(|error| format!("{shown}: {error}; {EXAMPLE}"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(format!("{shown}: this is no whole address; {EXAMPLE}"));
        };
        if !["http", "https"].contains(&scheme) {
            return Err(format!(
                "{shown}: only https and http are spoken; {EXAMPLE}"
            ));
        }
        if authority.as_str().contains('@') {
            return Err(format!(
                "{shown}: a user and a password are no use here; give a token by \
                 MAINTENANCE_TOKEN or --token-file"
            ));
        }
        if uri.query().is_some() || text.contains('#') {
            return Err(format!("{shown}: it has more than a path; {EXAMPLE}"));
        }
        let path = uri.path().trim_end_matches('/');
        Ok(Self {
            text: format!("{scheme}://{authority}{path}"),
            is_encrypted: scheme == "https",
            is_this_machine: is_this_machine(authority.host()),
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether nobody on the way can read along.
    pub(super) fn may_carry_a_token(&self) -> bool {
        self.is_encrypted || self.is_this_machine
    }

    /// Whether it is asked for as it is: a proxy would read what is not encrypted.
    pub(super) fn goes_by_proxy(&self) -> bool {
        self.is_encrypted
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.is_encrypted
    }
}

/// Whether what is sent to this host stays on this machine.
fn is_this_machine(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => bare.eq_ignore_ascii_case("localhost"),
    }
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
