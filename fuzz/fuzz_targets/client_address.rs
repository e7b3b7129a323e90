//! The client's address, found by the crate and by a second implementation, which was written from
//! the rules in the guide and in RFC 7239 and goes another way: by regular expressions, from the
//! farthest hop to the nearest.
#![no_main]

use std::{net::IpAddr, sync::LazyLock};

use actix_maintenance_mode::fuzzing;
use actix_maintenance_mode_fuzz::{headers, text};
use actix_web::http::header::HeaderMap;
use libfuzzer_sys::fuzz_target;
use regex::Regex;

const WORDS: &[&str] = &[
    "for=",
    "For=",
    "\"",
    "\\",
    ",",
    ", ",
    ";",
    "=",
    ":",
    "[",
    "]",
    " ",
    "_",
    "1.2.3.4",
    "10.0.0.1",
    "10.0.0.2",
    "198.51.100.7",
    "2001:db8::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "4711",
    "unknown",
    "by=",
    "host=\"a,b;c\"",
    "\t",
    "\n",
];
const PEERS: [&str; 5] = [
    "10.0.0.1",
    "::ffff:10.0.0.3",
    "fd00::9",
    "203.0.113.5",
    "::1",
];

fn is_trusted(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.octets()[0] == 10,
        IpAddr::V6(address) => address.segments()[0] == 0xfd00,
    }
}

/// One hop: an address, with a port or an obfuscated one, in brackets or not.
fn address_of(hop: &str) -> Option<IpAddr> {
    static NODE: LazyLock<Regex> = LazyLock::new(|| {
        Regex::new(
            r"^(?:\[(?<bracketed>[^\]]*)\]|(?<plain>[^:\[][^:]*):):?(?:_[A-Za-z0-9._-]*|[0-9]*)$",
        )
        .unwrap()
    });
    let hop = hop.trim();
    if let Ok(address) = hop.parse::<IpAddr>() {
        return Some(address.to_canonical());
    }
    if let Ok(address) = hop.parse::<std::net::SocketAddr>() {
        return Some(address.ip().to_canonical());
    }
    let found = NODE.captures(hop)?;
    let address = found.name("bracketed").or(found.name("plain"))?;
    address
        .as_str()
        .parse::<IpAddr>()
        .ok()
        .map(|it| it.to_canonical())
}

/// The lines of a header, if all of them are text.
fn lines<'a>(headers: &'a HeaderMap, name: &str) -> Option<Vec<&'a str>> {
    headers
        .get_all(name)
        .map(|value| value.to_str().ok())
        .collect()
}

/// What stands before a separator outside quotes.
fn up_to(separator: char) -> Regex {
    Regex::new(&format!(r#"^(?:[^"{separator}]|"(?:[^"\\]|\\.)*")*"#)).unwrap()
}

/// Cuts at a separator outside quotes. `None`: a quote is left open.
fn cut(line: &str, separator: char) -> Option<Vec<String>> {
    static UP_TO_COMMA: LazyLock<Regex> = LazyLock::new(|| up_to(','));
    static UP_TO_SEMICOLON: LazyLock<Regex> = LazyLock::new(|| up_to(';'));
    let piece = if separator == ',' {
        &UP_TO_COMMA
    } else {
        &UP_TO_SEMICOLON
    };
    let mut pieces = Vec::new();
    let mut rest = line;
    loop {
        let end = piece.find(rest)?.end();
        pieces.push(rest[..end].trim().to_owned());
        match rest[end..].chars().next() {
            None => return Some(pieces),
            Some(next) if next == separator => rest = &rest[end + 1..],
            Some(_) => return None,
        }
    }
}

fn by_x_forwarded_for(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let all = lines(headers, "x-forwarded-for")?.join(",");
    let hops = all.split(',').filter(|hop| !hop.trim().is_empty());
    Some(hops.map(address_of).collect())
}

fn by_forwarded(headers: &HeaderMap) -> Option<Vec<Option<IpAddr>>> {
    let mut hops = Vec::new();
    for line in lines(headers, "forwarded")? {
        for element in cut(line, ',')?.iter().filter(|element| !element.is_empty()) {
            let pairs = cut(element, ';')?;
            let address = pairs.iter().find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                (name.trim().to_ascii_lowercase() == "for")
                    .then(|| value.trim().trim_matches('"').to_owned())
            });
            hops.push(address.and_then(|address| address_of(&address)));
        }
    }
    Some(hops)
}

/// The nearest hop that is not a trusted proxy, seen from the farthest one: whatever is nearer counts
/// more, unless it is a proxy that passed on what it got. Where all are, it is the farthest.
fn nearest_stranger(peer: IpAddr, hops: &[Option<IpAddr>]) -> Option<IpAddr> {
    let mut hops = hops.iter().copied();
    let Some(farthest) = hops.next() else {
        return Some(peer);
    };
    hops.fold(farthest, |found, hop| match hop {
        Some(address) if is_trusted(address) => found,
        nearer => nearer,
    })
}

fn reference(peer: IpAddr, headers: &HeaderMap) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return Some(peer);
    }
    let answer =
        |hops: Option<Vec<Option<IpAddr>>>| hops.and_then(|hops| nearest_stranger(peer, &hops));
    let forwarded = headers
        .contains_key("forwarded")
        .then(|| answer(by_forwarded(headers)));
    let x_forwarded_for = headers
        .contains_key("x-forwarded-for")
        .then(|| answer(by_x_forwarded_for(headers)));
    match (forwarded, x_forwarded_for) {
        (None, None) => Some(peer),
        (Some(one), None) | (None, Some(one)) => one,
        (Some(one), Some(other)) if one == other => one,
        _ => None,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else {
        return;
    };
    let peer: IpAddr = PEERS[usize::from(*first) % PEERS.len()].parse().unwrap();
    let headers = headers(&text(rest, WORDS), &["forwarded", "x-forwarded-for"]);
    let found = fuzzing::client_address(peer, &headers, &["10.0.0.0/8", "fd00::/16"]);
    assert_eq!(found, reference(peer, &headers), "{peer} {headers:?}");
});
