//! Apps, rules and requests made of bytes, and what must hold of them: no request reaches a handler
//! that the rules close.
//!
//! It looks at what a handler itself says of the request that reached it, and judges by the plain
//! meaning of the rules; nothing of the gate's own code is in it.

use std::{
    fs,
    future::{Ready, ready},
    ops::AddAssign,
    path::Path,
    sync::OnceLock,
};

use actix_files::Files;
use actix_maintenance_mode::{Maintenance, Settings, settings::ModeSettings};
use actix_web::{
    App, HttpRequest, HttpResponse, Resource, Scope, body, guard,
    http::{Method, Uri},
    middleware::{Condition, NormalizePath, TrailingSlash},
    test::{self, TestRequest},
    web::{self, ServiceConfig},
};
use regex::Regex;

/// How many requests reached a handler, and how many were refused.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) reached: usize,
    pub(crate) refused: usize,
}

impl AddAssign for Sum {
    fn add_assign(&mut self, other: Self) {
        self.reached += other.reached;
        self.refused += other.refused;
    }
}

/// The files that apps serve.
pub(crate) fn site() -> &'static Path {
    static SITE: OnceLock<tempfile::TempDir> = OnceLock::new();
    SITE.get_or_init(|| {
        let site = tempfile::tempdir().unwrap();
        for file in ["secret.html", "items", "static/x.html", "private/s.html"] {
            let path = site.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("file /{file}")).unwrap();
        }
        site
    })
    .path()
}

/// Makes choices of bytes; without any left it is always the first.
struct Dice<'a>(&'a [u8]);

