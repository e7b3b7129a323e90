//! What would become of a request, and by which rule: the middleware's own decision, told in words.
//!
//! Pure: the same [`decide`], settings and state as the middleware, asked about a request that is
//! described and not sent.

use crate::{
    core::visitor::Visitor,
    web::{front::Front, maintenance::Maintenance},
};
use std::{cell::RefCell, fmt, net::IpAddr, str::FromStr};

use actix_web::{
    dev::{ResourceDef, ResourceMap, Url},
    http::{Method, Uri},
};
use jiff::Timestamp;
use serde::{Serialize, Serializer};

use crate::{
    core::{
        decide::{self, Decision, Rule, Subject, closed_for, decide, decide_visitor},
        phase::Phase,
        rules::{
            readings::Readings,
            routes::{Named, Routes},
        },
        snapshot::Snapshot,
    },
    web::request::app_routes::{AppRoutes, AskedPath},
};

/// The longest path that is explained, in bytes; servers take no longer ones.
const LONGEST_PATH: usize = 8192;

/// A request that [`Maintenance::explain`](crate::Maintenance::explain) is asked about.
///
/// ```
/// use actix_maintenance_mode::{Inquiry, Role};
///
/// let inquiry = Inquiry::new("GET", "/shop/1?sort=price")?
///     .address("192.0.2.7".parse().unwrap())
///     .role(Role::Staff);
/// assert_eq!(inquiry.path(), "/shop/1");
/// assert!(Inquiry::new("GET", "shop").is_err());
/// # Ok::<(), actix_maintenance_mode::InquiryError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inquiry {
    method: Method,
    /// As the rules see it: decoded, without the query.
    path: String,
    readings: Readings,
    host: Option<String>,
    address: Option<IpAddr>,
    role: Role,
}

/// Why something is no request that could be asked about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InquiryError {
    /// The method is none.
    #[error("this is no HTTP method; give one such as GET or POST")]
    Method,
    /// The path is none.
    #[error(
        "this is no path; give one that starts with `/`, such as /shop/1, or a whole address, such \
         as https://shop.example/shop/1"
    )]
    Path,
    /// The path is longer than servers take.
    #[error("this path is too long; give at most {LONGEST_PATH} bytes")]
    TooLong,
}

impl Inquiry {
    /// A request with this method for this path, of an anonymous visitor whose address is not
    /// known.
    ///
    /// The path may have a query, which no rule looks at. It may also be a whole address, which
    /// then says the host, too.
    ///
    /// # Errors
    ///
    /// When the method or the path could not be sent.
    pub fn new(method: &str, path: &str) -> Result<Self, InquiryError> {
        let method = method
            .to_ascii_uppercase()
            .parse()
            .map_err(|_| InquiryError::Method)?;
        if path.len() > LONGEST_PATH {
            return Err(InquiryError::TooLong);
        }
        let path = path.split('#').next().unwrap_or_default();
        let uri: Uri = path.parse().map_err(|_| InquiryError::Path)?;
        let host = match (uri.scheme(), uri.authority()) {
            (Some(_), Some(authority)) => Some(authority.as_str().to_owned()),
            (None, None) if path.starts_with('/') => None,
            _ => return Err(InquiryError::Path),
        };
        let routed = Url::new(uri.clone()).path().to_owned();
        Ok(Self {
            method,
            readings: Readings::new(uri.path(), &routed),
            path: routed,
            host,
            address: None,
            role: Role::Anonymous,
        })
    }

    /// The host that is asked for.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// The client's address.
    #[must_use]
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address = Some(address);
        self
    }

    /// Who is asking.
    #[must_use]
    pub fn role(mut self, role: Role) -> Self {
        self.role = role;
        self
    }

    /// The method.
    pub fn method(&self) -> &str {
        self.method.as_str()
    }

    /// The path as the rules see it: decoded, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }
}

/// Who sends the request of an [`Inquiry`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Role {
    /// Somebody who has not logged in. The default.
    #[default]
    Anonymous,
    /// Somebody who has logged in.
    Authenticated,
    /// A member of the staff.
    Staff,
    /// A superuser.
    Superuser,
}

