use super::*;

#[test]
fn a_lease_comes_back_from_its_value() {
    for (holder, content) in [
        ("me", &b"\x00\xff:3:"[..]),
        ("3:a", b""),
        ("\0\u{e4}", b"x"),
    ] {
        let lease = Lease::new("task/a", holder, content).unwrap();
        assert_eq!(parsed("task/a", &value(&lease)), Some(lease));
    }
    for foreign in [
        &b""[..],
        b"me",
        b"9:me",
        b"-1:me",
        b"2:\xff\xff",
        b"1:\xc3\xa4",
        b":",
    ] {
        assert_eq!(parsed("task/a", foreign), None, "{foreign:?}");
    }
}

#[test]
fn a_time_to_live_is_rounded_up() {
    assert_eq!(milliseconds(Duration::from_micros(1_001)), 2);
    assert_eq!(milliseconds(Duration::ZERO), 1);
    assert_eq!(milliseconds(Duration::MAX), 365 * 24 * 60 * 60 * 1000);
}
