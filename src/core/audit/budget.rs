//! How many refused tries are told: strangers are not to fill the disk.

use std::time::Duration;

/// How many are told at once, and how often one more is.
const MOST: u32 = 200;
const ONE_MORE: Duration = Duration::from_millis(500);

/// What is left to tell of, by a clock that nobody sets.
#[derive(Debug)]
pub(crate) struct Budget {
    left: u32,
    at: Duration,
    left_out: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            left: MOST,
            at: Duration::ZERO,
            left_out: 0,
        }
    }
}

impl Budget {
    /// Whether one is told now: then with how many were left out since the last one.
    pub(crate) fn take(&mut self, now: Duration) -> Option<u64> {
        let gained = now.saturating_sub(self.at).as_millis() / ONE_MORE.as_millis();
        let gained = u32::try_from(gained).unwrap_or(u32::MAX);
        if gained > 0 {
            self.left = self.left.saturating_add(gained).min(MOST);
            self.at = now;
        }
        if self.left == 0 {
            self.left_out += 1;
            return None;
        }
        self.left -= 1;
        Some(std::mem::take(&mut self.left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_counted_and_a_trickle_is_told() {
        let mut budget = Budget::default();
        let told = (0..10_000).filter(|_| budget.take(Duration::ZERO).is_some());
        assert_eq!(told.count(), 200);
        assert_eq!(budget.take(Duration::from_secs(1)), Some(9_800));
        assert_eq!(budget.take(Duration::from_secs(1)), Some(0));
        assert_eq!(budget.take(Duration::from_secs(1)), None);
        let mut budget = Budget::default();
        for second in 0..10_000 {
            assert_eq!(budget.take(Duration::from_secs(second)), Some(0));
        }
    }
}
