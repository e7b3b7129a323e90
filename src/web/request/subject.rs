//! A request of actix as the rules see it.

use std::net::IpAddr;

use actix_web::{
    HttpRequest,
    http::header::{self, HeaderName},
};

use crate::{
    core::decide::{Routes, Subject},
    engine::shared::Shared,
    web::request::address::client_address,
};

const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

pub(crate) struct RequestSubject<'a> {
    pub(crate) request: &'a HttpRequest,
    pub(crate) shared: &'a Shared,
}

impl RequestSubject<'_> {
    /// The name of the resource that the request is routed to, or will be.
    fn route_name(&self) -> Option<&str> {
        let path = self.path();
        if path == self.request.path() {
            self.request.match_name()
        } else {
            // actix looks names up by the path as it was sent, but routes by the decoded one. By
            // the former, `/%63losed` would not be `/closed`.
            self.request.resource_map().match_name(path)
        }
    }

    fn route_pattern(&self) -> Option<String> {
        let path = self.path();
        if path == self.request.path() {
            self.request.match_pattern()
        } else {
            self.request.resource_map().match_pattern(path)
        }
    }
}

impl Subject for RequestSubject<'_> {
    #[inline]
    fn path(&self) -> &str {
        self.request.match_info().as_str()
    }

    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    fn host(&self) -> Option<&str> {
        own_host(self.request, self.shared)
    }

    fn is_route(&self, routes: &Routes) -> bool {
        (!routes.names.is_empty()
            && self
                .route_name()
                .is_some_and(|name| routes.names.contains(name)))
            || (!routes.patterns.is_empty()
                && self
                    .route_pattern()
                    .is_some_and(|pattern| routes.patterns.contains(pattern.as_str())))
    }

    fn address(&self) -> Option<IpAddr> {
        address(self.request, self.shared)
    }

    #[inline]
    fn predicate(&self) -> Option<&'static str> {
        self.shared
            .predicates
            .iter()
            .find(|(_, holds)| holds(self.request))
            .map(|(name, _)| *name)
    }

    #[inline]
    fn has_api_key(&self) -> bool {
        self.shared
            .api_key
            .as_ref()
            .is_some_and(|key| key.is_in(self.request))
    }

    fn is_already_in(&self) -> bool {
        self.shared
            .already_in
            .as_ref()
            .is_some_and(|holds| holds(self.request))
    }

    #[inline]
    fn is_of_mode(&self, mode: usize) -> bool {
        self.shared
            .modes
            .get(mode)
            .and_then(|mode| mode.applies.as_ref())
            .is_none_or(|applies| applies(self.request))
    }
}

/// The client's address, by the app's closure or by peer and trusted proxies.
pub(crate) fn address(request: &HttpRequest, shared: &Shared) -> Option<IpAddr> {
    match &shared.address_finder {
        Some(find) => find(request),
        None => client_address(
            request.peer_addr().map(|peer| peer.ip()),
            request.headers(),
            &shared.trusted_proxies,
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
pub(crate) fn own_host<'a>(request: &'a HttpRequest, shared: &Shared) -> Option<&'a str> {
    let by_trusted_proxy = request
        .peer_addr()
        .is_some_and(|peer| shared.trusted_proxies.contains(peer.ip()));
    let forwarded = request
        .headers()
        .get(X_FORWARDED_HOST)
        .filter(|_| by_trusted_proxy)
        .and_then(|value| value.to_str().ok())
        .and_then(|hosts| hosts.split(',').next())
        .map(str::trim);
    forwarded.or_else(|| host(request))
}
