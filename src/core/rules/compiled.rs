//! All rules of a site, ready to be asked.

use crate::core::rules::{
    exempt::{AddressSet, PathRules, Patterns},
    of_mode::ModeRules,
    routes::Routes,
    visitors::VisitorRules,
};

/// The settings as rules, compiled once.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    pub(crate) forced_off: Routes,
    pub(crate) forced_on: Routes,
    pub(crate) forced_on_patterns: Patterns,
    pub(crate) admin_scope: PathRules,
    pub(crate) robots_txt: bool,
    /// Where visitors are sent, by any mode.
    pub(crate) redirect_targets: Vec<RedirectTarget>,
    pub(crate) paths: PathRules,
    pub(crate) admin_site: PathRules,
    pub(crate) addresses: AddressSet,
    pub(crate) address_patterns: Patterns,
    pub(crate) tests: bool,
    pub(crate) visitors: VisitorRules,
    /// What is said of single modes, in the order of the modes.
    pub(crate) modes: Vec<ModeRules>,
}

impl Rules {
    /// What is said of one mode.
    #[inline]
    pub(crate) fn of_mode(&self, mode: usize) -> Option<&ModeRules> {
        self.modes.get(mode)
    }

    /// Whether any setting names routes of the app.
    pub(crate) fn name_routes(&self) -> bool {
        let by_modes = || self.modes.iter().any(|mode| !mode.exempt.routes.is_empty());
        !self.forced_off.is_empty() || !self.forced_on.is_empty() || by_modes()
    }

    /// Whether a request can be refused although no mode is pending or offline.
    pub(crate) fn force_on(&self) -> bool {
        !self.forced_on.is_empty() || !self.forced_on_patterns.is_empty()
    }
}

/// Where refused visitors are sent, as far as it is on this site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RedirectTarget {
    /// `None`: the same host as the request's.
    pub(crate) host: Option<String>,
    pub(crate) path: String,
}
