//! What intervals add up to, found the plain way.

use jiff::Timestamp;
use proptest::prelude::*;

use super::interval::Interval;

/// Merges intervals into stretches: in order, without overlap and with a break between any two.
///
/// Intervals that only touch become one stretch, because a visitor sees no break between them.
pub(super) fn stretches(intervals: impl IntoIterator<Item = Interval>) -> Vec<Interval> {
    let mut sorted: Vec<Interval> = intervals
        .into_iter()
        .filter(|interval| !interval.is_empty())
        .collect();
    // `None` sorts first, which is right for starts.
    sorted.sort_unstable_by_key(|interval| interval.start);
    let mut merged: Vec<Interval> = Vec::with_capacity(sorted.len());
    for next in sorted {
        match merged.last_mut() {
            Some(last)
                if last
                    .end
                    .is_none_or(|end| next.start.is_none_or(|start| start <= end)) =>
            {
                last.end = match (last.end, next.end) {
                    (Some(end), Some(other)) => Some(end.max(other)),
                    _ => None,
                };
            }
            _ => merged.push(next),
        }
    }
    merged
}

/// The stretch that contains `now`: since when it lasts and when it ends, over all intervals that
/// follow one another without a break.
pub(super) fn stretch_around(
    intervals: impl IntoIterator<Item = Interval>,
    now: Timestamp,
) -> Option<Interval> {
    stretches(intervals)
        .into_iter()
        .find(|stretch| stretch.contains(now))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn interval(start: Option<i64>, end: Option<i64>) -> Interval {
    Interval {
        start: start.map(at),
        end: end.map(at),
    }
}

#[test]
fn intervals_that_overlap_or_touch_are_one_stretch() {
    assert_eq!(
        stretches([
            interval(Some(10), Some(20)),
            interval(Some(0), Some(5)),
            interval(Some(15), Some(30)),
            interval(Some(30), Some(40)),
        ]),
        [interval(Some(0), Some(5)), interval(Some(10), Some(40))]
    );
}

#[test]
fn an_interval_without_an_instant_is_dropped() {
    assert_eq!(
        stretches([interval(Some(5), Some(5)), interval(Some(9), Some(3))]),
        []
    );
}

#[test]
fn open_ends_stay_open() {
    assert_eq!(
        stretches([
            interval(Some(10), None),
            interval(None, Some(5)),
            interval(Some(20), Some(30)),
        ]),
        [interval(None, Some(5)), interval(Some(10), None)]
    );
    assert_eq!(
        stretches([interval(None, Some(5)), interval(Some(5), None)]),
        [interval(None, None)]
    );
}

#[test]
fn the_stretch_around_now_knows_since_when_and_until_when() {
    let planned = [interval(Some(0), Some(10)), interval(Some(5), Some(20))];
    assert_eq!(
        stretch_around(planned, at(7)),
        Some(interval(Some(0), Some(20)))
    );
    assert_eq!(
        stretch_around(planned, at(0)),
        Some(interval(Some(0), Some(20)))
    );
    assert_eq!(stretch_around(planned, at(20)), None);
    assert_eq!(stretch_around([], at(0)), None);
}

fn any_interval() -> impl Strategy<Value = Interval> {
    let end = || prop_oneof![1 => Just(None), 6 => (0_i64..60).prop_map(Some)];
    (end(), end()).prop_map(|(start, end)| interval(start, end))
}

proptest! {
    #[test]
    fn each_instant_is_in_a_stretch_when_it_is_in_an_interval(
        intervals in prop::collection::vec(any_interval(), 0..10)
    ) {
        let merged = stretches(intervals.clone());
        for now in (-2..62).map(at).chain([Timestamp::MIN, Timestamp::MAX]) {
            let inside = intervals.iter().any(|interval| interval.contains(now));
            let containing: Vec<_> = merged.iter().filter(|stretch| stretch.contains(now)).collect();
            prop_assert_eq!(containing.len(), usize::from(inside));
            prop_assert_eq!(stretch_around(intervals.clone(), now), containing.first().map(|stretch| **stretch));
        }
    }

    #[test]
    fn stretches_are_in_order_and_leave_a_break(
        intervals in prop::collection::vec(any_interval(), 0..10)
    ) {
        let merged = stretches(intervals);
        for pair in merged.windows(2) {
            prop_assert!(pair[0].end.is_some() && pair[0].end < pair[1].start);
        }
        prop_assert_eq!(stretches(merged.clone()), merged);
    }
}
