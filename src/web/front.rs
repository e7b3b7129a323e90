//! What only the web side shares: who is asking, what they get, and the closures of the app.

use std::{
    borrow::Cow,
    fmt,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
};

use actix_web::HttpRequest;

use super::closures::{AddressFinder, LogoutHook, Predicate};
use crate::{
    core::{public_path::in_public, rules::exempt::AddressSet},
    settings::GetSwitches,
    web::{
        live::Live,
        permission::Permissions,
        public_plan::PlanForAll,
        refusal::responses::Responses,
        request::{api_key::ApiKey, prefix::said_by_proxy},
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
    /// Whether shared caches keep nothing of what only some get to see: `exempt.private`.
    pub(crate) is_private: bool,
    pub(crate) logout_hook: Option<LogoutHook>,
    pub(crate) session_order: SessionOrder,
    pub(crate) permissions: Permissions,
    pub(crate) tokens: Tokens,
    /// What a `GET` of `/on` and `/off` does.
    pub(crate) get_switches: GetSwitches,
    pub(crate) live: Live,
    /// What anybody may know of what is planned, if they may.
    pub(crate) plan_for_all: Option<PlanForAll>,
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
    /// What a proxy strips before the app sees a path, without a slash at its end.
    pub(crate) public_path: String,
    /// What is wrong with the pages, where a program goes on all the same.
    pub(crate) page_fault: Option<String>,
    /// Without a slash at its end.
    pub(crate) admin_path: String,
}

impl fmt::Debug for Front {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Front").finish_non_exhaustive()
    }
}

impl Front {
    /// What stands before the paths of the app for whoever sends a request, without a slash at its
    /// end: what a trusted proxy says, else the setting `public_path`.
    pub(crate) fn public_prefix(&self, request: &HttpRequest) -> Cow<'_, str> {
        match said_by_proxy(request, &self.trusted_proxies) {
            Some(prefix) => Cow::Owned(prefix),
            None => Cow::Borrowed(&self.public_path),
        }
    }

    /// A path of the app as whoever sends a request sees it.
    pub(crate) fn public(&self, request: &HttpRequest, path: &str) -> String {
        in_public(&self.public_prefix(request), path)
    }

    /// Whether the app wraps something to be always refused.
    pub(crate) fn forced_on_wrappers(&self) -> bool {
        self.forced_on_wrappers.load(Ordering::Relaxed)
    }
}
