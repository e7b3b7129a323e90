//! Whether a request to change something is the user's own intent.

use actix_web::{
    HttpRequest,
    http::{
        Uri,
        header::{HeaderName, ORIGIN, REFERER},
    },
};

use crate::{
    engine::shared::Shared,
    web::{refusal::negotiate::SEC_FETCH_DEST, request::subject::own_host},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The headers by which browsers say that they only fetch ahead.
const PREFETCH_HEADERS: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];

/// Why a request is no intent of the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    #[error("The browser only fetched this address ahead of time.")]
    Prefetch,
    #[error("The request comes from another site.")]
    OtherOrigin,
    #[error("The address was loaded as a part of a page, not visited.")]
    PartOfPage,
}

/// Judges a request by what the browser says of its origin.
///
/// `Sec-Fetch-Site` comes from the browser itself and no page can forge it (Fetch Metadata). Older
/// browsers send `Origin` or `Referer`. A client that sends none of them is no browser, so nobody
/// else's page can be behind its request.
pub(super) fn check(request: &HttpRequest, shared: &Shared) -> Result<(), Foreign> {
    let headers = request.headers();
    let is_prefetch = PREFETCH_HEADERS.iter().any(|name| {
        headers.get_all(*name).any(|value| {
            contains(value.as_bytes(), b"prefetch") || contains(value.as_bytes(), b"preview")
        })
    });
    if is_prefetch {
        return Err(Foreign::Prefetch);
    }
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        if !matches!(site.as_bytes(), b"same-origin" | b"none") {
            return Err(Foreign::OtherOrigin);
        }
        // An image in a page of this very site is no click.
        let part_of_page = headers
            .get(SEC_FETCH_DEST)
            .is_some_and(|kind| !matches!(kind.as_bytes(), b"document" | b"empty" | b""));
        return if part_of_page {
            Err(Foreign::PartOfPage)
        } else {
            Ok(())
        };
    }
    match headers.get(ORIGIN).or_else(|| headers.get(REFERER)) {
        None => Ok(()),
        Some(from) => {
            let same = from
                .to_str()
                .ok()
                .and_then(|from| from.parse::<Uri>().ok())
                .is_some_and(|from| is_own(&from, request, shared));
            if same {
                Ok(())
            } else {
                Err(Foreign::OtherOrigin)
            }
        }
    }
}

/// Whether a page of this very site sends the request, or no browser does.
///
/// For what is read and not changed, where a browser does not keep other sites from the answer:
/// a WebSocket can be opened from any page. Browsers always say by `Origin` from which one (RFC
/// 6455, section 10.2).
pub(super) fn is_own_page(request: &HttpRequest, shared: &Shared) -> bool {
    let headers = request.headers();
    let says_so = headers
        .get_all(SEC_FETCH_SITE)
        .all(|site| site.as_bytes() == b"same-origin");
    says_so
        && headers.get_all(ORIGIN).all(|from| {
            from.to_str()
                .ok()
                .and_then(|from| from.parse::<Uri>().ok())
                .is_some_and(|from| is_own(&from, request, shared))
        })
}

fn is_own(from: &Uri, request: &HttpRequest, shared: &Shared) -> bool {
    let (Some(scheme), Some(authority)) = (from.scheme_str(), from.authority()) else {
        return false;
    };
    // Behind a proxy that ends TLS this process cannot tell; when it ends TLS itself it can.
    if request.app_config().secure() && scheme != "https" {
        return false;
    }
    own_host(request, shared).is_some_and(|own| {
        without_default_port(own, scheme)
            .eq_ignore_ascii_case(without_default_port(authority.as_str(), scheme))
    })
}

fn without_default_port<'a>(authority: &'a str, scheme: &str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}
