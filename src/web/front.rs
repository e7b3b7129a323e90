//! What only the web side shares: who is asking, what they get, and the closures of the app.

use std::{
    fmt,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use super::closures::{AddressFinder, LogoutHook, Predicate};
use crate::{
    core::rules::exempt::AddressSet,
    settings::GetSwitches,
    web::{
        live::Live,
        permission::Permissions,
        refusal::responses::Responses,
        request::api_key::ApiKey,
        token::Tokens,
        told_once::ToldOnce,
        visitor::{identity::Identity, session_order::SessionOrder},
    },
};

/// What the middleware and the admin scope share, of all workers.
pub(crate) struct Front {
    /// Of each mode, in their order: whether it applies to a request, besides what the settings say.
    pub(crate) conditions: Vec<Option<Predicate>>,
    pub(crate) responses: Responses,
    pub(crate) identity: Identity,
    pub(crate) trusted_proxies: AddressSet,
    pub(crate) address_finder: Option<AddressFinder>,
    pub(crate) predicates: Vec<(&'static str, Predicate)>,
    /// Says of requests that whoever sends them is already in while the site is closing.
    pub(crate) already_in: Option<Predicate>,
    pub(crate) api_key: Option<ApiKey>,
    pub(crate) logout_hook: Option<LogoutHook>,
    pub(crate) session_order: SessionOrder,
    pub(crate) permissions: Permissions,
    pub(crate) tokens: Tokens,
    /// What a `GET` of `/on` and `/off` does.
    pub(crate) get_switches: GetSwitches,
    pub(crate) live: Live,
    /// The files of the app that replace those of the admin scope.
    pub(crate) static_dir: Option<PathBuf>,
    /// Where those are sent who are to log in first.
    pub(crate) login_url: Option<String>,
    /// Whether the app wraps something to be always refused.
    pub(crate) forced_on_wrappers: AtomicBool,
    /// What the log has said of routes.
    pub(crate) told_of_routes: ToldOnce,
    /// Whether it was told that this app serves the admin scope and wraps no middleware.
    pub(crate) unenforced_told: AtomicBool,
    /// Without a slash at its end.
    pub(crate) admin_path: String,
}

impl fmt::Debug for Front {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Front").finish_non_exhaustive()
    }
}

impl Front {
    /// Whether the app wraps something to be always refused.
    pub(crate) fn forced_on_wrappers(&self) -> bool {
        self.forced_on_wrappers.load(Ordering::Relaxed)
    }
}
