//! Sets and trees against lists: each is compared with the plainest way to say the same.

use proptest::prelude::*;

use super::*;

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

mod addresses {
    use super::*;

    /// Addresses that lie close together, so that networks and addresses meet, and some anywhere.
    fn v4() -> impl Strategy<Value = u32> {
        prop_oneof![
            8 => (0_u32..64).prop_map(|low| 0xc000_0200 | low),
            2 => 0_u32..4,
            2 => (0_u32..4).prop_map(|low| u32::MAX - low),
            1 => any::<u32>(),
        ]
    }

    fn v6() -> impl Strategy<Value = u128> {
        prop_oneof![
            8 => (0_u128..64).prop_map(|low| 0x2001_0db8 << 96 | low),
            2 => 0_u128..4,
            2 => (0_u128..4).prop_map(|low| u128::MAX - low),
            1 => any::<u128>(),
        ]
    }

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            v4().prop_map(|bits| IpAddr::from(Ipv4Addr::from(bits))),
            v4().prop_map(|bits| IpAddr::from(Ipv4Addr::from(bits).to_ipv6_mapped())),
            v6().prop_map(|bits| IpAddr::from(Ipv6Addr::from(bits))),
        ]
    }

    /// A network as an operator may write it, host bits and all.
    fn network() -> impl Strategy<Value = (IpAddr, Option<u8>)> {
        (
            address(),
            prop_oneof![
                Just(None),
                // Mostly small networks, seen from the end.
                (0_u8..8).prop_map(Some),
                (0_u8..=128).prop_map(Some),
            ],
        )
            .prop_map(|(address, from_end)| {
                let bits = if address.is_ipv4() { 32 } else { 128_u8 };
                (
                    address,
                    from_end.map(|from_end| bits.saturating_sub(from_end)),
                )
            })
    }

    fn bits_of(address: IpAddr) -> (u8, u128) {
        match address {
            IpAddr::V4(address) => (32, u128::from(u32::from(address))),
            IpAddr::V6(address) => (128, u128::from(address)),
        }
    }

    /// One network against one address, bit by bit.
    fn naive(network: (IpAddr, Option<u8>), address: IpAddr) -> bool {
        let (width, wanted) = bits_of(network.0);
        let length = network.1.unwrap_or(width);
        // A mapped network counts as v4, if all of it is mapped.
        let (width, wanted, length) = match network.0 {
            IpAddr::V6(v6) if length >= 96 && v6.to_ipv4_mapped().is_some() => {
                (32, wanted & 0xffff_ffff, length - 96)
            }
            _ => (width, wanted, length),
        };
        let (address_width, given) = bits_of(address.to_canonical());
        address_width == width
            && (0..length).all(|place| {
                let bit = width - 1 - place;
                wanted >> bit & 1 == given >> bit & 1
            })
    }

    fn written((address, length): (IpAddr, Option<u8>)) -> String {
        match length {
            Some(length) => format!("{address}/{length}"),
            None => address.to_string(),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn a_set_contains_what_one_of_its_networks_contains(
            networks in prop::collection::vec(network(), 0..24),
            addresses in prop::collection::vec(address(), 1..24),
        ) {
            let written: Vec<String> = networks.iter().copied().map(written).collect();
            let set = AddressSet::parse(&written).unwrap();
            prop_assert_eq!(set.is_empty(), networks.is_empty());
            for address in addresses {
                let expected = networks.iter().any(|network| naive(*network, address));
                prop_assert_eq!(set.contains(address), expected, "{} in {:?}", address, written);
            }
        }

        #[test]
        fn reading_a_network_never_panics(
            text in prop_oneof![any::<String>(), "[0-9a-f:./]{0,24}", "[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,3}"],
        ) {
            let read = AddressSet::parse(std::slice::from_ref(&text));
            if let Err(told) = read {
                prop_assert!(told.contains("neither an address nor a network"));
            }
        }
    }

    #[test]
    fn the_ends_of_all_addresses_are_in_the_network_of_all() {
        let set = AddressSet::parse(&texts(&["0.0.0.0/0", "::/0"])).unwrap();
        for address in [
            "0.0.0.0",
            "255.255.255.255",
            "::",
            "ffff:ffff::ffff",
            "::ffff:1.2.3.4",
        ] {
            assert!(set.contains(address.parse().unwrap()), "{address}");
        }
        // One family says nothing about the other.
        let v4 = AddressSet::parse(&texts(&["0.0.0.0/0"])).unwrap();
        assert!(!v4.contains("2001:db8::1".parse().unwrap()));
        assert!(v4.contains("::ffff:1.2.3.4".parse().unwrap()));
        let v6 = AddressSet::parse(&texts(&["::/0"])).unwrap();
        assert!(!v6.contains("1.2.3.4".parse().unwrap()));
    }
}

