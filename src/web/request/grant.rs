//! What a request shows of grants: a token in its header, and the cookie of a link.

use actix_web::{
    HttpRequest,
    http::header::{COOKIE, HeaderName},
};

use crate::core::{grants::hash_of, state::GrantHash};

pub(crate) const X_MAINTENANCE_GRANT: HeaderName = HeaderName::from_static("x-maintenance-grant");

/// The cookie by which a link is remembered.
pub(crate) const COOKIE_NAME: &str = "maintenance_grant";

/// Longer ones are not looked at.
const LONGEST: usize = 512;
/// Of several apps on one host each may have set one. More are not looked at.
const MOST_COOKIES: usize = 4;

/// What is kept of the token that a request shows.
pub(crate) fn token(request: &HttpRequest) -> Option<GrantHash> {
    let mut lines = request.headers().get_all(&X_MAINTENANCE_GRANT);
    let token = lines.next()?;
    // Of two, nobody knows which one a proxy has looked at.
    if lines.next().is_some() || token.len() > LONGEST {
        return None;
    }
    Some(hash_of(token.to_str().ok()?.trim()))
}

/// What is kept of each cookie of a link that a request shows.
///
/// The header is read as it is: a cookie of somebody else that cannot be read hides none.
pub(crate) fn cookies(request: &HttpRequest) -> impl Iterator<Item = GrantHash> {
    let lines = request.headers().get_all(COOKIE);
    let lines = lines.filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';'));
    pairs
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(name, value)| *name == COOKIE_NAME && value.len() <= LONGEST)
        .take(MOST_COOKIES)
        .map(|(_, value)| hash_of(value.trim_matches('"')))
}
