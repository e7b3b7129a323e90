//! `[exempt]`: who gets through.

use std::fmt;

use http::header::HeaderName;

use super::{
    Settings,
    reader::Section,
    routes::route_fault,
    values::{
        Faults, address_fault, address_pattern_fault, path_fault, pattern_fault, prefix_fault,
    },
};
use crate::settings::conversions::{boolean, text};

/// Shorter keys are guessed too soon.
const SHORTEST_API_KEY: usize = 8;

/// `[exempt]`: who gets through during maintenance. One rule that holds is enough.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ExemptSettings {
    /// Visitors who are not logged in. Default `false`.
    pub anonymous: bool,
    /// Visitors who are logged in. Default `false`.
    pub authenticated: bool,
    /// Visitors who are staff. Default `false`.
    pub staff: bool,
    /// Superusers. Default `false`.
    pub superusers: bool,
    /// The app's own admin, as a path prefix of whole segments. Default `None`.
    pub admin_site: Option<String>,
    /// Client addresses: IPv4 and IPv6 addresses and CIDR blocks. An IPv4 address that is mapped
    /// into IPv6 counts as IPv4. A block may have host bits set: `10.0.0.5/8` is `10.0.0.0/8`.
    /// Default empty.
    pub addresses: Vec<String>,
    /// Regular expressions over the whole text of the client's address. Default empty.
    pub address_patterns: Vec<String>,
    /// Paths that must match exactly. The query is no part of a path. Default empty.
    pub paths: Vec<String>,
    /// Path prefixes of whole segments: `/api` is `/api` and `/api/x`, not `/apix`. A trailing
    /// slash is accepted. Default empty.
    pub prefixes: Vec<String>,
    /// Regular expressions over the path, anchored at its start. Default empty.
    pub patterns: Vec<String>,
    /// Names of Actix resources that are never refused. Default empty.
    pub routes: Vec<String>,
    /// Whether upper and lower case are the same in `paths` and `prefixes`, also in those of modes. Default
    /// `false`, as for the routes of Actix.
    pub ignore_case: bool,
    /// `/robots.txt`, so that crawlers do not take the refusal as "crawl nothing". Default
    /// `true`.
    pub robots_txt: bool,
    /// Test runs: the app passes `cfg!(test)`. Default `false`.
    pub tests: bool,
    /// Requests that carry a key. Default `None`: no key lets anybody in.
    pub api_key: Option<ApiKeySettings>,
    /// What passes a closed mode by who or where somebody is gets
    /// `Cache-Control: private, no-store`, whatever the app says: a shared cache would show it to
    /// those who are refused. Default `true`.
    pub private: bool,
}

impl Default for ExemptSettings {
    fn default() -> Self {
        Self {
            anonymous: false,
            authenticated: false,
            staff: false,
            superusers: false,
            admin_site: None,
            addresses: Vec::new(),
            address_patterns: Vec::new(),
            paths: Vec::new(),
            prefixes: Vec::new(),
            patterns: Vec::new(),
            routes: Vec::new(),
            ignore_case: false,
            robots_txt: true,
            tests: false,
            api_key: None,
            private: true,
        }
    }
}

/// `exempt.api_key`: the keys that let a request through, and where the request carries one.
///
/// A key in a query ends up in access logs and in the browser's history. Prefer the header.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct ApiKeySettings {
    /// The name of the request header that carries the key. Default `X-Maintenance-Key`; an empty
    /// `MAINTENANCE_EXEMPT__API_KEY__HEADER` unsets it.
    pub header: Option<String>,
    /// The name of the query parameter that carries the key. Default `None`: keys in the query
    /// do not count.
    pub query: Option<String>,
    /// The keys, of at least 8 characters each. At least one is needed. Default empty.
    pub keys: Vec<String>,
}

impl Default for ApiKeySettings {
    fn default() -> Self {
        Self {
            header: Some("X-Maintenance-Key".to_owned()),
            query: None,
            keys: Vec::new(),
        }
    }
}

