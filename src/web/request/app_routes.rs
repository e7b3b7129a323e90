//! The routes of the app that one worker runs, against those that the settings name.

use std::{
    cell::{OnceCell, RefCell},
    rc::Rc,
};

use actix_web::{HttpRequest, dev::ResourceMap};

use crate::{
    core::rules::{
        compiled::Rules,
        readings::{Readings, with_slash},
        routes::{Candidate, Named, Routes, opens},
    },
    web::{
        request::route_table::{RouteInfo, RouteTable},
        told_once::ToldOnce,
    },
};

/// The routes of the app, read when they are first asked for.
#[derive(Debug, Default)]
pub(crate) struct AppRoutes {
    /// `None` inside: they cannot be read.
    table: OnceCell<Option<RouteTable>>,
    /// The resources that each setting names, by the setting's number.
    named: RefCell<Vec<(usize, Rc<[usize]>)>>,
}

/// A path of a request, as it is asked about.
pub(crate) struct AskedPath<'a> {
    pub(crate) map: &'a ResourceMap,
    pub(crate) path: &'a str,
    pub(crate) readings: &'a Readings,
    pub(crate) method: &'a str,
    /// How much of the path the scopes around the gate have taken.
    pub(crate) passed: usize,
}

impl<'a> AskedPath<'a> {
    pub(crate) fn of(request: &'a HttpRequest, readings: &'a Readings) -> Self {
        let info = request.match_info();
        Self {
            map: request.resource_map(),
            path: info.as_str(),
            readings,
            method: request.method().as_str(),
            passed: info.as_str().len().saturating_sub(info.unprocessed().len()),
        }
    }

    /// Whether it holds for the path with another end, or for any of these others.
    fn any_other<'b>(
        &self,
        others: impl Iterator<Item = &'b str>,
        holds: impl Fn(&str) -> bool,
    ) -> bool {
        let either_way = |path: &str| match path.strip_suffix('/') {
            Some(trimmed) => holds(trimmed.trim_end_matches('/')),
            None => with_slash(path, &holds),
        };
        either_way(self.path) || { others }.any(|other| holds(other) || either_way(other))
    }
}

impl AppRoutes {
    fn table(&self, map: &ResourceMap) -> Option<&RouteTable> {
        self.table
            .get_or_init(|| {
                let table = RouteTable::read(map);
                if table.is_none() {
                    tracing::error!(
                        event = "maintenance.route",
                        "this version of actix-web shows its routes in a way that \
                         actix-maintenance-mode does not know: no entry of `exempt.routes` opens \
                         anything, and the admin scope is closed during maintenance. Update \
                         actix-maintenance-mode, or keep the actix-web of before"
                    );
                }
                table
            })
            .as_ref()
    }

    fn named_by(&self, table: &RouteTable, routes: &Routes) -> Rc<[usize]> {
        let mut known = self.named.borrow_mut();
        if let Some((_, named)) = known.iter().find(|(number, _)| *number == routes.number()) {
            return Rc::clone(named);
        }
        let named: Rc<[usize]> = table
            .resources()
            .filter(|resource| {
                routes
                    .routes()
                    .any(|route| is_called(table.route(*resource), route))
            })
            .collect();
        known.push((routes.number(), Rc::clone(&named)));
        named
    }

    /// Whether it is certain that a route of these serves the request.
    pub(crate) fn opens(&self, routes: &Routes, asked: &AskedPath<'_>, told: &ToldOnce) -> bool {
        let Some(table) = self.table(asked.map) else {
            return false;
        };
        let fits = |number: &usize| table.fits(*number, asked.path);
        if asked.readings.has_dots() || !self.named_by(table, routes).iter().any(fits) {
            return false;
        }
        let candidates = table.candidates(asked.path, asked.passed);
        if !agrees(table, &candidates, asked) {
            return false;
        }
        let candidates: Vec<Candidate<usize>> = candidates
            .into_iter()
            .map(|route| Candidate {
                route,
                named: named(routes, table, route, asked.method),
            })
            .collect();
        let have_one_pattern = |one: usize, other: usize| {
            let other = &table.route(other).patterns;
            table
                .route(one)
                .patterns
                .iter()
                .any(|pattern| other.contains(pattern))
        };
        if !opens(&candidates, have_one_pattern) {
            if candidates.len() > 1
                && let Some(named) = candidates
                    .iter()
                    .find(|candidate| candidate.named != Named::Not)
            {
                told.warn(
                    "maintenance.route",
                    not_certain(routes, table.route(named.route), "opens nothing there"),
                );
            }
            return false;
        }
        let is_another = |path: &str| {
            table.candidates(path, 0).into_iter().any(|route| {
                let is_known = candidates.iter().any(|known| known.route == route);
                // What a scope answers by itself is, as the app's own default service, no route.
                !is_known
                    && !table.is_scope(route)
                    && named(routes, table, route, asked.method) == Named::Not
            })
        };
        !asked.any_other(asked.readings.others(), is_another)
    }

    /// Whether a route of these may serve the request.
    pub(crate) fn restricts(&self, routes: &Routes, asked: &AskedPath<'_>) -> bool {
        let Some(table) = self.table(asked.map) else {
            // By what actix itself takes for the route.
            let name = asked.map.match_name(asked.path).map(str::to_owned);
            return [name, asked.map.match_pattern(asked.path)]
                .into_iter()
                .flatten()
                .any(|route| routes.names(&route, asked.method) != Named::Not);
        };
        let named_resources = self.named_by(table, routes);
        let fits = |path: &str| {
            named_resources.iter().any(|number| {
                table.fits(*number, path)
                    && named(routes, table, *number, asked.method) != Named::Not
            })
        };
        fits(asked.path) || asked.any_other(asked.readings.all_others(), fits)
    }

