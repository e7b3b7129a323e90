//! A request of actix as the rules see it.

use std::{cell::OnceCell, net::IpAddr};

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderName},
};

use crate::{
    core::{
        rules::{readings::Readings, routes::Routes, subject::Subject},
        state::{GrantHash, GrantKind},
    },
    web::{
        front::Front,
        request::{
            address::client_address,
            app_routes::{AppRoutes, AskedPath},
            grant,
            host::{X_FORWARDED_HOST, each_host},
        },
    },
};

const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

pub(crate) struct RequestSubject<'a> {
    request: &'a HttpRequest,
    front: &'a Front,
    routes: &'a AppRoutes,
    readings: OnceCell<Readings>,
    /// What it shows of links and of tokens.
    grants: [OnceCell<Vec<GrantHash>>; 2],
}

impl<'a> RequestSubject<'a> {
    pub(crate) fn new(request: &'a HttpRequest, front: &'a Front, routes: &'a AppRoutes) -> Self {
        Self {
            request,
            front,
            routes,
            readings: OnceCell::new(),
            grants: Default::default(),
        }
    }
}

impl Subject for RequestSubject<'_> {
    #[inline]
    fn path(&self) -> &str {
        self.request.match_info().as_str()
    }

    #[inline]
    fn readings(&self) -> &Readings {
        self.readings
            .get_or_init(|| Readings::new(self.request.uri().path(), self.path()))
    }

    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    fn each_host(&self, visit: &mut dyn FnMut(&str)) {
        each_host(self.request, &self.front.trusted_proxies, visit);
    }

    fn opens_route(&self, routes: &Routes) -> bool {
        let asked = AskedPath::of(self.request, self.readings());
        self.routes
            .opens(routes, &asked, &self.front.told_of_routes)
    }

    fn restricts_route(&self, routes: &Routes) -> bool {
        let asked = AskedPath::of(self.request, self.readings());
        self.routes.restricts(routes, &asked)
    }

    fn is_admin(&self) -> bool {
        let asked = AskedPath::of(self.request, self.readings());
        self.routes.is_admin(&asked, &self.front.told_of_routes)
    }

    fn address(&self) -> Option<IpAddr> {
        address(self.request, self.front)
    }

    #[inline]
    fn predicate(&self) -> Option<&'static str> {
        self.front
            .predicates
            .iter()
            .find(|(_, holds)| holds(self.request))
            .map(|(name, _)| *name)
    }

    #[inline]
    fn has_api_key(&self) -> bool {
        self.front
            .api_key
            .as_ref()
            .is_some_and(|key| key.is_in(self.request))
    }

    fn each_grant(&self, kind: GrantKind, visit: &mut dyn FnMut(&GrantHash)) {
        let shown = || match kind {
            GrantKind::Link => grant::cookies(self.request).collect(),
            GrantKind::Token => grant::token(self.request).into_iter().collect(),
            _ => Vec::new(),
        };
        let known = match kind {
            GrantKind::Link => &self.grants[0],
            _ => &self.grants[1],
        };
        known.get_or_init(shown).iter().for_each(visit);
    }

    fn is_already_in(&self) -> bool {
        self.front
            .already_in
            .as_ref()
            .is_some_and(|holds| holds(self.request))
    }

    #[inline]
    fn is_of_mode(&self, mode: usize) -> bool {
        self.front
            .conditions
            .get(mode)
            .and_then(Option::as_ref)
            .is_none_or(|applies| applies(self.request))
    }
}

/// The client's address, by the app's closure or by peer and trusted proxies.
pub(crate) fn address(request: &HttpRequest, front: &Front) -> Option<IpAddr> {
    match &front.address_finder {
        Some(find) => find(request),
        None => client_address(
            request.peer_addr().map(|peer| peer.ip()),
            request.headers(),
            &front.trusted_proxies,
        ),
    }
}

/// The authority that the client asked for (RFC 9110, section 7.2).
fn host(request: &HttpRequest) -> Option<&str> {
    request
        .uri()
        .authority()
        .map(|authority| authority.as_str())
        .or_else(|| request.headers().get(header::HOST)?.to_str().ok())
}

/// The authority that the visitor sees; behind a trusted proxy, the one that it was asked for.
pub(crate) fn own_host<'a>(request: &'a HttpRequest, front: &Front) -> Option<&'a str> {
    let by_trusted_proxy = request
        .peer_addr()
        .is_some_and(|peer| front.trusted_proxies.contains(peer.ip()));
    let forwarded = request
        .headers()
        .get(X_FORWARDED_HOST)
        .filter(|_| by_trusted_proxy)
        .and_then(|value| value.to_str().ok())
        .and_then(|hosts| hosts.split(',').next())
        .map(str::trim);
    forwarded.or_else(|| host(request))
}

/// The scheme by which the visitor asks: what this process serves, or what a trusted proxy says that
/// it was asked by.
pub(crate) fn own_scheme(request: &HttpRequest, front: &Front) -> &'static str {
    let by_trusted_proxy = request
        .peer_addr()
        .is_some_and(|peer| front.trusted_proxies.contains(peer.ip()));
    let is_https = request.app_config().secure()
        || by_trusted_proxy && forwarded_scheme(request.headers()) == Some("https");
    if is_https { "https" } else { "http" }
}

/// What the proxy nearest to the visitor says of the scheme: `X-Forwarded-Proto`, or the `proto` of
/// `Forwarded` (RFC 7239, section 5.4). Where both are there and differ, one is the client's own.
fn forwarded_scheme(headers: &header::HeaderMap) -> Option<&'static str> {
    let scheme = |value: &str| {
        let value = value.trim().trim_matches('"');
        ["https", "http"]
            .into_iter()
            .find(|known| value.eq_ignore_ascii_case(known))
    };
    let first = |name: &HeaderName| {
        let value = headers.get(name)?.to_str().ok()?;
        value.split(',').next()
    };
    let by_x_forwarded = first(&X_FORWARDED_PROTO).and_then(scheme);
    let by_forwarded = first(&header::FORWARDED).and_then(|hop| {
        hop.split(';')
            .filter_map(|pair| pair.split_once('='))
            .find(|(name, _)| name.trim().eq_ignore_ascii_case("proto"))
            .and_then(|(_, value)| scheme(value))
    });
    match (by_x_forwarded, by_forwarded) {
        (Some(one), Some(other)) => (one == other).then_some(one),
        (one, other) => one.or(other),
    }
}
