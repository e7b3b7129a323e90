//! Up to which instant what is over may leave the document, which is for everybody.
//!
//! Each process judges by its own clock what is over. Clocks differ, and so what one takes for over
//! may be still to come for others. It is removed once no clock can see it otherwise.

use jiff::{SignedDuration, Timestamp};

/// No clock is wrong by more than this without anybody noticing.
pub(crate) const MARGIN: SignedDuration = SignedDuration::from_hours(24);

/// Up to when what is over may leave the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Horizon {
    pub(crate) instant: Timestamp,
    /// Whether it is what the clocks of all nodes have passed, and not the margin.
    pub(crate) is_agreed: bool,
}

impl Horizon {
    /// The horizon of a process whose clock shows `now`. `agreed`: what the clocks of all live nodes
    /// have passed, if that is known.
    pub(crate) fn new(now: Timestamp, agreed: Option<Timestamp>) -> Self {
        let by_margin = now.checked_sub(MARGIN).unwrap_or(Timestamp::MIN);
        let agreed = agreed
            .map(|agreed| agreed.min(now))
            .filter(|agreed| by_margin < *agreed);
        Self {
            instant: agreed.unwrap_or(by_margin),
            is_agreed: agreed.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_waits_for_the_slowest_clock_but_not_for_ever() {
        let noon: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        let hours = SignedDuration::from_hours;
        for (agreed, instant, is_agreed) in [
            (None, noon - hours(24), false),
            (Some(noon - hours(30)), noon - hours(24), false),
            (Some(noon - hours(5)), noon - hours(5), true),
            (Some(noon), noon, true),
            (Some(noon + hours(5)), noon, true),
        ] {
            let expected = Horizon { instant, is_agreed };
            assert_eq!(Horizon::new(noon, agreed), expected, "{agreed:?}");
        }
        let first = Horizon::new(Timestamp::MIN, None);
        assert_eq!(first.instant, Timestamp::MIN);
    }
}