impl Role {
    /// Every role, the humblest first.
    pub const ALL: [Self; 4] = [
        Self::Anonymous,
        Self::Authenticated,
        Self::Staff,
        Self::Superuser,
    ];

    /// The role's word: `anonymous`, `authenticated`, `staff` or `superuser`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Authenticated => "authenticated",
            Self::Staff => "staff",
            Self::Superuser => "superuser",
        }
    }

    fn visitor(self) -> Visitor {
        Visitor {
            id: None,
            authenticated: self != Self::Anonymous,
            staff: self == Self::Staff,
            superuser: self == Self::Superuser,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// Why a text is no [`Role`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no role; give anonymous, authenticated, staff or superuser")]
pub struct UnknownRole;

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or(UnknownRole)
    }
}

/// What becomes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// It reaches the app.
    Pass,
    /// It is refused.
    Refuse,
}

impl Outcome {
    /// The word for it: `pass` or `refuse`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Refuse => "refuse",
        }
    }
}

/// What would become of a request, and why: from
/// [`Maintenance::explain`](crate::Maintenance::explain).
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Explanation {
    /// What becomes of it.
    pub outcome: Outcome,
    /// The rule that decides.
    #[serde(serialize_with = "name")]
    pub rule: Rule,
    /// The key of the mode that refuses it, or that would but for the rule.
    pub mode: Option<String>,
    /// The phase of that mode; without one, of the first mode that may be seen.
    pub phase: Phase,
    /// Whether the visitor is logged out on the way, as `[logout]` says.
    pub logout: bool,
    /// Why, in words.
    pub why: String,
    /// What only a real request shows, and what it could change. Empty: nothing.
    pub not_known: Vec<String>,
}

fn name<S: Serializer>(rule: &Rule, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(rule.name())
}

/// Decides about a request as the middleware would. `routes` are the app's, if it is running.
pub(crate) fn explain(
    maintenance: &Maintenance,
    inquiry: &Inquiry,
    routes: Option<&ResourceMap>,
) -> Explanation {
    explain_to(maintenance, inquiry, routes, &|_| true)
}

/// As [`explain`], to somebody who may hear of some modes only, by their keys.
pub(crate) fn explain_to(
    maintenance: &Maintenance,
    inquiry: &Inquiry,
    routes: Option<&ResourceMap>,
    may_hear_of: &dyn Fn(&str) -> bool,
) -> Explanation {
    let shared = &maintenance.engine.shared;
    let snapshot = shared.published.snapshot();
    let now = shared.now_for(&snapshot);
    let subject = InquirySubject {
        inquiry,
        front: &maintenance.front,
        snapshot: &snapshot,
        routes,
        may_hear_of,
        not_known: RefCell::default(),
    };
    let mut logout = false;
    let (outcome, rule, mode) = match decide(&snapshot, &subject, now) {
        Decision::Pass(rule) | Decision::PassModes(rule) => {
            let closed = closed_for(&snapshot, &subject, now).next();
            (Outcome::Pass, rule, closed.map(|mode| mode.index))
        }
        Decision::Refuse { rule, mode } => (Outcome::Refuse, rule, Some(mode)),
        Decision::DependsOnVisitor { mode } => {
            let visitor = inquiry.role.visitor();
            let decision =
                decide_visitor(&snapshot, &subject, &visitor, |_| subject.was_seen(), now);
            logout = decision.logout;
            match decision.outcome {
                decide::Outcome::Pass(rule) | decide::Outcome::PassModes(rule) => {
                    (Outcome::Pass, rule, Some(mode))
                }
                decide::Outcome::Refuse { mode } => {
                    (Outcome::Refuse, Rule::NoExemption, Some(mode))
                }
            }
        }
    };
    // A route that is forced on is answered in the name of a mode that may well be online.
    let mut audible = snapshot.modes.iter().filter(|mode| may_hear_of(&mode.key));
    let mode = mode
        .map(|mode| &snapshot.modes[mode])
        .filter(|mode| may_hear_of(&mode.key));
    let phase = mode
        .or_else(|| audible.next())
        .map_or(Phase::Online, |mode| mode.phase(now));
    let mut not_known = subject.not_known.into_inner();
    if outcome == Outcome::Pass && maintenance.front.forced_on_wrappers() {
        not_known.push(
            "Whether the route is wrapped by `Maintenance::forced_on`: then it is refused."
                .to_owned(),
        );
    }
    if !shared.in_flight.is_registered() {
        not_known.push(
            "What the app sets up in code: this process does not run it. Ask `/explain` of the \
             running app."
                .to_owned(),
        );
    }
    Explanation {
        outcome,
        rule,
        mode: mode.map(|mode| mode.key.as_ref().to_owned()),
        phase,
        logout,
        why: match rule {
            Rule::Online => online(&snapshot, now, may_hear_of),
            rule => why(rule, &snapshot, mode.map(|mode| &*mode.key), logout, now),
        },
        not_known,
    }
}