impl Dice<'_> {
    fn below(&mut self, end: usize) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(*first) % end
    }

    fn of<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn list(&mut self, most: usize, items: &[&str]) -> Vec<String> {
        (0..self.below(most + 1))
            .map(|_| self.of(items).to_owned())
            .collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guarded {
    No,
    By(&'static str),
    Host,
    Header,
}

const GUARDS: [Guarded; 7] = [
    Guarded::No,
    Guarded::No,
    Guarded::No,
    Guarded::By("GET"),
    Guarded::By("POST"),
    Guarded::Host,
    Guarded::Header,
];
const HOST: &str = "shop.example";
const HEADER: &str = "x-special";
const NAMES: [&str; 3] = ["list", "item", "open"];
const PATTERNS: [&str; 10] = [
    "/items",
    "/items/",
    "/items/{id}",
    "/{any}",
    "/static/x.html",
    "/private",
    "/private/{tail}*",
    "/a%2Fb",
    "",
    "/",
];
const PREFIXES: [&str; 5] = ["", "/shop", "/static", "/private", "/{any}"];
const EXEMPT: [&str; 5] = ["/static", "/items", "/shop", "/private/open", "/a"];
const ENTRIES: [&str; 12] = [
    "list",
    "item",
    "open",
    "lost",
    "/items",
    "/items/{id}",
    "/private",
    "/shop/items",
    "GET list",
    "POST item",
    "GET,HEAD open",
    "GET /items",
];
const SEGMENTS: [&str; 20] = [
    "items",
    "static",
    "private",
    "shop",
    "x.html",
    "s.html",
    "secret.html",
    "open",
    "maintenance-mode",
    "on",
    "..",
    ".",
    "%2e%2e",
    ".%2E",
    "..%2f",
    "%252e%252e",
    "",
    "%69tems",
    "a%2Fb",
    "%70rivate",
];
const HOSTS: [&str; 7] = [
    "shop.example",
    "other.example",
    "a@shop.example",
    "shop.example:80",
    "SHOP.example",
    "http://shop.example/",
    "",
];

#[derive(Debug, Clone)]
enum Service {
    Resource {
        id: usize,
        name: Option<&'static str>,
        patterns: Vec<String>,
        guarded: Guarded,
    },
    Scope {
        id: usize,
        prefix: &'static str,
        guarded: Guarded,
        has_default: bool,
        services: Vec<Service>,
    },
    Files(&'static str),
    Admin,
}

/// What a handler is known by to the rules.
#[derive(Debug, Clone)]
struct Known {
    id: usize,
    name: Option<&'static str>,
    /// With the prefixes of the scopes around; empty of a default service.
    patterns: Vec<String>,
    guarded: Guarded,
    /// Whether a scope around has a guard.
    is_in_guarded: bool,
}

#[derive(Debug)]
struct Plan {
    services: Vec<Service>,
    has_default: bool,
    inside: Option<TrailingSlash>,
    outside: Option<TrailingSlash>,
    settings: Settings,
}

const APP_DEFAULT: usize = 0;
/// Every service of files.
const FILES: usize = usize::MAX;

impl Plan {
    fn roll(dice: &mut Dice<'_>) -> Self {
        let mut next = 1;
        let services: Vec<Service> = (0..=dice.below(5))
            .map(|_| Service::roll(dice, &mut next, 0))
            .collect();
        let slashes = [
            None,
            Some(TrailingSlash::Trim),
            None,
            Some(TrailingSlash::Always),
            Some(TrailingSlash::MergeOnly),
        ];
        let mut plan = Self {
            services,
            has_default: dice.below(2) == 1,
            inside: dice.of(&slashes),
            outside: dice.of(&slashes),
            settings: Settings::default(),
        };
        let known = plan.known();
        let settings = &mut plan.settings;
        settings.store = "memory:".to_owned();
        settings.exempt.robots_txt = false;
        match dice.below(4) {
            0 => settings.exempt.prefixes = dice.list(2, &EXEMPT),
            1 => settings.exempt.paths = dice.list(2, &EXEMPT),
            2 => settings.exempt.patterns = dice.list(2, &EXEMPT),
            _ => {}
        }
        settings.exempt.routes = dice.list(3, &ENTRIES);
        settings
            .exempt
            .routes
            .retain(|entry| is_true(entry, &known));
        settings.forced_on.routes = dice.list(1, &ENTRIES);
        if dice.below(3) == 0 {
            settings.forced_on.patterns =
                vec![dice.of(&["/private", "/items$", "/private/s"]).to_owned()];
        }
        let mut mode = ModeSettings::new("site");
        match dice.below(4) {
            0 => mode.applies_to.hosts = vec![HOST.to_owned()],
            1 => mode.applies_to.prefixes = vec!["/private".to_owned()],
            _ => {}
        }
        settings.modes = vec![mode];
        plan
    }

    /// Every handler but those of the admin scope.
    fn known(&self) -> Vec<Known> {
        let mut known = Vec::new();
        for service in &self.services {
            service.tell("", false, &mut known);
        }
        known
    }
}

/// Whether what an entry with methods says of the app is so: its resource takes these methods and
/// no other resource of its pattern does. The gate takes the operator's word for that.
fn is_true(entry: &str, known: &[Known]) -> bool {
    let Some((methods, route)) = entry.split_once(' ') else {
        return true;
    };
    let is_meant = |known: &Known| names(route, known);
    let takes = |known: &Known, method: &str| match known.guarded {
        Guarded::By(own) => own == method,
        _ => false,
    };
    known.iter().filter(|one| is_meant(one)).all(|meant| {
        !meant.is_in_guarded
            && methods.split(',').any(|method| takes(meant, method))
            && matches!(meant.guarded, Guarded::By(_))
            && methods
                .split(',')
                .all(|method| method == "HEAD" || takes(meant, method))
            && !methods.contains("HEAD")
            && known
                .iter()
                .filter(|other| !is_meant(other))
                .filter(|other| {
                    other
                        .patterns
                        .iter()
                        .any(|one| meant.patterns.contains(one))
                })
                .all(|other| {
                    matches!(other.guarded, Guarded::By(_))
                        && !methods.split(',').any(|method| takes(other, method))
                })
    })
}

fn names(route: &str, known: &Known) -> bool {
    known.name == Some(route) || known.patterns.iter().any(|pattern| pattern == route)
}

impl Service {
    fn roll(dice: &mut Dice<'_>, next: &mut usize, depth: usize) -> Self {
        let id = *next;
        *next += 1;
        match dice.below(10) {
            0 | 1 if depth < 2 => Self::Scope {
                id,
                prefix: dice.of(&PREFIXES),
                guarded: dice.of(&GUARDS),
                has_default: dice.below(2) == 1,
                services: (0..=dice.below(3))
                    .map(|_| Self::roll(dice, next, depth + 1))
                    .collect(),
            },
            2 => Self::Files(dice.of(&["/", "/static", "/files"])),
            3 => Self::Admin,
            _ => Self::Resource {
                id,
                name: dice.of(&[None, Some(NAMES[0]), Some(NAMES[1]), Some(NAMES[2])]),
                patterns: (0..=dice.below(2))
                    .map(|_| dice.of(&PATTERNS).to_owned())
                    .collect(),
                guarded: dice.of(&GUARDS),
            },
        }
    }

    fn has_admin_in_scope(&self) -> bool {
        let Self::Scope { services, .. } = self else {
            return false;
        };
        services
            .iter()
            .any(|service| matches!(service, Self::Admin) || service.has_admin_in_scope())
    }

    fn tell(&self, before: &str, is_in_guarded: bool, known: &mut Vec<Known>) {
        match self {
            Self::Resource {
                id,
                name,
                patterns,
                guarded,
            } => known.push(Known {
                id: *id,
                name: *name,
                patterns: patterns
                    .iter()
                    .map(|pattern| format!("{before}{pattern}"))
                    .collect(),
                guarded: *guarded,
                is_in_guarded,
            }),
            Self::Scope {
                id,
                prefix,
                guarded,
                services,
                ..
            } => {
                known.push(Known {
                    id: *id,
                    name: None,
                    patterns: Vec::new(),
                    guarded: *guarded,
                    is_in_guarded,
                });
                let is_in_guarded = is_in_guarded || *guarded != Guarded::No;
                for service in services {
                    service.tell(&format!("{before}{prefix}"), is_in_guarded, known);
                }
            }
            Self::Files(path) => known.push(Known {
                id: FILES,
                name: None,
                patterns: vec![format!("{before}{}", path.trim_end_matches('/'))],
                guarded: Guarded::No,
                is_in_guarded,
            }),
            Self::Admin => {}
        }
    }

    fn add_to_app(&self, config: &mut ServiceConfig, maintenance: &Maintenance) {
        match self {
            Self::Resource { .. } => {
                config.service(self.resource());
            }
            Self::Scope { .. } => {
                config.service(self.scope(maintenance));
            }
            Self::Files(path) => {
                config.service(Files::new(path, site()));
            }
            Self::Admin => {
                config.service(maintenance.admin());
            }
        }
    }

    fn resource(&self) -> Resource {
        let Self::Resource {
            id,
            name,
            patterns,
            guarded,
        } = self
        else {
            unreachable!("asked for resources only")
        };
        let mut resource = web::resource(patterns.clone());
        if let Some(name) = name {
            resource = resource.name(name);
        }
        resource = match guarded {
            Guarded::No => resource,
            Guarded::By(method) => resource.guard(guard::Method(method.parse().unwrap())),
            Guarded::Host => resource.guard(guard::Host(HOST)),
            Guarded::Header => resource.guard(guard::Header(HEADER, "1")),
        };
        let id = *id;
        resource.to(handler(id))
    }

    fn scope(&self, maintenance: &Maintenance) -> Scope {
        let Self::Scope {
            id,
            prefix,
            guarded,
            has_default,
            services,
        } = self
        else {
            unreachable!("asked for scopes only")
        };
        let mut scope = web::scope(prefix);
        scope = match guarded {
            Guarded::No => scope,
            Guarded::By(method) => scope.guard(guard::Method(method.parse().unwrap())),
            Guarded::Host => scope.guard(guard::Host(HOST)),
            Guarded::Header => scope.guard(guard::Header(HEADER, "1")),
        };
        for service in services {
            scope = match service {
                Self::Resource { .. } => scope.service(service.resource()),
                Self::Scope { .. } => scope.service(service.scope(maintenance)),
                Self::Files(path) => scope.service(Files::new(path, site())),
                Self::Admin => scope.service(maintenance.admin()),
            };
        }
        let id = *id;
        if *has_default {
            scope = scope.default_service(web::to(handler(id)));
        }
        scope
    }
}

/// A handler that says which it is, and for which path.
fn handler(id: usize) -> impl Fn(HttpRequest) -> Ready<HttpResponse> + Clone {
    move |request| {
        let path = request.match_info().as_str();
        ready(HttpResponse::Ok().body(format!("handler {id} {path}")))
    }
}

#[derive(Debug)]
struct Sent {
    method: Method,
    target: String,
    hosts: Vec<&'static str>,
    has_header: bool,
}

impl Sent {
    fn roll(dice: &mut Dice<'_>) -> Self {
        let mut path = String::new();
        for _ in 0..=dice.below(4) {
            path.push('/');
            path.push_str(dice.of(&SEGMENTS));
        }
        if dice.below(4) == 0 {
            path.push('/');
        }
        let authority = dice.of(&["", "", "", "http://other.example", "http://shop.example"]);
        Self {
            method: [Method::GET, Method::GET, Method::POST, Method::HEAD][dice.below(4)].clone(),
            target: format!("{authority}{path}"),
            hosts: match dice.below(3) {
                0 => Vec::new(),
                _ => vec![dice.of(&HOSTS)],
            },
            has_header: dice.below(2) == 1,
        }
    }
}

/// What reached a handler: which, and the paths by which it is known.
enum Reached {
    Handler { id: usize, seen: String },
    File(String),
}

/// Rolls an app and requests, and checks that none reaches a handler that the rules close.
pub(crate) fn check(bytes: &[u8]) -> Sum {
    let mut dice = Dice(bytes);
    let plan = Plan::roll(&mut dice);
    actix_web::rt::System::new().block_on(check_plan(plan, &mut dice))
}

async fn check_plan(plan: Plan, dice: &mut Dice<'_>) -> Sum {
    let maintenance = Maintenance::builder()
        .settings(plan.settings.clone())
        .build()
        .await
        .unwrap();
    let normalize = |slash: Option<TrailingSlash>| {
        let normalize = NormalizePath::new(slash.unwrap_or(TrailingSlash::MergeOnly));
        Condition::new(slash.is_some(), normalize)
    };
    let app = App::new()
        .configure(|config| {
            for service in &plan.services {
                service.add_to_app(config, &maintenance);
            }
            if plan.has_default {
                config.default_service(web::to(handler(APP_DEFAULT)));
            }
        })
        .wrap(normalize(plan.inside))
        .wrap(maintenance.middleware())
        .wrap(normalize(plan.outside));
    let app = test::init_service(app).await;
    maintenance.turn_on().await.unwrap();
    let known = plan.known();
    let mut sum = Sum::default();
    for _ in 0..20 {
        let sent = Sent::roll(dice);
        if sent.target.parse::<Uri>().is_err() {
            continue;
        }
        let mut request = TestRequest::default()
            .method(sent.method.clone())
            .uri(&sent.target);
        for host in &sent.hosts {
            request = request.append_header(("Host", *host));
        }
        if sent.has_header {
            request = request.append_header((HEADER, "1"));
        }
        let Ok(response) = test::try_call_service(&app, request.to_request()).await else {
            continue;
        };
        let is_refused = response.headers().contains_key("x-maintenance-mode");
        let body = body::to_bytes(response.into_body()).await.unwrap();
        let text = String::from_utf8_lossy(&body);
        if is_refused {
            sum.refused += 1;
            continue;
        }
        let reached = if let Some(rest) = text.strip_prefix("handler ") {
            let (id, seen) = rest.split_once(' ').unwrap();
            Reached::Handler {
                id: id.parse().unwrap(),
                seen: seen.to_owned(),
            }
        } else if let Some(file) = text.strip_prefix("file ") {
            Reached::File(file.to_owned())
        } else {
            continue;
        };
        sum.reached += 1;
        if let Err(why) = may_be_reached(&plan, &known, &sent, &reached) {
            panic!("{why}: {text} by {sent:?} of {plan:#?}");
        }
    }
    sum
}

/// Whether the rules let this request reach what it reached. A file says where it is among the files:
/// which path of the app that is depends on which of the services of files has sent it.
fn may_be_reached(
    plan: &Plan,
    known: &[Known],
    sent: &Sent,
    reached: &Reached,
) -> Result<(), &'static str> {
    match reached {
        Reached::Handler { id, seen } => {
            let handler = known.iter().find(|known| known.id == *id);
            may_be_reached_at(plan, known, sent, reached, handler, seen)
        }
        Reached::File(file) => {
            let mounts = known.iter().filter(|known| known.id == FILES);
            mounts
                .flat_map(|files| &files.patterns)
                .map(|mount| format!("{mount}{file}"))
                .map(|seen| may_be_reached_at(plan, known, sent, reached, None, &seen))
                .reduce(Result::or)
                .unwrap()
        }
    }
}

fn may_be_reached_at(
    plan: &Plan,
    known: &[Known],
    sent: &Sent,
    reached: &Reached,
    handler: Option<&Known>,
    seen: &str,
) -> Result<(), &'static str> {
    let settings = &plan.settings;
    let entry_names = |entry: &String, handler: &Known| {
        let (methods, route) = entry.split_once(' ').unwrap_or(("", entry));
        let is_method = methods.is_empty() || methods.split(',').any(|one| sent.method == *one);
        is_method && names(route, handler)
    };
    let is_named = |entries: &[String]| {
        handler.is_some_and(|handler| entries.iter().any(|entry| entry_names(entry, handler)))
    };
    // What no resource takes goes to a default service, and so does what no file is there for: a
    // resource that is open has its path open. That of files has all that begins with it.
    let is_default = handler.is_none_or(|handler| handler.patterns.is_empty());
    let path_is_open = is_default
        && known.iter().any(|other| {
            let fits = |pattern: &String| match other.id {
                FILES => fits(&format!("{pattern}/{{tail}}"), seen) || fits(pattern, seen),
                _ => matches!(reached, Reached::Handler { .. }) && fits(pattern, seen),
            };
            settings
                .exempt
                .routes
                .iter()
                .any(|entry| entry_names(entry, other))
                && other.patterns.iter().any(fits)
        });
    // The same goes for an admin scope in a scope of the app.
    let is_admin_default = matches!(reached, Reached::Handler { id, .. } if *id == APP_DEFAULT)
        && is_under(seen, "/maintenance-mode")
        && plan.services.iter().any(Service::has_admin_in_scope);
    if is_named(&settings.exempt.routes) || path_is_open || is_admin_default {
        return Ok(());
    }
    if is_named(&settings.forced_on.routes) {
        return Err("a route that is forced on is reached");
    }
    let begins = |patterns: &[String]| {
        patterns.iter().any(|pattern| {
            Regex::new(&format!("^(?:{pattern})"))
                .unwrap()
                .is_match(seen)
        })
    };
    if begins(&settings.forced_on.patterns) {
        return Err("a path that is forced on is reached");
    }
    let applies_to = &settings.modes[0].applies_to;
    if applies_to
        .prefixes
        .iter()
        .any(|prefix| !is_under(seen, prefix))
    {
        return Ok(());
    }
    let target: Uri = sent.target.parse().unwrap();
    let asks_for_shop = sent.hosts.iter().any(|host| {
        let host = host.to_ascii_lowercase();
        host.contains(HOST)
    }) || target.host() == Some(HOST);
    if !applies_to.hosts.is_empty() && !asks_for_shop {
        return Ok(());
    }
    // By the path that was asked for, which NormalizePath may have changed, unless files stepped
    // back from it.
    let asked = target.path();
    let exempt = &settings.exempt;
    let is_exempt = |path: &str| {
        exempt.prefixes.iter().any(|prefix| is_under(path, prefix))
            || exempt.paths.iter().any(|exact| path == exact)
            || exempt
                .patterns
                .iter()
                .any(|pattern| path.starts_with(pattern.as_str()))
    };
    let trimmed = seen.trim_end_matches('/');
    let slashed = format!("{trimmed}/");
    if is_exempt(seen)
        || is_exempt(trimmed)
        || is_exempt(&slashed)
        || is_exempt(asked) && !asked.contains("..") && !asked.contains("%2")
    {
        return Ok(());
    }
    Err("nothing opens what is reached")
}

fn is_under(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a pattern fits, with the last slash or without.
fn fits(pattern: &str, path: &str) -> bool {
    let mut expression = String::from("^");
    for part in pattern.split_inclusive('}') {
        let (text, parameter) = part.split_once('{').unwrap_or((part, ""));
        expression.push_str(&regex::escape(text.trim_start_matches('*')));
        let segment = match parameter {
            "" => "",
            "tail}" => ".*",
            _ => "[^/]+",
        };
        expression.push_str(segment);
    }
    let resource = Regex::new(&format!("{expression}$")).unwrap();
    let trimmed = path.trim_end_matches('/');
    [path, trimmed, &format!("{trimmed}/")]
        .iter()
        .any(|path| resource.is_match(path))
}
