//! Nobody can pass for somebody else, whatever they send.

use actix_web::http::header::HeaderValue;
use proptest::prelude::*;

use super::*;

const PROXIES: &[&str] = &["10.0.0.0/8", "fd00::/8"];

fn trusted() -> AddressSet {
    let texts: Vec<String> = PROXIES.iter().map(|text| (*text).to_owned()).collect();
    AddressSet::parse(&texts).unwrap()
}

fn headers(lines: &[(HeaderName, &[u8])]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(name.clone(), HeaderValue::from_bytes(value).unwrap());
    }
    headers
}

fn of(peer: &str, lines: &[(HeaderName, &str)]) -> Option<String> {
    let lines: Vec<(HeaderName, &[u8])> = lines
        .iter()
        .map(|(name, value)| (name.clone(), value.as_bytes()))
        .collect();
    client_address(peer.parse().ok(), &headers(&lines), &trusted())
        .map(|address| address.to_string())
}

#[test]
fn without_a_trusted_peer_the_peer_is_the_client() {
    let forged = [
        (X_FORWARDED_FOR, "198.51.100.7"),
        (FORWARDED, "for=198.51.100.7"),
    ];
    for peer in ["203.0.113.9", "2001:db8::9"] {
        assert_eq!(of(peer, &forged).as_deref(), Some(peer));
    }
    assert_eq!(
        of("::ffff:203.0.113.9", &[]).as_deref(),
        Some("203.0.113.9")
    );
    assert_eq!(of("none", &forged), None);
    assert_eq!(of("10.0.0.1", &[]).as_deref(), Some("10.0.0.1"));
}

#[test]
fn the_chain_is_walked_from_the_right_to_the_first_stranger() {
    for (value, expected) in [
        ("203.0.113.9", Some("203.0.113.9")),
        ("1.1.1.1, 203.0.113.9", Some("203.0.113.9")),
        ("1.1.1.1, 203.0.113.9, 10.0.0.2", Some("203.0.113.9")),
        ("1.1.1.1,203.0.113.9 ,10.0.0.2,fd00::2", Some("203.0.113.9")),
        ("203.0.113.9:4711", Some("203.0.113.9")),
        ("2001:db8::9", Some("2001:db8::9")),
        ("[2001:db8::9]", Some("2001:db8::9")),
        ("[2001:db8::9]:4711", Some("2001:db8::9")),
        ("::ffff:203.0.113.9", Some("203.0.113.9")),
        // Everybody is a proxy: the farthest is the client.
        ("10.0.0.3, 10.0.0.2", Some("10.0.0.3")),
        // What a proxy could not name is not known.
        ("1.1.1.1, unknown", None),
        ("1.1.1.1, _hidden, 10.0.0.2", None),
        ("1.1.1.1, unix:", None),
        // A quote means nothing here.
        ("\", 203.0.113.9", Some("203.0.113.9")),
    ] {
        let found = of("10.0.0.1", &[(X_FORWARDED_FOR, value)]);
        assert_eq!(found.as_deref(), expected, "{value}");
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_has_it() {
    for (value, expected) in [
        ("for=203.0.113.9", Some("203.0.113.9")),
        ("For=\"203.0.113.9:4711\"", Some("203.0.113.9")),
        ("FOR=\"[2001:db8::9]:4711\"", Some("2001:db8::9")),
        (
            "for=\"[2001:db8::9]\";proto=https;by=10.0.0.1",
            Some("2001:db8::9"),
        ),
        (
            "proto=https; for=203.0.113.9 ;host=\"a,b;c\"",
            Some("203.0.113.9"),
        ),
        (
            "for=1.1.1.1, for=203.0.113.9, for=10.0.0.2",
            Some("203.0.113.9"),
        ),
        ("for=\"203.0.113.9:_port\"", Some("203.0.113.9")),
        ("for=1.1.1.1, for=unknown", None),
        ("for=1.1.1.1, for=_hidden", None),
        ("for=1.1.1.1, proto=https", None),
        ("for=1.1.1.1, nonsense", None),
    ] {
        let found = of("10.0.0.1", &[(FORWARDED, value)]);
        assert_eq!(found.as_deref(), expected, "{value}");
    }
}

#[test]
fn an_open_quote_does_not_swallow_what_the_proxy_adds() {
    for value in [
        "for=10.9.9.9;x=\", for=203.0.113.9",
        "for=1.1.1.1;x=\"\\, for=203.0.113.9",
        "for=1.1.1.1;x=\", for=\"[2001:db8::9]\"",
        "for=1.1.1.1;x=\", for=\"[2001:db8::9]:80\", for=10.0.0.2",
        "for=\"1.1.1.1:_, for=203.0.113.9",
    ] {
        let found = of("10.0.0.1", &[(FORWARDED, value)]);
        assert_eq!(found, None, "{value}");
    }
    for value in ["1.1.1.1:_\", 203.0.113.9", "[1.1.1.1]:_\", 203.0.113.9"] {
        let found = of("10.0.0.1", &[(X_FORWARDED_FOR, value)]);
        assert_eq!(found.as_deref(), Some("203.0.113.9"), "{value}");
    }
}

#[test]
fn two_headers_that_disagree_say_nothing() {
    let both = |forwarded, x_forwarded_for| {
        of(
            "10.0.0.1",
            &[(FORWARDED, forwarded), (X_FORWARDED_FOR, x_forwarded_for)],
        )
    };
    assert_eq!(
        both("for=203.0.113.9", "203.0.113.9").as_deref(),
        Some("203.0.113.9")
    );
    assert_eq!(both("for=1.1.1.1", "203.0.113.9"), None);
    assert_eq!(both("nonsense", "203.0.113.9"), None);
    assert_eq!(both("for=203.0.113.9", "unknown"), None);
}

fn stranger() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (0_u8..4).prop_map(|low| IpAddr::from([203, 0, 113, low])),
        (0_u16..4).prop_map(|low| IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, low])),
    ]
}

