use proptest::prelude::*;

use super::*;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
}

fn opening(from: u32, over: i64) -> Opening {
    Opening {
        from,
        ..Opening::starting(at(0), Some(at(over)), Some("alice"))
    }
}

fn place(text: &str) -> Place {
    Place::of(&Visitor::user(text), None).unwrap()
}

fn is_in(opening: &Opening, place: Place, now: Timestamp) -> bool {
    opening.turn(Some(place)).is_some_and(|turn| turn <= now)
}

#[test]
fn of_a_million_visitors_the_share_that_is_told_is_in_and_whoever_is_in_stays_in() {
    let places: Vec<Place> = (0..1_000_000)
        .map(|number| place(&format!("visitor-{number}")))
        .collect();
    let opening = opening(0, 600_000);
    let mut before = 0;
    for second in (0..=600).step_by(30) {
        let now = at(second * 1000);
        let share = opening.share(now);
        let expected = second as f64 / 600.0;
        assert!((share - expected).abs() < 0.000_01, "{share} at {second} s");
        let inside = places.iter().filter(|place| is_in(&opening, **place, now));
        let inside = inside.count();
        let seen = inside as f64 / 1e6;
        assert!((seen - share).abs() < 0.002, "{seen} are in, not {share}");
        assert!(before <= inside);
        before = inside;
    }
    assert_eq!(before, 1_000_000);
}

/// Every node, whatever built it, says this.
#[test]
fn places_are_the_same_in_every_build() {
    let at = |address: &str| Place::of(&Visitor::anonymous(), address.parse().ok()).unwrap();
    assert_eq!(
        [place("alice"), at("192.0.2.7"), at("2001:db8::7")],
        [Place(502_524_302), Place(99_968_135), Place(322_410_362)]
    );
    assert_eq!(at("192.0.2.7"), at("::ffff:192.0.2.7"));
    assert_eq!(at("2001:db8::7"), at("2001:db8::ffff:1:2:3"));
    assert_ne!(at("2001:db8::7"), at("2001:db8:0:1::7"));
    // Whoever calls themselves an address is not there.
    assert_ne!(at("192.0.2.7"), place("192.0.2.7"));
    // An id counts of those only who have logged in.
    let unknown = Visitor {
        id: Some("alice".to_owned()),
        ..Visitor::anonymous()
    };
    assert_eq!(Place::of(&unknown, None), None);
}

#[test]
fn whose_place_nobody_knows_gets_in_with_the_last() {
    assert_eq!(opening(0, 1000).turn(None), Some(at(1000)));
    assert_eq!(opening(0, 1000).going_on(at(500), None).turn(None), None);
}

#[test]
fn what_a_hand_has_written_lets_nobody_in_too_early_and_harms_nothing() {
    let backwards = Opening {
        since: at(10_000),
        ..opening(0, 5000)
    };
    assert!(!is_in(&backwards, Place(0), at(4999)) && is_in(&backwards, Place(7), at(5000)));
    let overfull = opening(u32::MAX, 5000);
    assert_eq!(overfull.share(at(0)), 1.0);
    assert!(is_in(&overfull, Place(PLACES - 1), at(0)));
    let endless = Opening {
        until: Some(Timestamp::MAX),
        since: Timestamp::MIN,
        ..opening(0, 0)
    };
    assert!((0.0..=1.0).contains(&endless.share(at(0))));
}

proptest! {
    /// Whose turn has come is among those who are counted as in, to the nanosecond.
    #[test]
    fn turns_and_the_share_say_the_same(
        who in 0..PLACES, from in 0..=PLACES, over in 1..100_000_000_i64, offset in -2_i64..3,
    ) {
        let opening = opening(from, over);
        let turn = opening.turn(Some(Place(who))).unwrap();
        let nanosecond = jiff::SignedDuration::from_nanos(offset);
        let now = turn.checked_add(nanosecond).unwrap_or(at(0)).max(at(0));
        let counted = who < opening.places_in(now);
        prop_assert_eq!(counted, turn <= now);
    }

    /// Whoever is in stays in, however often it is paused, hurried or slowed down.
    #[test]
    fn nobody_is_put_out_again(
        who in 0..PLACES,
        steps in prop::collection::vec((1..60_000_i64, prop::option::of(1..3_600_000_i64)), 1..8),
    ) {
        let mut opening = opening(0, 600_000);
        let mut now = at(0);
        let (mut was_in, mut share) = (false, 0.0);
        for (later, over) in steps {
            for part in 1..=4 {
                let now = at(now.as_millisecond() - 1_800_000_000_000 + later * part / 4);
                let is_in = is_in(&opening, Place(who), now);
                prop_assert!(is_in || !was_in);
                prop_assert!(share <= opening.share(now));
                (was_in, share) = (is_in, opening.share(now));
            }
            now = at(now.as_millisecond() - 1_800_000_000_000 + later);
            let until = over.map(|over| at(now.as_millisecond() - 1_800_000_000_000 + over));
            opening = opening.going_on(now, until);
            let is_in = is_in(&opening, Place(who), now);
            prop_assert_eq!(is_in, was_in);
        }
    }

    /// A place's turn never comes after all are in, and places get in in their order.
    #[test]
    fn turns_come_in_order(one in 0..PLACES, other in 0..PLACES, over in 1..100_000_000_i64) {
        let opening = opening(0, over);
        let turn = |place| opening.turn(Some(Place(place))).unwrap();
        prop_assert_eq!(one.cmp(&other).is_le(), one == other || turn(one) <= turn(other) && one < other);
        prop_assert!(at(0) <= turn(one) && turn(one) <= at(over));
    }
}