/// A request that is described, as the rules see it.
struct InquirySubject<'a> {
    inquiry: &'a Inquiry,
    front: &'a Front,
    snapshot: &'a Snapshot,
    routes: Option<&'a ResourceMap>,
    may_hear_of: &'a dyn Fn(&str) -> bool,
    /// What the rules asked for and a description does not have. Rules that come after the one that
    /// decides ask nothing, so what is here could have mattered.
    not_known: RefCell<Vec<String>>,
}

impl InquirySubject<'_> {
    fn does_not_know(&self, what: impl Into<String>) {
        let what = what.into();
        let mut not_known = self.not_known.borrow_mut();
        if !not_known.contains(&what) {
            not_known.push(what);
        }
    }

    /// Whether the visitor was in before the site began to close. Nobody says so of a role.
    fn was_seen(&self) -> bool {
        self.does_not_know(
            "Whether this visitor was inside a short while ago, as `drain.session_idle` says: then \
             the request passes by the rule `already-in`.",
        );
        false
    }

    fn asked<'b>(&'b self, map: &'b ResourceMap) -> AskedPath<'b> {
        AskedPath {
            map,
            path: &self.inquiry.path,
            readings: &self.inquiry.readings,
            method: self.inquiry.method(),
            passed: 0,
        }
    }

    /// Whether a route of these may serve the request, where the app's own are not known.
    fn may_be_of(&self, routes: &Routes) -> bool {
        let setting = routes.setting();
        let (patterns, names): (Vec<&str>, Vec<&str>) = routes
            .routes()
            .filter(|route| routes.names(route, self.inquiry.method()) != Named::Not)
            .partition(|route| route.starts_with('/'));
        let fits = |pattern: &&str| route_pattern(pattern).is_match(&self.inquiry.path);
        if let Some(pattern) = patterns.into_iter().find(fits) {
            self.does_not_know(format!(
                "Whether the app has a route `{pattern}` and no other route takes the path before \
                 it: only then `{setting}` means it."
            ));
            return true;
        }
        if !names.is_empty() {
            let is_forced_on = std::ptr::eq(routes, &raw const self.snapshot.rules.forced_on);
            let then = if is_forced_on { "is refused" } else { "passes" };
            self.does_not_know(format!(
                "Whether the route has one of the names in `{setting}`, which only the running app \
                 knows: then the request {then}."
            ));
        }
        false
    }
}

