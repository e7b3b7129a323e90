//! The hosts that a request can be routed by.
//!
//! actix's `guard::Host` goes by the `Host` header, or by the request's target; an app may look at
//! either, or at what a proxy says was asked for. What restricts counts for any of them, what opens
//! has to hold for all.

use actix_web::{
    HttpRequest,
    http::{
        Uri,
        header::{FORWARDED, HOST, HeaderName},
    },
};

use crate::core::rules::exempt::AddressSet;

pub(crate) const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Calls `visit` with every authority that the request names, as it was sent.
///
/// What a proxy forwards counts only where it is asked for, by naming the peer in
/// `client.trusted_proxies`, and only besides the others: a proxy that sets only `X-Forwarded-For`
/// hands on the `X-Forwarded-Host` of the client, who could name another site by it.
pub(crate) fn each_host(
    request: &HttpRequest,
    trusted_proxies: &AddressSet,
    visit: &mut dyn FnMut(&str),
) {
    if let Some(authority) = request.uri().authority() {
        visit(authority.as_str());
    }
    for host in request.headers().get_all(HOST) {
        if let Ok(host) = host.to_str() {
            visit(host);
            // `guard::Host` takes the header for a whole address if it looks like one.
            if let Ok(address) = host.parse::<Uri>()
                && let Some(authority) = address.authority()
                && authority.as_str() != host
            {
                visit(authority.as_str());
            }
        }
    }
    let by_trusted_proxy = request
        .peer_addr()
        .is_some_and(|peer| trusted_proxies.contains(peer.ip()));
    if by_trusted_proxy {
        for hosts in request.headers().get_all(X_FORWARDED_HOST) {
            for host in hosts.to_str().unwrap_or_default().split(',') {
                visit(host.trim());
            }
        }
        for hops in request.headers().get_all(FORWARDED) {
            // Cut at quotes, too: what is too much here can only close.
            for pair in hops.to_str().unwrap_or_default().split([',', ';']) {
                if let Some((name, host)) = pair.split_once('=')
                    && name.trim().eq_ignore_ascii_case("host")
                {
                    visit(host.trim().trim_matches('"'));
                }
            }
        }
    }
}
