use super::*;

#[test]
fn a_list_is_believed_once_it_is_as_old_as_a_lease_lives() {
    let seconds = Duration::from_secs;
    let in_life = |life: &str| super::marker(Some(life.to_owned())).unwrap();
    let of_life = |life, age| LiveLease {
        lease: in_life(life),
        expires_in: MARKER_LIVES - age,
    };
    let marker = |age| of_life("b", age);
    for (leases, left) in [
        (vec![], Some(15)),
        (vec![marker(seconds(0))], Some(15)),
        (vec![marker(seconds(10))], Some(5)),
        (vec![marker(seconds(15))], None),
        (vec![marker(seconds(100_000))], None),
        // From a saved copy of another life.
        (vec![of_life("a", seconds(100_000))], Some(15)),
    ] {
        let left = left.map(seconds);
        assert_eq!(
            to_wait(remembered_for(&leases, &in_life("b")), seconds(15)),
            left
        );
    }
}
