//! The client's address: the peer's, or the one that trusted proxies vouch for.

use std::net::{IpAddr, SocketAddr};

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName};

use crate::core::rules::exempt::AddressSet;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Finds the client's address. `None` when it cannot be known for sure.
///
/// A header counts only as far as a trusted proxy wrote it: the chain is walked from the peer
/// backwards, and the first address that is not a trusted proxy's is the client's. When both
/// `Forwarded` (RFC 7239) and `X-Forwarded-For` are there they must agree: a proxy that writes only
/// one of them hands on the other as the client sent it.
pub(crate) fn client_address(
    peer: Option<IpAddr>,
    headers: &HeaderMap,
    trusted_proxies: &AddressSet,
) -> Option<IpAddr> {
    let peer = peer?.to_canonical();
    if trusted_proxies.is_empty() || !trusted_proxies.contains(peer) {
        return Some(peer);
    }
    let by_forwarded = headers.contains_key(FORWARDED).then(|| {
        walk(
            peer,
            elements(headers, &FORWARDED, |line| split_outside_quotes(line, b',')),
            forwarded_for,
            trusted_proxies,
        )
    });
    let by_x_forwarded_for = headers.contains_key(X_FORWARDED_FOR).then(|| {
        walk(
            peer,
            // Nobody quotes in this header, so a client's quote must not hide what follows it.
            elements(headers, &X_FORWARDED_FOR, |line| {
                Some(line.split(',').map(str::trim).collect())
            }),
            parse_node,
            trusted_proxies,
        )
    });
    match (by_forwarded, by_x_forwarded_for) {
        (None, None) => Some(peer),
        (Some(address), None) | (None, Some(address)) => address,
        (Some(one), Some(other)) => one.filter(|_| one == other),
    }
}

/// Walks a chain of hops from the nearest to the farthest.
fn walk(
    peer: IpAddr,
    hops: Option<Vec<&str>>,
    parse: fn(&str) -> Option<IpAddr>,
    trusted_proxies: &AddressSet,
) -> Option<IpAddr> {
    let mut address = peer;
    for hop in hops?.into_iter().rev() {
        // What a trusted proxy could not or would not name is unknown, not absent.
        address = parse(hop)?.to_canonical();
        if !trusted_proxies.contains(address) {
            break;
        }
    }
    Some(address)
}

/// The elements of a comma-separated list, over all lines of the header. `None` when one is not
/// text or cannot be split.
fn elements<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    split: fn(&'a str) -> Option<Vec<&'a str>>,
) -> Option<Vec<&'a str>> {
    let mut elements = Vec::new();
    for value in headers.get_all(name) {
        elements.extend(split(value.to_str().ok()?)?);
    }
    elements.retain(|element| !element.is_empty());
    Some(elements)
}

/// `None` when a quote is left open: a client that sends `for=10.0.0.1;x="` would make what the
/// proxy adds after it a part of its own element.
fn split_outside_quotes(text: &str, separator: u8) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let (mut quoted, mut escaped, mut start) = (false, false, 0);
    for (position, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            _ if byte == separator && !quoted => {
                parts.push(text[start..position].trim());
                start = position + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    (!quoted).then_some(parts)
}

/// The `for` of one `forwarded-element` (RFC 7239, section 4).
fn forwarded_for(element: &str) -> Option<IpAddr> {
    split_outside_quotes(element, b';')?
        .into_iter()
        .find_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            name.trim().eq_ignore_ascii_case("for").then_some(value)
        })
        .and_then(|value| parse_node(value.trim().trim_matches('"')))
}

/// An address with or without a port; a v6 address with a port is in brackets.
fn parse_node(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(address);
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.ip());
    }
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => text.split_once(':')?,
    };
    // RFC 7239 allows an obfuscated port: `_` and a few characters.
    let port = port.strip_prefix(':').unwrap_or(port);
    let plausible = match port.strip_prefix('_') {
        Some(name) => name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)),
        None => port.bytes().all(|byte| byte.is_ascii_digit()),
    };
    host.parse().ok().filter(|_| plausible)
}

#[cfg(test)]
#[path = "address_tests.rs"]
mod tests;
