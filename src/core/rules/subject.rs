//! What rules may see of a request.

use std::net::IpAddr;

use crate::core::{
    rules::{readings::Readings, routes::Routes},
    state::{GrantHash, GrantKind},
};

/// What the rules may ask about a request. Answers are computed when asked for.
pub(crate) trait Subject {
    /// The path by which the app routes: decoded, without the query.
    fn path(&self) -> &str;
    /// The other paths that it may turn out to be for.
    fn readings(&self) -> &Readings;
    /// The method, in capitals.
    fn method(&self) -> &str;
    /// Calls `visit` with every authority that the request can be routed by.
    fn each_host(&self, visit: &mut dyn FnMut(&str));
    /// Whether it is certain that one of these routes serves the request.
    fn opens_route(&self, routes: &Routes) -> bool;
    /// Whether one of these routes may serve the request.
    fn restricts_route(&self, routes: &Routes) -> bool;
    /// Whether the admin scope serves the request. Asked where the path is one of its paths.
    fn is_admin(&self) -> bool;
    /// The client's address, if it is known.
    fn address(&self) -> Option<IpAddr>;
    /// The name of the first predicate that lets the request through.
    fn predicate(&self) -> Option<&'static str>;
    /// Whether the request carries a valid API key.
    fn has_api_key(&self) -> bool;
    /// Calls `visit` with what is kept of each grant of this kind that the request shows; never for an
    /// address.
    fn each_grant(&self, kind: GrantKind, visit: &mut dyn FnMut(&GrantHash));
    /// Whether a predicate of the app says that whoever asks is already in.
    fn is_already_in(&self) -> bool;
    /// Whether the app's own closure says that the mode with this index applies to the request;
    /// `true` where there is none.
    fn is_of_mode(&self, mode: usize) -> bool;
}
