//! Routes that the settings name: by the name of their resource or by its pattern, for all methods
//! or for some.
//!
//! Which resource takes a request is up to guards that cannot be seen from outside. So a route is
//! opened only where it is certain, and all that it may mean is restricted.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
};

/// The methods by which an entry may begin.
pub(crate) const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// The routes that one setting names.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Tells these routes from those of other settings.
    number: usize,
    /// The setting, for the log.
    setting: String,
    /// By the name of a resource or, with a leading slash, by its pattern. For each entry its
    /// methods; none are all.
    entries: HashMap<Box<str>, Vec<Vec<Box<str>>>>,
}

/// How a setting names a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Not,
    /// For all methods.
    Plainly,
    /// For this method among those that are named: whoever wrote that knows what the resource
    /// takes.
    ByMethod,
}

impl Routes {
    /// Takes entries as the settings write them.
    pub(crate) fn new(setting: impl Into<String>, entries: &[String]) -> Self {
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        let mut routes = Self {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            setting: setting.into(),
            entries: HashMap::new(),
        };
        for entry in entries {
            let (methods, route) = split(entry);
            let methods = methods.into_iter().map(Box::from).collect();
            routes
                .entries
                .entry(route.into())
                .or_default()
                .push(methods);
        }
        routes
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(crate) fn number(&self) -> usize {
        self.number
    }

    pub(crate) fn setting(&self) -> &str {
        &self.setting
    }

    /// The names and patterns.
    pub(crate) fn routes(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(|route| &**route)
    }

    /// Whether this name or pattern is there, for this method.
    pub(crate) fn names(&self, route: &str, method: &str) -> Named {
        let Some(entries) = self.entries.get(route) else {
            return Named::Not;
        };
        let is_by_method = |methods: &Vec<Box<str>>| methods.iter().any(|named| **named == *method);
        if entries.iter().any(is_by_method) {
            Named::ByMethod
        } else if entries.iter().any(Vec::is_empty) {
            Named::Plainly
        } else {
            Named::Not
        }
    }
}

/// The methods and the route of an entry: `GET list`, `GET,HEAD /items/{id}`, `list`.
pub(crate) fn split(entry: &str) -> (Vec<&str>, &str) {
    if let Some((methods, route)) = entry.trim().split_once(char::is_whitespace) {
        let methods: Vec<&str> = methods.split(',').collect();
        if methods.iter().all(|method| METHODS.contains(method)) {
            return (methods, route.trim_start());
        }
    }
    (Vec::new(), entry)
}

/// What a candidate is to a setting: see [`opens`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate<R> {
    pub(crate) route: R,
    pub(crate) named: Named,
}

/// Whether it is certain that a named route serves a request, of all those that may, in the order
/// of the router.
///
/// One alone is certain. Of several, an entry with methods makes it certain, if all before it have
/// its pattern: then the methods are what tells them apart.
pub(crate) fn opens<R: Copy>(
    candidates: &[Candidate<R>],
    have_one_pattern: impl Fn(R, R) -> bool,
) -> bool {
    if let [only] = candidates {
        return only.named != Named::Not;
    }
    candidates
        .iter()
        .position(|candidate| candidate.named == Named::ByMethod)
        .is_some_and(|place| {
            let route = candidates[place].route;
            candidates[..place]
                .iter()
                .all(|before| have_one_pattern(before.route, route))
        })
}

#[cfg(test)]
#[path = "routes_tests.rs"]
mod tests;
