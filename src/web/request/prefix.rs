//! What a proxy strips from the paths of a request.

use actix_web::{HttpRequest, http::header::HeaderName};

use crate::core::{public_path::is_plain, rules::exempt::AddressSet};

const X_FORWARDED_PREFIX: HeaderName = HeaderName::from_static("x-forwarded-prefix");

/// The prefix that visitors see and the app does not, without a slash at its end, as far as a trusted
/// proxy says it.
///
/// Proxies behind each other add theirs: the outermost comes first. What is no plain path counts as
/// not said: it goes into links.
pub(crate) fn said_by_proxy(request: &HttpRequest, trusted_proxies: &AddressSet) -> Option<String> {
    let mut lines = request.headers().get_all(X_FORWARDED_PREFIX).peekable();
    lines.peek()?;
    let peer = request.peer_addr()?.ip();
    if !trusted_proxies.contains(peer) {
        return None;
    }
    let mut prefix = String::new();
    for line in lines {
        for part in line.to_str().ok()?.split(',') {
            let part = part.trim().trim_end_matches('/');
            if part.is_empty() {
                continue;
            }
            if !is_plain(part) {
                return None;
            }
            prefix.push_str(part);
        }
    }
    Some(prefix)
}
