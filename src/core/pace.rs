//! How long an answer may take, from how long answers have taken.

use std::time::Duration;

/// What is measured of the way to a server, as TCP measures its own (RFC 6298).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// What is waited at least, also where answers are quick.
    least: Duration,
    /// What is waited at most, however slow they are.
    most: Duration,
    /// How long an answer takes, smoothed, and by how much that varies.
    measured: Option<(Duration, Duration)>,
}

impl Pace {
    pub(crate) fn new(least: Duration, most: Duration) -> Self {
        Self {
            least,
            most: most.max(least),
            measured: None,
        }
    }

    pub(crate) fn most(&self) -> Duration {
        self.most
    }

    /// An answer has come, after so long.
    pub(crate) fn note(&mut self, took: Duration) {
        self.measured = Some(match self.measured {
            None => (took, took / 2),
            Some((smoothed, spread)) => (
                (smoothed * 7 + took) / 8,
                (spread * 3 + smoothed.abs_diff(took)) / 4,
            ),
        });
    }

    /// How long to wait for something that takes so many answers, one after the other. However steady
    /// the way is, each may take twice what they take.
    pub(crate) fn limit(&self, answers: u32) -> Duration {
        let one = self.measured.map_or(Duration::ZERO, |(smoothed, spread)| {
            smoothed + (spread * 4).max(smoothed)
        });
        one.saturating_mul(answers).clamp(self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LEAST: Duration = Duration::from_secs(2);
    const MOST: Duration = Duration::from_secs(30);

    fn milliseconds(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn where_answers_are_quick_little_is_waited() {
        let mut pace = Pace::new(LEAST, MOST);
        assert_eq!(pace.limit(3), LEAST);
        for _ in 0..10 {
            pace.note(milliseconds(1));
        }
        assert_eq!(pace.limit(3), LEAST);
    }

    #[test]
    fn where_answers_take_their_time_they_get_it_and_no_more_than_is_set() {
        let mut pace = Pace::new(LEAST, MOST);
        pace.note(milliseconds(1800));
        assert!(pace.limit(3) > milliseconds(3 * 1800));
        assert!(pace.limit(3) < MOST);
        for _ in 0..50 {
            pace.note(milliseconds(1800));
        }
        // Of a way that is slow and steady more is known.
        let limit = pace.limit(1);
        assert!(
            (milliseconds(3500)..milliseconds(3700)).contains(&limit),
            "{limit:?}"
        );
        pace.note(milliseconds(20_000));
        assert_eq!(pace.limit(3), MOST);
        for _ in 0..50 {
            pace.note(milliseconds(1));
        }
        assert_eq!(pace.limit(3), LEAST, "quick again");
        assert_eq!(Pace::new(LEAST, milliseconds(5)).limit(1), LEAST);
    }

    proptest! {
        /// What always takes the same, or varies by little, is never cut off.
        #[test]
        fn a_steady_way_is_never_cut_off(
            took in 0_u64..9_000, wobble in prop::collection::vec(0_u64..100, 1..60),
        ) {
            let mut pace = Pace::new(LEAST, MOST);
            pace.note(milliseconds(took));
            for more in wobble {
                let next = milliseconds(took + took * more / 1000);
                prop_assert!(next <= pace.limit(1), "{next:?} {pace:?}");
                prop_assert!((LEAST..=MOST).contains(&pace.limit(3)));
                pace.note(next);
            }
        }
    }
}
