//! `[[mode]]`: the kinds of maintenance, what they apply to and what they still allow.

use std::time::Duration;

use http::Method;

use super::{
    Access, Settings,
    reader::Section,
    response,
    values::{self, Faults},
};
use crate::settings::conversions::{boolean, duration, number, one_of, text};

/// `[[mode]]`: one kind of maintenance.
///
/// What is not said here is as the other sections say for all modes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModeSettings {
    /// What names the mode everywhere: lower-case letters, digits, `-` and `_`. Default `site`.
    pub key: String,
    /// The mode's name for people. Default `None`: the key.
    pub label: Option<String>,
    /// What it means to switch it on, for operators. Default `None`.
    pub help: Option<String>,
    /// Of several modes that are on, the one with the least `order` answers. Default 0.
    pub order: i64,
    /// How long the mode stays on when nobody says until when. Default `None`: until it is
    /// switched off.
    pub timeout: Option<Duration>,
    /// What is possible while the mode is on. Default [`Access::None`].
    pub access: Access,
    /// How long before its start a planned window is announced. Default zero: not at all.
    pub announce: Duration,
    /// The name of the HTML template. Default `None`: `response.template`.
    pub template: Option<String>,
    /// The text for visitors. Default `None`: `response.message`.
    pub message: Option<String>,
    /// The HTTP status. Default `None`: `response.status`.
    pub status: Option<u16>,
    /// What `Retry-After` says where the end is not known; zero for no such header. Default `None`:
    /// `response.retry_after`.
    pub retry_after: Option<Duration>,
    /// Where page requests are sent instead. Default `None`: `response.redirect`.
    pub redirect: Option<String>,
    /// `applies_to`: the requests that the mode is about. Default: all.
    pub applies_to: AppliesToSettings,
    /// `exempt`: who gets through, besides those whom `[exempt]` lets through.
    pub exempt: ModeExemptSettings,
    /// `read_only`: what `access = "read-only"` allows and refuses besides.
    pub read_only: ReadOnlySettings,
}

/// `applies_to` of a mode: a request must fit each key that is given, and of its list one item.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct AppliesToSettings {
    /// Host names, with a port or for any port. Upper and lower case are the same. Default empty:
    /// any host.
    ///
    /// A client says itself which host it asks for. Where the app answers to any name, one that is
    /// not listed is a way around the mode.
    pub hosts: Vec<String>,
    /// Path prefixes of whole segments. Default empty; with no patterns either: any path.
    pub prefixes: Vec<String>,
    /// Regular expressions over the path, anchored at its start. Default empty.
    pub patterns: Vec<String>,
    /// Methods, in capitals. Default empty: any method.
    pub methods: Vec<String>,
}

/// `exempt` of a mode: who gets through this mode. The keys mean what they mean in `[exempt]`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ModeExemptSettings {
    /// Visitors who are not logged in. Default `false`.
    pub anonymous: bool,
    /// Visitors who are logged in. Default `false`.
    pub authenticated: bool,
    /// Visitors who are staff. Default `false`.
    pub staff: bool,
    /// Superusers. Default `false`.
    pub superusers: bool,
    /// Client addresses: IPv4 and IPv6 addresses and CIDR blocks. Default empty.
    pub addresses: Vec<String>,
    /// Regular expressions over the whole text of the client's address. Default empty.
    pub address_patterns: Vec<String>,
    /// Paths that must match exactly. Default empty.
    pub paths: Vec<String>,
    /// Path prefixes of whole segments. Default empty.
    pub prefixes: Vec<String>,
    /// Regular expressions over the path, anchored at its start. Default empty.
    pub patterns: Vec<String>,
    /// Names of Actix resources, or patterns such as `/shop/{item}`. Default empty.
    pub routes: Vec<String>,
}

/// `read_only` of a mode: what `access = "read-only"` allows and refuses besides the methods.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct ReadOnlySettings {
    /// What only reads, whatever its method: a search that is sent by POST. Default: nothing.
    pub allow: PathSettings,
    /// What writes, whatever its method: a link that unsubscribes. Wins over `allow`. Default:
    /// nothing.
    pub deny: PathSettings,
}

