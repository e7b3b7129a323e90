//! How far two clocks are from each other.

use jiff::{SignedDuration, Timestamp};

use crate::core::schedule::duration_in_words;

/// Clocks that differ by more are told of.
pub(crate) const TOLD: SignedDuration = SignedDuration::from_secs(2);

/// By how much the clock that showed `asked` and then `answered` is ahead of another that showed
/// `theirs` at some moment in between.
///
/// That is known no better than the answer was quick. Of what is possible it is what is nearest to no
/// difference at all, so that a slow answer never makes one.
pub(crate) fn ahead(asked: Timestamp, theirs: Timestamp, answered: Timestamp) -> SignedDuration {
    let (one, other) = (
        asked.duration_since(theirs),
        answered.duration_since(theirs),
    );
    // A clock that was set back in between has shown both.
    SignedDuration::ZERO.clamp(one.min(other), one.max(other))
}

/// Whether it is worth telling.
pub(crate) fn is_told(ahead: SignedDuration) -> bool {
    ahead.abs() > TOLD
}

/// How far ahead or behind, for people: `3.2 s ahead of`.
pub(crate) fn in_words(ahead: SignedDuration) -> String {
    let way = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    format!("{} {way}", duration_in_words(ahead.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(milliseconds: i64) -> Timestamp {
        Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
    }

    #[test]
    fn a_slow_answer_is_no_difference() {
        for (asked, theirs, answered, expected) in [
            (0, 0, 1, 0),
            (0, 5, 20, 0),
            // It took half a minute, and theirs was read at one of its ends.
            (0, 0, 30_000, 0),
            (0, 30_000, 30_000, 0),
            // Theirs is behind, however long it took.
            (10_000, 5_000, 11_000, 5_000),
            (10_000, 15_000, 11_000, -4_000),
            // The own clock was set back meanwhile.
            (10_000, 5_000, 4_000, 0),
        ] {
            let ahead = ahead(at(asked), at(theirs), at(answered));
            assert_eq!(ahead, SignedDuration::from_millis(expected));
        }
        let words = in_words(SignedDuration::from_millis(3_240));
        assert_eq!(words, "3.2 s ahead of");
        assert_eq!(in_words(SignedDuration::from_secs(-7)), "7 s behind");
        assert!(
            !is_told(SignedDuration::from_secs(2)) && is_told(SignedDuration::from_millis(-2001))
        );
    }

    proptest! {
        /// What is told is never more than there is, and misses no more than the answer took.
        #[test]
        fn it_is_as_good_as_the_answer_was_quick(
            real in -100_000_i64..100_000, there in 0_i64..10_000, back in 0_i64..10_000,
        ) {
            let theirs = at(there - real);
            let told = ahead(at(0), theirs, at(there + back));
            let real = SignedDuration::from_millis(real);
            prop_assert!(told.abs() <= real.abs());
            prop_assert!((real - told).abs() <= SignedDuration::from_millis(there + back));
        }
    }
}