mod paths {
    use super::*;

    /// `/api` is `/api` and whatever follows it after a slash.
    fn naive_prefix(prefix: &str, path: &str) -> bool {
        let prefix = prefix.trim_end_matches('/');
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    fn naive(exact: &[String], prefixes: &[String], path: &str) -> Option<PathMatch> {
        if exact.iter().any(|exact| exact == path) {
            Some(PathMatch::Exact)
        } else if prefixes.iter().any(|prefix| naive_prefix(prefix, path)) {
            Some(PathMatch::Prefix)
        } else {
            None
        }
    }

    /// Paths of few characters, so that they meet.
    fn path() -> impl Strategy<Value = String> {
        prop_oneof![4 => "(/[abé]{0,2}){1,4}", 1 => "/[ab/.%é?]{0,12}"]
    }

    /// The settings refuse a prefix that is nothing but slashes, and one without a slash in front.
    fn a_prefix() -> impl Strategy<Value = String> {
        path().prop_filter("exempts everything", |prefix| {
            !prefix.trim_end_matches('/').is_empty()
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]
        #[test]
        fn paths_match_as_by_the_plain_definition(
            exact in prop::collection::vec(path(), 0..4),
            prefixes in prop::collection::vec(a_prefix(), 0..6),
            paths in prop::collection::vec(path(), 1..12),
        ) {
            let rules = PathRules::new(&exact, &prefixes, &[]).unwrap();
            for path in paths.iter().chain(&prefixes).chain(&exact) {
                prop_assert_eq!(
                    rules.matching(path),
                    naive(&exact, &prefixes, path),
                    "{} by {:?} {:?}", path, exact, prefixes
                );
            }
        }

        #[test]
        fn any_path_is_borne(path in any::<String>(), prefix in a_prefix()) {
            let rules = PathRules::new(&[], std::slice::from_ref(&prefix), &[]).unwrap();
            let expected = naive_prefix(&prefix, &path).then_some(PathMatch::Prefix);
            prop_assert_eq!(rules.matching(&path), expected);
        }
    }

    #[test]
    fn a_prefix_is_of_whole_segments() {
        let rules = PathRules::new(&[], &texts(&["/api", "/a/b/"]), &[]).unwrap();
        for (path, expected) in [
            ("/api", true),
            ("/api/", true),
            ("/api/x", true),
            ("/apix", false),
            ("/API", false),
            ("/x/api", false),
            ("/a/b", true),
            ("/a/b/", true),
            ("/a/b/c", true),
            ("/a/bc", false),
            ("/a", false),
            ("/", false),
            ("", false),
        ] {
            assert_eq!(rules.matching(path).is_some(), expected, "{path}");
        }
    }

    #[test]
    fn a_pattern_begins_where_the_path_begins() {
        let rules = PathRules::new(&[], &[], &texts(&["/a|/b", r"/c\d+$"])).unwrap();
        for (path, expected) in [
            ("/a", true),
            ("/ax", true),
            ("/b", true),
            // Each alternative is anchored, not only the first one.
            ("/x/b", false),
            ("/x/a", false),
            ("/c12", true),
            ("/c12/", false),
        ] {
            assert_eq!(rules.matching(path).is_some(), expected, "{path}");
        }
    }

    #[test]
    fn a_pattern_with_flags_stays_within_itself() {
        let rules = PathRules::new(&[], &[], &texts(&["(?i)/admin", "/x"])).unwrap();
        assert!(rules.matching("/ADMIN").is_some());
        assert!(rules.matching("/X").is_none());
    }

    #[test]
    fn no_rules_match_nothing() {
        let rules = PathRules::default();
        for path in ["", "/", "/a"] {
            assert_eq!(rules.matching(path), None);
        }
    }
}

mod patterns {
    use super::*;

    #[test]
    fn a_whole_pattern_matches_no_part() {
        let patterns = Patterns::whole(&texts(&[r"10\.0\.0\.1", "a|bc"])).unwrap();
        for (text, expected) in [
            ("10.0.0.1", true),
            ("10.0.0.15", false),
            ("110.0.0.1", false),
            ("10.0.0.1\n", false),
            ("a", true),
            ("ab", false),
            ("xbc", false),
            ("bc", true),
        ] {
            assert_eq!(patterns.is_match(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_comment_at_the_end_of_a_pattern_does_not_take_the_anchor_with_it() {
        let patterns = Patterns::whole(&texts(&["(?x) a # the letter\n"])).unwrap();
        assert!(patterns.is_match("a"));
        assert!(!patterns.is_match("ab"));
    }
}
