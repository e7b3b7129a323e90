//! Whether a request to change something is the user's own intent.

use actix_web::{
    HttpRequest,
    http::{
        Uri,
        header::{
            ACCEPT_LANGUAGE, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERER, USER_AGENT,
        },
    },
};

use crate::web::{
    front::Front,
    refusal::negotiate::SEC_FETCH_DEST,
    request::subject::{own_host, own_scheme},
};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const SEC_FETCH_USER: HeaderName = HeaderName::from_static("sec-fetch-user");

/// The headers by which browsers say that they only fetch ahead.
const PREFETCH_HEADERS: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
/// What stands in them then.
const PREFETCH_WORDS: [&[u8]; 3] = [b"prefetch", b"prerender", b"preview"];

/// Why a request is no intent of the user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    #[error("The browser only fetched this address ahead of time.")]
    Prefetch,
    #[error("The request comes from another site.")]
    OtherOrigin,
    #[error(
        "The request comes from an https page of this host, and this app was asked by plain http. \
         If a proxy ends TLS, list it in `client.trusted_proxies` and let it send \
         X-Forwarded-Proto."
    )]
    OtherScheme,
    #[error("The address was loaded as a part of a page, not visited.")]
    PartOfPage,
}

/// Judges a request that changes something by what the browser says of its origin.
///
/// `Sec-Fetch-Site` comes from the browser itself and no page can forge it (Fetch Metadata). Nor can
/// a page forge `Origin`, so each of them is enough to refuse. Older browsers send `Origin` or
/// `Referer`. A client that sends none of them is no browser, so nobody else's page can be behind
/// its request.
pub(super) fn check(request: &HttpRequest, front: &Front) -> Result<(), Foreign> {
    let headers = request.headers();
    if is_prefetch(headers) {
        return Err(Foreign::Prefetch);
    }
    let mut origins = headers.get_all(ORIGIN).peekable();
    let has_origin = origins.peek().is_some();
    for origin in origins {
        is_own(origin, request, front)?;
    }
    let mut sites = headers.get_all(SEC_FETCH_SITE).peekable();
    if sites.peek().is_some() {
        if !sites.all(|site| matches!(site.as_bytes(), b"same-origin" | b"none")) {
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
    match headers.get(REFERER) {
        Some(from) if !has_origin => is_own(from, request, front),
        _ => Ok(()),
    }
}

/// Whether a `GET` is more than a link that somebody made the browser follow: the user typed the
/// address or chose a bookmark, or the client is no browser at all.
///
/// A browser says so by Fetch Metadata. One that sends none, be it an older one or on plain HTTP,
/// cannot be told from its navigation from anywhere, and is asked. What no browser leaves out tells
/// programs: `Accept-Language`, and a `User-Agent` that begins with `Mozilla/`.
pub(super) fn is_meant(headers: &HeaderMap) -> bool {
    if is_prefetch(headers) {
        return false;
    }
    let says = |name: &HeaderName, wanted: &[u8]| {
        let mut lines = headers.get_all(name);
        lines.next().is_some_and(|line| line.as_bytes() == wanted) && lines.next().is_none()
    };
    let is_typed = says(&SEC_FETCH_SITE, b"none")
        && says(&SEC_FETCH_MODE, b"navigate")
        && says(&SEC_FETCH_USER, b"?1")
        && !headers.contains_key(ORIGIN)
        && !headers.contains_key(REFERER);
    is_typed || is_no_browser(headers)
}

/// Whether a browser sends it, as far as that can be told.
pub(super) fn is_of_a_browser(headers: &HeaderMap) -> bool {
    !is_no_browser(headers)
}

fn is_no_browser(headers: &HeaderMap) -> bool {
    let of_browsers = [ORIGIN, REFERER, ACCEPT_LANGUAGE];
    !of_browsers.iter().any(|name| headers.contains_key(name))
        && !headers
            .keys()
            .any(|name| name.as_str().starts_with("sec-fetch-"))
        && !headers
            .get_all(USER_AGENT)
            .any(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

fn is_prefetch(headers: &HeaderMap) -> bool {
    PREFETCH_HEADERS.iter().any(|name| {
        headers.get_all(*name).any(|value| {
            PREFETCH_WORDS
                .iter()
                .any(|word| contains(value.as_bytes(), word))
        })
    })
}

/// Whether a page of this very site sends the request, or no browser does.
///
/// For what is read and not changed, where a browser does not keep other sites from the answer:
/// a WebSocket can be opened from any page. Browsers always say by `Origin` from which one (RFC
/// 6455, section 10.2).
pub(super) fn is_own_page(request: &HttpRequest, front: &Front) -> bool {
    let headers = request.headers();
    let says_so = headers
        .get_all(SEC_FETCH_SITE)
        .all(|site| site.as_bytes() == b"same-origin");
    says_so
        && headers
            .get_all(ORIGIN)
            .all(|from| is_own(from, request, front).is_ok())
}

/// Whether this is an address of the very site that the request is for.
fn is_own(from: &HeaderValue, request: &HttpRequest, front: &Front) -> Result<(), Foreign> {
    let from: Uri = from
        .to_str()
        .ok()
        .and_then(|from| from.parse().ok())
        .ok_or(Foreign::OtherOrigin)?;
    let (Some(scheme), Some(authority)) = (from.scheme_str(), from.authority()) else {
        return Err(Foreign::OtherOrigin);
    };
    let is_host = own_host(request, front).is_some_and(|own| {
        without_default_port(own, scheme)
            .eq_ignore_ascii_case(without_default_port(authority.as_str(), scheme))
    });
    match own_scheme(request, front) {
        _ if !is_host => Err(Foreign::OtherOrigin),
        own if own == scheme => Ok(()),
        "http" if scheme == "https" => Err(Foreign::OtherScheme),
        _ => Err(Foreign::OtherOrigin),
    }
}

fn without_default_port<'a>(authority: &'a str, scheme: &str) -> &'a str {
    let port = if scheme == "https" { ":443" } else { ":80" };
    authority.strip_suffix(port).unwrap_or(authority)
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}
