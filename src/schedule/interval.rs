//! Intervals of time and what they add up to.

use jiff::Timestamp;

/// `[start, end)`; an end that is `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Interval {
    pub(crate) start: Option<Timestamp>,
    pub(crate) end: Option<Timestamp>,
}

impl Interval {
    /// Whether `now` is in it.
    pub(crate) fn contains(self, now: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= now) && self.end.is_none_or(|end| now < end)
    }

    /// Whether no instant is in it.
    fn is_empty(self) -> bool {
        matches!((self.start, self.end), (Some(start), Some(end)) if end <= start)
    }
}

/// Merges intervals into stretches: in order, without overlap and with a break between any two.
///
/// Intervals that only touch become one stretch, because a visitor sees no break between them.
pub(crate) fn stretches(intervals: impl IntoIterator<Item = Interval>) -> Vec<Interval> {
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
pub(crate) fn stretch_around(
    intervals: impl IntoIterator<Item = Interval>,
    now: Timestamp,
) -> Option<Interval> {
    stretches(intervals)
        .into_iter()
        .find(|stretch| stretch.contains(now))
}

#[cfg(test)]
#[path = "interval_tests.rs"]
mod tests;
