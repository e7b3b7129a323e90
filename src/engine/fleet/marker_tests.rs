use super::*;
use crate::store::Lease;

#[test]
fn a_list_is_believed_once_it_is_as_old_as_a_lease_lives() {
    let seconds = Duration::from_secs;
    let marker = |age| LiveLease {
        lease: Lease::new(MARKER, "x", "").unwrap(),
        expires_in: MARKER_LIVES - age,
    };
    for (leases, left) in [
        (vec![], Some(15)),
        (vec![marker(seconds(0))], Some(15)),
        (vec![marker(seconds(10))], Some(5)),
        (vec![marker(seconds(15))], None),
        (vec![marker(seconds(100_000))], None),
    ] {
        let left = left.map(seconds);
        assert_eq!(to_wait(remembered_for(&leases), seconds(15)), left);
    }
}
