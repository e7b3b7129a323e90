use super::*;

fn live(connections: usize, per_address: usize) -> Live {
    Live::new(&LiveSettings {
        connections,
        per_address,
        ..LiveSettings::default()
    })
}

fn at(address: &str) -> Option<IpAddr> {
    Some(address.parse().unwrap())
}

#[test]
fn there_are_no_more_places_than_the_settings_say() {
    let live = live(2, 9);
    let first = live.enter(None).unwrap();
    let _second = live.enter(at("10.0.0.1")).unwrap();
    assert_eq!(live.enter(None).unwrap_err(), NoPlace::InAll);
    drop(first);
    live.enter(None).unwrap();
}

#[test]
fn no_client_has_more_places_than_one_may_have() {
    let live = live(100, 2);
    let first = live.enter(at("10.0.0.1")).unwrap();
    let _second = live.enter(at("::ffff:10.0.0.1")).unwrap();
    assert_eq!(live.enter(at("10.0.0.1")).unwrap_err(), NoPlace::ForClient);
    let _other = live.enter(at("10.0.0.2")).unwrap();
    drop(first);
    let _again = live.enter(at("10.0.0.1")).unwrap();

    // Of one network of IPv6, whose addresses one subscriber has all.
    let _one = live.enter(at("2001:db8::1")).unwrap();
    let _other = live.enter(at("2001:db8::ffff:2")).unwrap();
    assert_eq!(
        live.enter(at("2001:db8::3")).unwrap_err(),
        NoPlace::ForClient
    );
    live.enter(at("2001:db8:0:1::1")).unwrap();
}

#[test]
fn a_quarter_of_the_descriptors_is_the_most() {
    assert_eq!(fitting(10_000, Some(1024)), 256);
    assert_eq!(fitting(100, Some(1024)), 100);
    assert_eq!(fitting(10_000, None), 10_000);
    assert_eq!(fitting(10_000, Some(3)), 0);
}