fn proxy() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        (1_u8..4).prop_map(|low| IpAddr::from([10, 0, 0, low])),
        (1_u16..4).prop_map(|low| IpAddr::from([0xfd00, 0, 0, 0, 0, 0, 0, low])),
    ]
}

/// What a client may send in a header: noise, and what headers are made of.
fn forged() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
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
        "198.51.100.7",
        "2001:db8::1",
        "fd00::1",
        "4711",
        "unknown",
        "x",
        "by=",
        "\t",
    ]);
    // A whole element that is left open for what the proxy adds.
    let opened = (
        prop::sample::select(vec!["", "1.2.3.4, ", "for=1.2.3.4, "]),
        prop::sample::select(vec!["", "for="]),
        prop::sample::select(vec!["198.51.100.7", "[2001:db8::1]", "\"198.51.100.7"]),
        prop::collection::vec(
            prop::sample::select(vec![";", ":", "_", "\"", "\\", "x="]),
            0..5,
        ),
    )
        .prop_map(|(before, name, address, end)| {
            [before, name, address, &end.concat()].concat().into_bytes()
        });
    prop_oneof![
        3 => opened,
        3 => prop::collection::vec(words, 0..8).prop_map(|words| words.concat().into_bytes()),
        1 => prop::collection::vec(
            any::<u8>().prop_filter("no byte of a header", |byte| {
                *byte == b'\t' || (*byte >= 0x20 && *byte != 0x7f)
            }),
            0..24,
        ),
    ]
}

/// How one proxy writes down from whom it got the request.
#[derive(Debug, Clone, Copy)]
struct Manner {
    own_line: bool,
    port: bool,
    tight: bool,
}

fn manner() -> impl Strategy<Value = Manner> {
    (any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(own_line, port, tight)| Manner {
        own_line,
        port,
        tight,
    })
}

fn x_forwarded_for(from: IpAddr, manner: Manner) -> String {
    if manner.port {
        SocketAddr::new(from, 4711).to_string()
    } else {
        from.to_string()
    }
}

fn forwarded(from: IpAddr, manner: Manner) -> String {
    match (from, manner.port) {
        (IpAddr::V4(from), false) => format!("for={from};proto=https"),
        (IpAddr::V4(from), true) => format!("for=\"{from}:4711\""),
        (IpAddr::V6(from), false) => format!("for=\"[{from}]\""),
        (IpAddr::V6(from), true) => format!("proto=http;for=\"[{from}]:4711\";by=_me"),
    }
}

/// Adds what a proxy writes to the lines of a header that it got.
fn append(lines: &mut Vec<Vec<u8>>, entry: &str, manner: Manner) {
    match lines.last_mut() {
        Some(line) if !manner.own_line => {
            line.extend_from_slice(if manner.tight { b"," } else { b", " });
            line.extend_from_slice(entry.as_bytes());
        }
        _ => lines.push(entry.as_bytes().to_vec()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// A client behind one or more trusted proxies, each of which appends from whom it got the
    /// request to one of the headers or to both, as it comes. The client is found or is not known;
    /// no other address comes out of what it sends.
    #[test]
    fn no_address_can_be_forged_through_trusted_proxies(
        client in stranger(),
        proxies in prop::collection::vec((proxy(), manner()), 1..4),
        mut sent_x in prop::collection::vec(forged(), 0..3),
        mut sent_forwarded in prop::collection::vec(forged(), 0..3),
        which in 0..3,
    ) {
        let honest = sent_x.is_empty() && sent_forwarded.is_empty();
        let mut from = client;
        for (proxy, manner) in &proxies {
            if which != 0 {
                append(&mut sent_x, &x_forwarded_for(from, *manner), *manner);
            }
            if which != 1 {
                append(&mut sent_forwarded, &forwarded(from, *manner), *manner);
            }
            from = *proxy;
        }
        let mut lines: Vec<(HeaderName, &[u8])> = Vec::new();
        lines.extend(sent_x.iter().map(|line| (X_FORWARDED_FOR, line.as_slice())));
        lines.extend(sent_forwarded.iter().map(|line| (FORWARDED, line.as_slice())));
        let found = client_address(Some(from), &headers(&lines), &trusted());
        prop_assert!(found.is_none() || found == Some(client), "{found:?} instead of {client}");
        if honest {
            prop_assert_eq!(found, Some(client));
        }
    }

    #[test]
    fn any_header_is_borne(
        peer in prop_oneof![stranger(), proxy()],
        lines in prop::collection::vec((any::<bool>(), forged()), 0..4),
    ) {
        let lines: Vec<(HeaderName, &[u8])> = lines
            .iter()
            .map(|(x, line)| (if *x { X_FORWARDED_FOR } else { FORWARDED }, line.as_slice()))
            .collect();
        let found = client_address(Some(peer), &headers(&lines), &trusted());
        if !trusted().contains(peer) {
            prop_assert_eq!(found, Some(peer));
        }
    }
}