    /// Whether the admin scope, and nothing before it, serves the request.
    pub(crate) fn is_admin(&self, asked: &AskedPath<'_>, told: &ToldOnce) -> bool {
        let Some(table) = self.table(asked.map) else {
            return false;
        };
        if asked.readings.has_dots() {
            return false;
        }
        let is_admin = |candidate: &usize| table.route(*candidate).is_admin;
        // A scope of the app around it may have a guard, by which others get its requests.
        let leads_elsewhere = |candidates: &[usize]| {
            candidates.first().is_some_and(|first| {
                !is_admin(first)
                    || !(candidates.iter().all(is_admin) || table.is_admin_of_app(*first))
            })
        };
        let candidates = table.candidates(asked.path, asked.passed);
        if !candidates.iter().any(is_admin) {
            return false;
        }
        let is_certain = !leads_elsewhere(&candidates)
            && !asked.any_other(asked.readings.others(), |path| {
                leads_elsewhere(&table.candidates(path, 0))
            });
        if !is_certain {
            told.warn(
                "maintenance.route",
                "during maintenance the admin scope is closed to all who are not exempt: it is in \
                 another scope or after one, other services of the app take its paths, too, and \
                 which of them serves a request is up to guards. Mount it by `App::service` before \
                 all others, or open its path by `exempt.prefixes`"
                    .to_owned(),
            );
        }
        is_certain
    }

    /// Tells of what the settings name and the app does not have, or has more than once.
    pub(crate) fn check(&self, rules: &Rules, map: &ResourceMap, told: &ToldOnce) {
        let Some(table) = self.table(map) else {
            return;
        };
        let opening = rules
            .modes
            .iter()
            .map(|mode| &mode.exempt.routes)
            .chain([&rules.forced_off]);
        for (routes, opens) in opening
            .map(|routes| (routes, true))
            .chain([(&rules.forced_on, false)])
        {
            for route in routes.routes() {
                let called: Vec<usize> = table
                    .resources()
                    .filter(|number| is_called(table.route(*number), route))
                    .collect();
                let setting = routes.setting();
                if called.is_empty() {
                    let effect = if opens { "opens" } else { "closes" };
                    told.warn(
                        "maintenance.route",
                        format!(
                            "`{setting}` has `{route}`, but the app has no route of that name or \
                         pattern: it {effect} nothing. {}",
                            known_routes(table)
                        ),
                    );
                }
                let is_ambiguous = |number: &usize| {
                    let info = table.route(*number);
                    table.resources().any(|other| {
                        other != *number
                            && table
                                .route(other)
                                .patterns
                                .iter()
                                .any(|pattern| info.patterns.contains(pattern))
                    })
                };
                if opens
                    && routes.names(route, "") == Named::Plainly
                    && let Some(number) = called.iter().find(|number| is_ambiguous(number))
                {
                    told.warn(
                        "maintenance.route",
                        not_certain(routes, table.route(*number), "opens nothing there"),
                    );
                }
            }
        }
    }
}

/// Whether actix itself finds at this path what the table has first.
///
/// The table is read from a text that actix promises nothing of: if one day it said something else
/// than it seems to, nothing would be opened by it.
fn agrees(table: &RouteTable, candidates: &[usize], asked: &AskedPath<'_>) -> bool {
    match candidates.first() {
        Some(first) if !table.is_scope(*first) => {
            asked.map.match_name(asked.path) == table.route(*first).name.as_deref()
        }
        _ => true,
    }
}

fn is_called(info: &RouteInfo, route: &str) -> bool {
    info.name.as_deref() == Some(route) || info.patterns.iter().any(|pattern| pattern == route)
}

fn named(routes: &Routes, table: &RouteTable, number: usize, method: &str) -> Named {
    if table.is_scope(number) {
        return Named::Not;
    }
    let info = table.route(number);
    let called = info
        .name
        .iter()
        .chain(&info.patterns)
        .map(|route| routes.names(route, method));
    let mut best = Named::Not;
    for named in called {
        if named == Named::ByMethod || best == Named::Not {
            best = named;
        }
    }
    best
}

fn not_certain(routes: &Routes, info: &RouteInfo, effect: &str) -> String {
    let setting = routes.setting();
    let pattern = info.patterns.first().map_or("", String::as_str);
    let entry = info
        .name
        .as_deref()
        .filter(|name| routes.routes().any(|route| route == *name))
        .unwrap_or(pattern);
    format!(
        "`{setting}` has `{entry}`, but other resources of the app take `{pattern}`, too, and which \
         of them serves a request is up to their guards: the entry {effect}. Say for which methods \
         it is meant, such as \"GET {entry}\"; or give the resource a pattern of its own, exempt \
         the path by `exempt.paths`, or wrap the middleware around a narrower scope"
    )
}

fn known_routes(table: &RouteTable) -> String {
    const MOST: usize = 20;
    let names: Vec<&str> = table
        .resources()
        .filter(|number| !table.route(*number).is_admin)
        .filter_map(|number| {
            let info = table.route(number);
            info.name
                .as_deref()
                .or(info.patterns.first().map(String::as_str))
        })
        .take(MOST + 1)
        .collect();
    match names.as_slice() {
        [] => "It has no routes".to_owned(),
        [names @ .., _] if names.len() == MOST => {
            format!("Its routes are {}, and more", names.join(", "))
        }
        names => format!("Its routes are {}", names.join(", ")),
    }
}