/// A choice of paths.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct PathSettings {
    /// Paths that must match exactly. Default empty.
    pub paths: Vec<String>,
    /// Path prefixes of whole segments. Default empty.
    pub prefixes: Vec<String>,
    /// Regular expressions over the path, anchored at its start. Default empty.
    pub patterns: Vec<String>,
}

impl PathSettings {
    fn is_empty(&self) -> bool {
        self.paths.is_empty() && self.prefixes.is_empty() && self.patterns.is_empty()
    }
}

impl Default for ModeSettings {
    fn default() -> Self {
        Self {
            key: "site".to_owned(),
            label: None,
            help: None,
            order: 0,
            timeout: None,
            access: Access::default(),
            announce: Duration::ZERO,
            template: None,
            message: None,
            status: None,
            retry_after: None,
            redirect: None,
            applies_to: AppliesToSettings::default(),
            exempt: ModeExemptSettings::default(),
            read_only: ReadOnlySettings::default(),
        }
    }
}

impl ModeSettings {
    /// A mode with this key and the defaults.
    pub fn new(key: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            ..Self::default()
        }
    }
}

/// Reads one `[[mode]]`.
pub(super) fn schema(section: &mut Section<'_>) -> ModeSettings {
    let default = ModeSettings::default();
    ModeSettings {
        key: section.value("key", text, default.key),
        label: section.optional("label", text, default.label),
        help: section.optional("help", text, default.help),
        order: section.value("order", number("give a whole number"), default.order),
        timeout: section.optional("timeout", duration, default.timeout),
        access: section.value("access", one_of::<Access>, default.access),
        announce: section.value("announce", duration, default.announce),
        template: section.optional("template", text, default.template),
        message: section.optional("message", text, default.message),
        status: section.optional("status", number(response::STATUS_EXPECTED), default.status),
        retry_after: section.optional("retry_after", duration, default.retry_after),
        redirect: section.optional("redirect", text, default.redirect),
        applies_to: section.section("applies_to", |section| AppliesToSettings {
            hosts: section.list("hosts", Vec::new()),
            prefixes: section.list("prefixes", Vec::new()),
            patterns: section.list("patterns", Vec::new()),
            methods: section.list("methods", Vec::new()),
        }),
        exempt: section.section("exempt", |section| ModeExemptSettings {
            anonymous: section.value("anonymous", boolean, false),
            authenticated: section.value("authenticated", boolean, false),
            staff: section.value("staff", boolean, false),
            superusers: section.value("superusers", boolean, false),
            addresses: section.list("addresses", Vec::new()),
            address_patterns: section.list("address_patterns", Vec::new()),
            paths: section.list("paths", Vec::new()),
            prefixes: section.list("prefixes", Vec::new()),
            patterns: section.list("patterns", Vec::new()),
            routes: section.list("routes", Vec::new()),
        }),
        read_only: section.section("read_only", |section| ReadOnlySettings {
            allow: section.section("allow", paths),
            deny: section.section("deny", paths),
        }),
    }
}

fn paths(section: &mut Section<'_>) -> PathSettings {
    PathSettings {
        paths: section.list("paths", Vec::new()),
        prefixes: section.list("prefixes", Vec::new()),
        patterns: section.list("patterns", Vec::new()),
    }
}

