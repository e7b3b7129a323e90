//! One lease as an object: its name and its content. No I/O.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::store::{Lease, LiveLease, lease::bounded};

/// How far the clock of whoever wrote a lease may be from the service's. The service tells whole
/// seconds, so less cannot be seen.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// Above any lease, with the largest content and every character of its texts escaped.
pub(super) const LARGEST: u64 = 1024 * 1024 + 4096;

/// The first line, in JSON. The content follows as it is.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    name: String,
    holder: String,
    time_to_live_ms: u64,
    /// By the clock of whoever wrote it.
    renewed_at: Timestamp,
}

/// A lease as it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) lease: Lease,
    pub(super) lapses_at: Timestamp,
}

impl Found {
    /// The lease, if it lives.
    pub(super) fn live(&self, now: Timestamp) -> Option<LiveLease> {
        let left = Duration::try_from(self.lapses_at.duration_since(now)).ok()?;
        (!left.is_zero()).then(|| LiveLease {
            lease: self.lease.clone(),
            expires_in: left,
        })
    }
}

pub(super) fn encode(lease: &Lease, time_to_live: Duration, now: Timestamp) -> Vec<u8> {
    // Rounded up: a lease must not lapse before its holder thinks so.
    let milliseconds = bounded(time_to_live).as_nanos().div_ceil(1_000_000);
    written(lease, milliseconds.try_into().unwrap_or(u64::MAX), now)
}

/// A lease that has lapsed at once: what is put in the place of one that is given back. To remove the
/// object instead could remove what somebody else has put there a moment before.
pub(super) fn encode_given_back(lease: &Lease, now: Timestamp) -> Vec<u8> {
    written(lease, 0, now)
}

fn written(lease: &Lease, time_to_live_ms: u64, now: Timestamp) -> Vec<u8> {
    let header = Header {
        name: lease.name().to_owned(),
        holder: lease.holder().to_owned(),
        time_to_live_ms,
        renewed_at: now,
    };
    // Texts, numbers and instants always have a JSON form; an empty line would be read as damage.
    let mut bytes = serde_json::to_vec(&header).unwrap_or_default();
    bytes.push(b'\n');
    bytes.extend_from_slice(lease.content());
    bytes
}

/// Reads an object that the service says was written at `written_at`. `None`: it is no lease.
pub(super) fn decode(bytes: &[u8], written_at: Timestamp) -> Option<Found> {
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let (header, content) = bytes.split_at_checked(end)?;
    let header: Header = serde_json::from_slice(header).ok()?;
    let lease = Lease::new(header.name, header.holder, content.get(1..)?).ok()?;
    let is_near = header.renewed_at.duration_since(written_at).abs() <= TOLERANCE;
    let renewed_at = match is_near {
        true => header.renewed_at,
        // The clock was wrong. The service's counts, to the end of the second that it tells.
        false => written_at
            .saturating_add(SignedDuration::from_secs(1))
            .ok()?,
    };
    let time_to_live = SignedDuration::from_millis(header.time_to_live_ms.try_into().ok()?);
    Some(Found {
        lease,
        lapses_at: renewed_at.saturating_add(time_to_live).ok()?,
    })
}

/// The last part of the object's path: the name with everything but letters, digits, `-` and `_`
/// written as `=` and two digits.
pub(super) fn object_name(name: &str) -> String {
    let mut text = String::with_capacity(name.len() + 6);
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => text.push(char::from(byte)),
            _ => text.push_str(&format!("={byte:02X}")),
        }
    }
    text.push_str(".lease");
    text
}

#[cfg(test)]
#[path = "lease_object_tests.rs"]
mod tests;
