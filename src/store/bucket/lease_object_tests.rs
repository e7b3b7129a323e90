use super::*;

fn noon() -> Timestamp {
    "2026-06-01T12:00:00Z".parse().unwrap()
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

#[test]
fn a_lease_lives_by_the_clock_of_who_wrote_it_unless_the_service_knows_better() {
    let lease = Lease::new("node/a", "me", b"\x00\n{}".as_slice()).unwrap();
    let time_to_live = Duration::from_secs(15);
    let bytes = encode(&lease, time_to_live, noon());
    for (written_at, lapses_at) in [
        (noon(), noon() + seconds(15)),
        (noon() - seconds(2), noon() + seconds(15)),
        (noon() + seconds(2), noon() + seconds(15)),
        (noon() + seconds(3600), noon() + seconds(3616)),
        (noon() - seconds(3600), noon() - seconds(3584)),
    ] {
        let found = decode(&bytes, written_at).unwrap();
        assert_eq!(found.lease, lease);
        assert_eq!(found.lapses_at, lapses_at);
    }
    let found = decode(&bytes, noon()).unwrap();
    let left = found.live(noon() + seconds(10)).unwrap().expires_in;
    assert_eq!(left, Duration::from_secs(5));
    assert_eq!(found.live(noon() + seconds(15)), None);
    let given_back = decode(&encode_given_back(&lease, noon()), noon()).unwrap();
    assert_eq!(given_back.live(noon()), None);
}

#[test]
fn what_is_no_lease_is_none() {
    for bytes in [
        &b""[..],
        b"\n",
        b"{}\n",
        b"no JSON\nx",
        b"{\"name\": \"a\"}\n",
    ] {
        assert_eq!(decode(bytes, noon()), None);
    }
}

#[test]
fn every_name_is_one_part_of_a_path() {
    assert_eq!(object_name("node/A-1_b.c"), "node=2FA-1_b=2Ec.lease");
    assert_eq!(object_name("\0=\u{e4}"), "=00=3D=C3=A4.lease");
}
