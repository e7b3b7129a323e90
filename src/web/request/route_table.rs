//! Which resources of the app may serve a path.
//!
//! actix tells of a path the first resource that fits, whatever guards it has, and asks the guards
//! only once the request has passed the gate. So the table knows all that fit, in the router's
//! order.
//!
//! `ResourceMap` gives no way to walk over its resources: its fields are private, `match_name`,
//! `match_pattern` and `has_resource` know the first that fits and no other, `url_for` knows names,
//! not places, and what `App::service` is given cannot be seen by a middleware. What is left is how
//! it shows itself (`{:?}`), and the table is read from that. Fields that are added there do no harm.
//! If the text cannot be read, nothing is certain, which the log says; if it said something else
//! than actix does, `AppRoutes` would open nothing by it. The tests hold the table against the
//! actix-web of `Cargo.lock`, and the property `the_gate_agrees_with_the_router` against its router.

use actix_web::dev::{ResourceDef, ResourceMap};

mod debug_text;

use debug_text::Value;

/// The name of a resource of every admin scope, by which the scope is known from others at its path.
pub(crate) const ADMIN_ROOT: &str = "actix-maintenance-mode";

/// The resources of an app as its router has them.
#[derive(Debug)]
pub(crate) struct RouteTable {
    /// In the order of the router; what is in a scope comes right after it. The first is the app.
    nodes: Vec<Node>,
}

#[derive(Debug)]
struct Node {
    matcher: ResourceDef,
    parent: usize,
    /// The first node that is not in this one.
    end: usize,
    is_scope: bool,
    route: RouteInfo,
}

/// What rules know a resource by.
#[derive(Debug)]
pub(crate) struct RouteInfo {
    pub(crate) name: Option<String>,
    /// Its patterns, with those of the scopes around it.
    pub(crate) patterns: Vec<String>,
    /// Whether it is of the admin scope.
    pub(crate) is_admin: bool,
}

impl RouteTable {
    /// Reads the table. `None`: actix shows its resources in another way than it did.
    pub(crate) fn read(map: &ResourceMap) -> Option<Self> {
        let shown = format!("{map:?}");
        let mut table = Self { nodes: Vec::new() };
        table.add(&debug_text::read(&shown)?, &[String::new()], 0, false)?;
        Some(table)
    }

    fn add(
        &mut self,
        value: &Value<'_>,
        before: &[String],
        parent: usize,
        is_admin: bool,
    ) -> Option<()> {
        let definition = value.field("pattern")?;
        let own = patterns(definition)?;
        let is_prefix = match definition.field("is_prefix")? {
            Value::Named("true", _) => true,
            Value::Named("false", _) => false,
            _ => return None,
        };
        let nodes = match value.field("nodes")?.option()? {
            Some(nodes) => Some(nodes.list()?),
            None => None,
        };
        let is_admin = is_admin
            || nodes.is_some_and(|nodes| nodes.iter().any(|node| name(node) == Some(ADMIN_ROOT)));
        let patterns: Vec<String> = before
            .iter()
            .flat_map(|before| own.iter().map(move |own| [&**before, &**own].concat()))
            .collect();
        let number = self.nodes.len();
        self.nodes.push(Node {
            // The app has made the same of the same before, so it cannot panic.
            matcher: if is_prefix {
                ResourceDef::prefix(own)
            } else {
                ResourceDef::new(own)
            },
            parent,
            end: 0,
            is_scope: nodes.is_some(),
            route: RouteInfo {
                name: name(value).map(str::to_owned),
                patterns: patterns.clone(),
                is_admin,
            },
        });
        for node in nodes.unwrap_or_default() {
            self.add(node, &patterns, number, is_admin)?;
        }
        self.nodes[number].end = self.nodes.len();
        Some(())
    }

    /// The resources that may serve a path, in the order in which the router asks them. A scope of
    /// which no resource fits is among them: it answers itself.
    ///
    /// `passed` is how much of the path the scopes around the gate have taken already.
    pub(crate) fn candidates(&self, path: &str, passed: usize) -> Vec<usize> {
        let mut candidates = Vec::new();
        self.collect(0, path, 0, passed, &mut candidates);
        candidates
    }

    fn collect(
        &self,
        number: usize,
        path: &str,
        start: usize,
        passed: usize,
        candidates: &mut Vec<usize>,
    ) {
        let node = &self.nodes[number];
        let Some(length) = node.matcher.find_match(&path[start..]) else {
            return;
        };
        let end = start + length;
        // What a scope around the gate has taken ends where one of the scopes here does.
        let passed = if passed == end { 0 } else { passed };
        let before = candidates.len();
        let mut child = number + 1;
        while child < node.end {
            self.collect(child, path, end, passed, candidates);
            child = self.nodes[child].end;
        }
        // The default service of the app serves what nothing else does: it is no candidate.
        if candidates.len() == before && passed == 0 && number != 0 {
            candidates.push(number);
        }
    }

    /// Whether a resource fits a path, whatever else does.
    pub(crate) fn fits(&self, number: usize, path: &str) -> bool {
        self.end_of_match(number, path).is_some()
    }

    fn end_of_match(&self, number: usize, path: &str) -> Option<usize> {
        let node = &self.nodes[number];
        let start = if number == 0 {
            0
        } else {
            self.end_of_match(node.parent, path)?
        };
        Some(start + node.matcher.find_match(&path[start..])?)
    }

    /// Whether what is in the admin scope is there without a scope of the app's own around it.
    pub(crate) fn is_admin_of_app(&self, number: usize) -> bool {
        let mut outer = number;
        while self.nodes[outer].route.is_admin {
            outer = self.nodes[outer].parent;
        }
        // The scope that `Maintenance::admin` makes has all of it in one inside.
        outer != 0 && self.nodes[outer].parent == 0
    }

    pub(crate) fn route(&self, number: usize) -> &RouteInfo {
        &self.nodes[number].route
    }

    /// Whether it is what a scope answers by itself.
    pub(crate) fn is_scope(&self, number: usize) -> bool {
        self.nodes[number].is_scope
    }

    /// Every resource, in the order of the router.
    pub(crate) fn resources(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|number| !self.is_scope(*number))
    }
}

fn patterns(definition: &Value<'_>) -> Option<Vec<String>> {
    let text = |value: &Value<'_>| value.text().map(str::to_owned);
    match definition.field("patterns")? {
        Value::Named("Single", fields) => Some(vec![text(&fields.first()?.1)?]),
        Value::Named("List", fields) => fields.first()?.1.list()?.iter().map(text).collect(),
        _ => None,
    }
}

fn name<'a>(node: &'a Value<'_>) -> Option<&'a str> {
    node.field("pattern")?.field("name")?.option()??.text()
}

#[cfg(test)]
#[path = "route_table_tests.rs"]
mod tests;
