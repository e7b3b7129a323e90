use std::{sync::Arc, time::Instant};

use proptest::prelude::*;

use super::{super::clock::SinceStart, *};

const SECOND: Duration = Duration::from_secs(1);

fn reading(seconds: u64) -> Reading {
    Reading {
        own: Instant::now(),
        since_start: Some(SinceStart {
            clock: Arc::from("clock"),
            elapsed: Duration::from_secs(seconds),
        }),
        wall: Timestamp::from_second(1_000_000).unwrap(),
    }
}

fn encoded(name: &str) -> (Vec<u8>, String) {
    let lease = Lease::new(name, "host-1 \"x\"", b"content\n\0\xff".as_slice()).unwrap();
    let bytes = LeaseFile::encode(&lease, Duration::from_micros(1_500), &reading(7));
    (bytes, file_name(name))
}

#[test]
fn a_file_name_is_readable_and_leads_nowhere_else() {
    assert_eq!(file_name("node/host-1_2.x"), "node%2fhost-1_2.x.lease");
    assert_eq!(file_name("../A \0%"), "..%2f%41%20%00%25.lease");
    let long = "\u{e4}".repeat(60);
    assert_eq!(
        file_name(&long),
        format!("%%{}.lease", "c3a4".repeat(60)),
        "where it would be too long it is shorter",
    );
}

proptest! {
    #[test]
    fn the_name_of_a_lease_can_be_told_by_its_file(name in "\\PC{1,60}|[a-z/0-9.%A-Z]{1,120}") {
        prop_assert_eq!(lease_name(&file_name(&name)), Some(name));
    }
}

#[test]
fn what_is_no_lease_file_has_no_name() {
    for file in [
        "A.lease",
        "%2.lease",
        "%zz.lease",
        "%ff.lease",
        "%%6.lease",
        "node",
    ] {
        assert_eq!(lease_name(file), None, "{file}");
    }
}

#[test]
fn a_file_says_what_was_put() {
    let (bytes, name) = encoded("lock/site");
    let file = LeaseFile::decode(&bytes, &name).unwrap();
    assert_eq!(file.lease.name(), "lock/site");
    assert_eq!(file.lease.holder(), "host-1 \"x\"");
    assert_eq!(file.lease.content(), b"content\n\0\xff");
    assert_eq!(file.time_to_live, Duration::from_millis(2), "rounded up");
    assert_eq!(file.stamp.sure_age(&reading(9)), Some(2 * SECOND));
    assert_eq!(file.stamp.sure_age(&reading(3)), Some(Duration::ZERO));

    let mut elsewhere = reading(9);
    elsewhere.since_start.as_mut().unwrap().clock = Arc::from("another");
    assert_eq!(file.stamp.sure_age(&elsewhere), None);
    elsewhere.since_start = None;
    assert_eq!(file.stamp.sure_age(&elsewhere), None);
    elsewhere.wall += 3 * SECOND;
    assert_eq!(file.stamp.supposed_age(&elsewhere), 3 * SECOND);
    elsewhere.wall -= 5 * SECOND;
    assert_eq!(file.stamp.supposed_age(&elsewhere), Duration::ZERO);
}

#[test]
fn a_file_under_another_name_is_no_lease() {
    let (bytes, _) = encoded("lock/site");
    assert_eq!(LeaseFile::decode(&bytes, &file_name("lock/admin")), None);
}

#[test]
fn the_largest_lease_is_within_the_limit() {
    let text = "\0".repeat(120);
    let lease = Lease::new(text.clone(), text, vec![0; 1024 * 1024]).unwrap();
    let bytes = LeaseFile::encode(&lease, Duration::MAX, &reading(u64::MAX));
    assert!(bytes.len() as u64 <= SIZE_LIMIT, "{}", bytes.len());
}

proptest! {
    #[test]
    fn any_name_has_a_file_name_of_its_own(one in ".{1,60}", other in ".{1,60}") {
        let name = file_name(&one);
        prop_assert!(name.len() <= 255 || one.len() > 120);
        prop_assert!(is_file_name(&name));
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"/\\:*?\"<>|".contains(&byte);
        prop_assert!(name.bytes().all(|byte| is_plain(byte) && !byte.is_ascii_uppercase()));
        prop_assert_eq!(name == file_name(&other), one == other);
    }

    #[test]
    fn damage_is_noticed_or_harmless(
        cut in 0..400_usize,
        at in 0..400_usize,
        byte in any::<u8>(),
    ) {
        let (mut bytes, name) = encoded("lock/site");
        let place = at % bytes.len();
        bytes[place] = byte;
        bytes.truncate(cut);
        if let Some(file) = LeaseFile::decode(&bytes, &name) {
            prop_assert_eq!(file.lease.name(), "lock/site");
            let _ = file.stamp.sure_age(&reading(9));
            let _ = file.stamp.supposed_age(&reading(9));
        }
    }

    #[test]
    fn garbage_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = LeaseFile::decode(&bytes, "lock%2fsite.lease");
    }
}