/// Shows how many keys there are, never a key.
impl fmt::Debug for ApiKeySettings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            header,
            query,
            keys,
        } = self;
        formatter
            .debug_struct("ApiKeySettings")
            .field("header", header)
            .field("query", query)
            .field("keys", &format_args!("[{} hidden]", keys.len()))
            .finish()
    }
}

pub(super) fn read(section: &mut Section<'_>) -> ExemptSettings {
    let default = ExemptSettings::default();
    ExemptSettings {
        anonymous: section.value("anonymous", boolean, default.anonymous),
        authenticated: section.value("authenticated", boolean, default.authenticated),
        staff: section.value("staff", boolean, default.staff),
        superusers: section.value("superusers", boolean, default.superusers),
        admin_site: section.optional("admin_site", text, default.admin_site),
        addresses: section.list("addresses", default.addresses),
        address_patterns: section.list("address_patterns", default.address_patterns),
        paths: section.list("paths", default.paths),
        prefixes: section.list("prefixes", default.prefixes),
        patterns: section.list("patterns", default.patterns),
        routes: section.list("routes", default.routes),
        ignore_case: section.value("ignore_case", boolean, default.ignore_case),
        robots_txt: section.value("robots_txt", boolean, default.robots_txt),
        tests: section.value("tests", boolean, default.tests),
        api_key: section.optional_section("api_key", api_key),
        private: section.value("private", boolean, default.private),
    }
}

fn api_key(section: &mut Section<'_>) -> ApiKeySettings {
    let default = ApiKeySettings::default();
    ApiKeySettings {
        header: section.optional("header", text, default.header),
        query: section.optional("query", text, default.query),
        keys: section.list("keys", default.keys),
    }
}

/// What is wrong with the values, by themselves.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let exempt = &settings.exempt;
    faults.optional(
        "exempt.admin_site",
        exempt.admin_site.as_deref(),
        prefix_fault,
    );
    faults.each("exempt.addresses", &exempt.addresses, address_fault);
    faults.each(
        "exempt.address_patterns",
        &exempt.address_patterns,
        address_pattern_fault,
    );
    faults.each("exempt.paths", &exempt.paths, path_fault);
    faults.each("exempt.prefixes", &exempt.prefixes, prefix_fault);
    faults.each("exempt.patterns", &exempt.patterns, pattern_fault);
    faults.each("exempt.routes", &exempt.routes, route_fault);
    if let Some(api_key) = &exempt.api_key {
        faults.optional(
            "exempt.api_key.header",
            api_key.header.as_deref(),
            header_fault,
        );
        faults.optional(
            "exempt.api_key.query",
            api_key.query.as_deref(),
            query_fault,
        );
        if api_key.header.is_none() && api_key.query.is_none() {
            let message = "a request can carry a key nowhere; give `header`, `query` or both";
            faults.whole("exempt.api_key", message);
        }
        if api_key.keys.is_empty() {
            let message =
                format!("give at least one key, of {SHORTEST_API_KEY} characters or more");
            faults.whole("exempt.api_key.keys", &message);
        }
        faults.each("exempt.api_key.keys", &api_key.keys, api_key_fault);
    }
}

fn header_fault(name: &str) -> Option<String> {
    let invalid = HeaderName::from_bytes(name.as_bytes()).is_err();
    invalid.then(|| "give a header's name, such as \"X-Maintenance-Key\"".to_owned())
}

fn query_fault(name: &str) -> Option<String> {
    let empty = name.is_empty();
    empty.then(|| "give the name of a query parameter, such as \"api_key\"".to_owned())
}

fn api_key_fault(key: &str) -> Option<String> {
    if key.chars().count() < SHORTEST_API_KEY {
        return Some(format!(
            "the key is short; give {SHORTEST_API_KEY} characters or more"
        ));
    }
    // What frames a header's value is not part of it, so such a key would never match.
    let unfit = key.trim() != key || key.contains(char::is_control);
    unfit.then(|| "remove white space around the key and control characters in it".to_owned())
}

#[cfg(test)]
#[path = "exempt_tests.rs"]
mod tests;
