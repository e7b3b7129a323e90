//! What the settings ask of the driver.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZone};

use crate::{
    core::{
        mode::Mode,
        mode_view::ModeView,
        snapshot::{CUT_OFF, Snapshot},
        state::Document,
        status::store::StoreStatus,
    },
    settings::{Forced, WhenCutOff, WhenStoreFails, WhenUnknownAtStart},
};

/// What the settings say to the driver.
pub(crate) struct Plan {
    pub(crate) forced: Option<Forced>,
    pub(crate) when_store_fails: WhenStoreFails,
    pub(crate) when_cut_off: WhenCutOff,
    pub(crate) when_unknown_at_start: WhenUnknownAtStart,
    /// Whether this is a program that looks and ends, not one that serves.
    pub(crate) is_tool: bool,
    pub(crate) time_zone: Option<TimeZone>,
    /// The modes, in the order in which they answer; never empty.
    pub(crate) modes: Vec<Arc<Mode>>,
}

impl Plan {
    /// The snapshot before anything is known of the store.
    pub(crate) fn first_snapshot(
        &self,
        rules: Arc<crate::core::rules::compiled::Rules>,
        url: String,
        at: Timestamp,
    ) -> Snapshot {
        let store = StoreStatus::unread(url);
        self.snapshot(1, rules, &Document::default(), store, at)
    }

    pub(super) fn snapshot(
        &self,
        number: u64,
        rules: Arc<crate::core::rules::compiled::Rules>,
        document: &Document,
        store: StoreStatus,
        at: Timestamp,
    ) -> Snapshot {
        let is_unknown = store.known_at.is_none();
        let instead = self.forced.or(match (&store.error, self.when_store_fails) {
            (None, _) => None,
            (Some(_), WhenStoreFails::KeepLast) => match self.when_unknown_at_start {
                WhenUnknownAtStart::On if is_unknown => Some(Forced::On),
                _ => None,
            },
            (Some(_), WhenStoreFails::On) => Some(Forced::On),
            (Some(_), WhenStoreFails::Off) => Some(Forced::Off),
        });
        let of = |number, rules, instead, store| {
            let modes = self
                .modes
                .iter()
                .map(|mode| ModeView::new(mode, document, instead, at))
                .collect();
            Snapshot::new(number, rules, modes, self.forced, document, store, at)
        };
        let when_cut_off = (self.when_cut_off == WhenCutOff::Close).then(|| {
            let closed = self.forced.or(Some(Forced::On));
            let (rules, store) = (Arc::clone(&rules), store.clone());
            of(number | CUT_OFF, rules, closed, store)
        });
        let mut snapshot = of(number, rules, instead, store);
        snapshot.when_cut_off = when_cut_off.map(Arc::new);
        snapshot
    }
}
