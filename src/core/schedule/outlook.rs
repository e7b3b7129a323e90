//! What of windows that repeat can be seen from an instant, worked out ahead.
//!
//! A rule of a calendar is slow to ask: too slow for each request. So a snapshot has the
//! occurrences around it at hand. They say the same as the rules do, which is what counts wherever
//! they do not reach: when the clock jumps, or the machine has slept for a month.

use jiff::Timestamp;

use super::window::Window;

/// How many occurrences ahead of each rule are worked out.
const AHEAD: usize = 8;

/// Windows without rules that are the same as those with rules, from one instant to another.
#[derive(Debug, Clone)]
pub(crate) struct Outlook {
    pub(crate) windows: Vec<Window>,
    /// Everything that opens at this instant or later is in it,
    from: Timestamp,
    /// and before this one there is always another to come, or none at all.
    pub(crate) to: Timestamp,
}

impl Outlook {
    /// Looks around from an instant. `None` when no window repeats.
    pub(crate) fn new(windows: &[Window], at: Timestamp) -> Option<Self> {
        windows.iter().any(Window::repeats).then(|| {
            let mut outlook = Self {
                windows: Vec::new(),
                from: Timestamp::MIN,
                to: Timestamp::MAX,
            };
            windows.iter().for_each(|window| outlook.add(window, at));
            outlook
        })
    }

    /// Whether it says what is at this instant, and what comes next.
    pub(crate) fn covers(&self, now: Timestamp) -> bool {
        (self.from..self.to).contains(&now)
    }

    /// The first instant at which it does not say any more what is.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.to
    }

    fn add(&mut self, window: &Window, at: Timestamp) {
        if !window.repeats() {
            self.windows.push(window.clone());
            return;
        }
        // The latest that has started, because clocks are set back a little now and then.
        let mut seen = at;
        if let Some(latest) = window.started(at, 1).pop() {
            self.from = self.from.max(latest.start.unwrap_or(Timestamp::MIN));
            seen = latest.end.unwrap_or(at).max(at);
            self.windows.push(window.at(latest));
        }
        for place in 1..=AHEAD {
            let Some(next) = window.next_after(seen) else {
                return;
            };
            if place == AHEAD {
                self.to = self.to.min(next.start.unwrap_or(Timestamp::MAX));
            }
            seen = next.end.unwrap_or(seen);
            self.windows.push(window.at(next));
        }
    }
}

#[cfg(test)]
#[path = "outlook_tests.rs"]
mod tests;
