//! What somebody says of a window, in whichever way it comes in.

use std::time::Duration;

use super::{window_change::ChangeWindow, windows::PlanWindow};

/// Of a window that is planned or changed what is said, as people write it. Its times are read when it is
/// stored, as its zone counts for them. Of one that is changed an empty text takes away what was.
#[derive(Debug, Clone, Default)]
pub(crate) struct WindowSaid {
    pub(crate) start: Option<String>,
    pub(crate) end: Option<String>,
    pub(crate) lasting: Option<Duration>,
    pub(crate) repeats: Option<String>,
    pub(crate) zone: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) reason: Option<String>,
}

/// Tells a builder what is said. Both kinds have setters of the same names.
macro_rules! tell {
    ($builder:ident, $said:ident; $($setter:ident($name:ident)),+) => {{
        $(let $builder = match $said.$name {
            Some(value) => $builder.$setter(value),
            None => $builder,
        };)+
        $builder
    }};
    ($builder:ident, $said:ident) => {
        tell!(
            $builder, $said;
            start_local(start), end_local(end), lasting(lasting), repeats(repeats), zone(zone),
            title(title), message(message), reason(reason)
        )
    };
}

impl WindowSaid {
    pub(crate) fn plan(self, window: PlanWindow) -> PlanWindow {
        tell!(window, self)
    }

    pub(crate) fn change(self, window: ChangeWindow) -> ChangeWindow {
        tell!(window, self)
    }

    /// Whether there is any time in it. A window without one would close the site at once, which is
    /// what a switch is for.
    pub(crate) fn says_when(&self) -> bool {
        let times = [&self.start, &self.end, &self.repeats];
        times.into_iter().any(Option::is_some) || self.lasting.is_some()
    }
}
