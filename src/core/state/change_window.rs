//! A window that is planned is changed.

use jiff::Timestamp;

use super::{Document, Ended, Period};
use crate::core::schedule::Window;

impl Document {
    /// The mode of a window, and the window.
    pub(crate) fn window(&self, id: &str) -> Option<(&str, &Window)> {
        self.modes.iter().find_map(|(key, mode)| {
            let window = mode.windows.iter().find(|window| window.id == id)?;
            Some((key.as_str(), window))
        })
    }

    /// Says something else of a window. `None` when it is so already, or there is none with this id.
    pub(crate) fn change_window(&self, window: &Window, now: Timestamp) -> Option<Self> {
        let mut next = self.clone();
        let key = next.window(&window.id)?.0.to_owned();
        let mode = next.modes.get_mut(&key)?;
        let known = mode.windows.iter_mut().find(|it| it.id == window.id)?;
        let changed = Window {
            sequence: known.sequence,
            changed_at: known.changed_at,
            ..window.clone()
        };
        if *known == changed {
            return None;
        }
        *known = Window {
            sequence: known.sequence.saturating_add(1),
            changed_at: Some(now),
            ..changed
        };
        mode.windows.sort_by_key(|window| window.start);
        let is_closed = mode.phase(now).is_maintenance();
        match (is_closed, next.has_open_period(&key)) {
            (true, false) => next.remember(Period {
                by: window.by.clone(),
                reason: window.reason.clone().or_else(|| window.title.clone()),
                ..Period::starting(&key, now)
            }),
            (false, true) => next.end_period(&key, now, Ended::Cancelled, None),
            _ => {}
        }
        Some(next)
    }
}