/// Notes every fault of the modes.
pub(super) fn check(settings: &Settings, faults: &mut Faults) {
    let modes = &settings.modes;
    for (place, mode) in modes.iter().enumerate() {
        let name = |key: &str| format!("mode[{place}].{key}");
        faults.one(&name("key"), &mode.key, key_fault);
        if modes[..place].iter().any(|other| other.key == mode.key) {
            let message = "another mode has this key; give each its own".to_owned();
            faults.note(&name("key"), &mode.key, Some(message));
        }
        let timeout = mode.timeout.filter(Duration::is_zero);
        let message = "the mode would be over at once; leave it out if it has no end".to_owned();
        faults.note(&name("timeout"), "0", timeout.map(|_| message));
        faults.optional(
            &name("template"),
            mode.template.as_deref(),
            response::template_fault,
        );
        faults.optional(
            &name("message"),
            mode.message.as_deref(),
            values::message_fault,
        );
        if let Some(status) = mode.status {
            faults.note(
                &name("status"),
                &status.to_string(),
                response::status_fault(status),
            );
        }
        if let Some(retry_after) = mode.retry_after {
            faults.note(
                &name("retry_after"),
                &format!("{retry_after:?}"),
                response::retry_after_fault(retry_after),
            );
        }
        faults.optional(
            &name("redirect"),
            mode.redirect.as_deref(),
            values::redirect_fault,
        );
        let applies_to = &mode.applies_to;
        faults.each(&name("applies_to.hosts"), &applies_to.hosts, host_fault);
        faults.each(
            &name("applies_to.prefixes"),
            &applies_to.prefixes,
            whole_fault,
        );
        faults.each(
            &name("applies_to.patterns"),
            &applies_to.patterns,
            values::pattern_fault,
        );
        faults.each(
            &name("applies_to.methods"),
            &applies_to.methods,
            method_fault,
        );
        check_exempt(&mode.exempt, &name("exempt"), faults);
        let read_only = &mode.read_only;
        for (paths, key) in [
            (&read_only.allow, "read_only.allow"),
            (&read_only.deny, "read_only.deny"),
        ] {
            if mode.access == Access::None && !paths.is_empty() {
                let message = "counts for read-only modes only; set access = \"read-only\"";
                faults.whole(&name(key), message);
            }
            let name = |list: &str| format!("{}.{list}", name(key));
            faults.each(&name("paths"), &paths.paths, values::path_fault);
            faults.each(&name("prefixes"), &paths.prefixes, whole_fault);
            faults.each(&name("patterns"), &paths.patterns, values::pattern_fault);
        }
    }
}

fn check_exempt(exempt: &ModeExemptSettings, section: &str, faults: &mut Faults) {
    let name = |key: &str| format!("{section}.{key}");
    faults.each(&name("addresses"), &exempt.addresses, values::address_fault);
    faults.each(
        &name("address_patterns"),
        &exempt.address_patterns,
        values::address_pattern_fault,
    );
    faults.each(&name("paths"), &exempt.paths, values::path_fault);
    faults.each(&name("prefixes"), &exempt.prefixes, values::prefix_fault);
    faults.each(&name("patterns"), &exempt.patterns, values::pattern_fault);
    faults.each(&name("routes"), &exempt.routes, super::routes::route_fault);
}

fn key_fault(key: &str) -> Option<String> {
    let is_good = !key.is_empty()
        && key.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte)
        });
    (!is_good).then(|| "give lower-case letters, digits, `-` and `_`".to_owned())
}

fn host_fault(host: &str) -> Option<String> {
    let remedy = "give a host such as \"shop.example.com\", with a port or without";
    if host.contains("//") || host.contains('/') {
        return Some(format!("only the host is compared; {remedy}"));
    }
    if host.contains('*') {
        return Some(format!("stars are not understood; {remedy}"));
    }
    let fits = host
        .parse::<http::uri::Authority>()
        .is_ok_and(|authority| !authority.host().is_empty() && !host.contains('@'));
    (!fits).then(|| remedy.to_owned())
}

/// Unlike an exemption, what a mode applies to may be all.
fn whole_fault(prefix: &str) -> Option<String> {
    if prefix.starts_with('/') && prefix.trim_end_matches('/').is_empty() {
        Some("is the whole site; leave it out, or name a part".to_owned())
    } else {
        values::path_fault(prefix)
    }
}

fn method_fault(method: &str) -> Option<String> {
    let is_name = Method::from_bytes(method.as_bytes()).is_ok();
    let in_capitals = !method.bytes().any(|byte| byte.is_ascii_lowercase());
    (!is_name || !in_capitals).then(|| "give a method in capitals, such as \"POST\"".to_owned())
}

#[cfg(test)]
#[path = "mode_tests.rs"]
mod tests;