impl Subject for InquirySubject<'_> {
    fn method(&self) -> &str {
        self.inquiry.method()
    }

    fn path(&self) -> &str {
        &self.inquiry.path
    }

    fn readings(&self) -> &Readings {
        &self.inquiry.readings
    }

    fn each_host(&self, visit: &mut dyn FnMut(&str)) {
        match &self.inquiry.host {
            Some(host) => visit(host),
            None => self.does_not_know(
                "The host that is asked for, by which `applies_to.hosts` goes, and by which the page \
                 of `response.redirect` is told from one of another host with the same path.",
            ),
        }
    }

    fn opens_route(&self, routes: &Routes) -> bool {
        match self.routes {
            Some(map) => {
                let told = &self.front.told_of_routes;
                AppRoutes::default().opens(routes, &self.asked(map), told)
            }
            None => !self.inquiry.readings.has_dots() && self.may_be_of(routes),
        }
    }

    fn restricts_route(&self, routes: &Routes) -> bool {
        match self.routes {
            Some(map) => AppRoutes::default().restricts(routes, &self.asked(map)),
            None => self.may_be_of(routes),
        }
    }

    fn is_admin(&self) -> bool {
        match self.routes {
            Some(map) => {
                let told = &self.front.told_of_routes;
                AppRoutes::default().is_admin(&self.asked(map), told)
            }
            None => {
                self.does_not_know(
                    "Whether the app mounts the admin scope, and it has this page: otherwise the \
                     path is one like any other.",
                );
                !self.inquiry.readings.has_dots()
            }
        }
    }

    fn address(&self) -> Option<IpAddr> {
        if self.inquiry.address.is_none() {
            self.does_not_know(
                "The client's address: one that is exempt passes by `exempt.addresses` or \
                 `exempt.address_patterns`.",
            );
        }
        self.inquiry.address
    }

    fn predicate(&self) -> Option<&'static str> {
        for (name, _) in &self.front.predicates {
            self.does_not_know(format!(
                "Whether the app's own rule `{name}` holds: then the request passes."
            ));
        }
        None
    }

    fn has_api_key(&self) -> bool {
        if self.front.api_key.is_some() {
            self.does_not_know("Whether the request carries an API key: then it passes.");
        }
        false
    }

    fn is_already_in(&self) -> bool {
        if self.front.already_in.is_some() {
            self.does_not_know(
                "Whether the app says that the visitor is already in: then the request passes \
                 while the site is closing.",
            );
        }
        false
    }

    fn is_of_mode(&self, mode: usize) -> bool {
        if let Some(mode) = self.snapshot.modes.get(mode)
            && mode.mode.has_condition
        {
            let which = if (self.may_hear_of)(&mode.key) {
                format!("the mode `{}`", mode.key)
            } else {
                "another mode".to_owned()
            };
            self.does_not_know(format!(
                "Whether the app says that {which} applies to the request: otherwise it does not \
                 count."
            ));
        }
        true
    }
}

/// The pattern of a route as actix's router reads it. The settings refuse those that it would not
/// take.
fn route_pattern(pattern: &str) -> ResourceDef {
    ResourceDef::new(pattern)
}

