use regex::bytes::Regex;

use super::*;

#[test]
fn a_network_is_the_bytes_of_its_addresses() {
    for (network, inside, outside) in [
        ("10.0.0.0/8", "10.255.3.10", "11.0.0.0"),
        ("10.1.16.0/20", "10.1.31.255", "10.1.32.0"),
        ("10.1.16.0/20", "10.1.16.0", "10.1.15.255"),
        ("192.0.2.7/32", "192.0.2.7", "192.0.2.8"),
        ("0.0.0.0/0", "1.2.3.4", "::1"),
        ("2001:db8::/33", "2001:db8:7fff::1", "2001:db8:8000::1"),
        ("::1/128", "::1", "::2"),
    ] {
        let expressions = address_expressions(network.parse().unwrap());
        let matches = |address: &str| {
            let bytes = match address.parse().unwrap() {
                std::net::IpAddr::V4(address) => address.octets().to_vec(),
                std::net::IpAddr::V6(address) => address.octets().to_vec(),
            };
            expressions.iter().any(|expression| {
                let expression = expression.replacen("(?s)", "(?s-u)", 1);
                Regex::new(&expression).unwrap().is_match(&bytes)
            })
        };
        assert!(matches(inside), "{inside} in {network}: {expressions:?}");
        assert!(!matches(outside), "{outside} in {network}: {expressions:?}");
    }
    let expressions = address_expressions("10.0.0.0/8".parse().unwrap());
    let mapped: std::net::Ipv6Addr = "::ffff:10.1.2.3".parse().unwrap();
    let expression = expressions[1].replacen("(?s)", "(?s-u)", 1);
    assert!(Regex::new(&expression).unwrap().is_match(&mapped.octets()));
}
