use proptest::prelude::*;

use super::*;

#[test]
fn what_reads_waits_and_else_what_has_a_small_body_or_none() {
    for body in [Body::None, Body::Unknown, Body::Declared(u64::MAX)] {
        assert!(may_wait(true, body));
    }
    assert!(may_wait(false, Body::None));
    assert!(may_wait(false, Body::Declared(SMALL_BODY)));
    assert!(!may_wait(false, Body::Declared(SMALL_BODY + 1)));
    assert!(!may_wait(false, Body::Unknown));
}

#[test]
fn nobody_waits_longer_than_the_settings_say() {
    let longest = Duration::from_secs(30);
    let patience = |seconds| patience(SignedDuration::from_secs(seconds), longest);
    assert_eq!(patience(10), Duration::from_secs(10));
    assert_eq!(patience(31), longest);
    assert_eq!(patience(i64::MAX), longest);
    assert_eq!(patience(-1), Duration::ZERO);
}

#[test]
fn the_newest_finds_no_place_until_somebody_leaves() {
    let mut lot = Lot::new(2);
    let first = lot.enter(0).unwrap();
    let second = lot.enter(1).unwrap();
    assert_eq!(lot.enter(0), None);
    lot.leave(first);
    // Who has left does not leave twice.
    lot.leave(first);
    assert_eq!(lot.count(), 1);
    let third = lot.enter(0).unwrap();
    assert_ne!(third, first);
    // To wait on takes no place of anybody's.
    let second = lot.stay(second, 0);
    assert_eq!((lot.count(), second.mode), (2, 0));
    assert_eq!(lot.enter(0), None);
    assert_eq!(Lot::new(0).enter(0), None);
}

#[test]
fn who_waits_for_another_mode_is_not_let_in_and_who_waits_on_is_told_anew() {
    let now = Instant::now();
    let mut lot = Lot::new(10);
    let (one, other) = (lot.enter(0).unwrap(), lot.enter(1).unwrap());
    assert_eq!(lot.release(0, now), 1);
    assert_eq!(lot.turn(one), Some(now));
    assert_eq!(lot.turn(other), None);
    // It has closed again, or another mode is closed.
    let one = lot.stay(one, 1);
    assert_eq!(lot.turn(one), None);
    let later = now + Duration::from_secs(5);
    assert_eq!(lot.release(1, later), 2);
    // Who came first is first.
    assert_eq!(lot.turn(one), Some(later));
    assert_eq!(lot.turn(other), Some(later + SPREAD / 2));
    // Whoever is told is told once.
    assert_eq!(lot.release(1, later + SPREAD), 0);
    assert_eq!(lot.turn(one), Some(later));
}

proptest! {
    /// The first at once, each at its own time, in order, and in equal steps over a second.
    #[test]
    fn the_release_is_spread(count in 1_usize..3000, step in 1_usize..40) {
        let places: Vec<Duration> = (0..count)
            .map(|place| place_in_release(place, count))
            .collect();
        prop_assert_eq!(places[0], Duration::ZERO);
        prop_assert!(places.is_sorted());
        prop_assert!(*places.last().unwrap() < SPREAD);
        // However it is cut, no stretch of it has more than its share, but for one at its edge.
        let stretch = SPREAD / u32::try_from(step).unwrap();
        for from in 0..step {
            let from = stretch * u32::try_from(from).unwrap();
            let within = places
                .iter()
                .filter(|place| (from..from + stretch).contains(*place))
                .count();
            prop_assert!(within <= count / step + 2, "{} of {} in one of {}", within, count, step);
        }
    }

    /// Whatever comes and goes: never more than may, all in the order in which they came, and nobody is
    /// forgotten.
    #[test]
    fn a_lot_loses_nobody(most in 0_usize..40, steps in prop::collection::vec((0_u8..5, 0_usize..3, 0_usize..40), 0..200)) {
        let start = Instant::now();
        let mut lot = Lot::new(most);
        let mut waiting: Vec<Ticket> = Vec::new();
        for (at, (what, mode, which)) in steps.into_iter().enumerate() {
            let now = start + SPREAD * u32::try_from(at).unwrap();
            let which = which.checked_rem(waiting.len());
            match (what, which) {
                (0 | 1, _) => {
                    let ticket = lot.enter(mode);
                    prop_assert_eq!(ticket.is_some(), waiting.len() < most);
                    waiting.extend(ticket);
                }
                (2, Some(which)) => lot.leave(waiting.remove(which)),
                (3, Some(which)) => waiting[which] = lot.stay(waiting[which], mode),
                _ => {
                    let untold = waiting
                        .iter()
                        .filter(|ticket| ticket.mode == mode && lot.turn(**ticket).is_none())
                        .copied()
                        .collect::<Vec<_>>();
                    prop_assert_eq!(lot.release(mode, now), untold.len());
                    let mut turns: Vec<(u64, Instant)> = untold
                        .iter()
                        .map(|ticket| (ticket.number, lot.turn(*ticket).unwrap()))
                        .collect();
                    turns.sort_unstable();
                    prop_assert!(turns.iter().map(|(_, turn)| turn).is_sorted());
                    prop_assert!(turns.iter().all(|(_, turn)| (now..now + SPREAD).contains(turn)));
                }
            }
            prop_assert_eq!(lot.count(), waiting.len());
        }
        for ticket in waiting {
            lot.leave(ticket);
        }
        prop_assert_eq!(lot.count(), 0);
        prop_assert!(lot.lines.values().all(BTreeMap::is_empty));
    }
}