/// The rule in words.
fn why(
    rule: Rule,
    snapshot: &Snapshot,
    mode: Option<&str>,
    logout: bool,
    now: Timestamp,
) -> String {
    let because = match rule {
        Rule::ForcedOffRoute => "The route is in `exempt.routes`: it is never refused.",
        Rule::ForcedOnRoute => "The route is in `forced_on.routes`: it is always refused.",
        Rule::ForcedOnPattern => {
            "The path matches one of `forced_on.patterns`: it is always refused."
        }
        Rule::ForcedOnWrapper => {
            "The resource is wrapped by `Maintenance::forced_on`: it is always refused."
        }
        Rule::Online => "No mode that applies is pending or offline.",
        Rule::AdminScope => {
            "The path belongs to the admin scope, which stays open so that maintenance can be ended."
        }
        Rule::RobotsTxt => "Crawlers may read /robots.txt, as `exempt.robots_txt` says.",
        Rule::RedirectTarget => {
            "This is the very page that refused visitors are sent to by `response.redirect`."
        }
        Rule::ExemptPath => "The path is one of `exempt.paths`.",
        Rule::ExemptPrefix => "The path begins with one of `exempt.prefixes`.",
        Rule::ExemptAdminSite => "The path belongs to the app's own admin, `exempt.admin_site`.",
        Rule::ExemptPattern => "The path matches one of `exempt.patterns`.",
        Rule::ExemptRoute => "The route is in `exempt.routes` of the mode.",
        Rule::ExemptAddress => "The address is one of `exempt.addresses`.",
        Rule::ExemptAddressPattern => "The address matches one of `exempt.address_patterns`.",
        Rule::ExemptTests => "The app runs under test, and `exempt.tests` is set.",
        Rule::Predicate(name) => {
            return with_phase(
                snapshot,
                mode,
                now,
                &format!("The app's own rule `{name}` holds."),
            );
        }
        Rule::ApiKey => "The request carries an API key.",
        Rule::Anonymous if logout => {
            "The visitor is logged out first, as `[logout]` says, and anonymous visitors get \
             through, as `exempt.anonymous` says."
        }
        Rule::Anonymous => "Anonymous visitors get through, as `exempt.anonymous` says.",
        Rule::Authenticated => {
            "Visitors who are logged in get through, as `exempt.authenticated` says."
        }
        Rule::Staff => "Staff gets through, as `exempt.staff` says.",
        Rule::Superuser => "Superusers get through, as `exempt.superusers` says.",
        Rule::ReadOnly => "The mode leaves the site readable, and the request only reads.",
        Rule::AlreadyIn => "The visitor is already in and may finish.",
        Rule::NoExemption if logout => {
            "The visitor is logged out first, as `[logout]` says, and no exemption holds."
        }
        Rule::NoExemption => "No exemption holds.",
    };
    with_phase(snapshot, mode, now, because)
}

/// What is, and then what follows from it.
fn with_phase(snapshot: &Snapshot, mode: Option<&str>, now: Timestamp, because: &str) -> String {
    match mode.and_then(|key| snapshot.mode(key)) {
        Some(mode) if mode.phase(now).is_maintenance() => {
            format!("The mode `{}` is {}. {because}", mode.key, mode.phase(now))
        }
        _ => because.to_owned(),
    }
}

fn online(snapshot: &Snapshot, now: Timestamp, may_hear_of: &dyn Fn(&str) -> bool) -> String {
    if snapshot.closed_mode(now).is_some() {
        return "No mode that is pending or offline applies to this request.".to_owned();
    }
    let announced = snapshot
        .modes
        .iter()
        .filter(|mode| may_hear_of(&mode.key))
        .find_map(|mode| Some((&mode.key, mode.standing(now).start?)));
    match announced {
        Some((key, start)) => {
            format!("No mode is pending or offline. The mode `{key}` will be offline at {start}.")
        }
        None => "No mode is pending or offline.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inquiry_has_the_path_that_rules_see() {
        for (given, path, host) in [
            ("/shop?x=1#top", "/shop", None),
            ("/%61b", "/ab", None),
            ("/a%2Fb", "/a%2Fb", None),
            (
                "https://shop.example:8443/x?y",
                "/x",
                Some("shop.example:8443"),
            ),
            ("https://shop.example", "/", Some("shop.example")),
        ] {
            let inquiry = Inquiry::new("get", given).unwrap();
            assert_eq!((inquiry.method(), inquiry.path()), ("GET", path), "{given}");
            assert_eq!(inquiry.host.as_deref(), host, "{given}");
        }
        for wrong in [
            "",
            "shop",
            "shop.example/x",
            "*",
            "/a b",
            "?x",
            "shop.example",
            "mailto:x",
        ] {
            assert_eq!(
                Inquiry::new("GET", wrong),
                Err(InquiryError::Path),
                "{wrong}"
            );
        }
        assert_eq!(Inquiry::new("", "/"), Err(InquiryError::Method));
        assert_eq!(Inquiry::new("G T", "/"), Err(InquiryError::Method));
        let long = format!("/{}", "a".repeat(LONGEST_PATH));
        assert_eq!(Inquiry::new("GET", &long), Err(InquiryError::TooLong));
    }

    #[test]
    fn roles_have_words() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse(), Ok(role));
        }
        assert_eq!("root".parse::<Role>(), Err(UnknownRole));
    }
}
