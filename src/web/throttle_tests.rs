use super::*;

fn address(text: &str) -> Option<IpAddr> {
    Some(text.parse().unwrap())
}

/// How many tries are granted at this moment.
fn granted(throttle: &mut Throttle, from: Option<IpAddr>, now: Duration) -> usize {
    (0..100)
        .take_while(|_| throttle.take(from, now).is_ok())
        .count()
}

#[test]
fn an_address_has_some_tries_and_then_one_by_one() {
    let mut throttle = Throttle::default();
    let from = address("192.0.2.7");
    let start = Duration::from_secs(1000);
    assert_eq!(granted(&mut throttle, from, start), 20);
    assert_eq!(throttle.take(from, start), Err(PAUSE));
    let later = start + Duration::from_secs(2);
    assert_eq!(throttle.take(from, later), Err(Duration::from_secs(4)));
    assert_eq!(granted(&mut throttle, from, start + PAUSE), 1);
    assert_eq!(granted(&mut throttle, from, start + PAUSE * 4), 3);
    assert_eq!(granted(&mut throttle, from, start + PAUSE * 1000), 20);
}

#[test]
fn others_are_not_slowed_down_but_the_same_network_is() {
    let mut throttle = Throttle::default();
    let now = Duration::ZERO;
    assert_eq!(granted(&mut throttle, address("192.0.2.7"), now), 20);
    assert_eq!(granted(&mut throttle, address("192.0.2.8"), now), 20);
    assert_eq!(granted(&mut throttle, address("::ffff:192.0.2.7"), now), 0);
    assert_eq!(granted(&mut throttle, address("2001:db8::1"), now), 20);
    assert_eq!(granted(&mut throttle, address("2001:db8::ffff:2"), now), 0);
    assert_eq!(granted(&mut throttle, address("2001:db8:0:1::1"), now), 20);
    assert_eq!(granted(&mut throttle, None, now), 20);
    assert_eq!(granted(&mut throttle, None, now), 0);
}

#[test]
fn what_is_given_back_can_be_taken_again() {
    let mut throttle = Throttle::default();
    let from = address("192.0.2.7");
    for _ in 0..1000 {
        throttle.take(from, Duration::ZERO).unwrap();
        throttle.give_back(from);
    }
    assert_eq!(granted(&mut throttle, from, Duration::ZERO), 20);
}

#[test]
fn it_remembers_only_so_many_and_the_worst_of_them() {
    let mut throttle = Throttle::default();
    let now = Duration::from_secs(1);
    let worst = address("192.0.2.7");
    assert_eq!(granted(&mut throttle, worst, now), 20);
    for number in 0..100_000_u32 {
        let from = std::net::Ipv4Addr::from_bits(0x0a00_0000 + number);
        throttle.take(Some(from.into()), now).unwrap();
        assert!(throttle.restored_at.len() <= REMEMBERED);
    }
    assert!(throttle.take(worst, now).is_err());
}
