//! What rules may see of an inquiry.

use std::{cell::RefCell, net::IpAddr};

use actix_web::dev::{ResourceDef, ResourceMap};

use super::inquiry::Inquiry;
use crate::{
    core::state::{GrantHash, GrantKind},
    core::{
        rules::{
            readings::Readings,
            routes::{Named, Routes},
            subject::Subject,
        },
        snapshot::Snapshot,
    },
    web::{
        front::Front,
        request::app_routes::{AppRoutes, AskedPath},
    },
};

/// A request that is described, as the rules see it.
pub(super) struct InquirySubject<'a> {
    pub(super) inquiry: &'a Inquiry,
    pub(super) front: &'a Front,
    pub(super) snapshot: &'a Snapshot,
    pub(super) routes: Option<&'a ResourceMap>,
    pub(super) may_hear_of: &'a dyn Fn(&str) -> bool,
    /// What the rules asked for and a description does not have. Rules that come after the one that
    /// decides ask nothing, so what is here could have mattered.
    pub(super) not_known: RefCell<Vec<String>>,
}

impl InquirySubject<'_> {
    pub(super) fn does_not_know(&self, what: impl Into<String>) {
        let what = what.into();
        let mut not_known = self.not_known.borrow_mut();
        if !not_known.contains(&what) {
            not_known.push(what);
        }
    }

    /// Whether the visitor was in before the site began to close. Nobody says so of a role.
    pub(super) fn was_seen(&self) -> bool {
        self.does_not_know(
            "Whether this visitor was inside a short while ago, as `drain.session_idle` says: then \
             the request passes by the rule `already-in`.",
        );
        false
    }

    pub(super) fn asked<'b>(&'b self, map: &'b ResourceMap) -> AskedPath<'b> {
        AskedPath {
            map,
            path: &self.inquiry.path,
            readings: &self.inquiry.readings,
            method: self.inquiry.method(),
            passed: 0,
        }
    }

    /// Whether a route of these may serve the request, where the app's own are not known.
    pub(super) fn may_be_of(&self, routes: &Routes) -> bool {
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
                 `exempt.address_patterns`, and while a mode is opening it says when the turn comes of \
                 whoever has not logged in.",
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

    fn each_grant(&self, kind: GrantKind, _: &mut dyn FnMut(&GrantHash)) {
        self.does_not_know(match kind {
            GrantKind::Link => {
                "Whether the visitor has opened the link of a grant: then the request passes."
            }
            _ => "Whether the request carries the token of a grant: then it passes.",
        });
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
pub(super) fn route_pattern(pattern: &str) -> ResourceDef {
    ResourceDef::new(pattern)
}
