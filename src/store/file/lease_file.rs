//! One lease as a file: its name and its content. No I/O.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::clock::Reading;
use crate::{
    core::text::hexadecimal,
    store::{Lease, lease::bounded},
};

/// The end of a lease file's name.
const ENDING: &str = ".lease";

/// The longest beginning of a lease file's name, for file systems that take 255 bytes.
const LONGEST: usize = 240;

/// Above any lease file, with the largest content and every character of its texts escaped.
pub(super) const SIZE_LIMIT: u64 = 1024 * 1024 + 4096;

/// The first line of a lease file, in JSON, so that people can read it. The content follows as it
/// is. Members that this version does not know are left out of account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    name: String,
    holder: String,
    time_to_live_ms: u64,
    /// By the wall clock.
    renewed_at: Timestamp,
    /// By the clock that counts from the machine's start, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    renewed_since_start: Option<Elapsed>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Elapsed {
    clock: String,
    seconds: u64,
    nanoseconds: u32,
}

/// What a lease file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LeaseFile {
    pub(super) lease: Lease,
    /// How long it lives after it was written.
    pub(super) time_to_live: Duration,
    /// Identifies one writing of the file.
    pub(super) stamp: Stamp,
}

/// When a lease file was written. No two writings of one lease have the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    holder: String,
    time_to_live_ms: u64,
    renewed_at: Timestamp,
    renewed_since_start: Option<Elapsed>,
}

impl LeaseFile {
    pub(super) fn encode(lease: &Lease, time_to_live: Duration, now: &Reading) -> Vec<u8> {
        // Rounded up: a lease must not lapse before its holder thinks so.
        let milliseconds = bounded(time_to_live).as_nanos().div_ceil(1_000_000);
        let header = Header {
            name: lease.name().to_owned(),
            holder: lease.holder().to_owned(),
            time_to_live_ms: milliseconds.try_into().unwrap_or(u64::MAX),
            renewed_at: now.wall,
            renewed_since_start: now.since_start.as_ref().map(|since| Elapsed {
                clock: since.clock.as_ref().to_owned(),
                seconds: since.elapsed.as_secs(),
                nanoseconds: since.elapsed.subsec_nanos(),
            }),
        };
        // Texts, numbers and options of them always have a JSON form; an empty line would be read
        // as damage.
        let mut bytes = serde_json::to_vec(&header).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(lease.content());
        bytes
    }

    /// `None`: this is no lease file, or not one that belongs under this file name.
    pub(super) fn decode(bytes: &[u8], name_of_file: &str) -> Option<Self> {
        let end = bytes.iter().position(|&byte| byte == b'\n')?;
        let (line, content) = (&bytes[..end], &bytes[end + 1..]);
        let header: Header = serde_json::from_slice(line).ok()?;
        if file_name(&header.name) != name_of_file {
            return None;
        }
        Some(Self {
            lease: Lease::new(header.name, header.holder.clone(), content).ok()?,
            time_to_live: bounded(Duration::from_millis(header.time_to_live_ms)),
            stamp: Stamp {
                holder: header.holder,
                time_to_live_ms: header.time_to_live_ms,
                renewed_at: header.renewed_at,
                renewed_since_start: header.renewed_since_start,
            },
        })
    }
}

impl Stamp {
    /// How long ago the file was written, by a clock that nobody sets. `None` where the writer's
    /// was another one.
    pub(super) fn sure_age(&self, now: &Reading) -> Option<Duration> {
        let (then, now) = (
            self.renewed_since_start.as_ref()?,
            now.since_start.as_ref()?,
        );
        // By hand in a file there may be more nanoseconds than make a second.
        let elapsed = Duration::from_secs(then.seconds)
            .checked_add(Duration::from_nanos(then.nanoseconds.into()))?;
        (then.clock == *now.clock).then(|| now.elapsed.saturating_sub(elapsed))
    }

    /// How long ago the file was written by the wall clock, which may have been set meanwhile.
    pub(super) fn supposed_age(&self, now: &Reading) -> Duration {
        Duration::try_from(now.wall.duration_since(self.renewed_at)).unwrap_or_default()
    }
}

/// The name of the file that holds the lease of this name.
///
/// Readable where it can be, and different for different names also on file systems that do not
/// tell `A` from `a`. No name leads out of the folder, as `/` is written otherwise.
pub(super) fn file_name(lease_name: &str) -> String {
    use std::fmt::Write as _;

    let mut name = String::new();
    for byte in lease_name.bytes() {
        // Writing to a string cannot fail.
        let _ = match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' => write!(name, "{}", char::from(byte)),
            _ => write!(name, "%{byte:02x}"),
        };
    }
    if name.len() > LONGEST {
        // No name of the other kind begins so.
        "%%".clone_into(&mut name);
        name += &hexadecimal(lease_name.as_bytes());
    }
    name + ENDING
}

/// The name of the lease that a file of this name holds. `None`: no lease has such a file.
pub(super) fn lease_name(file: &str) -> Option<String> {
    let written = file.strip_suffix(ENDING)?;
    let mut bytes = Vec::new();
    if let Some(digits) = written.strip_prefix("%%") {
        for pair in digits.as_bytes().chunks(2) {
            bytes.push(byte(pair)?);
        }
    } else {
        let mut rest = written.as_bytes();
        while let Some((&first, after)) = rest.split_first() {
            rest = match (first, after.split_at_checked(2)) {
                (b'%', Some((digits, after))) => {
                    bytes.push(byte(digits)?);
                    after
                }
                (b'%', None) => return None,
                _ => {
                    bytes.push(first);
                    after
                }
            };
        }
    }
    let name = String::from_utf8(bytes).ok()?;
    (file_name(&name) == file).then_some(name)
}

/// A byte in two hexadecimal digits.
fn byte(digits: &[u8]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|it| it.len() == 2)?;
    u8::from_str_radix(digits, 16).ok()
}

pub(super) fn is_file_name(name: &str) -> bool {
    name.ends_with(ENDING)
}

/// Checks what must hold of any bytes: what is read as a lease file is written and read again as
/// the same, and has an age by any clock.
#[cfg(any(fuzzing, test))]
pub(crate) fn check(bytes: &[u8]) {
    let line = bytes.split(|&byte| byte == b'\n').next().unwrap_or(bytes);
    let Ok(header) = serde_json::from_slice::<Header>(line) else {
        assert_eq!(LeaseFile::decode(bytes, ""), None);
        return;
    };
    let name = file_name(&header.name);
    assert!(!name.contains(['/', '\\', '\0']), "{name:?}");
    let Some(read) = LeaseFile::decode(bytes, &name) else {
        return;
    };
    // The names of leases are no longer than that.
    assert!(name.len() <= 255, "{name:?}");
    let now = super::clock::system()();
    let again = LeaseFile::decode(
        &LeaseFile::encode(&read.lease, read.time_to_live, &now),
        &name,
    );
    let again = again.map(|again| (again.lease, again.time_to_live));
    assert_eq!(again, Some((read.lease, read.time_to_live)));
    let _ages = (read.stamp.sure_age(&now), read.stamp.supposed_age(&now));
}

#[cfg(test)]
#[path = "lease_file_tests.rs"]
mod tests;
