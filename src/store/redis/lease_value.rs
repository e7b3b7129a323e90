//! What is stored of a lease. No I/O.

use std::time::Duration;

use crate::store::{Lease, lease::bounded};

/// A holder with its length before it: no other holder's begins so.
pub(super) fn marked(holder: &str) -> String {
    format!("{}:{holder}", holder.len())
}

/// What is stored of a lease: its holder, and the content as it is.
pub(super) fn value(lease: &Lease) -> Vec<u8> {
    [marked(lease.holder()).as_bytes(), lease.content()].concat()
}

pub(super) fn parsed(name: &str, value: &[u8]) -> Option<Lease> {
    let colon = value.iter().position(|byte| *byte == b':')?;
    let (length, rest) = value.split_at_checked(colon)?;
    let length = str::from_utf8(length).ok()?.parse().ok()?;
    let (holder, content) = rest.get(1..)?.split_at_checked(length)?;
    Lease::new(name, str::from_utf8(holder).ok()?, content).ok()
}

/// Rounded up: a lease must not lapse before its holder thinks so.
pub(super) fn milliseconds(time_to_live: Duration) -> u64 {
    let milliseconds = bounded(time_to_live).as_nanos().div_ceil(1_000_000);
    milliseconds.try_into().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
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
}
